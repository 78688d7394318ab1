//! The file with a layer's values, with which another process can continue.
//!
//! The file consists of the values' encodings one after the other, an index, and
//! a footer. The footer holds the index's length and checksum, and a magic word
//! that identifies the format. The file is written under another name and renamed
//! when it is complete, so a process that ends while writing leaves nothing that
//! looks like a complete file. Each value also has a checksum, which is verified
//! when the value is first read.

use crate::error::{Error, Result};
use crate::graph::{Codec, Grid, LayerId, Summary, Value};
use serde::{Deserialize, Serialize};
use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{self, BufReader, BufWriter, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use xxhash_rust::xxh3::{Xxh3, xxh3_64};

/// The buffer size for small reads and writes.
const BUFFER: usize = 64 << 10;
/// The magic word at the end of a file: the format and its version.
const WORD: [u8; 8] = *b"swathv01";
/// The footer's size: the index's length, its checksum, the magic word.
const FOOTER: u64 = 24;

/// The extension of a file that is being written.
const UNFINISHED: &str = "unfinished";

/// The index of a file.
#[derive(Debug, Serialize, Deserialize)]
struct Contents {
    id: LayerId,
    grid: Grid,
    /// The name of the operation that computed the values.
    operation: String,
    /// The tag of the encoding: see [`Codec::tag`].
    tag: String,
    values: Vec<Entry>,
}

/// A value in a file. The values follow each other without gaps.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Entry {
    length: u64,
    checksum: u64,
    summary: Summary,
}

/// A file on disk, which is removed with its last holder. A process that is
/// killed removes nothing: that is the purpose of the file.
#[derive(Debug)]
pub(super) struct CheckpointFile {
    path: PathBuf,
}

impl CheckpointFile {
    pub(super) fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for CheckpointFile {
    fn drop(&mut self) {
        // The file may have been removed with its folder.
        let _ = fs::remove_file(&self.path);
    }
}

/// A value in such a file.
pub(in crate::schedule) struct CheckpointValue {
    file: Arc<CheckpointFile>,
    offset: u64,
    length: u64,
    checksum: u64,
    /// Whether this process wrote the value, or has read it and verified its
    /// checksum.
    is_sound: AtomicBool,
}

impl CheckpointValue {
    pub(in crate::schedule) fn length(&self) -> u64 {
        self.length
    }

    pub(in crate::schedule) fn path(&self) -> &Path {
        &self.file.path
    }

    /// Returns a reader of the value's bytes.
    ///
    /// # Errors
    /// [`Error::Io`] if the bytes cannot be read, or do not match their checksum.
    pub(in crate::schedule) fn reader(&self) -> Result<impl Read> {
        if !self.is_sound.load(Ordering::Acquire) {
            self.check().map_err(|cause| self.failed(cause))?;
            self.is_sound.store(true, Ordering::Release);
        }
        self.open().map_err(|cause| self.failed(cause))
    }

    /// Opens the file. This happens for each read, because there may be more
    /// files than a process can have open.
    fn open(&self) -> io::Result<impl Read + use<>> {
        let mut file = File::open(&self.file.path)?;
        file.seek(SeekFrom::Start(self.offset))?;
        let capacity = BUFFER.min(self.length as usize);
        Ok(BufReader::with_capacity(capacity, file.take(self.length)))
    }

    fn check(&self) -> io::Result<()> {
        let mut hash = Xxh3::new();
        let mut from = self.open()?;
        let mut block = vec![0; BUFFER];
        let mut length = 0;
        loop {
            match from.read(&mut block)? {
                0 => break,
                read => {
                    hash.update(&block[..read]);
                    length += read as u64;
                }
            }
        }
        if length == self.length && hash.digest() == self.checksum {
            return Ok(());
        }
        Err(io::Error::new(
            io::ErrorKind::InvalidData,
            "the stored value is damaged: compute it again",
        ))
    }

