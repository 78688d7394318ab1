//! Displayed values and their destination: the kernel, or a terminal if there
//! is no kernel.

use crate::context::PerContext;
use parking_lot::RwLock;
use std::sync::Arc;

/// A value in several representations: MIME type and content.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Bundle {
    /// MIME types and contents. Images that are not text are in Base64.
    pub data: Vec<(String, String)>,
}

impl Bundle {
    /// Creates a bundle of plain text only.
    pub fn text(text: impl Into<String>) -> Self {
        Self::default().with("text/plain", text)
    }

    /// Adds a representation.
    #[must_use]
    pub fn with(mut self, mime: &str, content: impl Into<String>) -> Self {
        self.data.push((mime.to_owned(), content.into()));
        self
    }

    /// Returns the content of a MIME type.
    pub fn get(&self, mime: &str) -> Option<&str> {
        self.data
            .iter()
            .find(|(found, _)| found == mime)
            .map(|(_, content)| content.as_str())
    }

    /// Returns whether there is nothing to show.
    pub fn is_empty(&self) -> bool {
        self.data.is_empty()
    }
}

/// The destination of displays.
pub trait Sink: Send + Sync + 'static {
    /// Shows a bundle on behalf of a cell. A bundle with an id can be replaced
    /// later, with `update`.
    fn display(&self, cell: Option<u64>, bundle: &Bundle, id: Option<&str>, update: bool);
    /// Returns the running cell, or the last one that ran.
    fn cell(&self) -> Option<u64>;
    /// Clears the cell's output; with `wait`, only when the next output comes.
    fn clear(&self, wait: bool);
}

static SINK: PerContext<RwLock<Option<Arc<dyn Sink>>>> = PerContext::new(RwLock::default);

/// Sends all displays to `sink`.
pub fn set_sink(sink: Arc<dyn Sink>) {
    *SINK.get().write() = Some(sink);
}

/// Returns whether a notebook receives what is displayed.
pub fn has_sink() -> bool {
    SINK.get().read().is_some()
}

/// Returns the running cell, or the last one that ran.
pub fn cell() -> Option<u64> {
    SINK.get().read().as_ref()?.cell()
}

/// Shows a bundle. Without a notebook its plain text is printed.
pub fn display(bundle: &Bundle, id: Option<&str>, update: bool) {
    display_for(cell(), bundle, id, update);
}

/// Shows a bundle like [`display`], on behalf of a cell that may have ended.
pub fn display_for(cell: Option<u64>, bundle: &Bundle, id: Option<&str>, update: bool) {
    let sink = SINK.get().read().clone();
    match sink {
        Some(sink) => sink.display(cell, bundle, id, update),
        None => {
            if let Some((_, text)) = bundle.data.iter().find(|(mime, _)| mime == "text/plain") {
                println!("{text}");
            }
        }
    }
}

/// Clears what the cell has shown so far; with `wait`, only when the next
/// output comes, so that nothing flickers.
pub fn clear_output(wait: bool) {
    let sink = SINK.get().read().clone();
    if let Some(sink) = sink {
        sink.clear(wait);
    }
}
