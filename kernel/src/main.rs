//! The `swath` binary: the kernel, its installer, and the processes that it
//! starts in its own image.

mod cli;
mod completion;
mod connection;
mod error;
mod execution;
mod install;
mod output;
mod session;
mod signals;
mod wire;

fn main() -> std::process::ExitCode {
    // First: evcxr runs this binary in the place of rustc, and as the process
    // that loads cells. Then control does not come back.
    evcxr::runtime_hook();
    cli::main()
}
