//! One cell's stdout and stderr, as text in the order in which it was written.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::limits::Pace;
use super::utf8::Utf8Decoder;

/// How long text waits for more text of the same stream.
const COALESCE: Duration = Duration::from_millis(25);
/// The most text in one message, in bytes.
const MAX_CHUNK: usize = 64 * 1024;

/// An output stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum StreamName {
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
}

impl StreamName {
    /// Returns the name in the protocol.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Stdout => "stdout",
            Self::Stderr => "stderr",
        }
    }
}

/// Text of one stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Chunk {
    /// The stream.
    pub(crate) stream: StreamName,
    /// The text.
    pub(crate) text: String,
}

/// Something to send, in the order in which the cell caused it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Item<T> {
    /// Text.
    Text(Chunk),
    /// Anything else: text before it doesn't wait for more.
    Other(T),
}

/// A cell's output that has not been sent yet: coalesced text, and anything
/// else (`T`) that must keep its place in it.
#[derive(Debug)]
pub(crate) struct CellOutput<T> {
    stdout: Utf8Decoder,
    stderr: Utf8Decoder,
    /// Oldest first; neighbouring texts are of different streams.
    pending: VecDeque<Item<T>>,
    /// How many of `pending` are not text.
    others: usize,
    /// When the oldest pending text arrived.
    since: Option<Instant>,
    /// Bytes of text that may still be accepted.
    room: usize,
    /// Bytes of text that were not accepted.
    omitted: u64,
}

impl<T> CellOutput<T> {
    /// Returns the output of a cell that may show `limit` bytes of text.
    pub(crate) fn new(limit: usize) -> Self {
        Self {
            stdout: Utf8Decoder::default(),
            stderr: Utf8Decoder::default(),
            pending: VecDeque::new(),
            others: 0,
            since: None,
            room: limit,
            omitted: 0,
        }
    }

    /// Adds text that the cell wrote. Returns whether this was the first text
    /// beyond the limit.
    pub(crate) fn push(&mut self, stream: StreamName, bytes: &[u8], now: Instant) -> bool {
        let text = self.decoder(stream).decode(bytes);
        self.append(stream, text, now)
    }

    /// Adds something else.
    pub(crate) fn push_other(&mut self, other: T) {
        self.pending.push_back(Item::Other(other));
        self.others += 1;
    }

    /// Ends both streams: incomplete UTF-8 sequences are final now.
    pub(crate) fn finish(&mut self, now: Instant) {
        for stream in [StreamName::Stdout, StreamName::Stderr] {
            let text = self.decoder(stream).finish();
            self.append(stream, text, now);
        }
    }

    /// Drops the pending text, and counts it as omitted, if it is more than one
    /// message.
    pub(crate) fn discard_backlog(&mut self) {
        let text = |item: &Item<T>| match item {
            Item::Text(chunk) => chunk.text.len(),
            Item::Other(_) => 0,
        };
        let backlog: usize = self.pending.iter().map(text).sum();
        if backlog > MAX_CHUNK {
            self.pending.retain(|item| matches!(item, Item::Other(_)));
            self.omitted += backlog as u64;
            self.since = None;
        }
    }

    /// Returns the number of bytes of text that were left out.
    pub(crate) fn omitted(&self) -> u64 {
        self.omitted
    }

    /// Returns when [`Self::take`] should be called; `None` if nothing is
    /// pending.
    pub(crate) fn due(&self, pace: &mut Pace, now: Instant) -> Option<Instant> {
        let Item::Text(chunk) = self.pending.front()? else {
            return Some(now);
        };
        let coalesced = match self.since {
            Some(since) if self.others == 0 => since + COALESCE,
            _ => now,
        };
        Some(coalesced.max(now + pace.until(chunk.text.len().min(MAX_CHUNK), now)))
    }

    /// Returns the items that may be sent now; the rest stays pending if it
    /// would exceed the pace.
    pub(crate) fn take(&mut self, pace: &mut Pace, now: Instant) -> Vec<Item<T>> {
        let mut taken = Vec::new();
        while let Some(item) = self.pending.front_mut() {
            if let Item::Text(chunk) = item {
                let end = floor_char_boundary(&chunk.text, MAX_CHUNK);
                if pace.available(now) < end {
                    return taken;
                }
                pace.spend(end);
                if end < chunk.text.len() {
                    let rest = chunk.text.split_off(end);
                    taken.push(Item::Text(Chunk {
                        stream: chunk.stream,
                        text: std::mem::replace(&mut chunk.text, rest),
                    }));
                    continue;
                }
            } else {
                self.others -= 1;
            }
            taken.extend(self.pending.pop_front());
        }
        self.since = None;
        taken
    }

