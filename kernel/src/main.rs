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
    // Check this first: cargo may run this binary in place of rustc. In that
    // case it does not return.
    execution::wrap_rustc();
    cli::main()
}
