//! Checks everything that the kernel needs.

use std::env;
use std::ffi::CString;
use std::fmt;
use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::execution::{NoToolchain, Toolchain};

/// Free space below which cells will soon fail to compile.
const LITTLE_SPACE: u64 = 500_000_000;
/// Free space below which `:dep` may fail.
const SOME_SPACE: u64 = 3_000_000_000;

/// The result of a check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    Ok,
    Warn,
    Fail,
}

/// One line of the report.
#[derive(Clone, Debug)]
struct Check {
    verdict: Verdict,
    subject: &'static str,
    /// What was found.
    found: String,
    /// How to fix it.
    mend: Option<String>,
}

/// The results of all checks.
#[derive(Clone, Debug)]
pub(crate) struct Report(Vec<Check>);

impl Report {
    /// Returns whether a check failed, so that the kernel cannot work.
    pub(crate) fn has_failed(&self) -> bool {
        self.0.iter().any(|check| check.verdict == Verdict::Fail)
    }
}

impl fmt::Display for Report {
    fn fmt(&self, output: &mut fmt::Formatter<'_>) -> fmt::Result {
        for check in &self.0 {
            let verdict = match check.verdict {
                Verdict::Ok => "ok  ",
                Verdict::Warn => "warn",
                Verdict::Fail => "fail",
            };
            writeln!(output, "{verdict}  {:<10} {}", check.subject, check.found)?;
            if let Some(mend) = &check.mend {
                writeln!(output, "      {:<10} → {mend}", "")?;
            }
        }
        Ok(())
    }
}

impl Check {
    fn ok(subject: &'static str, found: impl Into<String>) -> Self {
        Self {
            verdict: Verdict::Ok,
            subject,
            found: found.into(),
            mend: None,
        }
    }

    fn warn(subject: &'static str, found: impl Into<String>, mend: impl Into<String>) -> Self {
        Self {
            verdict: Verdict::Warn,
            mend: Some(mend.into()),
            ..Self::ok(subject, found)
        }
    }

    fn fail(subject: &'static str, found: impl Into<String>, mend: impl Into<String>) -> Self {
        Self {
            verdict: Verdict::Fail,
            ..Self::warn(subject, found, mend)
        }
    }
}

/// Checks everything.
pub(crate) fn doctor() -> Report {
    let beside = env::current_exe()
        .ok()
        .and_then(|executable| Some(executable.parent()?.to_owned()));
    let mut checks = vec![
        rustc(),
        rust_src(),
        linker(),
        space("temp space", &env::temp_dir()),
    ];
    if let Some(directory) = beside {
        checks.push(runtime(&directory));
        checks.push(space("disk space", &directory));
    }
    checks.push(jupyter());
    Report(checks)
}

/// Checks for the compiler that built the runtime, which must compile the
/// cells.
fn rustc() -> Check {
    const SUBJECT: &str = "rustc";
    match Toolchain::find() {
        Ok(toolchain) => Check::ok(
            SUBJECT,
            format!("{}, which built the runtime", toolchain.rustc.display()),
        ),
        Err(NoToolchain { found, mend }) => Check::fail(SUBJECT, found, mend),
    }
}

fn rust_src() -> Check {
    const SUBJECT: &str = "rust-src";
    let sources = output("rustc", &["--print", "sysroot"])
        .map(|sysroot| Path::new(sysroot.trim()).join("lib/rustlib/src/rust/library"));
    match sources {
        Some(path) if path.is_dir() => Check::ok(SUBJECT, path.display().to_string()),
        _ => Check::warn(
            SUBJECT,
            "missing: completion does not know the standard library",
            "`rustup component add rust-src`",
        ),
    }
}

fn linker() -> Check {
    match find("cc") {
        Some(path) => Check::ok("linker", path.display().to_string()),
        None => Check::fail(
            "linker",
            "`cc` not found on the PATH: no cell will compile",
            "install a C compiler, e.g. `apt install build-essential`",
        ),
    }
}