    fn append(&mut self, stream: StreamName, mut text: String, now: Instant) -> bool {
        if text.is_empty() {
            return false;
        }
        let mut first_omission = false;
        if text.len() > self.room {
            let kept = floor_char_boundary(&text, self.room);
            first_omission = self.omitted == 0;
            self.omitted += (text.len() - kept) as u64;
            text.truncate(kept);
            // Accept nothing after the gap, even if it would fit.
            self.room = kept;
        }
        self.room -= text.len();
        if !text.is_empty() {
            self.since.get_or_insert(now);
            match self.pending.back_mut() {
                Some(Item::Text(last)) if last.stream == stream => last.text.push_str(&text),
                _ => self.pending.push_back(Item::Text(Chunk { stream, text })),
            }
        }
        first_omission
    }

    fn decoder(&mut self, stream: StreamName) -> &mut Utf8Decoder {
        match stream {
            StreamName::Stdout => &mut self.stdout,
            StreamName::Stderr => &mut self.stderr,
        }
    }
}

/// Returns the length of the longest prefix of `text` that has at most `limit`
/// bytes and only whole characters.
fn floor_char_boundary(text: &str, limit: usize) -> usize {
    if text.len() <= limit {
        return text.len();
    }
    (0..=limit)
        .rev()
        .find(|&at| text.is_char_boundary(at))
        .unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::StreamName::{Stderr, Stdout};
    use super::*;

    /// Formats items: `out:…`, `err:…`, `(other)`.
    fn shown(items: &[Item<&str>]) -> String {
        let shown: Vec<String> = items
            .iter()
            .map(|item| match item {
                Item::Text(chunk) => format!("{}:{}", &chunk.stream.as_str()[3..], chunk.text),
                Item::Other(other) => format!("({other})"),
            })
            .collect();
        shown.join(" ")
    }

    #[test]
    fn neighbours_are_joined_and_the_order_is_kept() {
        let now = Instant::now();
        let mut output = CellOutput::<&str>::new(100);
        let mut pace = Pace::new(now);
        assert_eq!(output.due(&mut pace, now), None);
        output.push(Stdout, b"a", now);
        output.push(Stdout, b"b", now);
        output.push(Stderr, b"!", now);
        output.push(Stdout, b"c", now);
        assert_eq!(output.due(&mut pace, now), Some(now + COALESCE));
        assert_eq!(shown(&output.take(&mut pace, now)), "out:ab err:! out:c");
        assert_eq!(output.due(&mut pace, now), None);
    }

    #[test]
    fn text_before_something_else_goes_at_once_and_before_it() {
        let now = Instant::now();
        let mut output = CellOutput::new(100);
        let mut pace = Pace::new(now);
        output.push(Stdout, b"a\xE2", now);
        output.push_other("plot");
        assert_eq!(output.due(&mut pace, now), Some(now));
        output.push(Stdout, b"\x82\xACb", now);
        assert_eq!(shown(&output.take(&mut pace, now)), "out:a (plot) out:€b");
    }

    #[test]
    fn beyond_the_limit_bytes_are_counted_not_shown() {
        let now = Instant::now();
        let mut output = CellOutput::<&str>::new(5);
        let mut pace = Pace::new(now);
        assert!(!output.push(Stdout, b"abc", now));
        assert!(output.push(Stdout, "€xy".as_bytes(), now), "first omission");
        assert!(!output.push(Stdout, b"z", now));
        assert_eq!(output.omitted(), 6);
        assert_eq!(shown(&output.take(&mut pace, now)), "out:abc");
    }

    #[test]
    fn a_flood_waits_for_the_pace() {
        let mut now = Instant::now();
        let mut output = CellOutput::new(usize::MAX);
        let mut pace = Pace::new(now);
        output.push(Stdout, &vec![b'x'; 3_000_000], now);
        let mut total = 0;
        let start = now;
        output.push_other("end");
        while let Some(due) = output.due(&mut pace, now) {
            now = due;
            let items = output.take(&mut pace, now);
            assert!(!items.is_empty(), "the loop would spin");
            for item in items {
                if let Item::Text(chunk) = item {
                    assert!(chunk.text.len() <= MAX_CHUNK);
                    total += chunk.text.len();
                }
            }
        }
        assert_eq!(total, 3_000_000);
        assert!(now - start < Duration::from_secs(5));
    }

    proptest! {
        #[test]
        fn any_cutting_shows_the_same_text(
            writes in prop::collection::vec((any::<bool>(), ".{0,12}"), 0..12),
            cut in 1_usize..5,
        ) {
            let now = Instant::now();
            let collect = |size: usize| {
                let mut output = CellOutput::<()>::new(usize::MAX);
                for (is_stdout, text) in &writes {
                    let stream = if *is_stdout { Stdout } else { Stderr };
                    for part in text.as_bytes().chunks(size) {
                        output.push(stream, part, now);
                    }
                }
                output.finish(now);
                output.take(&mut Pace::new(now), now)
            };
            prop_assert_eq!(collect(cut), collect(usize::MAX));
        }
    }
}
