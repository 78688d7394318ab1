//! Values on disk.
//!
//! All spilled values are in one unnamed file, which disappears with the
//! process, however the process ends. Values are appended. The space of dropped
//! values is returned to the file system by punching holes, and the file is
//! truncated when it holds no values.

use super::checkpoints::CheckpointValue;
use crate::context::PerContext;
use crate::error::{Error, Result};
use crate::graph::{ChunkValue, Codec, Summary, Value};
use parking_lot::{Mutex, MutexGuard};
use rustix::fs::{FallocateFlags, fallocate};
use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// The buffer size for small reads and writes.
const BUFFER: usize = 64 << 10;

/// The bytes on disk.
static ON_DISK: PerContext<AtomicU64> = PerContext::new(AtomicU64::default);
static STORE: PerContext<Mutex<Option<Arc<Store>>>> = PerContext::new(Mutex::default);

/// Returns the counter of the bytes that the context's spilled values occupy on disk.
pub(super) fn counter() -> Arc<AtomicU64> {
    ON_DISK.get()
}

/// Returns the bytes that spilled values occupy on disk.
pub(super) fn on_disk() -> u64 {
    ON_DISK.with(|on_disk| on_disk.load(Ordering::Relaxed))
}

/// Sets the folder for values that are spilled from now on.
///
/// # Errors
/// [`Error::Spill`] if no file can be created in it.
pub fn set_spill_folder(folder: impl AsRef<Path>) -> Result<()> {
    *STORE.get().lock() = Some(Arc::new(Store::new(folder.as_ref())?));
    Ok(())
}

/// Returns the default folder for spilling: `SWATH_SPILL_FOLDER`, or else the
/// folder for large temporary files (hier(7)), or else the folder for temporary
/// files, which on some machines is in memory.
fn default_folder() -> PathBuf {
    if let Some(folder) = std::env::var_os("SWATH_SPILL_FOLDER") {
        return folder.into();
    }
    let large = Path::new("/var/tmp");
    if tempfile::tempfile_in(large).is_ok() {
        large.to_owned()
    } else {
        std::env::temp_dir()
    }
}

/// The file of spilled values.
struct Store {
    folder: PathBuf,
    file: File,
    /// Where the next value goes. Held by the thread that writes.
    end: Mutex<End>,
    /// The bytes on disk of all values of the context.
    on_disk: Arc<AtomicU64>,
}

#[derive(Default)]
struct End {
    offset: u64,
    /// How many values are in the file.
    values: usize,
}

impl Store {
    fn new(folder: &Path) -> Result<Self> {
        let file = tempfile::tempfile_in(folder).map_err(|cause| Error::Spill {
            action: "make a file",
            folder: folder.to_owned(),
            cause: Arc::new(cause),
        })?;
        Ok(Self::of(folder, file))
    }

    fn of(folder: &Path, file: File) -> Self {
        Self {
            folder: folder.to_owned(),
            file,
            end: Mutex::default(),
            on_disk: counter(),
        }
    }

    /// Returns the store in use.
    fn current() -> Result<Arc<Self>> {
        let store = STORE.get();
        let mut store = store.lock();
        if let Some(store) = &*store {
            return Ok(store.clone());
        }
        Ok(store
            .insert(Arc::new(Self::new(&default_folder())?))
            .clone())
    }

    fn failed(&self, action: &'static str, cause: Arc<io::Error>) -> Error {
        Error::Spill {
            action,
            folder: self.folder.clone(),
            cause,
        }
    }

    /// Adds the folder to an error of the encoding.
    fn told(&self, error: Error) -> Error {
        match error {
            Error::Transfer { action, cause } => self.failed(action, cause),
            error => error,
        }
    }

    /// Appends a value.
    fn write(self: &Arc<Self>, value: &Value) -> Result<Extent> {
        let mut end = self.end.lock();
        let mut writer = BufWriter::with_capacity(
            BUFFER,
            At {
                file: &self.file,
                offset: end.offset,
            },
        );
        let written = value.encode_to(&mut writer).and_then(|()| {
            writer
                .flush()
                .map_err(|cause| self.failed("write", Arc::new(cause)))
        });
        let offset = end.offset;
        // Avoid the writer's drop, which would write once more.
        let (at, _) = writer.into_parts();
        let length = at.offset - offset;
        match written {
            Ok(()) => {
                // Only whole blocks can be returned to the file system.
                end.offset = (offset + length).next_multiple_of(4096);
                end.values += 1;
                self.on_disk.fetch_add(length, Ordering::Relaxed);
                Ok(Extent {
                    store: self.clone(),
                    offset,
                    length,
                })
            }
            Err(error) => {
                self.give_back(offset, length);
                Err(self.told(error))
            }
        }
    }

