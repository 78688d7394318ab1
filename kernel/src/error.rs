//! The kernel crate's error.

use std::path::{Path, PathBuf};

use thiserror::Error;

/// An error that prevents the kernel from starting or an installation from
/// succeeding.
#[derive(Debug, Error)]
pub(crate) enum Error {
    /// The connection file cannot be read.
    #[error("cannot read connection file `{}`: {source}", path.display())]
    ConnectionFileUnreadable {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: std::io::Error,
    },
    /// The connection file is not JSON, or a field is missing or of another type.
    #[error(
        "cannot parse connection file `{}`: {source}; expected the JSON that Jupyter writes \
         (transport, ip, key, signature_scheme and five ports)",
        path.display()
    )]
    ConnectionFileMalformed {
        /// The file.
        path: PathBuf,
        /// The cause, which names the field.
        source: serde_json::Error,
    },
    /// A field has a value that the kernel cannot use.
    #[error(
        "connection file `{}`: field `{field}` is `{found}`, expected {expected}",
        path.display()
    )]
    ConnectionField {
        /// The file.
        path: PathBuf,
        /// The field.
        field: &'static str,
        /// Its value.
        found: String,
        /// The values that it may have.
        expected: &'static str,
    },
    /// The folder or the threads of the evaluator cannot be created.
    #[error(
        "cannot prepare the kernel's temporary folder: {0}; check that the disk has free space and the folder is writable"
    )]
    Workplace(std::io::Error),
    /// A socket cannot be bound.
    #[error("cannot bind the {channel} socket to {endpoint}: {source}")]
    Bind {
        /// The name of the socket.
        channel: &'static str,
        /// The address.
        endpoint: String,
        /// The cause.
        source: std::io::Error,
    },
    /// A bound socket cannot be opened.
    #[error("cannot open the {channel} socket: {source}")]
    Open {
        /// The name of the socket.
        channel: &'static str,
        /// The cause.
        source: std::io::Error,
    },
    /// The asynchronous runtime cannot start.
    #[error("cannot start the kernel's threads: {0}")]
    Threads(std::io::Error),
    /// A file or directory operation failed.
    #[error("cannot {action} `{}`: {source}", path.display())]
    File {
        /// The operation.
        action: &'static str,
        /// The file or directory.
        path: PathBuf,
        /// The cause.
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
        /// The program that it starts.
        found: String,
    },
    /// The kernelspec to uninstall does not exist.
    #[error("kernelspec `{}` does not exist; `swath list` shows what is installed", path.display())]
    NoKernelspec {
        /// The directory.
        path: PathBuf,
    },
    /// Jupyter does not accept the kernelspec's name.
    #[error("kernel name `{0}` is invalid: expected letters, digits, `.`, `-` and `_`")]
    KernelName(String),
    /// An `--env` option has no value.
    #[error("--env `{0}` has no value: expected KEY=VALUE")]
    EnvironmentEntry(String),
    /// A directory is unknown: there is no home directory, or no prefix.
    #[error("cannot find {subject}: {mend}")]
    NoLocation {
        /// The directory that was looked for.
        subject: &'static str,
        /// How to fix it.
        mend: &'static str,
    },
    /// A value cannot be serialized.
    #[error("cannot write JSON: {0}")]
    Json(#[from] serde_json::Error),
    /// The analyzer cannot start.
    #[error("cannot start the analyzer: {0}")]
    Analyzer(String),
}

impl Error {
    /// Returns a function that adds the action and the path to an I/O error.
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
