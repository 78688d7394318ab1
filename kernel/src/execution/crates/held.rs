//! The crates of the runtime, as cargo built them.
//!
//! A second copy of such a crate would cost minutes of compiling, and its types
//! and statics would be different ones. So the runtime's copy is used if its
//! version and features fit.
//!
//! This reads cargo's build results: a file's suffix leads to the list of its
//! sources (`deps/serde-….d`), whose folder gives package and version, and to its
//! features (`.fingerprint/serde-…/lib-serde.json`). If either is missing, the
//! crate is unknown, which costs only time.

use super::native;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// A crate of the runtime.
#[derive(Clone, Debug)]
pub(super) struct Held {
    /// Its name in code.
    pub(super) name: String,
    pub(super) version: semver::Version,
    pub(super) features: BTreeSet<String>,
    /// The file that rustc reads: metadata, or the library of a procedural macro.
    pub(super) file: PathBuf,
    /// The package's sources.
    source: PathBuf,
}

/// The crates of the runtime, by package.
#[derive(Debug, Default)]
pub(super) struct Catalogue(BTreeMap<String, Vec<Held>>);

impl Catalogue {
    /// Reads the crates whose files are in `links`, which cargo built in the
    /// folder `built` from the `lock` file, except those that cannot be shared
    /// ([`native`]).
    ///
    /// # Errors
    /// A folder cannot be read.
    pub(super) fn read(links: &Path, built: &Path, lock: &str) -> io::Result<Self> {
        let native = native::packages(built, lock);
        let mut catalogue = Self::default();
        for entry in fs::read_dir(links)? {
            let file = entry?.path();
            if let Some((package, held)) = held(&file, built)
                && !native.contains(&package)
            {
                catalogue.0.entry(package).or_default().push(held);
            }
        }
        Ok(catalogue)
    }

    /// Returns the newest copy of a package with a matching version and the
    /// requested features.
    pub(super) fn find(
        &self,
        package: &str,
        version: &semver::VersionReq,
        features: &[&str],
    ) -> Option<&Held> {
        let fitting = self.0.get(package)?.iter().filter(|held| {
            version.matches(&held.version) && held.has(&held.with_implied(features))
        });
        fitting.max_by_key(|held| &held.version)
    }

    /// Returns the copy of exactly this version that has at least these features,
    /// which must include all implied ones.
    pub(super) fn exact(
        &self,
        package: &str,
        version: &semver::Version,
        features: &BTreeSet<String>,
    ) -> Option<&Held> {
        let held = self.0.get(package)?.iter();
        held.filter(|held| held.version == *version)
            .find(|held| held.has(features))
    }

    /// Returns the newest version that the runtime has.
    pub(super) fn version(&self, package: &str) -> Option<&semver::Version> {
        let held = self.0.get(package)?.iter();
        held.map(|held| &held.version).max()
    }
}

impl Held {
    /// Returns whether it has these features. `default` is ignored: it only stands
    /// for others.
    fn has(&self, features: &BTreeSet<String>) -> bool {
        let mut features = features.iter().filter(|name| *name != "default");
        features.all(|name| self.features.contains(name))
    }

    /// Returns the features and those that they enable in the same package.
    fn with_implied(&self, features: &[&str]) -> BTreeSet<String> {
        let table = self.feature_table().unwrap_or_default();
        let mut waiting: Vec<String> = features.iter().map(|&name| name.to_owned()).collect();
        let mut all = BTreeSet::new();
        while let Some(name) = waiting.pop() {
            if all.contains(&name) {
                continue;
            }
            let implied = table.get(&name).and_then(toml::Value::as_array);
            let own = implied
                .into_iter()
                .flatten()
                .filter_map(toml::Value::as_str)
                .filter(|implied| table.contains_key(*implied));
            waiting.extend(own.map(str::to_owned));
            all.insert(name);
        }
        all
    }

    fn feature_table(&self) -> Option<toml::Table> {
        let text = fs::read_to_string(self.source.join("Cargo.toml")).ok()?;
        let mut manifest: toml::Table = text.parse().ok()?;
        match manifest.remove("features")? {
            toml::Value::Table(features) => Some(features),
            _ => None,
        }
    }
}

/// Returns the package's name and the description of a crate's file.
fn held(file: &Path, built: &Path) -> Option<(String, Held)> {
    let stem = file.file_stem()?.to_str()?.strip_prefix("lib")?;
    let (name, suffix) = stem.rsplit_once('-')?;
    let sources = fs::read_to_string(built.join("deps").join(format!("{stem}.d"))).ok()?;
    // `/target/deps/serde-….d: /registry/serde-1.0.229/src/lib.rs …`
    let (_, sources) = sources.lines().next()?.split_once(": ")?;
    let first = sources.split(' ').next()?;
    let source = Path::new(first)
        .ancestors()
        .find(|folder| folder.join("Cargo.toml").is_file())?;
    let folder = source.file_name()?.to_str()?;
    // Only folders of a registry have a version in their names.
    let (package, version) = folder
        .match_indices('-')
        .find_map(|(at, _)| Some((&folder[..at], folder[at + 1..].parse().ok()?)))?;
    let fingerprint = built
        .join(".fingerprint")
        .join(format!("{package}-{suffix}"))
        .join(format!("lib-{name}.json"));
    let fingerprint: serde_json::Value =
        serde_json::from_str(&fs::read_to_string(fingerprint).ok()?).ok()?;
    let features = serde_json::from_str(fingerprint["features"].as_str()?).ok()?;
    let held = Held {
        name: name.to_owned(),
        version,
        features,
        file: file.to_owned(),
        source: source.to_owned(),
    };
    Some((package.to_owned(), held))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A built crate `a-b 1.2.3` with the features `std` and `small`.
    fn catalogue() -> (tempfile::TempDir, Catalogue) {
        let folder = tempfile::tempdir().unwrap();
        let write = |path: &str, text: &str| {
            let path = folder.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        let manifest =
            "[features]\ndefault = [\"std\"]\nstd = [\"dep:c\"]\nlarge = [\"small\"]\nsmall = []\n";
        write("registry/a-b-1.2.3/Cargo.toml", manifest);
        write("links/liba_b-0123.rmeta", "");
        let source = folder.path().join("registry/a-b-1.2.3/src/lib.rs");
        let sources = format!("/t/deps/a_b-0123.d: {} /x/y.rs\n", source.display());
        write("built/deps/a_b-0123.d", &sources);
        write(
            "built/.fingerprint/a-b-0123/lib-a_b.json",
            r#"{"features": "[\"small\", \"std\"]"}"#,
        );
        write("links/libnothing-4567.rmeta", "");
        let catalogue = Catalogue::read(
            &folder.path().join("links"),
            &folder.path().join("built"),
            "",
        )
        .unwrap();
        (folder, catalogue)
    }

    #[test]
    fn what_cargo_built_is_known() {
        let (_folder, catalogue) = catalogue();
        let found = |version: &str, features: &[&str]| {
            let version = version.parse().unwrap();
            catalogue.find("a-b", &version, features).is_some()
        };
        assert!(found("1", &["default"]), "it has what `default` stands for");
        assert!(found("=1.2.3", &["small"]));
        assert!(!found("2", &[]) && !found("1", &["large"]));
        assert!(catalogue.version("nothing").is_none());
        let version = "1.2.3".parse().unwrap();
        let features = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect();
        assert!(
            catalogue
                .exact("a-b", &version, &features(&["std"]))
                .is_some()
        );
        assert!(
            catalogue
                .exact("a-b", &version, &features(&["large"]))
                .is_none()
        );
    }
}
