//! Records the compiler: cells must be compiled by the one that built the runtime.

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
}
