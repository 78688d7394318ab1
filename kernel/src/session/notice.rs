//! A notice that a cell is still being compiled.
//!
//! It appears after a second, counts the seconds, and disappears when the cell
//! runs, so that saved notebooks do not contain it.

use std::time::{Duration, Instant};

use serde_json::{Map, json};

use crate::display::{Display, MimeBundle};
use crate::execution::Stage;

/// How long a stage takes before a notice appears; also the time between two
/// updates.
const STEP: Duration = Duration::from_secs(1);

/// The notice of one cell.
#[derive(Debug, Default)]
pub(super) struct Notice {
    /// The current stage, and its start.
    stage: Option<(Stage, Instant)>,
    /// How many steps are shown.
    steps: u32,
}

impl Notice {
    /// Begins another stage. Returns whether a notice must be removed.
    pub(super) fn enter(&mut self, stage: Stage, now: Instant) -> bool {
        let shown = self.steps > 0;
        match stage {
            Stage::Running => *self = Self::default(),
            _ if shown => {
                // Keep the start time: to the user it is one wait.
                let since = self.stage.map_or(now, |(_, since)| since);
                self.stage = Some((stage, since));
                return false;
            }
            _ => self.stage = Some((stage, now)),
        }
        shown
    }

    /// Returns when the notice must be shown or updated.
    pub(super) fn due(&self) -> Option<Instant> {
        let (_, since) = self.stage?;
        Some(since + STEP * (self.steps + 1))
    }

    /// Returns the display to show now, with the notice's id for `cell`.
    pub(super) fn take(&mut self, cell: u64, now: Instant) -> Option<Display> {
        let (stage, since) = self.stage.filter(|_| self.due() <= Some(now))?;
        let elapsed = now.saturating_duration_since(since);
        let update = self.steps > 0;
        self.steps = u32::try_from(elapsed.as_secs()).unwrap_or(u32::MAX - 1);
        let what = match stage {
            Stage::Crates => "Adding crates",
            Stage::Compiling | Stage::Running => "Compiling",
        };
        Some(display(cell, &format!("{what} … {} s", self.steps), update))
    }
}

/// Returns the replacement for a notice that cannot be removed, because other
/// output would be removed with it.
pub(super) fn ended(cell: u64) -> Display {
    display(cell, "Compiled", true)
}

fn display(cell: u64, text: &str, update: bool) -> Display {
    let mut data = Map::new();
    data.insert("text/plain".to_owned(), json!(text));
    let html = format!("<span style=\"opacity:0.7;font-size:90%\">{text}</span>");
    data.insert("text/html".to_owned(), json!(html));
    Display {
        bundle: MimeBundle {
            data,
            metadata: Map::new(),
        },
        id: Some(format!("swath-compiling-{cell}")),
        update,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(display: &Display) -> (&str, bool) {
        (
            display.bundle.data["text/plain"].as_str().unwrap(),
            display.update,
        )
    }

    #[test]
    fn after_a_second_and_every_second() {
        let begin = Instant::now();
        let at = |tenths: u64| begin + Duration::from_millis(100 * tenths);
        let mut notice = Notice::default();
        assert_eq!(notice.due(), None);
        assert!(!notice.enter(Stage::Crates, begin));
        assert!(notice.take(1, at(9)).is_none());
        assert_eq!(notice.due(), Some(at(10)));
        let shown = notice.take(1, at(10)).unwrap();
        assert_eq!(text(&shown), ("Adding crates … 1 s", false));
        assert!(notice.take(1, at(11)).is_none());
        assert!(!notice.enter(Stage::Compiling, at(15)));
        let shown = notice.take(1, at(34)).unwrap();
        assert_eq!(text(&shown), ("Compiling … 3 s", true));
        assert!(notice.enter(Stage::Running, at(35)));
        assert_eq!(notice.due(), None);
    }

    #[test]
    fn what_is_quick_has_none() {
        let begin = Instant::now();
        let mut notice = Notice::default();
        notice.enter(Stage::Compiling, begin);
        assert!(!notice.enter(Stage::Running, begin + STEP / 2));
        assert!(notice.take(1, begin + 10 * STEP).is_none());
    }
}
