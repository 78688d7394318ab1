//! The request of a `:dep`.

use std::collections::BTreeMap;
use std::path::Path;
use toml::{Table, Value};

/// A line of `[dependencies]`, as written after `:dep`.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::execution) struct Request {
    /// The key: the package's name, or the name that the cell gives it.
    pub(super) name: String,
    /// Never a plain version: `"1"` is `{ version = "1" }`.
    table: Table,
}

/// The keys that cargo accepts in a dependency.
const KEYS: [&str; 10] = [
    "version",
    "features",
    "default-features",
    "git",
    "branch",
    "tag",
    "rev",
    "path",
    "package",
    "registry",
];

impl Request {
    /// Parses the argument of `:dep`: `regex`, `regex = "1"`, `regex = {
    /// version = "1", features = ["std"] }`, or a package's folder.
    ///
    /// # Errors
    /// What is wrong with it, for users.
    pub(super) fn parse(argument: &str) -> Result<Self, String> {
        let argument = without_comment(argument)
            .trim()
            .trim_end_matches(';')
            .trim();
        if argument.starts_with(['.', '/', '~']) {
            return Self::of_folder(argument);
        }
        let (name, value) = match argument.split_once('=') {
            None => (argument, Value::String("*".to_owned())),
            Some((name, _)) => {
                let line: Table = argument.parse().map_err(|error: toml::de::Error| {
                    format!("not a line of a Cargo.toml: {}", error.message())
                })?;
                let name = name.trim();
                let plain = name.trim_matches(['"', '\'']);
                match line.into_iter().next() {
                    Some((key, value)) if key == plain => (plain, value),
                    _ => return Err(format!("`{name}` is not a crate name")),
                }
            }
        };
        check_name(name)?;
        let table = match value {
            Value::String(version) => Table::from_iter([("version".to_owned(), version.into())]),
            Value::Table(table) => with_dashes(table)?,
            other => {
                return Err(format!(
                    "`{name}` is a {}, expected a version (`\"1\"`) or a table (`{{ version = \"1\" }}`)",
                    other.type_str()
                ));
            }
        };
        if let Some(Value::String(version)) = table.get("version") {
            semver::VersionReq::parse(version)
                .map_err(|error| format!("`{version}` is not a version: {error}"))?;
        }
        Ok(Self {
            name: name.to_owned(),
            table,
        })
    }

    fn of_folder(folder: &str) -> Result<Self, String> {
        let home = std::env::var("HOME").unwrap_or_default();
        let folder = match folder.strip_prefix('~') {
            Some(rest) => format!("{home}{rest}"),
            None => folder.to_owned(),
        };
        let folder = Path::new(&folder)
            .canonicalize()
            .map_err(|error| format!("cannot open the folder `{folder}`: {error}"))?;
        let manifest = folder.join("Cargo.toml");
        let text = std::fs::read_to_string(&manifest)
            .map_err(|error| format!("cannot read {}: {error}", manifest.display()))?;
        let table: Table = text
            .parse()
            .map_err(|error| format!("cannot parse {}: {error}", manifest.display()))?;
        let name = table
            .get("package")
            .and_then(|package| package.get("name")?.as_str())
            .ok_or_else(|| format!("{} has no `[package]` with a `name`", manifest.display()))?;
        let path = folder.to_string_lossy().into_owned();
        Ok(Self {
            name: name.to_owned(),
            table: Table::from_iter([("path".to_owned(), path.into())]),
        })
    }

    /// Returns the crate's name in code, unless its library has a name of its
    /// own.
    pub(in crate::execution) fn library(&self) -> String {
        self.name.replace('-', "_")
    }

    /// Returns the package's name.
    pub(super) fn package(&self) -> &str {
        self.text("package").unwrap_or(&self.name)
    }

    /// Returns the requested version; `None` if the request is not for a plain
    /// package of the registry.
    pub(super) fn version(&self) -> Option<semver::VersionReq> {
        let is_plain = self
            .table
            .keys()
            .all(|key| ["version", "features", "default-features", "package"].contains(&&**key));
        let version = self.text("version").unwrap_or("*");
        semver::VersionReq::parse(version).ok().filter(|_| is_plain)
    }

    /// Returns the requested features, including `default` unless it is
    /// disabled.
    pub(super) fn features(&self) -> Vec<&str> {
        let asked = self.table.get("features").and_then(Value::as_array);
        let mut features: Vec<&str> = asked
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .collect();
        if self.table.get("default-features").and_then(Value::as_bool) != Some(false) {
            features.push("default");
        }
        features
    }

