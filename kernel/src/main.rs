//! The `swath` binary: the kernel, its installer, and the processes that it
//! starts in its own image.

mod bundled;
mod cli;
mod commands;
mod completion;
mod connection;
mod display;
mod error;
mod execution;
mod install;
mod output;
mod session;
mod signals;
mod syntax;
mod text;
mod view;

fn main() -> std::process::ExitCode {
    // First: cargo runs this binary in the place of rustc. Then control does
    // not come back.
    execution::wrap_rustc();
    cli::main()
}
