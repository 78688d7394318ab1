//! Displays profiles.

use super::profile::{OperationProfile, Profile};
use crate::display::Show;
use crate::display::style;
use crate::display::text::{counted, duration, grouped, sized};
use crate::error::Result;
use crate::shown::Bundle;
use maud::html;

/// The largest number of operations that are shown.
const OPERATIONS: usize = 20;

impl Show for Profile {
    fn show(&self) -> Result<Bundle> {
        let summary = format!(
            "{} of {} threads' time in {}{}",
            percent(self.busy_share()),
            self.threads,
            duration(self.elapsed),
            match self.failed {
                0 => String::new(),
                failed => format!(", {} failed", counted(failed, "task")),
            }
        );
        let share = |operation: &OperationProfile| {
            let busy = self.busy.as_secs_f64().max(f64::MIN_POSITIVE);
            operation.elapsed.as_secs_f64() / busy
        };
        let shown = &self.operations[..self.operations.len().min(OPERATIONS)];
        let more = self.operations.len() - shown.len();
        let page = html! {
            p.swath-head { b { "Profile" } " " (summary) }
            table.swath-table {
                thead { tr {
                    th { "Operation" } th.swath-right { "Tasks" } th.swath-right { "Time" }
                    th {} th.swath-right { "Longest" } th.swath-right { "Values" }
                } }
                tbody {
                    @for operation in shown {
                        tr {
                            th { (operation.name) }
                            td.swath-right { (grouped(operation.tasks)) }
                            td.swath-right { (duration(operation.elapsed)) }
                            td.swath-wide {
                                div.swath-bar {
                                    span style=(format!("width:{:.1}%;background:#2f6fb3", 100.0 * share(operation))) {}
                                }
                            }
                            td.swath-right { (duration(operation.longest)) }
                            td.swath-right { (sized(operation.nbytes)) }
                        }
                    }
                }
            }
            @if more > 0 { p.swath-note { "and " (grouped(more)) " more operations" } }
            @if self.spilled > 0 {
                p.swath-note { (sized(self.spilled)) " moved to disk, " (sized(self.unspilled)) " came back" }
            }
        };
        let mut text = format!("Profile: {summary}");
        for operation in shown {
            text += &format!(
                "\n{:>5}  {:>9}  {}  {}",
                percent(share(operation)),
                duration(operation.elapsed),
                counted(operation.tasks, "task"),
                operation.name,
            );
        }
        Ok(Bundle::text(text).with("text/html", style::page(&page)))
    }
}

fn percent(share: f64) -> String {
    format!("{:.0} %", 100.0 * share)
}
