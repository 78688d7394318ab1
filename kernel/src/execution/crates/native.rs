//! Crates with code in C.
//!
//! A shared Rust library hides the C functions that it is linked with. Its own Rust
//! code can call them, but generic code (`zstd::encode_all`) is compiled where it is
//! used, and would not find them. Therefore
//!
//! - such a crate of the runtime is not shared: if a session asks for it, it is
//!   compiled again, with its C code, and so are the crates that depend on it,
//!   directly or through one other ([`packages`]);
//! - the session's own library exports these functions ([`shown`]);
//! - functions that the C compiler was told to hide (zstd's) are linked into the cells
//!   that call them ([`archives`]).

use crate::bundled::BUNDLED_CRATES;
use object::read::archive::ArchiveFile;
use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// Returns the packages of the runtime that are compiled again if a session asks for
/// them. `lock` is the text of the runtime's `Cargo.lock`, `built` is where cargo
/// built it.
pub(super) fn packages(built: &Path, lock: &str) -> BTreeSet<String> {
    let mut packages = linking(built);
    let dependencies = dependencies(lock);
    // Two levels of callers: zstd-sys, zstd-safe, zstd.
    for _ in 0..2 {
        let callers = dependencies
            .iter()
            .filter(|(package, dependency)| packages.contains(dependency) && !is_bundled(package));
        let callers: Vec<String> = callers.map(|(package, _)| package.clone()).collect();
        packages.extend(callers);
    }
    packages
}

/// Returns the packages whose build script links a static library.
fn linking(built: &Path) -> BTreeSet<String> {
    let outputs = outputs(built);
    let linking = outputs.filter(|(_, output)| output.values("rustc-link-lib").any(is_static));
    linking
        .filter_map(|(folder, _)| Some(folder.rsplit_once('-')?.0.to_owned()))
        .collect()
}

fn is_static(library: &str) -> bool {
    library.starts_with("static")
}

/// Returns the static libraries that the build scripts in a target folder have built.
pub(super) fn archives(built: &Path) -> Vec<PathBuf> {
    let mut archives = Vec::new();
    for (_, output) in outputs(built) {
        for library in output.values("rustc-link-lib").filter(|one| is_static(one)) {
            // `static=name`, `static:+whole-archive=name`.
            let name = library.rsplit('=').next().unwrap_or(library);
            let folders = output.values("rustc-link-search");
            let files = folders.map(|folder| {
                let folder = folder.strip_prefix("native=").unwrap_or(folder);
                Path::new(folder).join(format!("lib{name}.a"))
            });
            archives.extend(files.filter(|file| file.is_file()));
        }
    }
    archives.sort();
    archives.dedup();
    archives
}

/// Returns a linker version script that exports the functions of static libraries.
///
/// # Errors
/// A library cannot be read.
pub(super) fn shown(archives: &[PathBuf]) -> io::Result<String> {
    let mut script = String::from("{ global:\n");
    for archive in archives {
        let bytes = fs::read(archive)?;
        let archive = ArchiveFile::parse(&*bytes).map_err(io::Error::other)?;
        let symbols = archive.symbols().map_err(io::Error::other)?;
        for symbol in symbols.into_iter().flatten() {
            let symbol = symbol.map_err(io::Error::other)?;
            script += &format!("\"{}\";\n", String::from_utf8_lossy(symbol.name()));
        }
    }
    Ok(script + "};\n")
}

/// The output of a build script.
struct Output(String);

impl Output {
    /// Returns the values of a key, written `cargo:key=value` or `cargo::key=value`.
    fn values<'a>(&'a self, key: &'a str) -> impl Iterator<Item = &'a str> {
        self.0.lines().filter_map(move |line| {
            let line = line.strip_prefix("cargo:")?;
            let line = line.strip_prefix(':').unwrap_or(line);
            line.strip_prefix(key)?.strip_prefix('=')
        })
    }
}

/// Returns the outputs of build scripts, with the names of their folders:
/// `zstd-sys-0123…`.
fn outputs(built: &Path) -> impl Iterator<Item = (String, Output)> {
    let folders = fs::read_dir(built.join("build")).into_iter().flatten();
    folders.flatten().filter_map(|folder| {
        let output = fs::read_to_string(folder.path().join("output")).ok()?;
        Some((folder.file_name().to_str()?.to_owned(), Output(output)))
    })
}

/// Returns all pairs of a package and one of its dependencies.
fn dependencies(lock: &str) -> Vec<(String, String)> {
    let lock: toml::Table = lock.parse().unwrap_or_default();
    let packages = lock.get("package").and_then(toml::Value::as_array);
    let mut pairs = Vec::new();
    for package in packages.into_iter().flatten() {
        let name = package.get("name").and_then(toml::Value::as_str);
        let list = package.get("dependencies").and_then(toml::Value::as_array);
        for dependency in list.into_iter().flatten().filter_map(toml::Value::as_str) {
            // `name`, or `name 1.2.3` if there are several versions.
            let dependency = dependency.split(' ').next().unwrap_or(dependency);
            pairs.extend(name.map(|name| (name.to_owned(), dependency.to_owned())));
        }
    }
    pairs
}

/// Returns whether Swath re-exports a crate: such a crate is always the runtime's
/// copy.
fn is_bundled(package: &str) -> bool {
    BUNDLED_CRATES.iter().any(|bundled| {
        let part = package.strip_prefix(bundled);
        part.is_some_and(|part| part.is_empty() || part.starts_with('-'))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_calls_c_is_compiled_anew() {
        let built = tempfile::tempdir().unwrap();
        let write = |package: &str, output: &str| {
            let folder = built.path().join("build").join(package);
            fs::create_dir_all(&folder).unwrap();
            fs::write(folder.join("output"), output).unwrap();
        };
        write(
            "c-sys-0123",
            "cargo:rustc-link-search=/x\ncargo:rustc-link-lib=static=c\n",
        );
        write("plain-4567", "cargo:rustc-cfg=x\n");
        let package = |name: &str, dependencies: &str| {
            format!("[[package]]\nname = {name:?}\ndependencies = [{dependencies}]\n\n")
        };
        let lock = [
            package("c-sys", "\"plain\""),
            package("c", "\"c-sys 1.0.0\""),
            package("above", "\"c\", \"plain\""),
            package("far-above", "\"above\""),
            package("polars-io", "\"c\""),
        ];
        let found = packages(built.path(), &lock.concat());
        assert_eq!(
            found.into_iter().collect::<Vec<_>>(),
            ["above", "c", "c-sys"]
        );
    }
}
