//! The crates that a cell can name, reduced to those that a user meets.
//!
//! The runtime depends on some 470 crates, most of them below Polars and never named
//! in a cell. With all of them rust-analyzer took 27 s and 1.7 GB; with the sixty
//! that remain here the completions were the same.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::bundled::BUNDLED_CRATES;
use serde::Deserialize;

/// The name of the runtime's package.
const RUNTIME: &str = "swath";

/// Crates that occur in the signatures of the runtime's direct dependencies.
const ALSO: [&str; 8] = [
    "compact_str",
    "either",
    "hashbrown",
    "num-complex",
    "plotters-backend",
    "rand_core",
    "rayon-core",
    "serde_core",
];

/// A crate that only the runtime's internals use. It is large: it has sources for
/// all systems.
const NEVER: &str = "libc";

/// A library.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Library {
    /// The name that code uses.
    pub(super) name: String,
    pub(super) version: String,
    pub(super) edition: String,
    /// The path of its `lib.rs`.
    pub(super) root: PathBuf,
    pub(super) features: Vec<String>,
    /// The names of its dependencies, with their indices in [`Libraries::all`].
    pub(super) dependencies: Vec<(String, usize)>,
}

/// Libraries, and those of them that a cell can name.
#[derive(Clone, Debug, Default)]
pub(super) struct Libraries {
    pub(super) all: Vec<Library>,
    pub(super) named: BTreeMap<String, usize>,
}

impl Libraries {
    /// Returns the libraries of the runtime whose sources are in `sources`.
    pub(super) fn of_runtime(sources: &Path) -> io::Result<Self> {
        of_runtime(&read_metadata(sources)?)
    }

    /// Returns the libraries that cells added; `dependencies` have the syntax of
    /// `:dep`. Writes a manifest for them into `directory`.
    pub(super) fn of_dependencies(directory: &Path, dependencies: &[String]) -> io::Result<Self> {
        fs::create_dir_all(directory.join("src"))?;
        fs::write(directory.join("src/lib.rs"), "")?;
        fs::write(directory.join("Cargo.toml"), manifest(dependencies))?;
        let metadata = read_metadata(directory)?;
        let graph = Graph::new(&metadata);
        let root = metadata
            .packages
            .iter()
            .find(|package| package.name == CELL)
            .ok_or_else(|| io::Error::other("the cells' package is not in its metadata"))?;
        let mut libraries = graph.libraries(&root.id, |_, _| true);
        if let Some(at) = libraries.named.remove(CELL) {
            libraries.named = libraries.all[at].dependencies.iter().cloned().collect();
        }
        Ok(libraries)
    }

    /// Adds `others`. Where both name a library, the one of `others` wins.
    pub(super) fn extend(&mut self, others: Self) {
        let before = self.all.len();
        self.all.extend(others.all.into_iter().map(|mut library| {
            for (_, at) in &mut library.dependencies {
                *at += before;
            }
            library
        }));
        let named = others.named.into_iter();
        self.named
            .extend(named.map(|(name, at)| (name, at + before)));
    }
}

/// Returns the runtime itself, its direct dependencies, and below those only Polars'
/// own crates and [`ALSO`].
fn of_runtime(metadata: &Metadata) -> io::Result<Libraries> {
    let graph = Graph::new(metadata);
    let runtime = metadata
        .packages
        .iter()
        .find(|package| package.name == RUNTIME)
        .ok_or_else(|| io::Error::other("the runtime's workspace has no package `swath`"))?;
    let stays = |from: &str, package: &Package| {
        let name = &package.name[..];
        name != NEVER && (from == runtime.id || name.starts_with("polars") || ALSO.contains(&name))
    };
    let mut libraries = graph.libraries(&runtime.id, stays);
    let Some(at) = libraries.named.remove(RUNTIME) else {
        return Err(io::Error::other("the package `swath` has no library"));
    };
    libraries.named = libraries.all[at]
        .dependencies
        .iter()
        .filter(|(name, _)| BUNDLED_CRATES.contains(&&name[..]))
        .cloned()
        .collect();
    libraries.named.insert(RUNTIME.to_owned(), at);
    Ok(libraries)
}

/// The name of the package that depends on the crates that cells added.
const CELL: &str = "swath-cells";

