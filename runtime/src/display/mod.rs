//! Shows values in a notebook and in a terminal.
//!
//! [`Show`] converts a value into a [`Bundle`] of representations. Collections implement it in
//! their own modules, with the renderers of this one, which imports no collection. [`table`] draws
//! frames, [`view`] the structure of lazy collections, [`plot`] numbers; [`crate::visualize`] draws
//! task graphs. [`probe`] decides how the last expression of a cell is shown.
//!
//! Renderers do not know the theme. Texts and lines have the page's own colour (`currentColor`,
//! JupyterLab's variables with fallbacks); fills have colours that are legible on white and on
//! black.

pub(crate) mod brief;
mod ndarray;
pub(crate) mod palette;
pub mod plot;
pub mod probe;
mod show;
pub(crate) mod style;
pub mod table;
pub(crate) mod text;
pub mod view;

pub use plot::Plot;
pub use view::{ArrayView, ClusterView, DelayedView, FrameView, ScalarView};

use crate::error::{Error, Result};
use crate::shown;
pub use crate::shown::Bundle;
use base64::prelude::{BASE64_STANDARD, Engine};
use std::io::Write;
use std::path::Path;
use std::sync::Arc;

/// A value that can be shown.
pub trait Show {
    /// Returns the representations: always `text/plain`, and a rich one. The bundle is empty for a
    /// value that has nothing to show.
    ///
    /// # Errors
    /// The error of a collection whose description failed.
    fn show(&self) -> Result<Bundle>;
}

/// HTML source.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Html<T = String>(pub T);

/// An SVG picture.
///
/// ```
/// use swath::display::Svg;
/// let picture = Svg(r#"<svg xmlns="http://www.w3.org/2000/svg" width="8" height="8"><circle r="8"/></svg>"#);
/// let path = std::env::temp_dir().join(format!("swath-{}.svg", std::process::id()));
/// picture.save(&path)?;
/// assert_eq!(std::fs::read_to_string(&path).unwrap(), picture.0);
/// # std::fs::remove_file(path).unwrap();
/// # Ok::<(), swath::Error>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Svg<T = String>(pub T);

/// Markdown.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Markdown<T = String>(pub T);

/// LaTeX source, including its dollar signs.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Latex<T = String>(pub T);

/// A PNG picture, as the bytes of the file.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Png<T = Vec<u8>>(pub T);

impl<T: AsRef<str>> Svg<T> {
    /// Returns a standalone document. Pictures that adapt to the page's colours get a white
    /// background.
    pub fn standalone(&self) -> String {
        standalone(self.0.as_ref())
    }

    /// Writes the picture to a file, which never remains incomplete.
    ///
    /// # Errors
    /// Returns [`Error::Io`] with the name of the file.
    pub fn save(&self, path: impl AsRef<Path>) -> Result<()> {
        save(path.as_ref(), self.standalone().as_bytes())
    }
}

impl<T: AsRef<[u8]>> Png<T> {
    /// Writes the picture to a file, which never remains incomplete.
    ///
    /// # Errors
    /// Returns [`Error::Io`] with the name of the file.
    pub fn save(&self, path: impl AsRef<Path>) -> Result<()> {
        save(path.as_ref(), self.0.as_ref())
    }
}

fn save(path: &Path, content: &[u8]) -> Result<()> {
    let failed = |cause: std::io::Error| Error::Io {
        action: "write",
        path: path.to_owned(),
        cause: Arc::new(cause),
    };
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    // In the same folder, so that it can be renamed, and with the permissions of a normal new file.
    let mut options = tempfile::Builder::new();
    #[cfg(unix)]
    options.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    let mut file = options
        .prefix(".swath-")
        .tempfile_in(folder)
        .map_err(failed)?;
    file.write_all(content).map_err(failed)?;
    file.persist(path).map_err(|error| failed(error.error))?;
    Ok(())
}

/// The beginning of our own pictures; see [`svg_document`].
const OWN: &str = "<svg class=\"swath-";

/// Builds a picture of our own. It uses the colour and the fonts of the page that contains it, is
/// never enlarged, and shrinks with the page to about half its size.
pub(crate) fn svg_document(
    class: &str,
    (width, height): (f64, f64),
    summary: &str,
    body: &str,
) -> String {
    let (width, height) = (width.max(1.0).ceil(), height.max(1.0).ceil());
    let least = (width * 0.55).ceil();
    format!(
        r#"{OWN}{class}" xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" role="img" aria-label="{}" font-family="system-ui,-apple-system,'Segoe UI',Roboto,'Helvetica Neue',Arial,'DejaVu Sans',sans-serif" font-size="11" style="width:100%;min-width:{least}px;max-width:{width}px;height:auto">{body}</svg>"#,
        text::escape(summary),
    )
}

fn standalone(svg: &str) -> String {
    // An attribute may contain a `>`, but ours are escaped.
    match svg.strip_prefix(OWN).and_then(|rest| rest.find('>')) {
        Some(end) => {
            let (head, body) = svg.split_at(OWN.len() + end);
            let head = match head.find(" style=\"") {
                Some(at) => &head[..at],
                None => head,
            };
            let body = &body[1..];
            format!(
                r##"<?xml version="1.0" encoding="UTF-8"?>
{head} color="#24292f"><rect width="100%" height="100%" fill="#fff"/>{body}
"##
            )
        }
        None => svg.to_owned(),
    }
}

impl<T: AsRef<str>> Show for Html<T> {
    fn show(&self) -> Result<Bundle> {
        let html = self.0.as_ref();
        Ok(Bundle::text(text::strip_tags(html)).with("text/html", html))
    }
}

