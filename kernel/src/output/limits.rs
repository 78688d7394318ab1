//! Limits on the amount and rate of a cell's output.

use crate::text::parse_nbytes;
use std::time::{Duration, Instant};

/// The default of `SWATH_MAX_OUTPUT`.
const DEFAULT_MAX_OUTPUT: usize = 8_000_000;

/// Returns how many bytes of text one cell may show: `SWATH_MAX_OUTPUT`, a number
/// that may end in k, M or G.
pub(crate) fn max_output() -> usize {
    let Ok(setting) = std::env::var("SWATH_MAX_OUTPUT") else {
        return DEFAULT_MAX_OUTPUT;
    };
    parse_nbytes(&setting).unwrap_or_else(|| {
        tracing::warn!(
            "SWATH_MAX_OUTPUT is `{setting}`, expected bytes such as 8000000 or 8M; \
             using {DEFAULT_MAX_OUTPUT}"
        );
        DEFAULT_MAX_OUTPUT
    })
}

/// A token bucket that keeps iopub below the rate limit of Jupyter's server.
///
/// The server drops output above 1 MB/s over three seconds
/// (`ServerApp.iopub_data_rate_limit`, `rate_limit_window`). Here, text waits
/// instead.
#[derive(Debug)]
pub(crate) struct Pace {
    /// Bytes that may be sent now; negative after a large display.
    tokens: f64,
    /// When `tokens` was last updated.
    at: Instant,
}

impl Pace {
    /// The long-term rate, in bytes per second.
    const RATE: f64 = 600_000.0;
    /// Bytes that may be sent at once after a pause.
    const BURST: f64 = 1_000_000.0;

    /// Returns a full bucket.
    pub(crate) fn new(now: Instant) -> Self {
        Self {
            tokens: Self::BURST,
            at: now,
        }
    }

    /// Returns the number of bytes that may be sent now.
    pub(crate) fn available(&mut self, now: Instant) -> usize {
        let elapsed = now.saturating_duration_since(self.at).as_secs_f64();
        self.tokens = (self.tokens + elapsed * Self::RATE).min(Self::BURST);
        self.at = now;
        self.tokens.max(0.0) as usize
    }

    /// Subtracts the bytes that were sent, allowed or not: a display cannot be
    /// split.
    pub(crate) fn spend(&mut self, nbytes: usize) {
        self.tokens -= nbytes as f64;
    }

    /// Returns the time until `nbytes` may be sent.
    pub(crate) fn until(&mut self, nbytes: usize, now: Instant) -> Duration {
        self.available(now);
        let missing = (nbytes as f64).min(Self::BURST) - self.tokens;
        if missing <= 0.0 {
            return Duration::ZERO;
        }
        // Round up, so that the bytes are available when the caller returns.
        Duration::from_secs_f64(missing / Self::RATE) + Duration::from_millis(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn never_faster_than_the_server_allows() {
        let start = Instant::now();
        let mut pace = Pace::new(start);
        // The server's window: three seconds of 1 MB/s.
        let mut sent = 0;
        for millisecond in 0..3_000 {
            let now = start + Duration::from_millis(millisecond);
            let nbytes = pace.available(now).min(65_536);
            pace.spend(nbytes);
            sent += nbytes;
        }
        assert!(sent > 2_500_000, "{sent}");
        assert!(sent < 3_000_000, "{sent}");
        assert!(pace.until(65_536, start + Duration::from_secs(3)) < Duration::from_millis(200));
    }
}
