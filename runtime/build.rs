//! Sets the path of the shared libstd for the linker; `instances` uses this
//! script too.
//!
//! The profile's `rpath` is relative to the place where cargo links first, and
//! the programs end up elsewhere.

use std::process::Command;

fn main() {
    println!("cargo::rerun-if-env-changed=RUSTC");
    let rustc = std::env::var("RUSTC").expect("cargo sets RUSTC");
    let output = Command::new(&rustc)
        .args(["--print", "target-libdir"])
        .output()
        .unwrap_or_else(|error| panic!("cannot run `{rustc} --print target-libdir`: {error}"));
    let folder = String::from_utf8_lossy(&output.stdout);
    println!("cargo::rustc-link-arg=-Wl,-rpath,{}", folder.trim());
}