/// Returns a manifest that depends on the crates that cells added.
fn manifest(dependencies: &[String]) -> String {
    let mut text = format!(
        "[package]\nname = {CELL:?}\nversion = \"0.0.0\"\nedition = \"2024\"\n\
         [workspace]\n[dependencies]\n"
    );
    // The last `:dep` on a crate wins.
    let mut lines = BTreeMap::new();
    for dependency in dependencies {
        // A text with a line break is not a dependency, and would write more than
        // one line.
        if dependency.contains('\n') {
            continue;
        }
        let (name, value) = match dependency.split_once('=') {
            Some((name, value)) => (name.trim(), value.trim().to_owned()),
            None => (dependency.trim(), "\"*\"".to_owned()),
        };
        if name.starts_with(['.', '/']) {
            // This is a package's folder: its manifest contains the name.
            if let Some(package) = package_name(Path::new(name)) {
                lines.insert(package, format!("{{ path = {name:?} }}"));
            }
        } else {
            lines.insert(name.to_owned(), value);
        }
    }
    for (name, value) in lines {
        text.push_str(&format!("{name} = {value}\n"));
    }
    text
}

/// Reads the name from the manifest of the package in `directory`.
fn package_name(directory: &Path) -> Option<String> {
    let text = fs::read_to_string(directory.join("Cargo.toml")).ok()?;
    text.lines()
        .filter_map(|line| line.split_once('='))
        .find(|(key, _)| key.trim() == "name")
        .map(|(_, value)| value.trim().trim_matches('"').to_owned())
}

/// The output of `cargo metadata`.
#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
    resolve: Resolve,
}

#[derive(Deserialize)]
struct Package {
    id: String,
    name: String,
    version: String,
    edition: String,
    targets: Vec<Target>,
}

#[derive(Deserialize)]
struct Target {
    name: String,
    kind: Vec<String>,
    src_path: PathBuf,
}

#[derive(Deserialize)]
struct Resolve {
    nodes: Vec<Node>,
}

#[derive(Deserialize)]
struct Node {
    id: String,
    features: Vec<String>,
    deps: Vec<Dependency>,
}

#[derive(Deserialize)]
struct Dependency {
    /// The name that code uses.
    name: String,
    pkg: String,
    dep_kinds: Vec<DependencyKind>,
}

#[derive(Deserialize)]
struct DependencyKind {
    kind: Option<String>,
}

fn read_metadata(sources: &Path) -> io::Result<Metadata> {
    let host = Command::new("rustc").arg("-vV").output()?;
    let host = String::from_utf8_lossy(&host.stdout)
        .lines()
        .find_map(|line| line.strip_prefix("host: ").map(str::to_owned))
        .ok_or_else(|| io::Error::other("`rustc -vV` names no host"))?;
    let output = Command::new("cargo")
        // Either the sources of all dependencies are present already, or completion
        // does without them: it is no reason to use the network.
        .args(["metadata", "--offline", "--format-version", "1"])
        .args(["--filter-platform", &host])
        .current_dir(sources)
        .output()?;
    if !output.status.success() {
        return Err(io::Error::other(
            String::from_utf8_lossy(&output.stderr).into_owned(),
        ));
    }
    serde_json::from_slice(&output.stdout).map_err(io::Error::other)
}

/// The packages, by id.
struct Graph<'a> {
    packages: BTreeMap<&'a str, &'a Package>,
    nodes: BTreeMap<&'a str, &'a Node>,
}

impl<'a> Graph<'a> {
    fn new(metadata: &'a Metadata) -> Self {
        Self {
            packages: metadata
                .packages
                .iter()
                .map(|package| (&package.id[..], package))
                .collect(),
            nodes: metadata
                .resolve
                .nodes
                .iter()
                .map(|node| (&node.id[..], node))
                .collect(),
        }
    }

    /// Returns the library of package `root`, which is the named one, and those
    /// below it for which `stays(from, package)` is true.
    fn libraries(&self, root: &'a str, stays: impl Fn(&str, &Package) -> bool) -> Libraries {
        let kept = self.keep(root, stays);
        // Keep only packages with a library, so that the numbers are indices of
        // `all`.
        let kept: Vec<(&str, &Target)> = kept
            .into_iter()
            .filter_map(|id| Some((id, library(self.packages.get(id)?)?)))
            .collect();
        let numbers: BTreeMap<&str, usize> = kept
            .iter()
            .enumerate()
            .map(|(number, (id, _))| (*id, number))
            .collect();
        let all = kept
            .iter()
            .map(|(id, target)| {
                let package = self.packages[id];
                Library {
                    name: target.name.replace('-', "_"),
                    version: package.version.clone(),
                    edition: package.edition.clone(),
                    root: target.src_path.clone(),
                    features: self
                        .nodes
                        .get(id)
                        .map_or(Vec::new(), |node| node.features.clone()),
                    dependencies: self
                        .dependencies(id)
                        .filter_map(|dependency| {
                            let number = numbers.get(&dependency.pkg[..])?;
                            Some((dependency.name.clone(), *number))
                        })
                        .collect(),
                }
            })
            .collect();
        let named = numbers.get(root).map(|number| {
            let package = self.packages[root];
            (package.name.clone(), *number)
        });
        Libraries {
            all,
            named: named.into_iter().collect(),
        }
    }

