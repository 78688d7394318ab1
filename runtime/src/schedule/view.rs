//! Shows the use of memory in a cell.

use super::MemoryUse;
use crate::display::text::sized;
use crate::display::{Bundle, Show, style};
use crate::error::Result;
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
