//! Saves persisted values in files that outlive the process, so that another
//! process can continue with them.
//!
//! A *checkpoint writer* has a folder and a thread. It is told which layers the session's
//! variables depend on. It writes those that are persisted, one file per layer
//! ([`mod@file`]), as soon as all their values are available, and removes the files
//! of layers that no variable depends on. A file gets its final name only when
//! it is complete. This module does not know which variable has which layer.
//!
//! A value in such a file has a stand-in like a spilled one ([`super::spill`]).
//! When memory runs short, such values need not be written again, and the disk
//! space of earlier spilled copies is freed.

mod file;

use super::kept::{self, ValueStore};
use super::persist::Persisted;
use super::spill;
use crate::context::{Context, PerContext};
use crate::error::{Error, Result};
use crate::graph::{Codec, Layer, LayerId};
use crate::machine;
use file::{CheckpointFile, Writer};
use parking_lot::{Condvar, Mutex, MutexGuard};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Weak};

pub(super) use file::CheckpointValue;

/// Files are written as long as this percentage of the disk stays free.
const FREE_PER_CENT: u64 = 5;

/// The writer that is woken when something has been persisted.
static WRITER: PerContext<Mutex<Option<Arc<WriterShared>>>> = PerContext::new(Mutex::default);

/// Saves persisted values until it is dropped.
pub(crate) struct CheckpointWriter(Arc<WriterShared>);

struct WriterShared {
    context: Context,
    folder: PathBuf,
    state: Mutex<WriterState>,
    changed: Condvar,
}

#[derive(Default)]
struct WriterState {
    /// The layers to keep, each with the name of a variable that depends on it.
    wanted: BTreeMap<LayerId, String>,
    files: HashMap<LayerId, Arc<CheckpointFile>>,
    /// Files of layers that no variable depends on any more. They exist as long
    /// as anything holds their values.
    former: HashMap<LayerId, Weak<CheckpointFile>>,
    /// Layers that cannot be written.
    refused: HashMap<LayerId, Refused>,
    /// Whether the user has been told that there is no room.
    has_told: bool,
    /// Something was persisted, or the set of layers to keep has changed.
    is_news: bool,
    has_ended: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Refused {
    /// The values have no encoding.
    NoEncoding,
    /// The disk has no room; retried when the set of layers to keep changes.
    NoRoom,
}

/// Why a layer's file was not written.
enum Stop {
    /// The layer is no longer wanted.
    Unwanted,
    NoEncoding,
    NoRoom(io::Error),
}

impl CheckpointWriter {
    /// Starts to save values in a folder.
    ///
    /// # Errors
    /// The error of starting the thread.
    pub(crate) fn start(folder: &Path) -> io::Result<Self> {
        let shared = Arc::new(WriterShared {
            context: Context::current(),
            folder: folder.to_owned(),
            state: Mutex::default(),
            changed: Condvar::new(),
        });
        *WRITER.get().lock() = Some(shared.clone());
        let writer = Self(shared.clone());
        std::thread::Builder::new()
            .name("swath-writer".to_owned())
            .spawn(move || {
                machine::give_way();
                shared.context.run(|| shared.run());
            })?;
        Ok(writer)
    }

    /// Returns the folder.
    pub(crate) fn folder(&self) -> &Path {
        &self.0.folder
    }

    /// Returns a layer that another process has left, with its values, if its
    /// file is complete. Values are read when they are needed.
    pub(crate) fn take_over(&self, id: LayerId, codec: Codec) -> Option<Arc<Layer>> {
        let found = file::find(&self.0.folder, id, codec)?;
        let values = found
            .values
            .into_iter()
            .map(|(value, summary)| Some(spill::saved(value, codec, summary)))
            .collect();
        self.0.state.lock().files.insert(id, found.file);
        let kept = ValueStore::new(values);
        Some(Persisted::there(id, found.grid, found.operation, kept))
    }

    /// Removes files that another process has left and that were not taken
    /// over.
    pub(crate) fn remove_others(&self) {
        let mut entries = fs::read_dir(&self.0.folder).into_iter().flatten();
        let state = self.0.state.lock();
        let owned: HashSet<&Path> = state.files.values().map(|file| file.path()).collect();
        while let Some(Ok(entry)) = entries.next() {
            let path = entry.path();
            if file::is_ours(&path) && !owned.contains(&*path) {
                let _ = fs::remove_file(path);
            }
        }
    }

    /// Sets the layers to keep, each with the name of a variable that depends
    /// on it.
    pub(crate) fn keep(&self, wanted: BTreeMap<LayerId, String>) {
        let mut state = self.0.state.lock();
        if state.wanted == wanted {
            return;
        }
        let (kept, dropped): (HashMap<_, _>, HashMap<_, _>) = std::mem::take(&mut state.files)
            .into_iter()
            .partition(|(id, _)| wanted.contains_key(id));
        state.files = kept;
        state.former.retain(|_, file| file.strong_count() > 0);
        for (id, file) in &dropped {
            state.former.insert(*id, Arc::downgrade(file));
        }
        state
            .refused
            .retain(|id, why| wanted.contains_key(id) && *why != Refused::NoRoom);
        state.wanted = wanted;
        state.is_news = true;
        drop(state);
        self.0.changed.notify_all();
        // Files are removed outside the lock.
        drop(dropped);
    }

