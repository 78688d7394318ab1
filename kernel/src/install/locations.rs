//! The directories in which Jupyter looks for kernelspecs.
//! <https://docs.jupyter.org/en/latest/use/jupyter-directories.html>

use std::env;
use std::path::PathBuf;
use std::process::Command;

use crate::error::{Error, Result};

/// A location for a kernelspec.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Location {
    /// The user's own directory.
    User,
    /// The active environment.
    SysPrefix,
    /// An installation prefix.
    Prefix(PathBuf),
}

impl Location {
    /// Returns the directory that contains one directory per kernelspec.
    pub(super) fn kernels(&self) -> Result<PathBuf> {
        Ok(match self {
            Self::User => user_data()?.join("kernels"),
            Self::SysPrefix => of_prefix(sys_prefix().ok_or(Error::NoLocation {
                subject: "an active environment",
                mend: "activate a virtual or conda environment, or use --user or --prefix DIR",
            })?),
            Self::Prefix(prefix) => {
                of_prefix(std::path::absolute(prefix).map_err(Error::file("resolve", prefix))?)
            }
        })
    }

    /// Returns every directory that may contain one of our kernelspecs.
    pub(super) fn search() -> Vec<PathBuf> {
        let mut found: Vec<PathBuf> = env::var_os("JUPYTER_PATH")
            .map(|path| {
                env::split_paths(&path)
                    .map(|entry| entry.join("kernels"))
                    .collect()
            })
            .unwrap_or_default();
        found.extend(Self::User.kernels().ok());
        found.extend(sys_prefix().map(of_prefix));
        found.extend(["/usr/local", "/usr"].map(|prefix| of_prefix(prefix.into())));
        let mut unique = Vec::new();
        for path in found {
            if !unique.contains(&path) {
                unique.push(path);
            }
        }
        unique
    }
}

fn of_prefix(prefix: PathBuf) -> PathBuf {
    prefix.join("share/jupyter/kernels")
}

/// Returns the user's Jupyter data directory.
fn user_data() -> Result<PathBuf> {
    let given = |name| {
        env::var_os(name)
            .filter(|value| !value.is_empty())
            .map(PathBuf::from)
    };
    if let Some(directory) = given("JUPYTER_DATA_DIR") {
        return Ok(directory);
    }
    let home = || {
        env::home_dir().ok_or(Error::NoLocation {
            subject: "the user's home directory",
            mend: "set HOME, or use --prefix DIR",
        })
    };
    if cfg!(target_os = "macos") {
        return Ok(home()?.join("Library/Jupyter"));
    }
    match given("XDG_DATA_HOME") {
        Some(data) => Ok(data.join("jupyter")),
        None => Ok(home()?.join(".local/share/jupyter")),
    }
}

/// Returns the prefix of the active environment, or of the Python on the PATH.
fn sys_prefix() -> Option<PathBuf> {
    for name in ["VIRTUAL_ENV", "CONDA_PREFIX"] {
        if let Some(prefix) = env::var_os(name).filter(|value| !value.is_empty()) {
            return Some(prefix.into());
        }
    }
    let output = Command::new("python3")
        .args(["-c", "import sys; print(sys.prefix)"])
        .output()
        .ok()
        .filter(|output| output.status.success())?;
    let prefix = String::from_utf8(output.stdout).ok()?;
    Some(prefix.trim().into())
}