/// Checks for the libraries that cells link to, and the program that loads
/// cells.
fn runtime(directory: &Path) -> Check {
    const SUBJECT: &str = "runtime";
    let library = directory.join(format!("libswath{}", env::consts::DLL_SUFFIX));
    let instances = directory.join(format!("libswath_instances{}", env::consts::DLL_SUFFIX));
    let joins = directory.join(format!(
        "libswath_join_instances{}",
        env::consts::DLL_SUFFIX
    ));
    let program = directory.join(format!("swath-runtime{}", env::consts::EXE_SUFFIX));
    for file in [&library, &instances, &joins, &program] {
        if let Err(error) = fs::metadata(file) {
            return Check::fail(
                SUBJECT,
                format!("{}: {error}", file.display()),
                "build the whole workspace: `cargo build --release`",
            );
        }
    }
    Check::ok(SUBJECT, library.display().to_string())
}

fn space(subject: &'static str, directory: &Path) -> Check {
    let Some(free) = free_space(directory) else {
        return Check::warn(
            subject,
            format!("unknown in {}", directory.display()),
            "check that the directory exists and is writable",
        );
    };
    let found = format!(
        "{:.1} GB free in {}",
        free as f64 / 1e9,
        directory.display()
    );
    const MEND: &str =
        "free some space, or set TMPDIR to a larger disk: a dependency takes up to a few GB";
    if free < LITTLE_SPACE {
        Check::fail(subject, found, MEND)
    } else if free < SOME_SPACE {
        Check::warn(subject, found, MEND)
    } else {
        Check::ok(subject, found)
    }
}

/// Returns the bytes that an ordinary user may still write to the file system
/// of `directory`.
fn free_space(directory: &Path) -> Option<u64> {
    let path = CString::new(directory.as_os_str().as_bytes()).ok()?;
    let mut found = std::mem::MaybeUninit::<libc::statvfs>::uninit();
    // SAFETY: `path` is a C string and `found` is large enough for the result.
    let status = unsafe { libc::statvfs(path.as_ptr(), found.as_mut_ptr()) };
    if status != 0 {
        return None;
    }
    // SAFETY: statvfs succeeded, so it has initialised all of it.
    let found = unsafe { found.assume_init() };
    Some(found.f_bavail * found.f_frsize)
}

fn jupyter() -> Check {
    const SUBJECT: &str = "jupyter";
    let python = find("python3").or_else(|| find("python"));
    match (find("jupyter"), python) {
        (Some(path), _) => Check::ok(SUBJECT, path.display().to_string()),
        (None, Some(python)) => Check::warn(
            SUBJECT,
            format!("not found on the PATH ({} is)", python.display()),
            "`python3 -m pip install jupyterlab`, or activate the environment that has it",
        ),
        (None, None) => Check::warn(
            SUBJECT,
            "neither jupyter nor python found on the PATH",
            "install Python, then `python3 -m pip install jupyterlab`",
        ),
    }
}

/// Returns the output of `program`, if it succeeds.
fn output(program: &str, arguments: &[&str]) -> Option<String> {
    let output = Command::new(program).args(arguments).output().ok()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    output.status.success().then_some(text)
}

/// Finds `program` on the PATH.
fn find(program: &str) -> Option<PathBuf> {
    env::split_paths(&env::var_os("PATH")?)
        .map(|directory| directory.join(program))
        .find(|path| path.is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_report_says_how_to_mend() {
        let report = Report(vec![
            Check::ok("rustc", "1.95.0"),
            Check::fail("linker", "`cc` not found", "install a C compiler"),
        ]);
        assert!(report.has_failed());
        assert_eq!(
            report.to_string(),
            "ok    rustc      1.95.0\nfail  linker     `cc` not found\n\
             \u{20}                → install a C compiler\n"
        );
    }

    #[test]
    fn a_missing_runtime_fails() {
        let directory = tempfile::tempdir().unwrap();
        assert_eq!(runtime(directory.path()).verdict, Verdict::Fail);
        assert!(free_space(directory.path()).is_some());
    }
}