    /// Returns whether a layer's file has been written. For tests.
    #[cfg(test)]
    pub(crate) fn has_written(&self, id: LayerId) -> bool {
        self.0.state.lock().files.contains_key(&id)
    }
}

impl Drop for CheckpointWriter {
    fn drop(&mut self) {
        let mut state = self.0.state.lock();
        state.has_ended = true;
        let files = std::mem::take(&mut state.files);
        drop(state);
        self.0.changed.notify_all();
        drop(files);
        let writer = self.0.context.run(|| WRITER.get());
        let mut writer = writer.lock();
        if writer
            .as_ref()
            .is_some_and(|current| Arc::ptr_eq(current, &self.0))
        {
            *writer = None;
        }
    }
}

/// Notifies the writer that a layer's values have been persisted.
pub(super) fn wake() {
    let writer = WRITER.get().lock().clone();
    if let Some(writer) = writer {
        writer.state.lock().is_news = true;
        writer.changed.notify_all();
    }
}

impl WriterShared {
    fn run(&self) {
        loop {
            let mut state = self.state.lock();
            while !state.is_news && !state.has_ended {
                self.changed.wait(&mut state);
            }
            if state.has_ended {
                return;
            }
            state.is_news = false;
            let missing = Self::missing(&state);
            drop(state);
            for id in missing {
                self.write(id);
            }
        }
    }

    fn missing(state: &MutexGuard<'_, WriterState>) -> Vec<LayerId> {
        let wanted = state.wanted.keys().copied();
        wanted
            .filter(|id| !state.files.contains_key(id) && !state.refused.contains_key(id))
            .collect()
    }

    /// Writes a layer's file if all of its values are available.
    fn write(&self, id: LayerId) {
        {
            let state = &mut *self.state.lock();
            if let Some(file) = state.former.get(&id).and_then(Weak::upgrade) {
                state.files.insert(id, file);
                return;
            }
        }
        let Some(persisted) = kept::find(id) else {
            return;
        };
        let Some((kept, grid)) = persisted.kept() else {
            return;
        };
        let operation = persisted.operation().to_owned();
        // This may be the last holder; then its values are no longer wanted.
        drop(persisted);
        let begun = Writer::new(&self.folder, id, &grid, &operation).map_err(Stop::NoRoom);
        let written = begun.and_then(|writer| self.write_values(id, writer, &kept));
        let mut state = self.state.lock();
        match written {
            Ok(file) => {
                // Otherwise the file is removed again, outside the lock.
                if !state.has_ended && state.wanted.contains_key(&id) {
                    state.files.insert(id, file);
                    return;
                }
                drop(state);
                drop(file);
            }
            Err(Stop::Unwanted) => {}
            Err(Stop::NoEncoding) => {
                state.refused.insert(id, Refused::NoEncoding);
            }
            Err(Stop::NoRoom(cause)) => {
                state.refused.insert(id, Refused::NoRoom);
                if !std::mem::replace(&mut state.has_told, true) {
                    let name = state.wanted.get(&id).cloned().unwrap_or_default();
                    drop(state);
                    eprintln!(
                        "note: `{name}` cannot be restored if the runtime process ends, and neither can anything persisted \
                         after it: cannot write it to {}: {cause}",
                        self.folder.display()
                    );
                }
            }
        }
    }

    fn write_values(
        &self,
        id: LayerId,
        mut writer: Writer,
        kept: &ValueStore,
    ) -> Result<Arc<CheckpointFile>, Stop> {
        let mut standing_in = Vec::with_capacity(kept.len());
        for linear in 0..kept.len() as u32 {
            if !self.wants(id) {
                return Err(Stop::Unwanted);
            }
            let value = kept.as_it_is(linear).ok_or(Stop::Unwanted)?;
            self.check_room(value.nbytes() as u64)
                .map_err(Stop::NoRoom)?;
            writer.add(&value).map_err(|error| match error {
                Error::Transfer { cause, .. } | Error::Spill { cause, .. } => {
                    Stop::NoRoom(io::Error::new(cause.kind(), cause.to_string()))
                }
                _ => Stop::NoEncoding,
            })?;
            let codec = value
                .codec()
                .expect("invariant: what was written has a codec");
            standing_in.push((codec, value.summary()));
        }
        let (file, values) = writer.finish().map_err(Stop::NoRoom)?;
        for ((linear, value), (codec, summary)) in (0..).zip(values).zip(standing_in) {
            kept.stand_in(linear, spill::saved(value, codec, summary));
        }
        Ok(file)
    }

    fn wants(&self, id: LayerId) -> bool {
        let state = self.state.lock();
        !state.has_ended && state.wanted.contains_key(&id)
    }

    /// Fails if writing would leave too little free disk space for others.
    fn check_room(&self, nbytes: u64) -> io::Result<()> {
        let disk = rustix::fs::statvfs(&self.folder)?;
        let free = disk.f_bavail.saturating_mul(disk.f_frsize);
        let to_leave = disk.f_blocks.saturating_mul(disk.f_frsize) / 100 * FREE_PER_CENT;
        if free >= nbytes.saturating_add(to_leave) {
            return Ok(());
        }
        Err(io::Error::new(
            io::ErrorKind::StorageFull,
            format!("{FREE_PER_CENT} % of the disk must stay free"),
        ))
    }
}
