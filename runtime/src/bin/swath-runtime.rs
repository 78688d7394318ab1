//! The process that holds a notebook's values. The kernel starts it.

use std::os::unix::process::CommandExt;

fn main() {
    // evcxr calls the program that it starts for cells as its wrapper around
    // rustc too (`:cache`, `:allow_static_linking`); the kernel knows how.
    if std::env::var_os("EVCXR_RUSTC_WRAPPER").is_some() {
        let kernel = std::env::current_exe().map(|program| program.with_file_name("swath"));
        let error = kernel.map(|kernel| {
            std::process::Command::new(kernel)
                .args(std::env::args_os().skip(1))
                .exec()
        });
        eprintln!("swath-runtime: cannot start the kernel beside it: {error:?}");
        std::process::exit(99);
    }
    swath::session::host::main()
}
