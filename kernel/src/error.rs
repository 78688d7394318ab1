//! The kernel crate's error.

use std::path::{Path, PathBuf};

use thiserror::Error;

/// What can keep the kernel from starting or an installation from succeeding.
#[derive(Debug, Error)]
pub(crate) enum Error {
    /// The connection file cannot be read.
    #[error("cannot read connection file `{}`: {source}", path.display())]
    ConnectionFileUnreadable {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The connection file is not JSON, or a field is missing or of another type.
    #[error(
        "connection file `{}` does not parse: {source}; expected the JSON that Jupyter writes \
         (transport, ip, key, signature_scheme and five ports)",
        path.display()
    )]
    ConnectionFileMalformed {
        /// Which file.
        path: PathBuf,
        /// Names the field.
        source: serde_json::Error,
    },
    /// A field's value is not one that the kernel can use.
    #[error(
        "connection file `{}`: field `{field}` is `{found}`, expected {expected}",
        path.display()
    )]
    ConnectionField {
        /// Which file.
        path: PathBuf,
        /// Which field.
        field: &'static str,
        /// What it holds.
        found: String,
        /// What it may hold.
        expected: &'static str,
    },
    /// The folder, or the threads, that the evaluator needs cannot be had.
    #[error(
        "cannot prepare the kernel's temporary folder: {0}; is there space, and may it be written?"
    )]
    Workplace(std::io::Error),
    /// A socket cannot be bound.
    #[error("cannot bind the {channel} socket to {endpoint}: {source}")]
    Bind {
        /// Which socket.
        channel: &'static str,
        /// Where.
        endpoint: String,
        /// Why.
        source: std::io::Error,
    },
    /// A bound socket cannot be opened.
    #[error("cannot open the {channel} socket: {source}")]
    Open {
        /// Which socket.
        channel: &'static str,
        /// Why.
        source: std::io::Error,
    },
    /// The asynchronous runtime cannot start.
    #[error("cannot start the kernel's threads: {0}")]
    Threads(std::io::Error),
    /// A file or directory operation failed.
    #[error("cannot {action} `{}`: {source}", path.display())]
    File {
        /// What was tried.
        action: &'static str,
        /// On what.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The kernelspec's directory belongs to another kernel.
    #[error(
        "kernelspec `{}` exists and is not Swath's (it runs {found}); \
         remove it, or install under another name with --name",
        path.display()
    )]
    ForeignKernelspec {
        /// The directory.
        path: PathBuf,
        /// What it starts.
        found: String,
    },
    /// There is nothing to uninstall.
    #[error("kernelspec `{}` does not exist; `swath list` shows what is installed", path.display())]
    NoKernelspec {
        /// The directory.
        path: PathBuf,
    },
    /// The kernelspec's name is not one that Jupyter accepts.
    #[error("kernel name `{0}` is invalid: expected letters, digits, `.`, `-` and `_`")]
    KernelName(String),
    /// `--env` without a value.
    #[error("--env `{0}` has no value: expected KEY=VALUE")]
    EnvironmentEntry(String),
    /// No home directory, no prefix.
    #[error("cannot find {subject}: {mend}")]
    NoLocation {
        /// What was looked for.
        subject: &'static str,
        /// What to do.
        mend: &'static str,
    },
    /// Something that serde could not write.
    #[error("cannot write JSON: {0}")]
    Json(#[from] serde_json::Error),
    /// The analyzer cannot start.
    #[error("cannot start the analyzer: {0}")]
    Analyzer(String),
}

impl Error {
    /// Says which file an I/O error is about.
    pub(crate) fn file(
        action: &'static str,
        path: &Path,
    ) -> impl FnOnce(std::io::Error) -> Self + use<> {
        let path = path.to_owned();
        move |source| Self::File {
            action,
            path,
            source,
        }
    }
}

/// A result of this crate.
pub(crate) type Result<T> = std::result::Result<T, Error>;