    /// Punches a hole. Not every file system supports that; if not, the space
    /// is freed with the file.
    fn give_back(&self, offset: u64, length: u64) {
        if length > 0 {
            let flags = FallocateFlags::PUNCH_HOLE | FallocateFlags::KEEP_SIZE;
            let _ = fallocate(&self.file, flags, offset, length);
        }
    }
}

/// The place of a value in the file. Its space is freed on drop.
struct Extent {
    store: Arc<Store>,
    offset: u64,
    length: u64,
}

impl Extent {
    fn reader(&self) -> impl Read {
        BufReader::with_capacity(
            BUFFER.min(self.length as usize),
            At {
                file: &self.store.file,
                offset: self.offset,
            }
            .take(self.length),
        )
    }
}

impl Drop for Extent {
    fn drop(&mut self) {
        self.store.on_disk.fetch_sub(self.length, Ordering::Relaxed);
        let mut end: MutexGuard<'_, End> = self.store.end.lock();
        end.values -= 1;
        if end.values == 0 {
            end.offset = 0;
            let _ = self.store.file.set_len(0);
        } else {
            self.store.give_back(self.offset, self.length);
        }
    }
}

/// A reader or writer that starts at an offset in a file.
struct At<'a> {
    file: &'a File,
    offset: u64,
}

impl Write for At<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.file.write_at(bytes, self.offset)?;
        self.offset += written as u64;
        Ok(written)
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Read for At<'_> {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read_at(bytes, self.offset)?;
        self.offset += read as u64;
        Ok(read)
    }
}

/// A value on disk, which stands in for the value wherever the scheduler holds
/// one.
struct Spilled {
    storage: Storage,
    codec: Codec,
    summary: Summary,
}

/// Where a value's bytes are stored.
enum Storage {
    /// In the unnamed file of this process.
    Spilled(Extent),
    /// In a file of its layer.
    Saved(CheckpointValue),
}

impl ChunkValue for Spilled {
    /// A value on disk occupies no memory.
    fn nbytes(&self) -> usize {
        0
    }

    fn summary(&self) -> Summary {
        self.summary.clone()
    }

    fn codec(&self) -> Option<Codec> {
        Some(self.codec)
    }

    fn encode(&self, to: &mut dyn Write) -> Result<()> {
        // The error of the side that failed is the most precise one.
        match &self.storage {
            Storage::Spilled(extent) => io::copy(&mut extent.reader(), to)
                .map_err(|cause| extent.store.failed("read", Arc::new(cause))),
            Storage::Saved(value) => {
                io::copy(&mut value.reader()?, to).map_err(|cause| value.failed(cause))
            }
        }
        .map(drop)
    }
}

/// Writes a value to disk and returns its stand-in, or `None` for values that
/// have no encoding.
///
/// # Errors
/// [`Error::Spill`] if it cannot be written, and the errors of encoding.
pub(super) fn spill(value: &Value) -> Result<Option<Value>> {
    let Some(codec) = value.codec() else {
        return Ok(None);
    };
    let extent = Store::current()?.write(value)?;
    Ok(Some(Value::new(Spilled {
        storage: Storage::Spilled(extent),
        codec,
        summary: value.summary(),
    })))
}

/// Returns the stand-in for a value in a file that outlives the process.
pub(super) fn saved(value: CheckpointValue, codec: Codec, summary: Summary) -> Value {
    Value::new(Spilled {
        storage: Storage::Saved(value),
        codec,
        summary,
    })
}

/// Returns the value that `value` stands in for, or `None` if it is not a
/// stand-in.
///
/// # Errors
/// [`Error::Spill`] or [`Error::Io`] if it cannot be read, and the errors of
/// decoding.
pub(super) fn load(value: &Value) -> Result<Option<Value>> {
    let Some(spilled) = value.downcast_ref::<Spilled>() else {
        return Ok(None);
    };
    let decode = spilled.codec.decode;
    match &spilled.storage {
        Storage::Spilled(extent) => {
            decode(&mut extent.reader(), extent.length).map_err(|error| extent.store.told(error))
        }
        Storage::Saved(value) => {
            decode(&mut value.reader()?, value.length()).map_err(|error| match error {
                Error::Transfer { cause, .. } => Error::Io {
                    action: "read",
                    path: value.path().to_owned(),
                    cause,
                },
                error => error,
            })
        }
    }
    .map(Some)
}

/// Returns whether a value is on disk.
pub(super) fn is_spilled(value: &Value) -> bool {
    value.downcast_ref::<Spilled>().is_some()
}

/// Redirects spilling to another file until the result is dropped. For tests.
#[cfg(test)]
pub(super) fn spill_to(file: File, folder: &str) -> impl Drop {
    struct Before(Option<Arc<Store>>);
    impl Drop for Before {
        fn drop(&mut self) {
            *STORE.get().lock() = self.0.take();
        }
    }
    let store = Arc::new(Store::of(Path::new(folder), file));
    Before(STORE.get().lock().replace(store))
}
