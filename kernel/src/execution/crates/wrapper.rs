//! Runs this program as cargo's wrapper around rustc.
//!
//! It passes cargo's calls on to rustc, except for two kinds of crates. A crate
//! that the runtime has is not compiled: its files are copies of the runtime's,
//! so that its dependents are compiled against that copy. And the package that
//! depends on all requested crates becomes the library that cells link to.

use super::native;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::env;
use std::ffi::OsString;
use std::fs;
use std::io;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The environment variable with the path of the [`WrapperPlan`].
pub(super) const PLAN_VARIABLE: &str = "SWATH_CRATES_PLAN";

/// The kernel's instructions to the wrapper.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct WrapperPlan {
    /// The crate that becomes the library.
    pub(super) library: String,
    /// Libraries that it links to: name and file.
    pub(super) linked: Vec<(String, PathBuf)>,
    /// The folder of the runtime's crates.
    pub(super) crates: PathBuf,
    /// The runtime's files by package and version: [`shared_key`].
    pub(super) shared: BTreeMap<String, PathBuf>,
    /// Where to record the crates that the library consists of: [`externs`].
    pub(super) record: PathBuf,
    /// Whether sccache runs the compiler.
    pub(super) sccache: bool,
    /// Whether lld links, which accepts several version scripts.
    pub(super) lld: bool,
}

pub(super) fn shared_key(package: &str, version: &str) -> String {
    format!("{package} {version}")
}

/// Acts as cargo's wrapper around rustc if this process was started as one. In
/// that case it does not return.
pub(crate) fn wrap_rustc() {
    let Some(plan) = env::var_os(PLAN_VARIABLE) else {
        return;
    };
    let fail = |error: &dyn std::fmt::Display| -> ! {
        eprintln!("error: swath, as the wrapper of rustc: {error}");
        std::process::exit(99)
    };
    let plan: WrapperPlan = match fs::read(&plan)
        .and_then(|text| serde_json::from_slice(&text).map_err(io::Error::other))
    {
        Ok(plan) => plan,
        Err(error) => fail(&error),
    };
    let mut arguments = env::args_os().skip(1);
    let Some(rustc) = arguments.next() else {
        return;
    };
    let arguments: Vec<OsString> = arguments.collect();
    let call = Call(
        arguments
            .iter()
            .map(|one| one.to_string_lossy().into_owned())
            .collect(),
    );
    if call.value("--crate-name") == Some(&plan.library) {
        match call.library(&plan) {
            Ok(changed) => fail(&exec(&plan, &rustc, changed)),
            Err(error) => fail(&error),
        }
    }
    if let Some(file) = call.shared(&plan) {
        match call.copy_of(file) {
            Ok(()) => std::process::exit(0),
            Err(error) => fail(&error),
        }
    }
    fail(&exec(&plan, &rustc, arguments))
}

/// Replaces this process by the compiler.
fn exec(plan: &WrapperPlan, rustc: &OsString, arguments: Vec<OsString>) -> io::Error {
    let mut command = if plan.sccache {
        let mut command = Command::new("sccache");
        command.arg(rustc);
        command
    } else {
        Command::new(rustc)
    };
    command
        .args(arguments)
        // The compiled code refers to crates of the runtime.
        .arg(format!("-Ldependency={}", plan.crates.display()))
        .env_remove(PLAN_VARIABLE)
        .exec()
}

/// rustc's arguments.
struct Call(Vec<String>);

impl Call {
    /// Returns the argument that follows an option.
    fn value(&self, option: &str) -> Option<&str> {
        let at = self.0.iter().position(|one| one == option)?;
        self.0.get(at + 1).map(|value| &**value)
    }

    /// Returns the value of a `-C` option.
    fn codegen(&self, option: &str) -> Option<&str> {
        self.0.iter().find_map(|one| {
            let one = one.strip_prefix("-C").unwrap_or(one);
            one.strip_prefix(option)?.strip_prefix('=')
        })
    }