    pub(in crate::schedule) fn failed(&self, cause: io::Error) -> Error {
        Error::Io {
            action: "read",
            path: self.file.path.clone(),
            cause: Arc::new(cause),
        }
    }
}

/// The content of a file that was found.
pub(super) struct Found {
    pub(super) file: Arc<CheckpointFile>,
    pub(super) grid: Grid,
    pub(super) operation: String,
    pub(super) values: Vec<(CheckpointValue, Summary)>,
}

/// The extension of a layer's files.
const EXTENSION: &str = "layer";

/// Returns the possible paths of the layer's files. There may be several, as long
/// as values of an earlier one are in use.
fn paths(folder: &Path, id: LayerId) -> impl Iterator<Item = PathBuf> {
    let stem = folder.join(id.hex());
    (0..).map(move |number: u32| stem.with_extension(format!("{number}.{EXTENSION}")))
}

/// Returns whether a path belongs to a layer's file, finished or not.
pub(super) fn is_ours(path: &Path) -> bool {
    let extension = path.extension().and_then(OsStr::to_str);
    extension.is_some_and(|extension| [EXTENSION, UNFINISHED].contains(&extension))
}

/// Writes a layer's values, one after the other.
pub(super) struct Writer {
    to: Counting<BufWriter<File>>,
    path: PathBuf,
    unfinished: PathBuf,
    contents: Contents,
    is_finished: bool,
}

impl Writer {
    pub(super) fn new(
        folder: &Path,
        id: LayerId,
        grid: &Grid,
        operation: &str,
    ) -> io::Result<Self> {
        let path = paths(folder, id)
            .find(|path| !path.exists())
            .expect("invariant: some number is free");
        let unfinished = path.with_extension(UNFINISHED);
        let file = File::create(&unfinished)?;
        Ok(Self {
            to: Counting {
                inner: BufWriter::with_capacity(BUFFER, file),
                length: 0,
                hash: Xxh3::new(),
            },
            path,
            unfinished,
            contents: Contents {
                id,
                grid: grid.clone(),
                operation: operation.to_owned(),
                tag: String::new(),
                values: Vec::new(),
            },
            is_finished: false,
        })
    }

    /// Appends a value. Values of one file have one encoding.
    pub(super) fn add(&mut self, value: &Value) -> Result<()> {
        let codec = value.codec();
        let tag = codec.map_or("", |codec| codec.tag);
        let is_first = self.contents.values.is_empty();
        if codec.is_none() || !is_first && self.contents.tag != tag {
            return Err(Error::Encode(value.summary().to_string()));
        }
        if is_first {
            tag.clone_into(&mut self.contents.tag);
        }
        self.to.length = 0;
        self.to.hash.reset();
        value.encode_to(&mut self.to)?;
        self.contents.values.push(Entry {
            length: self.to.length,
            checksum: self.to.hash.digest(),
            summary: value.summary(),
        });
        Ok(())
    }

    /// Completes the file. Returns it with the places of the values in it.
    pub(super) fn finish(mut self) -> io::Result<(Arc<CheckpointFile>, Vec<CheckpointValue>)> {
        let index = postcard::to_stdvec(&self.contents).map_err(io::Error::other)?;
        let to = &mut self.to.inner;
        to.write_all(&index)?;
        to.write_all(&(index.len() as u64).to_le_bytes())?;
        to.write_all(&xxh3_64(&index).to_le_bytes())?;
        to.write_all(&WORD)?;
        // Not synced: written data survives the end of the process. Only a crash
        // of the machine loses it, and the kernel with it.
        to.flush()?;
        fs::rename(&self.unfinished, &self.path)?;
        self.is_finished = true;
        let file = Arc::new(CheckpointFile {
            path: self.path.clone(),
        });
        let values = places(&file, &self.contents.values, true);
        Ok((file, values))
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        if !self.is_finished {
            let _ = fs::remove_file(&self.unfinished);
        }
    }
}

fn places(file: &Arc<CheckpointFile>, entries: &[Entry], is_sound: bool) -> Vec<CheckpointValue> {
    let mut offset = 0;
    let places = entries.iter().map(|entry| {
        let value = CheckpointValue {
            file: file.clone(),
            offset,
            length: entry.length,
            checksum: entry.checksum,
            is_sound: AtomicBool::new(is_sound),
        };
        offset += entry.length;
        value
    });
    places.collect()
}

/// Finds a layer's file that another process has left, if it is complete and its
/// values have this encoding. Takes the file over: it is removed with its last
/// holder.
pub(super) fn find(folder: &Path, id: LayerId, codec: Codec) -> Option<Found> {
    let is_right = |contents: &Contents| {
        contents.id == id
            && contents.values.len() == contents.grid.len()
            && (contents.tag == codec.tag || contents.values.is_empty())
    };
    // A process has few files of a layer, numbered from 0; some may have been
    // removed.
    const MOST: usize = 16;
    let (path, contents) = paths(folder, id)
        .take(MOST)
        .filter_map(|path| Some((read_index(&path).ok()?, path)))
        .find(|(contents, _)| is_right(contents))
        .map(|(contents, path)| (path, contents))?;
    let file = Arc::new(CheckpointFile { path });
    let places = places(&file, &contents.values, false);
    let summaries = contents.values.into_iter().map(|entry| entry.summary);
    Some(Found {
        file,
        grid: contents.grid,
        operation: contents.operation,
        values: places.into_iter().zip(summaries).collect(),
    })
}

/// Reads a file's index. Fails unless the index is intact and the file is exactly
/// as long as the index says.
fn read_index(path: &Path) -> io::Result<Contents> {
    let wrong = || io::Error::from(io::ErrorKind::InvalidData);
    let mut file = File::open(path)?;
    let whole = file.metadata()?.len();
    let mut footer = [0; FOOTER as usize];
    file.seek(SeekFrom::Start(
        whole.checked_sub(FOOTER).ok_or_else(wrong)?,
    ))?;
    file.read_exact(&mut footer)?;
    let number = |at: usize| {
        let mut bytes = [0; 8];
        bytes.copy_from_slice(&footer[at..at + 8]);
        u64::from_le_bytes(bytes)
    };
    let (length, checksum) = (number(0), number(8));
    let values = (whole - FOOTER).checked_sub(length).ok_or_else(wrong)?;
    if footer[16..] != WORD {
        return Err(wrong());
    }
    let mut index = vec![0; usize::try_from(length).map_err(|_| wrong())?];
    file.seek(SeekFrom::Start(values))?;
    file.read_exact(&mut index)?;
    if xxh3_64(&index) != checksum {
        return Err(wrong());
    }
    let contents: Contents = postcard::from_bytes(&index).map_err(|_| wrong())?;
    let lengths = contents.values.iter().map(|entry| entry.length);
    if lengths.sum::<u64>() == values {
        Ok(contents)
    } else {
        Err(wrong())
    }
}

/// Counts and hashes what is written.
struct Counting<W> {
    inner: W,
    length: u64,
    hash: Xxh3,
}

impl<W: Write> Write for Counting<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.inner.write(bytes)?;
        self.length += written as u64;
        self.hash.update(&bytes[..written]);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn write(folder: &Path, id: LayerId, lists: &[Vec<u64>]) -> PathBuf {
        let grid = Grid::new([lists.len() as u32]);
        let mut writer = Writer::new(folder, id, &grid, "list").unwrap();
        for list in lists {
            writer.add(&Value::opaque(list.clone())).unwrap();
        }
        let (file, _) = writer.finish().unwrap();
        let path = file.path.clone();
        // Simulates a killed process.
        std::mem::forget(file);
        path
    }

