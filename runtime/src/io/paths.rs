//! Files by path, list or pattern, and the check that they have not changed.

use crate::error::{Error, Result};
use serde::{Deserialize, Serialize};
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::UNIX_EPOCH;

/// One or several files: a path, a pattern (`"data/*.csv"`), or a list of them.
pub trait IntoPaths {
    /// Returns the paths and patterns.
    fn into_paths(self) -> Vec<PathBuf>;
}

macro_rules! paths {
    ($($path:ty),*) => {$(
        impl IntoPaths for $path {
            fn into_paths(self) -> Vec<PathBuf> {
                vec![PathBuf::from(self)]
            }
        }
    )*};
}
paths!(&str, String, &String, &Path, PathBuf, &PathBuf);

impl<T: Into<PathBuf>, const N: usize> IntoPaths for [T; N] {
    fn into_paths(self) -> Vec<PathBuf> {
        self.into_iter().map(T::into).collect()
    }
}

impl<T: Into<PathBuf>> IntoPaths for Vec<T> {
    fn into_paths(self) -> Vec<PathBuf> {
        self.into_iter().map(T::into).collect()
    }
}

/// A file's identity when it was described. Different content has a different key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Stamp {
    /// The path as given by the user.
    pub(super) path: PathBuf,
    /// The absolute path.
    absolute: PathBuf,
    pub(super) size: u64,
    /// Nanoseconds since 1970.
    modified: u128,
}

impl Stamp {
    pub(super) fn of(path: &Path) -> Result<Self> {
        let error = |cause| io_error("open", path, cause);
        let metadata = std::fs::metadata(path).map_err(error)?;
        if metadata.is_dir() {
            return Err(error(io::ErrorKind::IsADirectory.into()));
        }
        let modified = metadata.modified().map_err(error)?;
        Ok(Self {
            path: path.to_owned(),
            absolute: std::path::absolute(path).map_err(error)?,
            size: metadata.len(),
            modified: modified
                .duration_since(UNIX_EPOCH)
                .unwrap_or_default()
                .as_nanos(),
        })
    }

    /// Opens the file.
    pub(super) fn open(&self) -> Result<File> {
        File::open(&self.absolute).map_err(|cause| self.error("open", cause))
    }

    /// Opens the file, unless it has changed since it was described.
    pub(super) fn reopen(&self) -> Result<File> {
        let now = Self::of(&self.absolute)?;
        if (now.size, now.modified) != (self.size, self.modified) {
            let reason = "it has changed since the frame was created: read it again";
            return Err(self.error("read", io::Error::other(reason)));
        }
        self.open()
    }

    pub(super) fn error(&self, action: &'static str, cause: io::Error) -> Error {
        io_error(action, &self.path, cause)
    }
}

fn io_error(action: &'static str, path: &Path, cause: io::Error) -> Error {
    Error::Io {
        action,
        path: path.to_owned(),
        cause: Arc::new(cause),
    }
}

/// Returns the files that the paths and patterns match. The files of a pattern are in
/// the order of their names.
pub(super) fn find(paths: Vec<PathBuf>) -> Result<Vec<Stamp>> {
    let mut found = Vec::new();
    for path in paths {
        let text = path.to_string_lossy();
        if path.exists() || !text.contains(['*', '?', '[']) {
            found.push(Stamp::of(&path)?);
            continue;
        }
        let matches = glob::glob(&text)
            .map_err(|error| Error::Argument(format!("invalid pattern {text}: {error}")))?;
        let before = found.len();
        for path in matches {
            let path = path.map_err(|error| {
                let path = error.path().to_owned();
                io_error("read", &path, error.into())
            })?;
            found.push(Stamp::of(&path)?);
        }
        if found.len() == before {
            return Err(Error::Argument(format!("no file matches {text}")));
        }
    }
    if found.is_empty() {
        return Err(Error::Argument(
            "no files to read: expected at least one path".to_owned(),
        ));
    }
    Ok(found)
}
