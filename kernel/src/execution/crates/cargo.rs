//! The session's cargo package, and the runs of cargo on it.

use super::wrapper::{PLAN_VARIABLE, WrapperPlan, shared_key};
use cargo_metadata::{Message, Metadata, MetadataCommand, Package, PackageId};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::fs;
use std::io::{self, BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The runtime's lock file. Where one of its versions fits a request, it is used.
pub(super) const LOCK: &str = include_str!("../../../../Cargo.lock");

/// A package that depends on all crates that the session asked for.
#[derive(Debug)]
pub(super) struct Project {
    folder: PathBuf,
    /// The compiler that built the runtime.
    rustc: PathBuf,
    /// The target that it compiles for.
    target: String,
    /// Whether cargo may not use the network.
    pub(super) offline: bool,
}

impl Project {
    /// Returns a package in a folder, which is created when needed.
    pub(super) fn new(folder: PathBuf, rustc: PathBuf, target: String) -> Self {
        Self {
            folder,
            rustc,
            target,
            offline: false,
        }
    }

    pub(super) fn file(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// Returns the folder of the libraries that cells link to.
    pub(super) fn libraries(&self) -> PathBuf {
        self.file("libraries")
    }

    /// Returns the folder of build results for the cells. The libraries are copies of some of
    /// them.
    pub(super) fn release(&self, strict: bool) -> PathBuf {
        self.built(strict).join(&self.target).join("release")
    }

    /// Returns cargo's target folder. Strict builds need one of their own: to cargo, crates
    /// built with other copies of the runtime's crates would seem fresh.
    fn built(&self, strict: bool) -> PathBuf {
        self.file(if strict { "target-strict" } else { "target" })
    }

    /// Writes the manifest of package `name`, which depends on `requests`, lines of
    /// `[dependencies]`.
    ///
    /// # Errors
    /// The folder cannot be written to.
    pub(super) fn write(
        &self,
        name: &str,
        requests: impl Iterator<Item = String>,
    ) -> io::Result<()> {
        fs::create_dir_all(&self.folder)?;
        let lock = self.file("Cargo.lock");
        if !lock.exists() {
            fs::write(lock, LOCK)?;
        }
        fs::write(self.file("lib.rs"), "")?;
        let mut manifest = format!(
            "[package]\nname = {name:?}\nversion = \"0.0.0\"\nedition = \"2024\"\n\n\
             [lib]\npath = \"lib.rs\"\ncrate-type = [\"dylib\"]\n\n[workspace]\n\n\
             [profile.release.build-override]\nopt-level = 0\n\n[dependencies]\n"
        );
        for request in requests {
            manifest += &format!("{request}\n");
        }
        fs::write(self.file("Cargo.toml"), manifest)
    }

    /// Returns the packages that the manifest resolves to.
    ///
    /// # Errors
    /// cargo's own message.
    pub(super) fn resolve(&self) -> Result<Metadata, String> {
        let mut command = MetadataCommand::new();
        command
            .current_dir(&self.folder)
            .other_options(["--filter-platform".to_owned(), self.target.clone()]);
        if self.offline {
            command.other_options(["--offline".to_owned()]);
        }
        command.env("RUSTC", &self.rustc);
        command.exec().map_err(|error| match error {
            cargo_metadata::Error::CargoMetadata { stderr } => for_people(&stderr),
            error => error.to_string(),
        })
    }

    /// Returns what cargo is about to compile.
    ///
    /// # Errors
    /// cargo's own message.
    pub(super) fn units(&self) -> Result<Units, String> {
        let mut command = self.command(false);
        command
            .args(["--unit-graph", "-Zunstable-options"])
            // cargo prints the graph only with this variable.
            .env("RUSTC_BOOTSTRAP", "1");
        let output = command.output().map_err(cannot_start)?;
        if !output.status.success() {
            return Err(for_people(&String::from_utf8_lossy(&output.stderr)));
        }
        serde_json::from_slice(&output.stdout)
            .map_err(|error| format!("cannot read cargo's unit graph: {error}"))
    }

    /// Returns the common `cargo build` command.
    fn command(&self, strict: bool) -> Command {
        let mut command = Command::new("cargo");
        command
            .args(["build", "--release", "--target", &self.target])
            .arg("--target-dir")
            .arg(self.built(strict))
            .current_dir(&self.folder)
            .env("RUSTC", &self.rustc)
            // The flags with which the runtime is compiled.
            .env("CARGO_ENCODED_RUSTFLAGS", "-Cprefer-dynamic")
            .env_remove("RUSTC_WORKSPACE_WRAPPER")
            .stdin(Stdio::null());
        if self.offline {
            command.arg("--offline");
        }
        command
    }

    /// Builds what the manifest asks for. Returns the files of all crates by their names in
    /// code, omitting names with several files. `tell` receives cargo's line for each crate
    /// it compiles.
    ///
    /// # Errors
    /// The messages of cargo and the compiler.
    pub(super) fn build(
        &self,
        plan: &WrapperPlan,
        strict: bool,
        tell: &dyn Fn(&str),
    ) -> Result<BTreeMap<String, PathBuf>, String> {
        let plan_file = self.file("plan.json");
        let text = serde_json::to_vec(plan).map_err(|error| error.to_string())?;
        fs::write(&plan_file, text)
            .map_err(|error| format!("cannot write {}: {error}", plan_file.display()))?;
        let mut child = self
            .command(strict)
            .arg("--message-format=json-render-diagnostics")
            // The program's file may have been replaced since it was started.
            .env("RUSTC_WRAPPER", format!("/proc/{}/exe", std::process::id()))
            .env(PLAN_VARIABLE, plan_file)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(cannot_start)?;
        let messages = child.stdout.take();
        let built = std::thread::spawn(move || {
            let mut files: BTreeMap<String, Option<PathBuf>> = BTreeMap::new();
            for message in messages
                .into_iter()
                .flat_map(|messages| Message::parse_stream(BufReader::new(messages)))
                .map_while(Result::ok)
            {
                let Message::CompilerArtifact(artifact) = message else {
                    continue;
                };
                let mut of_library = artifact.filenames.iter();
                if let Some(file) = of_library.find(|file| file.extension() == Some("rlib")) {
                    let name = artifact.target.name.replace('-', "_");
                    // With two versions the name would be ambiguous.
                    files
                        .entry(name)
                        .and_modify(|known| *known = None)
                        .or_insert_with(|| Some(file.clone().into()));
                }
            }
            files
        });
        let mut text = String::new();
        if let Some(errors) = child.stderr.take() {
            for line in BufReader::new(errors).lines().map_while(Result::ok) {
                if line.trim_start().starts_with("Compiling ") {
                    if is_compiled(&line, plan) {
                        tell(line.trim_start());
                    }
                } else {
                    text += &line;
                    text.push('\n');
                }
            }
        }
        let status = child.wait().map_err(cannot_start)?;
        let files = built.join().unwrap_or_default();
        if !status.success() {
            return Err(for_people(&text));
        }
        self.take_library(&plan.library, strict)
            .map_err(|error| format!("cannot copy the crates' library: {error}"))?;
        Ok(files
            .into_iter()
            .filter_map(|(name, file)| Some((name, file?)))
            .collect())
    }

    /// Copies a built library to the folder of the earlier ones, where it looks for them.
    fn take_library(&self, name: &str, strict: bool) -> io::Result<()> {
        let file = format!("lib{name}.so");
        let built = self.release(strict).join("deps").join(&file);
        fs::create_dir_all(self.libraries())?;
        fs::copy(built, self.libraries().join(file)).map(drop)
    }
}

fn cannot_start(error: io::Error) -> String {
    format!("cannot start cargo: {error}")
}

/// Returns whether a line such as `Compiling regex v1.13.2` is about a crate that is really
/// compiled. It is not if the crate is one of the runtime's, or the package that the user
/// never wrote.
fn is_compiled(line: &str, plan: &WrapperPlan) -> bool {
    let mut words = line.split_whitespace().skip(1);
    let (name, version) = (
        words.next(),
        words.next().and_then(|one| one.strip_prefix('v')),
    );
    match (name, version) {
        (Some(name), _) if name == plan.library => false,
        (Some(name), Some(version)) => !plan.shared.contains_key(&shared_key(name, version)),
        _ => true,
    }
}

/// Reduces cargo's messages to those about the crate: without the paths and names of a
/// package that the user never wrote.
fn for_people(text: &str) -> String {
    let is_ours = |line: &str| {
        let line = line.trim_start();
        [
            "Updating ",
            "Locking ",
            "Adding ",
            "Downloading ",
            "Downloaded ",
            "Blocking ",
            "Removing ",
        ]
        .iter()
        .any(|word| line.starts_with(word))
            || line.contains("swath_crates_")
            || line.starts_with("location searched: crates.io")
    };
    let lines: Vec<&str> = text
        .lines()
        .filter(|line| !is_ours(line))
        .skip_while(|line| !line.starts_with("error"))
        .map(|line| line.strip_prefix("error: ").unwrap_or(line))
        .collect();
    match lines.join("\n").trim() {
        "" => text.trim().to_owned(),
        lines => lines.to_owned(),
    }
}

/// cargo's unit graph: what it is about to compile, and for which target. (The features in
/// `cargo metadata` are those of all platforms at once.)
#[derive(Debug, Deserialize)]
pub(super) struct Units {
    units: Vec<Unit>,
}

#[derive(Debug, Deserialize)]
struct Unit {
    pkg_id: PackageId,
    target: UnitTarget,
    /// `None` for units that run while cargo builds.
    platform: Option<String>,
    features: Vec<String>,
    dependencies: Vec<UnitDependency>,
}

#[derive(Debug, Deserialize)]
struct UnitTarget {
    kind: Vec<String>,
}

#[derive(Debug, Deserialize)]
struct UnitDependency {
    index: usize,
}

impl Unit {
    /// Returns whether it becomes part of the program.
    fn is_linked(&self) -> bool {
        let is_library = |kind: &String| kind == "lib" || kind == "rlib";
        self.platform.is_some() && self.target.kind.iter().any(is_library)
    }
}

/// Returns the packages that the runtime's copies replace: those that the runtime has with
/// all requested features. If `strict`, all their dependencies must be replaced as well: then
/// two copies of one crate can never meet.
pub(super) fn shared(
    units: &Units,
    strict: bool,
    held: impl Fn(&PackageId, &[String]) -> Option<PathBuf>,
) -> BTreeMap<&PackageId, PathBuf> {
    let linked = || units.units.iter().filter(|unit| unit.is_linked());
    let mut shared: BTreeMap<_, _> = linked()
        .filter_map(|unit| Some((&unit.pkg_id, held(&unit.pkg_id, &unit.features)?)))
        .collect();
    loop {
        let apart: Vec<_> = linked()
            .filter(|unit| strict && shared.contains_key(&unit.pkg_id))
            .filter(|unit| {
                unit.dependencies.iter().any(|dependency| {
                    let below = &units.units[dependency.index];
                    below.is_linked() && !shared.contains_key(&below.pkg_id)
                })
            })
            .map(|unit| &unit.pkg_id)
            .collect();
        if apart.is_empty() {
            return shared;
        }
        for id in apart {
            shared.remove(id);
        }
    }
}

/// Returns the direct dependencies: their names in code, and their packages.
pub(super) fn direct(metadata: &Metadata) -> Vec<(String, &Package)> {
    let root = metadata
        .resolve
        .as_ref()
        .and_then(|resolve| Some((resolve, resolve.root.as_ref()?)));
    let node = root.and_then(|(resolve, root)| resolve.nodes.iter().find(|node| node.id == *root));
    node.into_iter()
        .flat_map(|node| &node.deps)
        .map(|dependency| (dependency.name.clone(), &metadata[&dependency.pkg]))
        .collect()
}

/// Returns the target that a compiler compiles for.
pub(super) fn host(rustc: &Path) -> Option<String> {
    let output = Command::new(rustc).arg("-vV").output().ok()?;
    String::from_utf8_lossy(&output.stdout)
        .lines()
        .find_map(|line| line.strip_prefix("host: ").map(str::to_owned))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_compiled_is_told() {
        let mut plan = WrapperPlan {
            library: "swath_crates_1".to_owned(),
            ..WrapperPlan::default()
        };
        plan.shared
            .insert(shared_key("serde", "1.0.0"), "/r".into());
        let told = |line: &str| is_compiled(line, &plan);
        assert!(told("   Compiling regex v1.13.2") && told("Compiling serde v1.0.1"));
        assert!(!told("Compiling serde v1.0.0") && !told("Compiling swath_crates_1 v0.0.0 (/x)"));
    }

    #[test]
    fn cargos_words_are_about_the_crate() {
        let text = "    Updating crates.io index\nerror: no matching package named `a` found\n\
                    location searched: crates.io index\nrequired by package `swath_crates_1 v0.0.0 (/x)`\n";
        assert_eq!(for_people(text), "no matching package named `a` found");
        assert_eq!(for_people("what is this\n"), "what is this");
    }
}
