//! How what the scheduler tells of itself looks: memory, what the optimiser did,
//! what took how long.

use super::style;
use super::text::{grouped, sized};
use super::{Bundle, Show};
use crate::error::Result;
use crate::optimize::{Explanation, RuleReport};
use crate::schedule::MemoryUse;
use maud::html;

impl Show for MemoryUse {
    fn show(&self) -> Result<Bundle> {
        let share = (100.0 * self.in_use as f64 / self.limit.max(1) as f64).min(100.0);
        let page = html! {
            table.swath-table.swath-plain {
                tbody {
                    tr {
                        th { "Values in memory" }
                        td.swath-right { (sized(self.in_use)) " of " (sized(self.limit)) }
                        td.swath-wide {
                            div.swath-bar {
                                span style=(format!("width:{share:.1}%;background:#2f6fb3")) {}
                            }
                        }
                    }
                    tr { th { "Values on disk" } td.swath-right { (sized(self.spilled)) } td {} }
                    tr { th { "The process in memory" } td.swath-right { (sized(self.resident)) } td {} }
                }
            }
        };
        let text = format!(
            "values: {} of {} in memory, {} on disk; the process: {}",
            sized(self.in_use),
            sized(self.limit),
            sized(self.spilled),
            sized(self.resident),
        );
        Ok(Bundle::text(text).with("text/html", style::page(&page)))
    }
}

/// How many notes of a rule are shown.
const NOTES: usize = 5;

impl Show for Explanation {
    fn show(&self) -> Result<Bundle> {
        let change = |(from, to): (usize, usize)| match from == to {
            true => grouped(to),
            false => format!("{} → {}", grouped(from), grouped(to)),
        };
        let is_idle = |rule: &RuleReport| {
            rule.tasks.0 == rule.tasks.1 && rule.layers.0 == rule.layers.1 && rule.notes.is_empty()
        };
        let page = html! {
            table.swath-table.swath-plain {
                thead { tr {
                    th { "Rule" } th.swath-right { "Layers" } th.swath-right { "Tasks" } th { "What for" }
                } }
                tbody {
                    @for rule in &self.rules {
                        tr {
                            th { (rule.name) }
                            td.swath-right { (change(rule.layers)) }
                            td.swath-right { (change(rule.tasks)) }
                            td.swath-wrap {
                                @if is_idle(rule) {
                                    span.swath-null { "nothing to do" }
                                } @else {
                                    (rule.why)
                                    @for note in rule.notes.iter().take(NOTES) {
                                        div.swath-note { (note) }
                                    }
                                    @if rule.notes.len() > NOTES {
                                        div.swath-note { "and " (grouped(rule.notes.len() - NOTES)) " more" }
                                    }
                                }
                            }
                        }
                    }
                }
            }
        };
        Ok(Bundle::text(self.to_string().trim_end().to_owned())
            .with("text/html", style::page(&page)))
    }
}