    /// Returns the request with this version, if it accepts any version.
    pub(super) fn or_version(&self, version: Option<&semver::Version>) -> Self {
        let mut request = self.clone();
        if let Some(version) = version
            && self.version() == Some(semver::VersionReq::STAR)
        {
            let version = format!("^{version}");
            request.table.insert("version".to_owned(), version.into());
        }
        request
    }

    fn text(&self, key: &str) -> Option<&str> {
        self.table.get(key)?.as_str()
    }
}

impl std::fmt::Display for Request {
    /// Formats the request as a line of `[dependencies]`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} = {}", self.name, Value::Table(self.table.clone()))
    }
}

/// Returns a line without the comment at its end; evcxr removes it as well.
fn without_comment(line: &str) -> &str {
    let mut quote = None;
    for (at, c) in line.char_indices() {
        match (quote, c) {
            (None, '"' | '\'') => quote = Some(c),
            (Some(open), _) if open == c => quote = None,
            (None, '#') => return &line[..at],
            (None, '/') if line[at..].starts_with("//") => return &line[..at],
            _ => {}
        }
    }
    line
}

fn check_name(name: &str) -> Result<(), String> {
    let is_name = name.starts_with(char::is_alphabetic)
        && name
            .chars()
            .all(|c| c.is_alphanumeric() || "-_".contains(c));
    if is_name {
        return Ok(());
    }
    // `regex@1` and `regex 1`, which other tools accept.
    if let Some((package, version)) = name.split_once(['@', ' '])
        && check_name(package).is_ok()
        && semver::VersionReq::parse(version.trim()).is_ok()
    {
        return Err(format!(
            "write the version as `:dep {package} = \"{}\"`",
            version.trim()
        ));
    }
    Err(match name {
        "" => "`:dep` needs the name of a crate, as in `:dep regex = \"1\"`".to_owned(),
        _ => format!("`{name}` is not a crate name: expected a line such as `:dep regex = \"1\"`"),
    })
}

/// Replaces underscores in keys by dashes, as cargo requires today: every
/// notebook written before the 2024 edition contains `default_features`.
fn with_dashes(table: Table) -> Result<Table, String> {
    let mut dashed = BTreeMap::new();
    for (key, value) in table {
        let name = key.replace('_', "-");
        if !KEYS.contains(&&*name) {
            let near = KEYS.iter().find(|known| strsim::jaro(known, &name) > 0.85);
            return Err(match near {
                Some(near) => format!("a dependency has no key `{key}`: did you mean `{near}`?"),
                None => format!(
                    "a dependency has no key `{key}`: expected one of {}",
                    KEYS.join(", ")
                ),
            });
        }
        dashed.insert(name, value);
    }
    Ok(dashed.into_iter().collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(argument: &str) -> String {
        Request::parse(argument).unwrap().to_string()
    }

    fn error(argument: &str) -> String {
        Request::parse(argument).unwrap_err()
    }

    #[test]
    fn all_ways_to_write_one() {
        assert_eq!(line("regex"), "regex = { version = \"*\" }");
        assert_eq!(line("regex = \"1\""), "regex = { version = \"1\" }");
        assert_eq!(
            line("regex=\"1\" // for words"),
            "regex = { version = \"1\" }"
        );
        assert_eq!(line("regex = \"1\"; "), "regex = { version = \"1\" }");
        let both =
            "plotters = { version = \"^0.3.0\", default_features = false, features = [\"evcxr\"] }";
        let request = Request::parse(both).unwrap();
        assert_eq!(request.features(), ["evcxr"]);
        assert!(request.to_string().contains("default-features = false"));
        let git = Request::parse("a-b = { git = \"https://example.org/a#b\" }").unwrap();
        assert_eq!((git.version(), git.library().as_str()), (None, "a_b"));
    }

    #[test]
    fn a_folder_is_asked_for_its_name() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().display().to_string();
        assert!(error(&path).contains("Cargo.toml"));
        let manifest = "[package]\nname = \"mine\"\nversion = \"1.0.0\"\n";
        std::fs::write(folder.path().join("Cargo.toml"), manifest).unwrap();
        assert!(line(&path).starts_with("mine = { path = "));
    }

    #[test]
    fn what_is_wrong_is_said() {
        assert!(error("").contains("needs the name"));
        assert!(error("regex@1.2").contains("`:dep regex = \"1.2\"`"));
        assert!(error("regex 1").contains("`:dep regex = \"1\"`"));
        assert!(error("regex = 1").contains("is a integer, expected a version"));
        assert!(error("regex = \"one\"").contains("`one` is not a version"));
        assert!(error("regex = {").contains("not a line of a Cargo.toml"));
        assert!(
            error("regex = { version = \"1\", feature = [\"std\"] }")
                .contains("did you mean `features`?")
        );
    }
}
