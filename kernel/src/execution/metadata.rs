//! A folder in which rustc finds the runtime's crates quickly.
//!
//! cargo's folder contains every version of every crate that was ever built there,
//! thousands of files, and rustc searches all of them for each of the runtime's
//! crates. A folder with links to the needed ones makes every cell a tenth faster.
//! The runtime's metadata lists them: it contains each crate's name with the suffix
//! of its file.

use std::collections::{BTreeMap, HashSet};
use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom};
use std::os::unix::fs::symlink;
use std::path::Path;

/// The digits of a suffix: `libserde-6eb950e0c3efc665.rmeta`.
const DIGITS: usize = 16;

/// Creates the folder `links`, with links to those files in `folder` whose crates
/// `library`, an rlib, mentions.
///
/// # Errors
/// Reading or writing fails, or the library has no metadata.
pub(super) fn link_crates(library: &Path, folder: &Path, links: &Path) -> io::Result<()> {
    let metadata = metadata(&mut File::open(library)?)?;
    let suffixes = suffixes(&metadata);
    fs::create_dir(links)?;
    // For each crate, use the first of these kinds that exists: it has what a cell
    // needs. Macros are in a shared library; a shared library that a crate also
    // builds for C contains nothing for rustc.
    const KINDS: [&str; 3] = ["rmeta", "rlib", "so"];
    let mut files: BTreeMap<String, usize> = BTreeMap::new();
    for entry in fs::read_dir(folder)? {
        let name = entry?.file_name();
        let Some((stem, extension)) = name.to_str().and_then(|name| name.rsplit_once('.')) else {
            continue;
        };
        let suffix = stem.rsplit_once('-').map(|(_, suffix)| suffix);
        let kind = KINDS.iter().position(|kind| *kind == extension);
        if let Some(kind) = kind
            && suffix.is_some_and(|suffix| suffixes.contains(suffix.as_bytes()))
        {
            let known = files.entry(stem.to_owned()).or_insert(kind);
            *known = kind.min(*known);
        }
    }
    for (stem, kind) in files {
        let name = format!("{stem}.{}", KINDS[kind]);
        symlink(folder.join(&name), links.join(&name))?;
    }
    Ok(())
}

/// Reads the metadata in an rlib, which is an `ar` archive.
fn metadata(library: &mut File) -> io::Result<Vec<u8>> {
    const MAGIC: u64 = 8;
    library.seek(SeekFrom::Start(MAGIC))?;
    let mut header = [0; 60];
    loop {
        library.read_exact(&mut header)?;
        let field =
            |range: std::ops::Range<usize>| String::from_utf8_lossy(&header[range]).into_owned();
        let size: u64 = field(48..58)
            .trim()
            .parse()
            .map_err(|_| io::Error::other("not an archive"))?;
        if field(0..16).starts_with("lib.rmeta") {
            let mut metadata = Vec::new();
            library.take(size).read_to_end(&mut metadata)?;
            return Ok(metadata);
        }
        // Members begin at even offsets.
        let skipped = i64::try_from(size + size % 2).map_err(io::Error::other)?;
        library.seek(SeekFrom::Current(skipped))?;
    }
}

/// Returns everything that looks like a suffix: a dash and sixteen hexadecimal
/// digits.
fn suffixes(metadata: &[u8]) -> HashSet<&[u8]> {
    let is_digit = |byte: &u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(byte);
    metadata
        .windows(DIGITS + 1)
        .filter(|window| window[0] == b'-' && window[1..].iter().all(is_digit))
        .map(|window| &window[1..])
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn member(name: &str, content: &[u8]) -> Vec<u8> {
        let mut member = format!("{name:<48}{:<10}`\n", content.len()).into_bytes();
        member.extend_from_slice(content);
        member.resize(member.len().next_multiple_of(2), b'\n');
        member
    }

    #[test]
    fn what_the_metadata_speaks_of_is_linked() {
        let directory = tempfile::tempdir().unwrap();
        let path = |name: &str| directory.path().join(name);
        let mut archive = b"!<arch>\n".to_vec();
        archive.extend(member("/", b"odd"));
        let names =
            b"serde-0123456789abcdef\0json-3123456789abcdef\0derive-4123456789abcdef\0x-0123";
        archive.extend(member("lib.rmeta/", names));
        fs::write(path("lib.rlib"), archive).unwrap();
        fs::create_dir(path("deps")).unwrap();
        for name in [
            "libserde-0123456789abcdef.rmeta",
            "libserde-0123456789abcdef.rlib",
            "libserde-1123456789abcdef.rmeta",
            // Also built for C.
            "libjson-3123456789abcdef.rlib",
            "libjson-3123456789abcdef.so",
            "libderive-4123456789abcdef.so",
            "a.d",
        ] {
            fs::write(path("deps").join(name), "").unwrap();
        }
        link_crates(&path("lib.rlib"), &path("deps"), &path("links")).unwrap();
        let entries = fs::read_dir(path("links")).unwrap();
        let mut linked: Vec<_> = entries.map(|entry| entry.unwrap().file_name()).collect();
        linked.sort();
        assert_eq!(
            linked,
            [
                "libderive-4123456789abcdef.so",
                "libjson-3123456789abcdef.rlib",
                "libserde-0123456789abcdef.rmeta"
            ]
        );
    }

    #[test]
    fn what_is_no_archive_is_an_error() {
        let directory = tempfile::tempdir().unwrap();
        let library = directory.path().join("lib.rlib");
        for content in [&b""[..], b"!<arch>\n", &[b'x'; 100]] {
            fs::write(&library, content).unwrap();
            let links = directory.path().join("links");
            assert!(link_crates(&library, directory.path(), &links).is_err());
        }
    }
}
