//! The compiler and the linker for cells.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The compiler that built the runtime. Cells from another compiler do not load.
const RELEASE: &str = env!("SWATH_RUSTC_RELEASE");
const COMMIT: &str = env!("SWATH_RUSTC_COMMIT");

/// The programs that compile and link a cell.
#[derive(Clone, Debug)]
pub(crate) struct Toolchain {
    pub(crate) rustc: PathBuf,
    /// rustc's own lld, if it works here.
    pub(super) lld: Option<Lld>,
}

/// lld, called directly, without the C compiler and rustc. Those make it read all
/// symbols of the runtime's libraries, which takes longer than everything else; a
/// cell's library finds these symbols in its process.
#[derive(Clone, Debug)]
pub(super) struct Lld {
    pub(super) program: PathBuf,
    /// The arguments for every cell, after the cell's own object files.
    pub(super) arguments: Vec<String>,
}

/// The compiler that built the runtime is not installed.
#[derive(Clone, Debug)]
pub(crate) struct NoToolchain {
    /// What was found instead.
    pub(crate) found: String,
    pub(crate) mend: String,
}

impl Toolchain {
    /// Finds the compiler that built the runtime: the one on the PATH, or one that
    /// rustup has installed.
    ///
    /// # Errors
    /// [`NoToolchain`].
    pub(crate) fn find() -> Result<Self, NoToolchain> {
        let mut found = None;
        for rustc in candidates() {
            let Some(version) = output(&rustc, &["-vV"]) else {
                continue;
            };
            let field = |name: &str| {
                version
                    .lines()
                    .find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
                    .unwrap_or("unknown")
            };
            if field("commit-hash") == COMMIT {
                return Ok(Self {
                    lld: lld(&rustc, field("host")),
                    rustc,
                });
            }
            found.get_or_insert_with(|| {
                format!("found rustc {} ({})", field("release"), rustc.display())
            });
        }
        let found = found.unwrap_or_else(|| "found no rustc on the PATH".to_owned());
        Err(NoToolchain {
            found: format!(
                "{found}, but Swath was built with {RELEASE}, and cells must be compiled by the same compiler"
            ),
            mend: format!(
                "`rustup toolchain install {RELEASE}`, then restart the kernel; or rebuild Swath with the installed \
                 compiler"
            ),
        })
    }
}

/// Returns candidate compilers, the likeliest first. rustup's proxies are avoided:
/// they take longer to find the compiler than a cell takes to compile.
fn candidates() -> impl Iterator<Item = PathBuf> {
    let which = |arguments: &[&str]| {
        let path = output(Path::new("rustup"), arguments)?;
        Some(PathBuf::from(path.trim()))
    };
    let by_rustup = move || which(&["which", "rustc"]);
    let release = move || which(&["which", "--toolchain", RELEASE, "rustc"]);
    let on_path = || Some(PathBuf::from("rustc"));
    let sources: [Box<dyn Fn() -> Option<PathBuf>>; 3] =
        [Box::new(by_rustup), Box::new(release), Box::new(on_path)];
    sources.into_iter().filter_map(|source| source())
}

/// Finds rustc's own lld. It does not know where the C library is, so the C
/// compiler is asked once.
fn lld(rustc: &Path, host: &str) -> Option<Lld> {
    if !host.ends_with("linux-gnu") {
        return None;
    }
    let sysroot = output(rustc, &["--print", "sysroot"])?;
    let rustlib = Path::new(sysroot.trim()).join("lib/rustlib").join(host);
    let program = rustlib.join("bin/rust-lld");
    if !program.is_file() {
        return None;
    }
    let folders = output(Path::new("cc"), &["-print-search-dirs"])?;
    let folders = folders
        .lines()
        .find_map(|line| line.strip_prefix("libraries: ="))?;
    // Arithmetic that processors lack.
    let builtins = fs::read_dir(rustlib.join("lib"))
        .ok()?
        .flatten()
        .find(|entry| {
            let name = entry.file_name();
            let name = name.to_string_lossy();
            name.starts_with("libcompiler_builtins-") && name.ends_with(".rlib")
        })?;
    let mut arguments = vec![builtins.path().display().to_string()];
    let mut seen = Vec::new();
    for folder in folders.split(':') {
        if let Ok(folder) = Path::new(folder).canonicalize()
            && !seen.contains(&folder)
        {
            arguments.push(format!("-L{}", folder.display()));
            seen.push(folder);
        }
    }
    let libraries = ["--as-needed", "-lgcc_s", "-lm", "-lpthread", "-ldl", "-lc"];
    arguments.extend(libraries.map(str::to_owned));
    Some(Lld { program, arguments })
}

/// Returns the output of a program, if it succeeds.
fn output(program: &Path, arguments: &[&str]) -> Option<String> {
    let output = Command::new(program).args(arguments).output().ok()?;
    output
        .status
        .success()
        .then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}