impl<T: AsRef<str>> Show for Svg<T> {
    /// Our own pictures are embedded in the page, where they use the theme's colours. Other
    /// pictures are shown as `image/svg+xml`, which JupyterLab displays as an image without access
    /// to the page.
    fn show(&self) -> Result<Bundle> {
        Ok(show_svg(self.0.as_ref()))
    }
}

fn show_svg(svg: &str) -> Bundle {
    let alone = standalone(svg);
    if !svg.starts_with(OWN) {
        return Bundle::text(format!("SVG picture ({})", text::bytes(svg.len())))
            .with("image/svg+xml", alone);
    }
    let summary = svg
        .split_once(" aria-label=\"")
        .and_then(|(_, rest)| rest.split_once('"'))
        .map_or_else(String::new, |(summary, _)| text::strip_tags(summary));
    Bundle::text(summary)
        .with(
            "text/html",
            format!(r#"<div style="overflow-x:auto;max-width:100%">{svg}</div>"#),
        )
        .with("image/svg+xml", alone)
}

impl<T: AsRef<str>> Show for Markdown<T> {
    fn show(&self) -> Result<Bundle> {
        Ok(Bundle::text(self.0.as_ref()).with("text/markdown", self.0.as_ref()))
    }
}

impl<T: AsRef<str>> Show for Latex<T> {
    fn show(&self) -> Result<Bundle> {
        Ok(Bundle::text(self.0.as_ref()).with("text/latex", self.0.as_ref()))
    }
}

impl<T: AsRef<[u8]>> Show for Png<T> {
    fn show(&self) -> Result<Bundle> {
        let bytes = self.0.as_ref();
        Ok(
            Bundle::text(format!("PNG picture ({})", text::bytes(bytes.len())))
                .with("image/png", BASE64_STANDARD.encode(bytes)),
        )
    }
}

macro_rules! debug_by_length {
    ($($name:ident: $bound:ty),*) => {$(
        impl<T: AsRef<$bound>> std::fmt::Debug for $name<T> {
            /// Formats only the size, because the content is not readable.
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(f, concat!(stringify!($name), "({} bytes)"), self.0.as_ref().len())
            }
        }
    )*};
}
debug_by_length!(Html: str, Svg: str, Markdown: str, Latex: str, Png: [u8]);

/// Shows a value in the notebook immediately. It can be called any number of times.
///
/// In a terminal it prints the text. For values that implement only `Debug`, use [`crate::show!`].
///
/// # Panics
/// Panics with the value's [`Error`], which becomes the cell's error.
///
/// ```
/// use swath::prelude::*;
///
/// display(&Html("<b>one</b>"));
/// display(&Array::<f64>::ones([1000, 1000], 100));
/// ```
#[track_caller]
pub fn display<T: Show + ?Sized>(value: &T) {
    send(value.show(), None, false);
}

/// Shows a value that can be replaced by another one later.
///
/// # Panics
/// The same as for [`display`](display()).
#[track_caller]
pub fn display_handle<T: Show + ?Sized>(value: &T) -> DisplayHandle {
    let handle = DisplayHandle {
        id: uuid::Uuid::new_v4().simple().to_string(),
    };
    send(value.show(), Some(&handle.id), false);
    handle
}

/// A display that can be replaced.
#[derive(Clone, Debug)]
#[must_use = "to show a value that will not be updated, use `display`"]
pub struct DisplayHandle {
    id: String,
}

impl DisplayHandle {
    /// Replaces the value that is shown.
    ///
    /// # Panics
    /// The same as for [`display`](display()).
    #[track_caller]
    pub fn update<T: Show + ?Sized>(&self, value: &T) {
        send(value.show(), Some(&self.id), true);
    }

    /// Returns the id by which front ends know the display.
    pub fn id(&self) -> &str {
        &self.id
    }
}

impl Show for DisplayHandle {
    /// Returns nothing, because the value is already shown.
    fn show(&self) -> Result<Bundle> {
        Ok(Bundle::default())
    }
}

#[track_caller]
fn send(bundle: Result<Bundle>, id: Option<&str>, update: bool) {
    match bundle {
        Ok(bundle) if bundle.is_empty() => {}
        Ok(bundle) => shown::display(&bundle, id, update),
        Err(error) => error.raise(),
    }
}

pub use shown::clear_output;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_saved_picture_stands_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("graph.svg");
        let picture = Svg(svg_document("graph", (10.0, 10.0), "a > b", "<g/>"));
        picture.save(&path).unwrap();
        let saved = std::fs::read_to_string(&path).unwrap();
        assert!(saved.contains(
            r##"color="#24292f"><rect width="100%" height="100%" fill="#fff"/><g/></svg>"##
        ));
        assert!(!saved.contains("style="));
        // Nothing else remains in the folder, and saving again replaces the file.
        picture.save(&path).unwrap();
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn an_error_names_the_file() {
        let error = Svg("<svg/>").save("/nowhere/at all.svg").unwrap_err();
        assert_eq!(error.kind(), "IoError");
        assert!(
            error
                .to_string()
                .starts_with("cannot write /nowhere/at all.svg: "),
            "{error}"
        );
    }

    #[test]
    fn pictures_of_others_stay_as_they_are() {
        let bundle = Svg("<svg><text>1</text></svg>").show().unwrap();
        assert_eq!(
            bundle.get("image/svg+xml"),
            Some("<svg><text>1</text></svg>")
        );
        assert_eq!(bundle.get("text/html"), None);
    }

    #[test]
    fn a_png_is_sent_in_base64() {
        let bundle = Png(b"\x89PNG".as_slice()).show().unwrap();
        assert_eq!(bundle.get("image/png"), Some("iVBORw=="));
        assert_eq!(bundle.get("text/plain"), Some("PNG picture (4 B)"));
    }
}
