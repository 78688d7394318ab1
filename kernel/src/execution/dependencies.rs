//! `:dep` on crates that the runtime is made of.
//!
//! A second copy of such a crate would be minutes of compiling, and its types
//! would be others. So where the version fits, the name is bound to the
//! runtime's copy at once.

use std::collections::BTreeMap;
use std::sync::LazyLock;

/// The crates that the runtime gives out (`swath::polars`).
pub(super) const HELD: &[&str] = &[
    "ndarray",
    "plotters",
    "polars",
    "rand",
    "rayon",
    "serde_json",
    "tokio",
];

/// The features that they have and that are not on by default, as the runtime
/// asks for them.
const FEATURES: &[(&str, &[&str])] = &[
    ("ndarray", &["rayon", "serde", "std"]),
    (
        "plotters",
        &[
            "all_elements",
            "all_series",
            "colormaps",
            "full_palette",
            "svg_backend",
        ],
    ),
    (
        "polars",
        &[
            "abs",
            "csv",
            "cum_agg",
            "diff",
            "dtype-i16",
            "dtype-i8",
            "dtype-slim",
            "dtype-u16",
            "dtype-u8",
            "fmt",
            "ipc",
            "is_between",
            "is_in",
            "is_unique",
            "lazy",
            "parquet",
            "rank",
            "regex",
            "round_series",
            "semi_anti_join",
            "strings",
            "temporal",
            "zip_with",
        ],
    ),
    ("rand", &["std"]),
    ("serde_json", &["std"]),
    (
        "tokio",
        &["macros", "rt", "rt-multi-thread", "sync", "time"],
    ),
];

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
    let (name, requirement) = match argument.split_once('=') {
        None => (argument.trim(), "*".to_owned()),
        Some((name, value)) => {
            let value = value.trim();
            let requirement = match value.strip_prefix('{') {
                None => value.trim_matches('"').to_owned(),
                Some(table) => version_asked(name.trim(), table.strip_suffix('}')?)?,
            };
            (name.trim(), requirement)
        }
    };
    let name = *HELD.iter().find(|held| **held == name)?;
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
    let has = |feature: &str| {
        FEATURES
            .iter()
            .any(|(held, features)| *held == name && features.contains(&feature))
    };
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
