//! The commands that a cell may hold: lines that start with a colon.

use std::ops::Range;

use super::cursor::line_at;

/// Name and purpose of each command.
pub(crate) const COMMANDS: &[(&str, &str)] = &[
    (
        ":cache",
        "Set the size of the compilation cache in MiB, or 0 to disable it",
    ),
    (
        ":clear",
        "Forget all variables and items, keeping the compilation cache",
    ),
    (":dep", "Add a dependency, e.g. :dep regex = \"1\""),
    (":env", "Set an environment variable, KEY=VALUE"),
    (":explain", "Explain the last compilation error"),
    (":help", "List the commands"),
    (
        ":last_compile_dir",
        "Print the folder in which cells are compiled",
    ),
    (
        ":last_error_json",
        "Print the last compilation error as JSON",
    ),
    (":linker", "Tell what links cells"),
    (
        ":offline",
        "Set whether cargo may not use the network, 0 or 1",
    ),
    (
        ":opt",
        "Set or print the optimization level: 0, 1, 2, 3, s, z, or auto, which is by cell",
    ),
    (
        ":recovery",
        "Set or tell whether persisted collections come back when the runtime process ends, on or off",
    ),
    (
        ":restart",
        "Restart the runtime process: variables are gone, items are kept",
    ),
    (":sccache", "Set whether to use sccache, 0 or 1"),
    (":show_deps", "Show the dependencies"),
    (":timing", "Toggle whether cells show how long they took"),
    (":type", "Show a variable's type"),
    (":vars", "List the variables and their types"),
    (":version", "Print the version"),
];

/// The part of `code` that holds the name of a command and in which byte
/// `offset` lies, or which ends there.
pub(super) fn command_at(code: &str, offset: usize) -> Option<Range<usize>> {
    let (line_start, line) = line_at(code, offset);
    let trimmed = line.trim_start();
    if !trimmed.starts_with(':') || trimmed.starts_with("::") {
        return None;
    }
    let start = line_start + line.len() - trimmed.len();
    let end = start + trimmed.find(char::is_whitespace).unwrap_or(trimmed.len());
    (start < offset && offset <= end).then_some(start..end)
}

/// Whether the line at `offset` is a command's.
pub(super) fn is_command_line(code: &str, offset: usize) -> bool {
    let line = line_at(code, offset).1.trim_start();
    line.starts_with(':') && !line.starts_with("::")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_stands_at_the_beginning_of_a_line() {
        let at = |code: &str, offset| command_at(code, offset).map(|range| code[range].to_owned());
        assert_eq!(at(":de", 3).as_deref(), Some(":de"));
        assert_eq!(at("x\n  :dep regex", 7).as_deref(), Some(":dep"));
        assert_eq!(at(":dep regex", 8), None);
        assert_eq!(at("a :dep", 4), None);
        assert_eq!(at("::std", 3), None);
        assert!(is_command_line(":dep regex", 8));
    }

    #[test]
    fn the_table_is_sorted() {
        assert!(COMMANDS.is_sorted());
    }
}