    fn codec() -> Codec {
        Value::opaque(vec![0u64]).codec().unwrap()
    }

    fn read(folder: &Path, id: LayerId) -> Option<Vec<Result<Vec<u64>>>> {
        let found = find(folder, id, codec())?;
        let read = |value: &CheckpointValue| {
            let value = (codec().decode)(&mut value.reader()?, value.length())?;
            Ok(value.opaque_ref::<Vec<u64>>().unwrap().clone())
        };
        Some(found.values.iter().map(|(value, _)| read(value)).collect())
    }

    fn lists() -> impl Strategy<Value = Vec<Vec<u64>>> {
        prop::collection::vec(prop::collection::vec(any::<u64>(), 0..50), 1..6)
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(lists in lists()) {
            let folder = tempfile::tempdir().unwrap();
            let id = LayerId::unique();
            write(folder.path(), id, &lists);
            let read: Vec<_> = read(folder.path(), id).unwrap().into_iter().map(Result::unwrap).collect();
            prop_assert_eq!(read, lists);
        }

        /// No value of a truncated or grown file is ever read.
        #[test]
        fn a_torn_file_is_none(lists in lists(), cut in any::<prop::sample::Index>(), grow in any::<bool>()) {
            let folder = tempfile::tempdir().unwrap();
            let id = LayerId::unique();
            let path = write(folder.path(), id, &lists);
            let mut bytes = fs::read(&path).unwrap();
            let at = cut.index(bytes.len());
            if grow {
                bytes.insert(at, 0x55);
            } else {
                bytes.truncate(at);
            }
            fs::write(&path, bytes).unwrap();
            prop_assert!(read(folder.path(), id).is_none());
        }

        /// A changed bit makes either the whole file invalid, or only the value
        /// that contains it.
        #[test]
        fn a_flipped_bit_is_found(lists in lists(), at in any::<prop::sample::Index>(), bit in 0..8) {
            let folder = tempfile::tempdir().unwrap();
            let id = LayerId::unique();
            let path = write(folder.path(), id, &lists);
            let mut bytes = fs::read(&path).unwrap();
            let at = at.index(bytes.len());
            bytes[at] ^= 1u8 << bit;
            fs::write(&path, bytes).unwrap();
            if let Some(read) = read(folder.path(), id) {
                let wrong = read.iter().filter(|value| value.is_err()).count();
                prop_assert_eq!(wrong, 1);
                for (read, list) in read.into_iter().zip(&lists) {
                    if let Ok(read) = read {
                        prop_assert_eq!(&read, list);
                    }
                }
            }
        }
    }

    #[test]
    fn another_layers_file_is_none() {
        let folder = tempfile::tempdir().unwrap();
        let (one, other) = (LayerId::unique(), LayerId::unique());
        let written = write(folder.path(), one, &[vec![1]]);
        let named = paths(folder.path(), other).next().unwrap();
        fs::rename(written, named).unwrap();
        assert!(read(folder.path(), other).is_none());
    }

    #[test]
    fn a_file_that_is_not_finished_is_removed() {
        let folder = tempfile::tempdir().unwrap();
        let mut writer =
            Writer::new(folder.path(), LayerId::unique(), &Grid::single(), "list").unwrap();
        writer.add(&Value::opaque(vec![1u64])).unwrap();
        drop(writer);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}