    fn keep(&self, root: &'a str, stays: impl Fn(&str, &Package) -> bool) -> BTreeSet<&'a str> {
        let mut kept = BTreeSet::from([root]);
        let mut waiting: Vec<&str> = vec![root];
        while let Some(id) = waiting.pop() {
            for dependency in self.dependencies(id) {
                let stays = self
                    .packages
                    .get(&dependency.pkg[..])
                    .is_some_and(|package| library(package).is_some() && stays(id, package));
                if stays && kept.insert(&dependency.pkg) {
                    waiting.push(&dependency.pkg);
                }
            }
        }
        kept
    }

    /// Returns the dependencies of the library itself, without build and dev
    /// dependencies.
    fn dependencies(&self, id: &str) -> impl Iterator<Item = &'a Dependency> + use<'a> {
        self.nodes
            .get(id)
            .map_or(&[][..], |node| &node.deps[..])
            .iter()
            .filter(|dependency| dependency.dep_kinds.iter().any(|it| it.kind.is_none()))
    }
}

/// Returns the package's library target. Procedural macros have none: their sources
/// are useless here.
fn library(package: &Package) -> Option<&Target> {
    let is_library = |kind: &String| ["lib", "rlib", "dylib"].contains(&kind.as_str());
    package
        .targets
        .iter()
        .find(|target| target.kind.iter().any(is_library))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_runtime_keeps_what_it_names_and_what_is_polars() {
        // swath → polars → polars-core → hidden
        //       → rand → rand_core, cfg-if
        let package = |name: &str, kind: &str| {
            serde_json::json!({
                "id": format!("id-{name}"), "name": name, "version": "1.0.0", "edition": "2024",
                "targets": [{"name": name.replace('-', "_"), "kind": [kind], "src_path": "/src.rs"}],
            })
        };
        let node = |name: &str, names: &[&str]| {
            let deps: Vec<_> = names
                .iter()
                .map(|name| {
                    serde_json::json!({
                        "name": name.replace('-', "_"), "pkg": format!("id-{name}"),
                        "dep_kinds": [{"kind": null}],
                    })
                })
                .collect();
            serde_json::json!({
                "id": format!("id-{name}"), "features": ["default", "x"], "deps": deps,
            })
        };
        let names = [
            "swath",
            "polars",
            "polars-core",
            "hidden",
            "rand",
            "rand_core",
            "cfg-if",
        ];
        let metadata: Metadata = serde_json::from_value(serde_json::json!({
            "packages": names.iter().map(|name| package(name, "lib")).collect::<Vec<_>>(),
            "resolve": {"nodes": [
                node("swath", &["polars", "rand"]),
                node("polars", &["polars-core"]),
                node("polars-core", &["hidden"]),
                node("rand", &["rand_core", "cfg-if"]),
            ]},
        }))
        .unwrap();
        let libraries = of_runtime(&metadata).unwrap();
        let all: Vec<&str> = libraries
            .all
            .iter()
            .map(|library| &library.name[..])
            .collect();
        assert_eq!(all, ["polars", "polars_core", "rand", "rand_core", "swath"]);
        assert_eq!(libraries.all[2].dependencies, [("rand_core".to_owned(), 3)]);
        assert_eq!(libraries.all[2].features, ["default", "x"]);
        let named: Vec<_> = libraries
            .named
            .iter()
            .map(|(name, at)| (&name[..], *at))
            .collect();
        assert_eq!(named, [("polars", 0), ("rand", 2), ("swath", 4)]);
    }

    #[test]
    fn what_cells_added_becomes_a_manifest() {
        let added = [
            "regex = \"1\"",
            "csv",
            "regex = { version = \"1.5\" }",
            "a\nb = 1",
        ];
        let text = manifest(&added.map(str::to_owned));
        let (_, lines) = text.split_once("[dependencies]\n").unwrap();
        assert_eq!(lines, "csv = \"*\"\nregex = { version = \"1.5\" }\n");
    }

    #[test]
    fn the_cells_own_libraries_come_first() {
        let library = |name: &str, dependencies: &[(&str, usize)]| Library {
            name: name.to_owned(),
            version: String::new(),
            edition: String::new(),
            root: PathBuf::new(),
            features: Vec::new(),
            dependencies: dependencies
                .iter()
                .map(|(name, at)| ((*name).to_owned(), *at))
                .collect(),
        };
        let mut libraries = Libraries {
            all: vec![library("rand", &[])],
            named: BTreeMap::from([("rand".to_owned(), 0)]),
        };
        libraries.extend(Libraries {
            all: vec![library("core", &[]), library("rand", &[("core", 0)])],
            named: BTreeMap::from([("rand".to_owned(), 1)]),
        });
        assert_eq!(libraries.named["rand"], 2);
        assert_eq!(libraries.all[2].dependencies[0].1, 1);
    }
}
