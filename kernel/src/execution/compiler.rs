//! Compiles a cell's code into a library, by one run of rustc.
//!
//! Cargo is not involved: the crates that a cell can use change with a `:dep`, not
//! with a cell ([`super::crates`]).

use super::crates::Linked;
use super::instances;
use super::toolchain::{Lld, Toolchain};
use super::workplace::Workplace;
use serde_json::{Value, json};
use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The crate's name: the first part of the names of a cell's types.
pub(super) const CRATE: &str = "ctx";

/// The beginning of error messages about linking.
const LINKING: &str = "linking with ";

/// The number of parts of a cell that are compiled in parallel. With more parts, the
/// same instances are compiled more often.
const CODEGEN_UNITS: &str = "-Ccodegen-units=4";

/// The output of rustc.
enum Output<'a> {
    /// A cell's code, in files in this folder.
    Objects(&'a Path),
    /// The library, linked by the C compiler.
    Library(&'a Path),
}

/// How much rustc optimises a cell. Integer arithmetic is checked unless the user
/// sets a level: a wrong number that nobody notices costs more than the checks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum OptLevel {
    /// No optimisation.
    None,
    /// As fast as a `cargo build --release`, but using the precompiled instances of
    /// generic functions, which rustc ignores at levels 2 and 3. This is level `s`,
    /// with more inlining than at level 3 to compensate for the rest.
    Repeated,
    /// The level set by `:opt`: `0` to `3`, `s` or `z`.
    Fixed(char),
}

impl OptLevel {
    fn flags(self) -> Vec<String> {
        match self {
            Self::None => vec![
                "-Copt-level=0".to_owned(),
                "-Coverflow-checks=on".to_owned(),
            ],
            Self::Repeated => vec![
                "-Copt-level=s".to_owned(),
                "-Cllvm-args=-inline-threshold=400".to_owned(),
                "-Coverflow-checks=on".to_owned(),
            ],
            Self::Fixed('0') => Self::None.flags(),
            Self::Fixed(level) => vec![format!("-Copt-level={level}")],
        }
    }

    /// Returns whether rustc uses instances from libraries.
    pub(super) fn shares_instances(self) -> bool {
        !matches!(self, Self::Fixed('2' | '3'))
    }
}

/// The reason why a compilation produced no library.
#[derive(Debug)]
pub(super) enum Failed {
    /// The code has errors: rustc's messages, in its JSON.
    Errors(Vec<Value>),
    /// An interrupt ended rustc.
    Stopped,
    /// rustc cannot run.
    Broken(String),
}

/// rustc, and the flags and crates of every compilation.
#[derive(Debug)]
pub(super) struct Compiler {
    toolchain: Toolchain,
    folder: PathBuf,
    flags: Vec<String>,
    /// The folder of the runtime's crates, and the folder to search if a crate is
    /// missing there.
    crates: PathBuf,
    all_crates: PathBuf,
    /// The library of instances that not every process has loaded.
    joins: PathBuf,
}

impl Compiler {
    pub(super) fn new(toolchain: Toolchain, workplace: &Workplace) -> Self {
        let flags = [
            "--crate-name",
            CRATE,
            "--edition=2024",
            "--crate-type=cdylib",
            "--error-format=json",
            "-Awarnings",
            "-Cdebuginfo=0",
            "-Cembed-bitcode=no",
            "-Cprefer-dynamic",
            // A process has a limited number of mappings (65,530 by default on
            // Linux), and a library with less memory protection uses fewer of them.
            "-Crelro-level=off",
        ];
        let flags = flags
            .into_iter()
            .map(str::to_owned)
            .chain(workplace.runtime_flags())
            .collect();
        Self {
            toolchain,
            folder: workplace.cells(),
            crates: workplace.crates(),
            all_crates: workplace.all_crates(),
            joins: workplace.library_of(instances::JOINS),
            flags,
        }
    }

    /// Returns the file name of a cell's code, as it appears in messages and panics.
    pub(super) fn file_name(unit: u32) -> String {
        format!("cell_{unit}.rs")
    }

    /// Returns the number in a [`file_name`](Self::file_name).
    pub(super) fn unit_of(file_name: &str) -> Option<u32> {
        file_name
            .strip_prefix("cell_")?
            .strip_suffix(".rs")?
            .parse()
            .ok()
    }

