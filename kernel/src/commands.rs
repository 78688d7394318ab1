//! The commands that a cell may contain: lines that start with a colon.

/// The name and purpose of each command.
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
    (":linker", "Print which linker links cells"),
    (
        ":offline",
        "Set whether cargo may not use the network, 0 or 1",
    ),
    (
        ":opt",
        "Set or print the optimization level: 0, 1, 2, 3, s, z, or auto, which chooses for each cell",
    ),
    (
        ":recovery",
        "Set or print whether persisted collections are restored when the runtime process ends, on or off",
    ),
    (
        ":restart",
        "Restart the runtime process: variables are lost, items are kept",
    ),
    (":sccache", "Set whether to use sccache, 0 or 1"),
    (":show_deps", "Show the dependencies"),
    (":timing", "Toggle whether cells show how long they took"),
    (":type", "Show a variable's type"),
    (":vars", "List the variables and their types"),
    (":version", "Print the version"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_sorted() {
        assert!(COMMANDS.is_sorted());
    }
}
