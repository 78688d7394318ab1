//! Variables that are restored after the process has ended.
//!
//! After each cell a *manifest* is written. It lists the variables that hold
//! collections which another process can restore ([`super::recoverable`]), and
//! the layers they depend on. The layers' values are written in the background
//! ([`crate::schedule::CheckpointWriter`]). A new process that is given the folder restores
//! the variables whose layers are all complete. So a variable is either what it
//! was when the last cell ended, or it is lost; it never has an earlier value.

use super::recoverable::{kind_named, kind_of};
use super::variables;
use crate::graph::{LayerId, Tasks};
use crate::panics;
use crate::schedule::{CheckpointWriter, limit_that_was_set, set_memory_limit};
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use std::any::Any;
use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::Path;
use swath_channel::Variable;
use xxhash_rust::xxh3::xxh3_64;

const MANIFEST: &str = "manifest";

/// Used by the thread that runs cells, like the variables. It is not a
/// thread-local, because `exit` drops thread-locals, and the files would be
/// removed with it.
static RECOVERY: Mutex<Option<Recovery>> = Mutex::new(None);

struct Recovery {
    writer: CheckpointWriter,
    /// The manifest on disk.
    manifest: Manifest,
    /// Whether the user has been told that it cannot be written.
    has_told: bool,
}

/// What another process needs to restore the variables.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Manifest {
    variables: Vec<Entry>,
    /// The limit set by `set_memory_limit`: the restored values are as large as
    /// before.
    memory_limit: Option<u64>,
}

/// A variable.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Entry {
    name: String,
    type_name: String,
    /// One for each collection in it.
    layers: Vec<LayerId>,
    descriptions: Vec<Vec<u8>>,
}

/// Saves persisted values in a folder from now on, and restores variables from
/// it. Without a folder, stops saving. Returns the restored variables.
pub(super) fn set_folder(folder: Option<&Path>) -> Vec<Variable> {
    let Some(folder) = folder else {
        // Values in memory no longer use the files. Values that are only on disk
        // keep their files as long as anything holds them.
        if let Some(recovery) = RECOVERY.lock().take() {
            let _ = fs::remove_file(recovery.writer.folder().join(MANIFEST));
        }
        return Vec::new();
    };
    let writer = match CheckpointWriter::start(folder) {
        Ok(writer) => writer,
        Err(error) => {
            eprintln!("note: persisted collections will be lost with the process: {error}");
            return Vec::new();
        }
    };
    let manifest = Manifest::read(folder).unwrap_or_default();
    let names = take_back(&writer, &manifest);
    writer.remove_others();
    *RECOVERY.lock() = Some(Recovery {
        writer,
        manifest,
        has_told: false,
    });
    note_variables();
    let mut back = variables::list();
    back.retain(|variable| names.contains(&variable.name));
    back
}

/// Restores the variables whose layers are all complete, and returns their names.
fn take_back(writer: &CheckpointWriter, manifest: &Manifest) -> Vec<String> {
    if let Some(limit) = manifest.memory_limit {
        // It was a valid limit before.
        let _ = set_memory_limit(limit);
    }
    // Variables that shared a layer share it again.
    let mut layers = BTreeMap::new();
    let mut names = Vec::new();
    for entry in &manifest.variables {
        let Some(kind) = kind_named(&entry.type_name) else {
            continue;
        };
        let Some(codec) = (kind.codec)() else {
            continue;
        };
        let of_variable: Option<Vec<_>> = entry
            .layers
            .iter()
            .map(|&id| {
                let layer = layers
                    .entry(id)
                    .or_insert_with(|| writer.take_over(id, codec));
                layer.clone()
            })
            .collect();
        let restored =
            of_variable.map(|layers| panics::catch(|| kind.restore(&entry.descriptions, layers)));
        if let Some(Ok(Ok(value))) = restored {
            variables::put(&entry.name, kind.type_name, value);
            names.push(entry.name.clone());
        }
    }
    names
}

/// Records the existing variables, after a cell.
pub(super) fn note_variables() {
    if let Some(recovery) = &mut *RECOVERY.lock() {
        recovery.note_variables();
    }
}

impl Recovery {
    fn note_variables(&mut self) {
        let mut entries = Vec::new();
        variables::each(|name, type_name, value| {
            entries.extend(self.entry(name, type_name, value));
        });
        let manifest = Manifest {
            variables: entries,
            memory_limit: limit_that_was_set(),
        };
        let wanted = manifest
            .variables
            .iter()
            .flat_map(|entry| entry.layers.iter().map(|&id| (id, entry.name.clone())))
            .collect();
        // The manifest comes first: a variable that has changed must not be
        // restored with its earlier value.
        if manifest != self.manifest {
            match manifest.write(self.writer.folder()) {
                Ok(()) => self.manifest = manifest,
                Err(error) => {
                    let path = self.writer.folder().join(MANIFEST);
                    let _ = fs::remove_file(path);
                    self.manifest = Manifest::default();
                    if !std::mem::replace(&mut self.has_told, true) {
                        eprintln!(
                            "note: no variable can be restored if the runtime process ends: cannot write to {}: {error}",
                            self.writer.folder().display()
                        );
                    }
                }
            }
        }
        self.writer.keep(wanted);
    }

    /// Returns a variable's entry if all of its collections are persisted.
    fn entry(&self, name: &str, type_name: &str, value: &dyn Any) -> Option<Entry> {
        let kind = kind_of(value)?;
        (kind.codec)()?;
        let layers = kind.layers(value).ok()?;
        if !layers
            .iter()
            .all(|layer| matches!(layer.tasks(), Tasks::Values(_)))
        {
            return None;
        }
        let layers: Vec<LayerId> = layers.iter().map(|layer| layer.id()).collect();
        // The same layers have the same descriptions, unless the variable has
        // another type.
        let known = self
            .manifest
            .variables
            .binary_search_by(|known| known.name.as_str().cmp(name))
            .ok()
            .map(|at| &self.manifest.variables[at])
            .filter(|known| known.layers == layers && known.type_name == type_name);
        let descriptions = match known {
            Some(known) => known.descriptions.clone(),
            None => kind.describe(value).ok()?,
        };
        Some(Entry {
            name: name.to_owned(),
            type_name: type_name.to_owned(),
            layers,
            descriptions,
        })
    }
}

impl Manifest {
    fn read(folder: &Path) -> Option<Self> {
        let bytes = fs::read(folder.join(MANIFEST)).ok()?;
        let (manifest, checksum) = bytes.split_last_chunk::<8>()?;
        if xxh3_64(manifest) != u64::from_le_bytes(*checksum) {
            return None;
        }
        postcard::from_bytes(manifest).ok()
    }

    /// Writes to another name first, so that only complete manifests are ever
    /// read.
    fn write(&self, folder: &Path) -> io::Result<()> {
        let mut bytes = postcard::to_stdvec(self).map_err(io::Error::other)?;
        bytes.extend(xxh3_64(&bytes).to_le_bytes());
        let new = folder.join("manifest.new");
        fs::write(&new, bytes)?;
        fs::rename(new, folder.join(MANIFEST))
    }
}
