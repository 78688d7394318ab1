//! Shows the optimiser's report in a cell.

use super::{Explanation, RuleReport};
use crate::display::text::grouped;
use crate::display::{Bundle, Show, style};
use crate::error::Result;
use maud::html;

/// The maximum number of notes that are shown for a rule.
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