    /// Returns the runtime's file, if the crate to compile is one of the
    /// runtime's and is compiled for the runtime's target. Crates that run
    /// while cargo builds are compiled.
    fn shared<'a>(&self, plan: &'a WrapperPlan) -> Option<&'a Path> {
        self.value("--target")?;
        let is_library = self.value("--crate-type") == Some("lib");
        let package = env::var("CARGO_PKG_NAME").ok()?;
        let version = env::var("CARGO_PKG_VERSION").ok()?;
        let file = plan.shared.get(&shared_key(&package, &version))?;
        is_library.then_some(file)
    }

    /// Copies the runtime's files to where cargo expects the output. Links
    /// would not do: cargo would consider them outdated and rebuild them each
    /// time.
    fn copy_of(&self, file: &Path) -> io::Result<()> {
        let missing = |what: &str| io::Error::other(format!("rustc was called without {what}"));
        let name = self
            .value("--crate-name")
            .ok_or_else(|| missing("--crate-name"))?;
        let folder = self
            .value("--out-dir")
            .ok_or_else(|| missing("--out-dir"))?;
        let suffix = self.codegen("extra-filename").unwrap_or_default();
        // The files are side by side in the folder where cargo built them.
        let file = file.canonicalize()?;
        for extension in ["rmeta", "rlib"] {
            let copy = Path::new(folder).join(format!("lib{name}{suffix}.{extension}"));
            fs::copy(file.with_extension(extension), copy)?;
        }
        let list = Path::new(folder).join(format!("{name}{suffix}.d"));
        fs::write(&list, format!("{}: {}\n", list.display(), file.display()))
    }

    /// Returns the arguments for the library, which consists of all requested
    /// crates and the libraries it links to.
    fn library(&self, plan: &WrapperPlan) -> io::Result<Vec<OsString>> {
        fs::write(&plan.record, self.0.join("\n"))?;
        let externs = externs(&self.0);
        let mut code = String::new();
        for name in plan.linked.iter().map(|(name, _)| name).chain(
            externs
                .iter()
                // Procedural macros run in the compiler.
                .filter(|(_, file)| !file.ends_with(".so"))
                .map(|(name, _)| name),
        ) {
            code += &format!("extern crate {name} as _;\n");
        }
        let source = plan.record.with_extension("rs");
        fs::write(&source, code)?;
        let mut arguments: Vec<OsString> = self
            .0
            .iter()
            .map(|one| match one.ends_with("lib.rs") {
                true => source.clone().into_os_string(),
                false => one.into(),
            })
            .collect();
        for (name, file) in &plan.linked {
            arguments.push(format!("--extern={name}={}", file.display()).into());
        }
        // The earlier libraries are in the same folder.
        arguments.push("-Clink-arg=-Wl,-rpath,$ORIGIN".into());
        // `release/deps`, and beside it `release/build`.
        let built = self
            .value("--out-dir")
            .and_then(|deps| Path::new(deps).parent());
        let archives = built.map(native::archives).unwrap_or_default();
        if plan.lld && !archives.is_empty() {
            let script = plan.record.with_extension("map");
            fs::write(&script, native::shown(&archives)?)?;
            let option = format!("-Clink-arg=-Wl,--version-script={}", script.display());
            arguments.push(option.into());
            // Symbols that C hides cannot be exported.
            arguments.push("-Clink-arg=-Wl,--undefined-version".into());
        }
        Ok(arguments)
    }
}

/// Returns the names and files of the crates in rustc's arguments.
pub(super) fn externs(arguments: &[String]) -> Vec<(String, String)> {
    let mut externs = Vec::new();
    let mut arguments = arguments.iter();
    while let Some(argument) = arguments.next() {
        let value = match argument.strip_prefix("--extern=") {
            Some(value) => Some(value),
            None if argument == "--extern" => arguments.next().map(|value| &**value),
            None => None,
        };
        if let Some((name, file)) = value.and_then(|value| value.split_once('=')) {
            // `priv:name`, `noprelude:name`.
            let name = name.rsplit(':').next().unwrap_or(name);
            externs.push((name.to_owned(), file.to_owned()));
        }
    }
    externs
}

/// Returns the paths in which the compiler looks for crates and libraries: each
/// `-L`.
pub(super) fn search_paths(arguments: &[String]) -> Vec<String> {
    let mut paths = Vec::new();
    let mut arguments = arguments.iter();
    while let Some(argument) = arguments.next() {
        if argument == "-L" {
            paths.extend(arguments.next().map(|path| format!("-L{path}")));
        } else if argument.starts_with("-L") {
            paths.push(argument.clone());
        }
    }
    paths
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(text: &str) -> Call {
        Call(text.split(' ').map(str::to_owned).collect())
    }

    const CALL: &str = "--crate-name a_b --edition=2021 src/lib.rs --crate-type lib --out-dir OUT \
                        -C metadata=1 -C extra-filename=-0123 --extern c=/t/libc-4.rmeta \
                        -L dependency=/t -Lnative=/n --extern=d=/t/libd.so --target x86";

    #[test]
    fn arguments_are_read() {
        let call = call(CALL);
        assert_eq!(call.value("--crate-name"), Some("a_b"));
        assert_eq!(call.codegen("extra-filename"), Some("-0123"));
        let pair = |name: &str, file: &str| (name.to_owned(), file.to_owned());
        assert_eq!(
            externs(&call.0),
            [pair("c", "/t/libc-4.rmeta"), pair("d", "/t/libd.so")]
        );
        assert_eq!(search_paths(&call.0), ["-Ldependency=/t", "-Lnative=/n"]);
    }

    #[test]
    fn files_lead_to_the_runtimes() {
        let folder = tempfile::tempdir().unwrap();
        let runtimes = folder.path().join("liba_b-9.rmeta");
        fs::write(&runtimes, "metadata").unwrap();
        fs::write(runtimes.with_extension("rlib"), "library").unwrap();
        let call = call(&CALL.replace("OUT", &folder.path().display().to_string()));
        // A second copy must succeed as well.
        for _ in 0..2 {
            call.copy_of(&runtimes).unwrap();
        }
        let linked = folder.path().join("liba_b-0123.rmeta");
        assert_eq!(fs::read_to_string(linked).unwrap(), "metadata");
        assert!(folder.path().join("a_b-0123.d").is_file());
    }

    #[test]
    fn the_library_names_all_crates_but_macros() {
        let folder = tempfile::tempdir().unwrap();
        let plan = WrapperPlan {
            linked: vec![("swath".to_owned(), "/r/libswath.so".into())],
            record: folder.path().join("record"),
            ..WrapperPlan::default()
        };
        let arguments = call(CALL).library(&plan).unwrap();
        let code = fs::read_to_string(folder.path().join("record.rs")).unwrap();
        assert_eq!(code, "extern crate swath as _;\nextern crate c as _;\n");
        assert!(arguments.contains(&"--extern=swath=/r/libswath.so".into()));
        assert!(!arguments.contains(&"src/lib.rs".into()));
    }
}