    /// Returns the code of a compiled cell.
    pub(super) fn source(&self, unit: u32) -> Option<String> {
        fs::read_to_string(self.folder.join(Self::file_name(unit))).ok()
    }

    /// Returns the folder in which cells are compiled.
    pub(super) fn folder(&self) -> &PathBuf {
        &self.folder
    }

    /// Returns the name of the linker for cells.
    pub(super) fn linker(&self) -> &'static str {
        match self.toolchain.lld {
            Some(_) => "lld",
            None => "cc",
        }
    }

    /// Returns the folder of the runtime's crates.
    pub(super) fn crates(&self) -> &PathBuf {
        &self.crates
    }

    /// Returns whether rustc links with lld by default: it does for x86-64.
    pub(super) fn rustc_has_lld(&self) -> bool {
        self.toolchain.lld.is_some() && cfg!(target_arch = "x86_64")
    }

    pub(super) fn program(&self) -> &PathBuf {
        &self.toolchain.rustc
    }

    /// Compiles code into a library.
    ///
    /// # Errors
    /// [`Failed`].
    pub(super) fn compile(
        &mut self,
        unit: u32,
        code: &str,
        opt_level: OptLevel,
        linked: &Linked,
    ) -> Result<PathBuf, Failed> {
        let broken = |error: std::io::Error| {
            Failed::Broken(format!(
                "cannot write into {}: {error}",
                self.folder.display()
            ))
        };
        fs::write(self.folder.join(Self::file_name(unit)), code).map_err(broken)?;
        let library = self.folder.join(format!("libcell_{unit}.so"));
        loop {
            // Only rustc handles libraries that the code itself asks to link.
            let says_link = ["#[link(", "link(name"].iter().any(|it| code.contains(it));
            let lld = self.toolchain.lld.as_ref();
            let made = match lld.filter(|_| !says_link) {
                Some(lld) => self.with_lld(lld, (unit, code), &library, opt_level, linked),
                None => self.rustc(unit, &Output::Library(&library), opt_level, linked),
            };
            match made {
                // A shortcut does not work here: try again without it.
                Err(Failed::Errors(errors)) if self.fall_back(&errors) => {}
                result => return result.map(|()| library),
            }
        }
    }

    /// Compiles and links, in two steps.
    fn with_lld(
        &self,
        lld: &Lld,
        (unit, code): (u32, &str),
        library: &Path,
        opt_level: OptLevel,
        linked: &Linked,
    ) -> Result<(), Failed> {
        let broken = |error| Failed::Broken(format!("cannot link a cell: {error}"));
        let objects = self.folder.join(format!("objects_{unit}"));
        let made = self.rustc(unit, &Output::Objects(&objects), opt_level, linked);
        let made = made.and_then(|()| {
            let files = fs::read_dir(&objects).map_err(broken)?.flatten();
            let folder = linked
                .libraries
                .first()
                .and_then(|library| library.parent());
            let is_joining = code.contains(&format!("extern crate {} ", instances::JOINS));
            let output = Command::new(&lld.program)
                .args([
                    "-flavor",
                    "gnu",
                    "-shared",
                    "--eh-frame-hdr",
                    "--gc-sections",
                ])
                // A cell uses its own symbols, whatever earlier cells export.
                .arg("-Bsymbolic")
                // These reduce the mappings per library: see `new`.
                .args(["-z", "noexecstack", "-z", "norelro", "--no-rosegment"])
                .arg("-o")
                .arg(library)
                .args(files.map(|file| file.path()))
                .arg("--as-needed")
                .args(is_joining.then_some(&self.joins))
                // The process has not loaded it, so the loader must find it.
                .args(is_joining.then(|| self.joins_path()))
                .args(&linked.libraries)
                // Symbols that the libraries export are theirs; the archives only add
                // hidden ones.
                .args(&linked.archives)
                .args(folder.map(|folder| format!("-rpath={}", folder.display())))
                .args(&lld.arguments)
                .stdin(Stdio::null())
                .output()
                .map_err(broken)?;
            match output.status.signal() {
                Some(libc::SIGKILL) => Err(Failed::Stopped),
                _ if output.status.success() => Ok(()),
                _ => {
                    let text = String::from_utf8_lossy(&output.stderr);
                    let message = format!("{LINKING}{} failed: {text}", lld.program.display());
                    Err(Failed::Errors(vec![json!({ "message": message })]))
                }
            }
        });
        if let Err(error) = fs::remove_dir_all(&objects)
            // Code with errors produces none.
            && error.kind() != std::io::ErrorKind::NotFound
        {
            tracing::warn!("cannot remove {}: {error}", objects.display());
        }
        made
    }

    /// Returns the linker argument that makes the loader find the library of joins.
    fn joins_path(&self) -> String {
        let folder = self.joins.parent().unwrap_or(&self.joins);
        format!("-rpath={}", folder.display())
    }

    /// Disables the shortcut that caused the errors; returns whether there was one.
    fn fall_back(&mut self, errors: &[Value]) -> bool {
        let text = |error: &Value| error["message"].as_str().unwrap_or_default().to_owned();
        let are_all_about = |what: &str| errors.iter().all(|error| text(error).starts_with(what));
        if self.toolchain.lld.is_some() && are_all_about(LINKING) {
            tracing::warn!("lld cannot link a cell: linking with the C compiler from now on");
            self.toolchain.lld = None;
            return true;
        }
        let misses_crate = errors
            .iter()
            .any(|error| text(error).starts_with("can't find crate for `swath"));
        if self.crates != self.all_crates && misses_crate {
            tracing::warn!(
                "a crate is missing in {}: searching all crates from now on",
                self.crates.display()
            );
            self.crates = self.all_crates.clone();
            return true;
        }
        false
    }

    fn rustc(
        &self,
        unit: u32,
        output: &Output<'_>,
        opt_level: OptLevel,
        linked: &Linked,
    ) -> Result<(), Failed> {
        let mut command = Command::new(&self.toolchain.rustc);
        match output {
            Output::Objects(folder) => {
                command
                    .args(["--emit=obj", CODEGEN_UNITS, "--out-dir"])
                    .arg(folder);
            }
            Output::Library(library) => {
                let archives = linked.archives.iter();
                command
                    .arg("-Clink-arg=-Wl,-Bsymbolic")
                    .arg(format!("-Clink-arg=-Wl,{}", self.joins_path()))
                    .args(archives.map(|file| format!("-Clink-arg={}", file.display())))
                    .arg("-o")
                    .arg(library);
            }
        }
        let output = command
            .args(&self.flags)
            .arg(format!("-Ldependency={}", self.crates.display()))
            .args(opt_level.flags())
            .args(&linked.flags)
            .args(
                linked
                    .libraries
                    .first()
                    .and_then(|library| library.parent())
                    .map(|folder| format!("-Clink-arg=-Wl,-rpath,{}", folder.display())),
            )
            .arg(Self::file_name(unit))
            .current_dir(&self.folder)
            // Only the cells' crate may use unstable features: it declares its own
            // prelude.
            .env("RUSTC_BOOTSTRAP", CRATE)
            // Macros may read the variables that cargo sets.
            .env("CARGO_MANIFEST_DIR", &self.folder)
            .env("CARGO_PKG_NAME", CRATE)
            .env("CARGO_CRATE_NAME", CRATE)
            .env("CARGO_PKG_VERSION", "0.0.0")
            .stdin(Stdio::null())
            .output()
            .map_err(|error| {
                Failed::Broken(format!(
                    "cannot start {}: {error}",
                    self.toolchain.rustc.display()
                ))
            })?;
        if output.status.success() {
            return Ok(());
        }
        if output.status.signal() == Some(libc::SIGKILL) {
            return Err(Failed::Stopped);
        }
        let text = String::from_utf8_lossy(&output.stderr);
        let errors: Vec<Value> = text
            .lines()
            .filter_map(|line| serde_json::from_str(line).ok())
            .filter(is_error)
            .collect();
        if errors.is_empty() {
            return Err(Failed::Broken(format!(
                "rustc ended with {}:\n{text}",
                output.status
            )));
        }
        Err(Failed::Errors(errors))
    }
}

/// Returns whether a message is an error of its own, and not a summary of others.
fn is_error(message: &Value) -> bool {
    let text = message["message"].as_str().unwrap_or_default();
    message["level"]
        .as_str()
        .is_some_and(|level| level.starts_with("error"))
        && !text.starts_with("aborting due to")
        && !text.starts_with("Some errors occurred")
}
