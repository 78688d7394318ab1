//! Crates with code in C.
//!
//! A shared library of Rust hides the functions of C that it is linked with. Rust's
//! own code in it can call them, but what is generic (`zstd::encode_all`) is compiled
//! where it is used, and would find no function. Therefore
//!
//! - such a crate of the runtime does not serve others: where somebody asks for it, it
//!   is compiled anew, with its C, and so are those that call it, at first or second
//!   hand ([`packages`]);
//! - the session's own library shows these functions ([`shown`]);
//! - those that the C compiler was told to hide (zstd's) are linked into the cells
//!   that call them ([`archives`]).

use crate::bundled::BUNDLED_CRATES;
use object::read::archive::ArchiveFile;
use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// The packages of the runtime that are compiled anew where somebody asks for them.
/// `lock` is the text of the runtime's `Cargo.lock`, `built` where cargo built it.
pub(super) fn packages(built: &Path, lock: &str) -> BTreeSet<String> {
    let mut packages = linking(built);
    let dependencies = dependencies(lock);
    // zstd-sys, zstd-safe, zstd.
    for _ in 0..2 {
        let callers = dependencies
            .iter()
            .filter(|(package, dependency)| packages.contains(dependency) && !is_bundled(package));
        let callers: Vec<String> = callers.map(|(package, _)| package.clone()).collect();
        packages.extend(callers);
    }
    packages
}

/// Those whose build script links a static library.
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

/// The static libraries that the build scripts in a folder of cargo's have made.
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

/// A linker's script that shows the functions of static libraries.
///
/// # Errors
/// A library that cannot be read.
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

/// What a build script printed.
struct Output(String);

impl Output {
    /// The values of a key: of `cargo:key=value`, or `cargo::key=value`.
    fn values<'a>(&'a self, key: &'a str) -> impl Iterator<Item = &'a str> {
        self.0.lines().filter_map(move |line| {
            let line = line.strip_prefix("cargo:")?;
            let line = line.strip_prefix(':').unwrap_or(line);
            line.strip_prefix(key)?.strip_prefix('=')
        })
    }
}

/// The build scripts' outputs, with their folders' names: `zstd-sys-0123…`.
fn outputs(built: &Path) -> impl Iterator<Item = (String, Output)> {
    let folders = fs::read_dir(built.join("build")).into_iter().flatten();
    folders.flatten().filter_map(|folder| {
        let output = fs::read_to_string(folder.path().join("output")).ok()?;
        Some((folder.file_name().to_str()?.to_owned(), Output(output)))
    })
}

/// Pairs of a package and one that it depends on.
fn dependencies(lock: &str) -> Vec<(String, String)> {
    let lock: toml::Table = lock.parse().unwrap_or_default();
    let packages = lock.get("package").and_then(toml::Value::as_array);
    let mut pairs = Vec::new();
    for package in packages.into_iter().flatten() {
        let name = package.get("name").and_then(toml::Value::as_str);
        let list = package.get("dependencies").and_then(toml::Value::as_array);
        for dependency in list.into_iter().flatten().filter_map(toml::Value::as_str) {
            // `name`, or `name 1.2.3` where there are several.
            let dependency = dependency.split(' ').next().unwrap_or(dependency);
            pairs.extend(name.map(|name| (name.to_owned(), dependency.to_owned())));
        }
    }
    pairs
}

/// Whether Swath gives a crate out: it is always the runtime's.
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
