//! Persisted values in files that outlive the process: another one goes on with
//! them.
//!
//! A *keeper* has a folder and a thread. It is told which layers the session's
//! variables stand on; what of them is persisted it writes, a file a layer
//! ([`file`]), as soon as all values are there, and it removes the files of
//! layers that no variable stands on. That a file has its name says that it is
//! whole; which variable has which layer is not known here.
//!
//! A value in such a file stands in for itself as a spilled one does
//! ([`super::spill`]): when memory gets short, nothing has to be written any
//! more, and what was spilled before gives its room back.

mod file;

use super::kept::{self, Kept};
use super::persist::Persisted;
use super::spill;
use crate::error::{Error, Result};
use crate::graph::{Codec, Layer, LayerId};
use crate::machine;
use file::{SavedFile, Writer};
use parking_lot::{Condvar, Mutex, MutexGuard};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Weak};

pub(super) use file::SavedValue;

/// Files are written as long as this part of the disk stays free, in per cent.
const FREE_PER_CENT: u64 = 5;

/// The one that is woken when something has been persisted.
static KEEPER: Mutex<Option<Arc<Shared>>> = Mutex::new(None);

/// Writes what is persisted, until it is dropped.
pub(crate) struct Keeper(Arc<Shared>);

struct Shared {
    folder: PathBuf,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    /// The layers to keep, with the name of a variable that has each.
    wanted: BTreeMap<LayerId, String>,
    files: HashMap<LayerId, Arc<SavedFile>>,
    /// Files of layers that no variable has any more: there as long as somebody
    /// has their values.
    former: HashMap<LayerId, Weak<SavedFile>>,
    /// Layers that cannot be written.
    refused: HashMap<LayerId, Refused>,
    /// The user knows that there is no room.
    has_told: bool,
    /// Something was persisted, or the layers to keep are others.
    is_news: bool,
    has_ended: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Refused {
    /// The values have no encoding.
    NoEncoding,
    /// Until there is some.
    NoRoom,
}

/// Why a layer's file was not written.
enum Stop {
    /// Nobody wants it any more.
    Unwanted,
    NoEncoding,
    NoRoom(io::Error),
}

impl Keeper {
    /// Begins to keep values in a folder.
    ///
    /// # Errors
    /// A thread that cannot be started.
    pub(crate) fn start(folder: &Path) -> io::Result<Self> {
        let shared = Arc::new(Shared {
            folder: folder.to_owned(),
            state: Mutex::default(),
            changed: Condvar::new(),
        });
        *KEEPER.lock() = Some(shared.clone());
        let keeper = Self(shared.clone());
        std::thread::Builder::new()
            .name("swath-keeper".to_owned())
            .spawn(move || {
                machine::give_way();
                shared.run();
            })?;
        Ok(keeper)
    }

    /// The folder.
    pub(crate) fn folder(&self) -> &Path {
        &self.0.folder
    }

    /// A layer that another process has left, with its values; none unless its
    /// file is whole. Values are read when they are needed.
    pub(crate) fn take_over(&self, id: LayerId, codec: Codec) -> Option<Arc<Layer>> {
        let found = file::find(&self.0.folder, id, codec)?;
        let values = found
            .values
            .into_iter()
            .map(|(value, summary)| Some(spill::saved(value, codec, summary)))
            .collect();
        self.0.state.lock().files.insert(id, found.file);
        let kept = Kept::new(values);
        Some(Persisted::there(id, found.grid, found.operation, kept))
    }

    /// Removes what another process has left and nobody has taken over.
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

    /// Keeps these layers, each with the name of a variable that has it, and no
    /// others.
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
        // Files are removed without the lock.
        drop(dropped);
    }

    /// Whether all that can be written has been: for tests.
    #[cfg(test)]
    pub(crate) fn has_written(&self, id: LayerId) -> bool {
        self.0.state.lock().files.contains_key(&id)
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        let mut state = self.0.state.lock();
        state.has_ended = true;
        let files = std::mem::take(&mut state.files);
        drop(state);
        self.0.changed.notify_all();
        drop(files);
        let mut keeper = KEEPER.lock();
        if keeper
            .as_ref()
            .is_some_and(|current| Arc::ptr_eq(current, &self.0))
        {
            *keeper = None;
        }
    }
}

/// Something has been persisted: the values of a layer are there.
pub(super) fn wake() {
    let keeper = KEEPER.lock().clone();
    if let Some(keeper) = keeper {
        keeper.state.lock().is_news = true;
        keeper.changed.notify_all();
    }
}

impl Shared {
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

    fn missing(state: &MutexGuard<'_, State>) -> Vec<LayerId> {
        let wanted = state.wanted.keys().copied();
        wanted
            .filter(|id| !state.files.contains_key(id) && !state.refused.contains_key(id))
            .collect()
    }

    /// Writes a layer's file, if all of its values are there.
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
        // Nobody else may have it: then what it holds is not wanted any more.
        drop(persisted);
        let begun = Writer::new(&self.folder, id, &grid, &operation).map_err(Stop::NoRoom);
        let written = begun.and_then(|writer| self.write_values(id, writer, &kept));
        let mut state = self.state.lock();
        match written {
            Ok(file) => {
                // Otherwise it is removed again, without the lock.
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
                        "note: `{name}` would not come back if the runtime process ended, nor what is persisted \
                         after it: it cannot be written to {}: {cause}",
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
        kept: &Kept,
    ) -> Result<Arc<SavedFile>, Stop> {
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

    /// Leaves part of the disk to others.
    fn check_room(&self, nbytes: u64) -> io::Result<()> {
        let disk = rustix::fs::statvfs(&self.folder)?;
        let free = disk.f_bavail.saturating_mul(disk.f_frsize);
        let to_leave = disk.f_blocks.saturating_mul(disk.f_frsize) / 100 * FREE_PER_CENT;
        if free >= nbytes.saturating_add(to_leave) {
            return Ok(());
        }
        Err(io::Error::new(
            io::ErrorKind::StorageFull,
            format!("{FREE_PER_CENT} % of the disk are left free"),
        ))
    }
}
