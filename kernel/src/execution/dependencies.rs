//! `:dep` on crates that the runtime is made of.
//!
//! A second copy of such a crate would be minutes of compiling, and its types
//! would be others. So where the version fits, the name is bound to the
//! runtime's copy at once.

pub(super) use crate::completion::HELD;
use std::collections::BTreeMap;
use std::sync::LazyLock;

/// Features that others bring along, or that are on by default.
const IMPLIED: [&str; 3] = ["default", "rt", "std"];

/// The features that they have, as the runtime asks for them.
static FEATURES: LazyLock<BTreeMap<&str, Vec<&str>>> = LazyLock::new(|| {
    let manifest = include_str!("../../../runtime/Cargo.toml");
    HELD.iter()
        .map(|name| (*name, features(manifest, name)))
        .collect()
});

/// Their versions.
static VERSIONS: LazyLock<BTreeMap<String, Vec<semver::Version>>> =
    LazyLock::new(|| versions(include_str!("../../../Cargo.lock")));

/// A `:dep` that the runtime's own copy serves.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Bound {
    pub(super) name: &'static str,
    pub(super) version: String,
}

/// What `:dep ARGUMENT` binds to, if it asks for nothing but a version that is
/// there.
pub(super) fn bound(argument: &str) -> Option<Bound> {
    let name = *HELD.iter().find(|held| **held == name(argument))?;
    let requirement = match argument.split_once('=') {
        None => "*".to_owned(),
        Some((_, value)) => {
            let value = value.trim();
            match value.strip_prefix('{') {
                None => value.trim_matches('"').to_owned(),
                Some(table) => version_asked(name, table.strip_suffix('}')?)?,
            }
        }
    };
    let requirement = semver::VersionReq::parse(&requirement).ok()?;
    let version = VERSIONS
        .get(name)?
        .iter()
        .filter(|version| requirement.matches(version))
        .max()?;
    Some(Bound {
        name,
        version: version.to_string(),
    })
}

/// The name in the argument of a `:dep`.
pub(super) fn name(argument: &str) -> &str {
    argument.split('=').next().unwrap_or_default().trim()
}

/// The version of a crate that the runtime is made of, the newest of several.
pub(super) fn version(name: &str) -> Option<String> {
    VERSIONS.get(name)?.iter().max().map(ToString::to_string)
}

/// The version in `{ version = "0.17", features = ["std"] }`, where nothing is
/// asked for that the runtime's copy of the crate lacks.
fn version_asked(name: &str, table: &str) -> Option<String> {
    let has = |feature: &str| IMPLIED.contains(&feature) || FEATURES[name].contains(&feature);
    let mut version = None;
    for (key, value) in entries(table) {
        match key {
            "version" => version = Some(value.trim_matches('"').to_owned()),
            "features" => {
                let features = value.strip_prefix('[')?.strip_suffix(']')?;
                let mut asked = features
                    .split(',')
                    .map(|feature| feature.trim().trim_matches('"'))
                    .filter(|feature| !feature.is_empty());
                if !asked.all(has) {
                    return None;
                }
            }
            // It may have more than is asked for.
            "default-features" => {}
            _ => return None,
        }
    }
    version
}

/// The features that a manifest asks for.
fn features<'a>(manifest: &'a str, name: &str) -> Vec<&'a str> {
    let entry = manifest
        .split_once(&format!("\n{name} = "))
        .map_or("", |(_, rest)| {
            rest.split("\n\n").next().unwrap_or_default()
        });
    // The next dependency begins a line; the lists of features are indented.
    let end = entry
        .match_indices('\n')
        .find(|(at, _)| entry[at + 1..].starts_with(char::is_alphabetic));
    let entry = &entry[..end.map_or(entry.len(), |(at, _)| at)];
    let list = entry
        .split_once("features = [")
        .map_or("", |(_, rest)| rest);
    let list = list.split(']').next().unwrap_or_default();
    list.split('"').skip(1).step_by(2).collect()
}

/// The keys and values of an inline table.
fn entries(table: &str) -> Vec<(&str, &str)> {
    let mut entries = Vec::new();
    let (mut start, mut depth) = (0, 0);
    for (at, c) in table.char_indices().chain([(table.len(), ',')]) {
        match c {
            '[' => depth += 1,
            ']' => depth -= 1,
            ',' if depth == 0 => {
                if let Some((key, value)) = table[start..at].split_once('=') {
                    entries.push((key.trim(), value.trim()));
                }
                start = at + 1;
            }
            _ => {}
        }
    }
    entries
}

fn versions(lock: &str) -> BTreeMap<String, Vec<semver::Version>> {
    let mut versions: BTreeMap<String, Vec<semver::Version>> = BTreeMap::new();
    let mut name = "";
    for line in lock.lines() {
        if let Some(value) = line.strip_prefix("name = ") {
            name = value.trim_matches('"');
        } else if let Some(value) = line.strip_prefix("version = ")
            && let Ok(version) = semver::Version::parse(value.trim_matches('"'))
        {
            versions.entry(name.to_owned()).or_default().push(version);
        }
    }
    versions
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn features_are_the_runtimes() {
        assert!(FEATURES["polars"].contains(&"zip_with"));
        assert!(FEATURES["ndarray"].contains(&"rayon"));
        assert!(FEATURES["rayon"].is_empty() && FEATURES["serde_json"].is_empty());
    }

    #[test]
    fn what_the_runtime_holds_is_bound() {
        let name = |argument| bound(argument).map(|bound| bound.name);
        assert_eq!(name("polars"), Some("polars"));
        assert_eq!(name("ndarray = \"0.17\""), Some("ndarray"));
        assert_eq!(name("ndarray = { version = \"0.17\" }"), Some("ndarray"));
        assert_eq!(
            name("ndarray = \"0.15\""),
            None,
            "another version is another crate"
        );
        assert_eq!(
            name("ndarray = { version = \"0.17\", features = [\"blas\"] }"),
            None
        );
        assert_eq!(
            name(
                "polars = { version = \"0.55\", features = [\"lazy\", \"csv\"], default-features = false }"
            ),
            Some("polars")
        );
        assert_eq!(name("polars = { path = \"../polars\" }"), None);
        assert_eq!(name("itoa"), None);
    }
}
