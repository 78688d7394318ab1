//! What cells have defined, as source text that stands before the user's.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use super::SessionView;

/// What every cell has in scope.
const PRELUDE: &str = "use swath::prelude::*;\n";

/// Gives a variable its type and no value, without diverging.
const VALUE: &str = "__swath_value";

/// Where the runtime's sources are, if they are anywhere: cells need only the
/// library.
pub(super) fn runtime_sources() -> Option<PathBuf> {
    let sources = std::env::var_os("SWATH_RUNTIME_SOURCES").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../runtime"),
        PathBuf::from,
    );
    let manifest = sources.join("Cargo.toml").is_file();
    sources.canonicalize().ok().filter(|_| manifest)
}

/// Names that the context adds and no user should be offered.
pub(super) fn is_internal(name: &str) -> bool {
    name.starts_with("__swath")
}

/// The lines before the user's code. Commands first: evcxr wants each of them
/// on a line of its own. `runtime` is where the runtime's manifest is.
pub(super) fn preamble(view: &SessionView, runtime: Option<&Path>) -> String {
    let prelude = runtime.map_or("", |_| PRELUDE);
    let runtime = runtime.map(|path| format!("swath = {{ path = {path:?} }}"));
    let mut text = String::new();
    for dep in runtime.iter().chain(&view.deps) {
        // What holds a line break is no dependency, but would end the command.
        if !dep.contains('\n') {
            writeln!(text, ":dep {dep}").expect("invariant: a String takes any text");
        }
    }
    text.push_str(prelude);
    for item in &view.items {
        text.push_str(item);
        text.push('\n');
    }
    if !view.variables.is_empty() {
        writeln!(text, "fn {VALUE}<T>() -> T {{ loop {{}} }}")
            .expect("invariant: a String takes any text");
    }
    for variable in &view.variables {
        let mutable = if variable.mutable { "mut " } else { "" };
        writeln!(
            text,
            "let {mutable}{}: {} = {VALUE}();",
            variable.name, variable.type_name
        )
        .expect("invariant: a String takes any text");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::completion::Variable;

    #[test]
    fn commands_items_variables() {
        let view = SessionView {
            items: vec!["fn f() {}".to_owned()],
            variables: vec![Variable {
                name: "x".to_owned(),
                type_name: "Vec<i32>".to_owned(),
                mutable: true,
                ..Variable::default()
            }],
            deps: vec!["regex = \"1\"".to_owned(), "a\nb".to_owned()],
        };
        assert_eq!(
            preamble(&view, Some(Path::new("/src/runtime"))),
            ":dep swath = { path = \"/src/runtime\" }\n:dep regex = \"1\"\n\
             use swath::prelude::*;\nfn f() {}\nfn __swath_value<T>() -> T { loop {} }\n\
             let mut x: Vec<i32> = __swath_value();\n"
        );
        assert_eq!(preamble(&SessionView::default(), None), "");
    }
}
