//! Wraps the user's source text in the definitions of earlier cells.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use super::commands::is_command_line;
use crate::view::SessionView;

/// The imports of every cell.
const PRELUDE: &str = "use swath::prelude::*;\n";

/// Returns the folder of the runtime's sources, if they are installed. Cells
/// need only the compiled library.
pub(super) fn runtime_sources() -> Option<PathBuf> {
    let sources = std::env::var_os("SWATH_RUNTIME_SOURCES").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../runtime"),
        PathBuf::from,
    );
    let manifest = sources.join("Cargo.toml").is_file();
    sources.canonicalize().ok().filter(|_| manifest)
}

/// Returns whether the context added this name, so that it must not be offered.
pub(super) fn is_internal(name: &str) -> bool {
    name.starts_with("__swath")
}

/// A file in which the user's code is the body of a function. The parameters of
/// the function are the variables; the items of earlier cells precede it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Context {
    pub(super) text: String,
    /// The offset at which the user's code begins.
    pub(super) before: usize,
}

impl Context {
    /// Builds the context of `code`.
    pub(super) fn new(view: &SessionView, code: &str) -> Self {
        let mut text = PRELUDE.to_owned();
        for item in &view.items {
            text.push_str(item);
            text.push('\n');
        }
        // Like a cell, the function can use `?` and `.await`.
        text.push_str("async fn __swath_cell(");
        for variable in &view.variables {
            let mutable = if variable.mutable { "mut " } else { "" };
            // An empty name means that the type is unknown.
            let type_name = match &variable.type_name[..] {
                "" => "_",
                name => name,
            };
            write!(text, "{mutable}{}: {type_name}, ", variable.name)
                .expect("invariant: a String takes any text");
        }
        text.push_str(
            ") -> ::std::result::Result<(), ::std::boxed::Box<dyn ::std::error::Error>> {\n",
        );
        let before = text.len();
        text.push_str(&rust(code));
        text.push_str("\n}\n");
        Self { text, before }
    }
}

/// Returns `code` with blanks in place of its commands, which are not Rust.
pub(super) fn rust(code: &str) -> String {
    let mut text = String::with_capacity(code.len());
    for line in code.split_inclusive('\n') {
        if is_command_line(line, 0) {
            text.extend(
                line.bytes()
                    .map(|byte| if byte == b'\n' { '\n' } else { ' ' }),
            );
        } else {
            text.push_str(line);
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::view::Variable;

    #[test]
    fn items_variables_code() {
        let variable = |name: &str, type_name: &str, mutable| Variable {
            name: name.to_owned(),
            type_name: type_name.to_owned(),
            mutable,
            ..Variable::default()
        };
        let view = SessionView {
            items: vec!["fn f() {}".to_owned()],
            variables: vec![variable("x", "Vec<i32>", true), variable("y", "", false)],
            deps: vec!["regex = \"1\"".to_owned()],
            folder: None,
        };
        let code = ":dep größe = \"1\"\nx.len()";
        let context = Context::new(&view, code);
        assert_eq!(
            context.text,
            "use swath::prelude::*;\nfn f() {}\n\
             async fn __swath_cell(mut x: Vec<i32>, y: _, ) \
             -> ::std::result::Result<(), ::std::boxed::Box<dyn ::std::error::Error>> {\n                  \nx.len()\n}\n"
        );
        let at = code.find("x.len").unwrap();
        assert!(context.text[context.before + at..].starts_with("x.len()"));
    }
}
