//! The history: a file with one JSON object per line, to which every session
//! appends.
//!
//! The file is opened when it is first needed. Lines that do not parse are
//! skipped: several kernels append to the file, and one may be killed while it
//! writes.

use std::collections::HashSet;
use std::fs::{self, File, OpenOptions};
use std::io::{Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use swath_wire::HistoryAccess;

/// If the file is larger than this, in bytes, it is cut …
const MAX_NBYTES: u64 = 4 << 20;
/// … to this many of its last entries.
const KEPT_ENTRIES: usize = 2_000;

/// An executed cell.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Entry {
    /// The session's number, from 1.
    session: u64,
    /// The cell's number; 0 marks the beginning of a session.
    line: u32,
    /// Its source text.
    input: String,
    /// Its result's plain text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    output: Option<String>,
}

impl Entry {
    /// Returns the entry in the form of history_reply.
    pub(crate) fn to_json(&self, output: bool) -> Value {
        if output {
            json!([self.session, self.line, [self.input, self.output]])
        } else {
            json!([self.session, self.line, self.input])
        }
    }
}

/// The history of this session and of those before it.
pub(crate) struct Record {
    /// The file; `None` keeps the history only in memory.
    path: Option<PathBuf>,
    opened: Option<Opened>,
}

struct Opened {
    /// The file to append to.
    file: Option<File>,
    /// This session's number.
    session: u64,
    /// Oldest first.
    entries: Vec<Entry>,
}

impl Record {
    /// Returns the history in the file `path`. Without a path it lasts as long
    /// as the session.
    pub(crate) fn new(path: Option<PathBuf>) -> Self {
        Self { path, opened: None }
    }

    /// Returns the path of the user's history file.
    pub(crate) fn default_path() -> Option<PathBuf> {
        let data = std::env::var_os("XDG_DATA_HOME")
            .map(PathBuf::from)
            .filter(|path| path.is_absolute())
            .or_else(|| Some(std::env::home_dir()?.join(".local/share")))?;
        Some(data.join("swath").join("history.jsonl"))
    }

    /// Adds a cell.
    pub(crate) fn append(&mut self, line: u32, input: String, output: Option<String>) {
        let opened = self.open();
        let entry = Entry {
            session: opened.session,
            line,
            input,
            output,
        };
        opened.write(&entry);
        opened.entries.push(entry);
    }

    /// Returns the cells that `access` selects, oldest first.
    pub(crate) fn find(&mut self, access: &HistoryAccess) -> Vec<Entry> {
        let opened = self.open();
        let current = opened.session;
        let entries = opened.entries.iter();
        match access {
            HistoryAccess::Tail { n } => last(entries.cloned().collect(), *n),
            HistoryAccess::Range {
                session,
                start,
                stop,
            } => {
                let session = if *session > 0 {
                    *session
                } else {
                    i64::try_from(current).unwrap_or(i64::MAX) + session
                };
                entries
                    .filter(|entry| {
                        i64::try_from(entry.session) == Ok(session)
                            && i64::from(entry.line) >= *start
                            && stop.is_none_or(|stop| i64::from(entry.line) < stop)
                    })
                    .cloned()
                    .collect()
            }
            HistoryAccess::Search { pattern, n, unique } => {
                let pattern: Vec<char> = pattern.chars().collect();
                let mut found: Vec<Entry> = entries
                    .filter(|entry| {
                        matches_glob(&entry.input.chars().collect::<Vec<_>>(), &pattern)
                    })
                    .cloned()
                    .collect();
                if *unique {
                    // Of equal ones, keep the latest.
                    let mut seen = HashSet::new();
                    found.reverse();
                    found.retain(|entry| seen.insert(entry.input.clone()));
                    found.reverse();
                }
                match n {
                    Some(n) => last(found, *n),
                    None => found,
                }
            }
        }
    }

    fn open(&mut self) -> &mut Opened {
        let path = self.path.clone();
        self.opened.get_or_insert_with(|| {
            let opened = path.map(|path| {
                Opened::at(&path).inspect_err(|error| {
                    tracing::warn!(path = %path.display(), %error, "cannot keep the history");
                })
            });
            match opened {
                Some(Ok(opened)) => opened,
                _ => Opened {
                    file: None,
                    session: 1,
                    entries: Vec::new(),
                },
            }
        })
    }
}

impl Opened {
    /// Reads the file and takes the next session number. The file is locked
    /// meanwhile, so that no other kernel gets the same number.
    fn at(path: &Path) -> std::io::Result<Self> {
        if let Some(directory) = path.parent() {
            fs::create_dir_all(directory)?;
        }
        let mut file = OpenOptions::new()
            .read(true)
            .append(true)
            .create(true)
            .mode(0o600)
            .open(path)?;
        file.lock()?;
        let mut text = Vec::new();
        file.read_to_end(&mut text)?;
        let mut entries: Vec<Entry> = text
            .split(|&byte| byte == b'\n')
            .filter_map(|line| serde_json::from_slice(line).ok())
            .collect();
        let session = entries.iter().map(|entry| entry.session).max().unwrap_or(0) + 1;
        if text.len() as u64 > MAX_NBYTES {
            entries = last(entries, KEPT_ENTRIES);
            // Write in place: other kernels append to the same file.
            file.set_len(0)?;
            let mut kept = Vec::new();
            for entry in &entries {
                serde_json::to_writer(&mut kept, entry)?;
                kept.push(b'\n');
            }
            file.write_all(&kept)?;
        }
        entries.retain(|entry| entry.line > 0);
        if text.last().is_some_and(|&byte| byte != b'\n') {
            // A kernel was killed while it wrote.
            file.write_all(b"\n")?;
        }
        let mut opened = Self {
            file: Some(file),
            session,
            entries,
        };
        opened.write(&Entry {
            session,
            line: 0,
            input: String::new(),
            output: None,
        });
        if let Some(file) = &opened.file {
            file.unlock()?;
        }
        Ok(opened)
    }

