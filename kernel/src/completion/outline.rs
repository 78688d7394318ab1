//! The runtime's crates, cut down to those that a user meets.
//!
//! The runtime stands on some 470 crates, most of them below Polars and never
//! named in a cell. With all of them rust-analyzer took 27 s and 1.7 GB, and a
//! request 1.5 s; with the sixty that remain here 3 s, 0.65 GB and 0.2 s, and
//! the completions were the same. So each of those gets a manifest of its own
//! that points to its sources and to the others, and names no further crate.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde::Deserialize;

/// The runtime's package.
const RUNTIME: &str = "swath";

/// Crates that stand in the signatures of those which the runtime names.
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

/// The runtime's own business, and large: its sources for all systems.
const NEVER: &str = "libc";

/// What `cargo metadata` says.
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
    /// As the code names it.
    name: String,
    pkg: String,
    dep_kinds: Vec<DependencyKind>,
}

#[derive(Deserialize)]
struct DependencyKind {
    kind: Option<String>,
}

/// Writes the manifests into `directory`. Where the runtime's is.
pub(super) fn outline(sources: &Path, directory: &Path) -> io::Result<PathBuf> {
    let metadata = read_metadata(sources)?;
    let graph = Graph::new(&metadata);
    let runtime = metadata
        .packages
        .iter()
        .find(|package| package.name == RUNTIME)
        .ok_or_else(|| io::Error::other("the runtime's workspace has no package `swath`"))?;
    let kept = graph.keep(&runtime.id);
    for id in &kept {
        graph.write(id, &kept, directory)?;
    }
    Ok(directory.join(folder(runtime)))
}

fn read_metadata(sources: &Path) -> io::Result<Metadata> {
    let host = Command::new("rustc").arg("-vV").output()?;
    let host = String::from_utf8_lossy(&host.stdout)
        .lines()
        .find_map(|line| line.strip_prefix("host: ").map(str::to_owned))
        .ok_or_else(|| io::Error::other("`rustc -vV` names no host"))?;
    let output = Command::new("cargo")
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

/// The packages by id.
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

    /// The packages that stay: the runtime, what it depends on itself, and
    /// below that Polars' own and [`ALSO`].
    fn keep(&self, runtime: &'a str) -> BTreeSet<&'a str> {
        let mut kept = BTreeSet::from([runtime]);
        let mut waiting: Vec<&str> = vec![runtime];
        while let Some(id) = waiting.pop() {
            for dependency in self.dependencies(id) {
                let stays = self
                    .packages
                    .get(&dependency.pkg[..])
                    .is_some_and(|package| {
                        let name = &package.name[..];
                        name != NEVER
                            && library(package).is_some()
                            && (id == runtime || name.starts_with("polars") || ALSO.contains(&name))
                    });
                if stays && kept.insert(&dependency.pkg) {
                    waiting.push(&dependency.pkg);
                }
            }
        }
        kept
    }

    /// Those that the library itself needs.
    fn dependencies(&self, id: &str) -> impl Iterator<Item = &'a Dependency> + use<'a> {
        self.nodes
            .get(id)
            .map_or(&[][..], |node| &node.deps[..])
            .iter()
            .filter(|dependency| dependency.dep_kinds.iter().any(|it| it.kind.is_none()))
    }

    /// Writes the manifest of a package that stays.
    fn write(&self, id: &str, kept: &BTreeSet<&str>, directory: &Path) -> io::Result<()> {
        let Some(package) = self.packages.get(id) else {
            return Ok(());
        };
        let Some(target) = library(package) else {
            return Ok(());
        };
        let features = self
            .nodes
            .get(id)
            .map_or(&[][..], |node| &node.features[..]);
        let features: Vec<&String> = features.iter().filter(|name| *name != "default").collect();
        let mut text = format!(
            "[package]\nname = {:?}\nversion = {:?}\nedition = {:?}\n\
             autobins = false\nautoexamples = false\nautotests = false\nautobenches = false\n\
             [lib]\nname = {:?}\npath = {:?}\n\
             [features]\ndefault = {features:?}\n",
            package.name, package.version, package.edition, target.name, target.src_path,
        );
        for feature in features {
            push_line(&mut text, format_args!("{feature:?} = []"));
        }
        push_line(&mut text, format_args!("[dependencies]"));
        for dependency in self.dependencies(id) {
            let Some(package) = self.packages.get(&dependency.pkg[..]) else {
                continue;
            };
            if kept.contains(&dependency.pkg[..]) {
                push_line(
                    &mut text,
                    format_args!(
                        "{:?} = {{ package = {:?}, path = {:?} }}",
                        dependency.name,
                        package.name,
                        directory.join(folder(package))
                    ),
                );
            }
        }
        let folder = directory.join(folder(package));
        fs::create_dir_all(&folder)?;
        fs::write(folder.join("Cargo.toml"), text)
    }
}

/// Two versions of a package are two folders.
fn folder(package: &Package) -> String {
    format!("{}-{}", package.name, package.version)
}

/// The package's library; a procedural macro's sources are of no use here.
fn library(package: &Package) -> Option<&Target> {
    let is_library = |kind: &String| ["lib", "rlib", "dylib"].contains(&kind.as_str());
    package
        .targets
        .iter()
        .find(|target| target.kind.iter().any(is_library))
}

fn push_line(text: &mut String, line: std::fmt::Arguments<'_>) {
    writeln!(text, "{line}").expect("invariant: a String takes any text");
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
        let graph = Graph::new(&metadata);
        let kept = graph.keep("id-swath");
        assert_eq!(
            kept.iter().copied().collect::<Vec<_>>(),
            [
                "id-polars",
                "id-polars-core",
                "id-rand",
                "id-rand_core",
                "id-swath"
            ]
        );
        let directory = tempfile::tempdir().unwrap();
        graph.write("id-rand", &kept, directory.path()).unwrap();
        let text = fs::read_to_string(directory.path().join("rand-1.0.0/Cargo.toml")).unwrap();
        assert!(
            text.contains("default = [\"x\"]\n\"x\" = []\n[dependencies]\n\"rand_core\" ="),
            "{text}"
        );
        assert!(!text.contains("cfg"), "{text}");
    }
}
