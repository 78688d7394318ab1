//! Records the compiler version, because cells must be compiled by the compiler
//! that built the runtime. Also gives the linker the folder of the shared
//! libstd: the profile's `rpath` is relative to where cargo first links, not to
//! where the program ends up.

use std::process::Command;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-env-changed=RUSTC");
    let rustc = std::env::var("RUSTC").expect("cargo sets RUSTC");
    let output = Command::new(&rustc)
        .arg("-vV")
        .output()
        .unwrap_or_else(|error| panic!("cannot run `{rustc} -vV`: {error}"));
    let text = String::from_utf8_lossy(&output.stdout);
    let field = |name: &str| {
        text.lines()
            .find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
            .unwrap_or_else(|| panic!("`{rustc} -vV` has no line `{name}`:\n{text}"))
    };
    println!("cargo::rustc-env=SWATH_RUSTC_RELEASE={}", field("release"));
    println!(
        "cargo::rustc-env=SWATH_RUSTC_COMMIT={}",
        field("commit-hash")
    );
    let output = Command::new(&rustc)
        .args(["--print", "target-libdir"])
        .output()
        .unwrap_or_else(|error| panic!("cannot run `{rustc} --print target-libdir`: {error}"));
    let folder = String::from_utf8_lossy(&output.stdout);
    println!("cargo::rustc-link-arg=-Wl,-rpath,{}", folder.trim());
}