    fn write(&mut self, entry: &Entry) {
        let Some(file) = &mut self.file else {
            return;
        };
        let written = serde_json::to_vec(entry)
            .map_err(std::io::Error::from)
            .and_then(|mut line| {
                line.push(b'\n');
                // A single write, so that lines of several kernels do not mix.
                file.write_all(&line)
            });
        if let Err(error) = written {
            tracing::warn!(%error, "cannot keep the history");
            self.file = None;
        }
    }
}

fn last(mut entries: Vec<Entry>, n: usize) -> Vec<Entry> {
    entries.split_off(entries.len().saturating_sub(n))
}

/// Returns whether all of `text` matches `pattern`, in which `*` stands for any
/// text and `?` for any character.
fn matches_glob(text: &[char], pattern: &[char]) -> bool {
    // Where to continue after a mismatch: the last `*`, and the end of its
    // match.
    let mut retry = None;
    let (mut at, mut expected) = (0, 0);
    while at < text.len() {
        match pattern.get(expected) {
            Some('*') => {
                retry = Some((expected, at));
                expected += 1;
            }
            Some(&wanted) if wanted == '?' || wanted == text[at] => {
                at += 1;
                expected += 1;
            }
            _ => {
                let Some((star, eaten)) = &mut retry else {
                    return false;
                };
                *eaten += 1;
                at = *eaten;
                expected = *star + 1;
            }
        }
    }
    pattern[expected..].iter().all(|&rest| rest == '*')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn inputs(entries: &[Entry]) -> Vec<&str> {
        entries.iter().map(|entry| &entry.input[..]).collect()
    }

    fn range(session: i64, start: i64, stop: Option<i64>) -> HistoryAccess {
        HistoryAccess::Range {
            session,
            start,
            stop,
        }
    }

    fn search(pattern: &str, n: Option<usize>, unique: bool) -> HistoryAccess {
        HistoryAccess::Search {
            pattern: pattern.to_owned(),
            n,
            unique,
        }
    }

    #[test]
    fn a_later_session_sees_the_earlier_one() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("deep").join("history.jsonl");
        let mut first = Record::new(Some(path.clone()));
        first.append(1, "let a = 1;".to_owned(), None);
        first.append(2, "a".to_owned(), Some("1".to_owned()));
        let mut second = Record::new(Some(path.clone()));
        second.append(1, "b".to_owned(), None);
        OpenOptions::new()
            .append(true)
            .open(&path)
            .unwrap()
            .write_all(b"{\"cut sho")
            .unwrap();

        let mut third = Record::new(Some(path));
        assert_eq!(
            inputs(&third.find(&HistoryAccess::Tail { n: 2 })),
            ["a", "b"]
        );
        assert_eq!(
            inputs(&third.find(&range(-2, 1, None))),
            ["let a = 1;", "a"]
        );
        assert_eq!(inputs(&third.find(&range(1, 2, Some(3)))), ["a"]);
        assert_eq!(inputs(&third.find(&range(0, 1, None))), [""; 0]);
        let entry = &third.find(&range(1, 2, None))[0];
        assert_eq!(entry.to_json(false), json!([1, 2, "a"]));
        assert_eq!(entry.to_json(true), json!([1, 2, ["a", "1"]]));
    }

    #[test]
    fn search_by_pattern() {
        let mut record = Record::new(None);
        for (line, input) in ["x + 1", "y", "x + 2", "x + 1"].into_iter().enumerate() {
            record.append(line as u32 + 1, input.to_owned(), None);
        }
        assert_eq!(
            inputs(&record.find(&search("x*", None, false))),
            ["x + 1", "x + 2", "x + 1"]
        );
        assert_eq!(
            inputs(&record.find(&search("x + ?", None, true))),
            ["x + 2", "x + 1"]
        );
        assert_eq!(
            inputs(&record.find(&search("*", Some(1), false))),
            ["x + 1"]
        );
        assert_eq!(inputs(&record.find(&search("z", None, false))), [""; 0]);
    }

    #[test]
    fn the_file_does_not_grow_for_ever() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("history.jsonl");
        let mut first = Record::new(Some(path.clone()));
        for line in 1..=3_000 {
            first.append(line, "x".repeat(2_000), None);
        }
        assert!(fs::metadata(&path).unwrap().len() > MAX_NBYTES);
        let mut second = Record::new(Some(path.clone()));
        second.find(&HistoryAccess::Tail { n: 1 });
        assert!(fs::metadata(&path).unwrap().len() <= MAX_NBYTES + 100_000);
    }
}
