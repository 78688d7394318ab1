//! How values look in a notebook and in a terminal.
//!
//! [`Show`] gives a value as a [`Bundle`] of representations; everything that
//! renders is a leaf: it imports collections and the graph, nobody imports it
//! but the session and the prelude.

/// A value in several representations: MIME type and content.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Bundle {
    /// MIME type and content. Images that are not text are in Base64.
    pub data: Vec<(String, String)>,
}

impl Bundle {
    /// Plain text only.
    pub fn text(text: impl Into<String>) -> Self {
        Self::default().with("text/plain", text)
    }

    /// Adds a representation.
    #[must_use]
    pub fn with(mut self, mime: &str, content: impl Into<String>) -> Self {
        self.data.push((mime.to_owned(), content.into()));
        self
    }
}

/// A value that knows how it looks.
pub trait Show {
    /// Its representations: always `text/plain`, and a rich one.
    ///
    /// # Errors
    /// What is wrong with the value, for collections whose description failed.
    fn show(&self) -> crate::error::Result<Bundle>;
}
