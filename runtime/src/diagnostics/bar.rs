//! Draws progress bars: as a row of a table, and as a line of text.

use crate::display::Bundle;
use crate::display::palette;
use crate::display::style;
use crate::display::text::{bytes, counted, duration, grouped};
use crate::error::Error;
use crate::graph::Progress;
use maud::html;
use std::time::Duration;

/// The content of a bar.
pub(super) struct Bar {
    name: String,
    /// The finished part from 0 to 1; `None` if unknown.
    part: Option<f64>,
    colour: &'static str,
    count: String,
    note: String,
}

/// What a bar describes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct BarKind {
    /// The unit of the count: `task`.
    pub(super) unit: &'static str,
    /// Whether it runs in the background, with nobody waiting for it.
    pub(super) in_background: bool,
    /// Whether it has ended, even if the outcome is unknown.
    pub(super) has_ended: bool,
}

impl BarKind {
    pub(super) const TASKS: Self = Self {
        unit: "task",
        in_background: false,
        has_ended: false,
    };
}

impl Bar {
    /// Creates the bar of a collection that is not being computed.
    pub(super) fn not_persisted(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            part: Some(0.0),
            colour: palette::ACCENT,
            count: String::new(),
            note: "not persisted, so nothing runs: use what persist() returns".to_owned(),
        }
    }

    /// Creates the bar of a collection whose values were available from the
    /// beginning.
    pub(super) fn in_memory(name: &str, chunks: usize) -> Self {
        Self {
            name: name.to_owned(),
            part: Some(1.0),
            colour: palette::DONE,
            count: counted(chunks, "value"),
            note: "in memory".to_owned(),
        }
    }

    /// Creates the bar that sums up computations which ended before those that
    /// are shown.
    pub(super) fn earlier(count: usize, elapsed: Duration) -> Self {
        Self {
            name: format!("{} earlier", grouped(count)),
            part: Some(1.0),
            colour: palette::DONE,
            count: String::new(),
            note: duration(elapsed),
        }
    }

    /// Creates the bar of work that is running or has ended.
    pub(super) fn of(name: &str, progress: &Progress, kind: BarKind) -> Self {
        let Progress {
            done,
            total,
            nbytes,
            elapsed,
            ref outcome,
        } = *progress;
        let done = total.map_or(done, |total| done.min(total));
        let part = match outcome {
            Some(Ok(())) => Some(1.0),
            // 100 % is shown only at the end.
            _ => total.map(|total| (done as f64 / total.max(1) as f64).min(0.999)),
        };
        let mut notes = vec![duration(elapsed)];
        let colour = match outcome {
            None if kind.has_ended => palette::FAILED,
            None => {
                notes.extend(rate(done, total, elapsed, kind.unit));
                palette::ACCENT
            }
            Some(Ok(())) => palette::DONE,
            Some(Err(_)) => palette::FAILED,
        };
        if nbytes > 0 && !matches!(outcome, Some(Err(_))) {
            notes.push(bytes(nbytes));
        }
        match outcome {
            Some(Err(Error::Interrupted)) => notes.push("interrupted".to_owned()),
            Some(Err(error)) => notes.push(format!("failed: {error}")),
            None if kind.has_ended => notes.push("stopped".to_owned()),
            None if kind.in_background => notes.push("in the background".to_owned()),
            _ => {}
        }
        let count = match total {
            Some(total) => format!("{} of {}", grouped(done), counted(total, kind.unit)),
            None => counted(done, kind.unit),
        };
        Self {
            name: name.to_owned(),
            part,
            colour,
            count,
            note: notes.join(" · "),
        }
    }

    fn percent(&self) -> Option<f64> {
        self.part.map(|part| (part * 100.0).floor())
    }
}

/// Returns the rate per second, and the estimated time for the rest.
fn rate(done: usize, total: Option<usize>, elapsed: Duration, unit: &str) -> Vec<String> {
    let seconds = elapsed.as_secs_f64();
    if done == 0 || seconds <= 0.5 {
        return Vec::new();
    }
    let rate = done as f64 / seconds;
    let decimals = usize::from(rate < 10.0);
    let mut notes = vec![format!("{rate:.decimals$} {unit}s/s")];
    if let Some(total) = total {
        let left = Duration::from_secs_f64((total - done) as f64 / rate);
        notes.push(format!("{} left", duration(left)));
    }
    notes
}

/// Draws bars below each other.
pub(super) fn draw(bars: &[Bar]) -> Bundle {
    let page = html! {
        table.swath-table.swath-plain {
            tbody {
                @for bar in bars {
                    tr {
                        th { (bar.name) }
                        @match bar.percent() {
                            Some(percent) => {
                                td.swath-wide {
                                    div.swath-bar role="progressbar" aria-valuemin="0" aria-valuemax="100" aria-valuenow=(percent) {
                                        span style={ "width:" (percent) "%;background:" (bar.colour) } {}
                                    }
                                }
                                td.swath-right { (percent) " %" }
                            }
                            None => {
                                td.swath-wide { div.swath-bar role="progressbar" {} }
                                td.swath-right {}
                            }
                        }
                        td.swath-right { (bar.count) }
                        td.swath-wrap { (bar.note) }
                    }
                }
            }
        }
    };
    Bundle::text(text(bars)).with("text/html", style::page(&page))
}

fn text(bars: &[Bar]) -> String {
    const CELLS: usize = 24;
    let widest = |of: &dyn Fn(&Bar) -> usize| bars.iter().map(of).max().unwrap_or(0);
    let (name, count) = (
        widest(&|bar| bar.name.chars().count()),
        widest(&|bar| bar.count.chars().count()),
    );
    let lines: Vec<String> = bars
        .iter()
        .map(|bar| {
            // Eighths of a cell, so that the progress of a long run is visible.
            let eighths = (bar.part.unwrap_or(0.0) * (CELLS * 8) as f64).floor() as usize;
            let mut drawn = "█".repeat(eighths / 8);
            if eighths / 8 < CELLS {
                drawn.push([' ', '▏', '▎', '▍', '▌', '▋', '▊', '▉'][eighths % 8]);
                drawn.push_str(&" ".repeat(CELLS - eighths / 8 - 1));
            }
            let percent = bar
                .percent()
                .map_or_else(|| " ".repeat(5), |percent| format!("{percent:>3.0} %"));
            let line = format!(
                "{:name$} ▕{drawn}▏ {percent}  {:>count$}  {}",
                bar.name, bar.count, bar.note,
            );
            line.trim_end().to_owned()
        })
        .collect();
    lines.join("\n")
}
