//! Finds the positions where a file can be cut, which are those where a record begins.
//!
//! Without quotes, a record begins after every line end. With quotes, a line end may be
//! inside a field, and only the bytes from the beginning on can tell. Such a file is
//! scanned once.

use super::lex::{Format, Lines, Record, line_end};
use super::{Stamp, unterminated};
use crate::error::Result;
use memchr::{memchr, memrchr2};
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};

/// The result of scanning a file before it is read.
pub(super) struct FileScan {
    /// The position where each partition begins.
    pub(super) starts: Vec<u64>,
    /// Ranges that begin with a record, from which types are inferred.
    pub(super) samples: Vec<(u64, u64)>,
}

/// Files up to this size are scanned as a whole.
const WHOLE: u64 = 8 << 20;
const SAMPLES: u64 = 16;
const SAMPLE: u64 = 256 << 10;
const BLOCK: u64 = 4 << 20;

impl FileScan {
    /// Finds the beginnings of `parts` ranges of nearly equal size.
    pub(super) fn at(file: &Stamp, format: &Format, data: u64, parts: usize) -> Result<Self> {
        let size = file.size - data;
        let whole = size <= WHOLE;
        let spread =
            |at: u64, of: u64| data + (u128::from(size) * u128::from(at) / u128::from(of)) as u64;
        let parts = parts as u64;
        let wanted: Vec<u64> = (1..parts).map(|at| spread(at, parts)).collect();
        let mut places = wanted.clone();
        if !whole {
            places.extend((1..SAMPLES).map(|at| spread(at, SAMPLES)));
        }
        places.sort_unstable();
        places.dedup();
        let found = beginnings(file, format, data, &places)?;
        let find = |place: &u64| found[places.partition_point(|other| other < place)];

        let mut starts = vec![data];
        starts.extend(wanted.iter().map(find));
        starts.dedup();
        if starts.len() > 1 {
            starts.retain(|start| *start < file.size);
        }
        let samples = if whole {
            vec![(data, file.size)]
        } else {
            (0..SAMPLES)
                .map(|at| {
                    if at == 0 {
                        data
                    } else {
                        find(&spread(at, SAMPLES))
                    }
                })
                .map(|start| (start, file.size.min(start + SAMPLE)))
                .collect()
        };
        Ok(Self { starts, samples })
    }
}

/// Returns, for each of the sorted positions, the first record at or after it.
fn beginnings(file: &Stamp, format: &Format, data: u64, places: &[u64]) -> Result<Vec<u64>> {
    if places.is_empty() {
        return Ok(Vec::new());
    }
    let mut opened = file.open()?;
    match first_quote(file, &mut opened, format, data)? {
        None => places
            .iter()
            .map(|&place| line_behind(file, &mut opened, place))
            .collect(),
        Some(quote) => by_records(file, &mut opened, format, quote, places),
    }
}

/// Returns the beginning of the line with the first quote, if there is one.
fn first_quote(file: &Stamp, opened: &mut File, format: &Format, data: u64) -> Result<Option<u64>> {
    let Some(quote) = format.quote else {
        return Ok(None);
    };
    let (mut at, mut line) = (data, data);
    while at < file.size {
        let block = read(file, opened, at, BLOCK.min(file.size - at))?;
        let found = memchr(quote, &block);
        if let Some(end) = memrchr2(b'\n', b'\r', &block[..found.unwrap_or(block.len())]) {
            line = at + end as u64 + 1;
        }
        if found.is_some() {
            return Ok(Some(line));
        }
        at += block.len() as u64;
    }
    Ok(None)
}

/// Returns the first line that begins at or after a position.
fn line_behind(file: &Stamp, opened: &mut File, place: u64) -> Result<u64> {
    // The file begins with a line. Elsewhere a line begins if another one ends just
    // before.
    let Some(mut at) = place.checked_sub(1) else {
        return Ok(0);
    };
    let mut length = 4 << 10;
    while at < file.size {
        let block = read(file, opened, at, length.min(file.size - at))?;
        let (end, next) = line_end(&block, 0).unwrap_or((block.len(), block.len()));
        if next < block.len() || at + next as u64 == file.size {
            return Ok(at + next as u64);
        }
        // A line end in the block's last byte may be the first of two bytes.
        at += end.max(1).min(block.len()) as u64;
        length = BLOCK;
    }
    Ok(file.size)
}

/// Goes from record to record, from `from` on, where a record begins. The bytes
/// before it contain no quotes.
fn by_records(
    file: &Stamp,
    opened: &mut File,
    format: &Format,
    from: u64,
    places: &[u64],
) -> Result<Vec<u64>> {
    let mut found = Vec::with_capacity(places.len());
    for &place in places {
        if place <= from {
            found.push(line_behind(file, opened, place)?);
        }
    }
    let mut block: Vec<u8> = Vec::new();
    let mut fields = Vec::new();
    // The position of the block in the file, and of the next record in the block.
    let (mut base, mut at) = (from, 0);
    while found.len() < places.len() {
        while places
            .get(found.len())
            .is_some_and(|&place| place <= base + at as u64)
        {
            found.push(base + at as u64);
        }
        let read_to = base + block.len() as u64;
        let record = format.record(&block, at, &mut fields);
        // A record that reaches the end of the block may continue after it.
        let goes_on = record.end().is_none_or(|end| end >= block.len());
        if goes_on && read_to < file.size {
            block.drain(..at);
            (base, at) = (base + at as u64, 0);
            let more = BLOCK.max(block.len() as u64).min(file.size - read_to);
            block.extend(read(file, opened, read_to, more)?);
            continue;
        }
        match record {
            Record::Fields { end } | Record::Skipped { end } => at = end,
            Record::Unterminated { quote } => {
                let line = line_of(file, base + quote as u64)?;
                return Err(unterminated(file, format, line));
            }
            Record::End => found.resize(places.len(), file.size),
        }
    }
    Ok(found)
}

/// Reads a range of bytes.
pub(super) fn read(file: &Stamp, opened: &mut File, start: u64, length: u64) -> Result<Vec<u8>> {
    let mut bytes = vec![0; length as usize];
    opened
        .seek(SeekFrom::Start(start))
        .and_then(|_| opened.read_exact(&mut bytes))
        .map_err(|cause| file.error("read", cause))?;
    Ok(bytes)
}

/// Returns the line, counted from 1, of a position in the first bytes of a file.
pub(super) fn line_at(bytes: &[u8], place: usize) -> usize {
    let mut lines = Lines::default();
    lines.take(&bytes[..place]);
    lines.ended() + 1
}

/// Returns the line, counted from 1, of a position in a file.
pub(super) fn line_of(file: &Stamp, place: u64) -> Result<usize> {
    let mut opened = file.open()?;
    let (mut at, mut lines) = (0, Lines::default());
    while at < place {
        let block = read(file, &mut opened, at, BLOCK.min(place - at))?;
        lines.take(&block);
        at += block.len() as u64;
    }
    Ok(lines.ended() + 1)
}
