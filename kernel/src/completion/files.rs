//! Names of files and folders inside string literals.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use super::literal::Literal;
use super::protocol::{Completions, Match};

/// At most this many names are offered.
const OFFERED: usize = 500;
/// At most this many entries of a folder are read.
const LOOKED_AT: usize = 200_000;

/// Returns the files and folders whose paths begin with the typed text.
/// Relative paths begin at `folder`. Reads the file system, which may be slow.
pub(super) fn complete(folder: &Path, code: &str, literal: &Literal) -> Completions {
    let typed = literal.value();
    let (name, mut start) = literal.last_part(b'/');
    let parent = &typed[..typed.len() - name.len()];
    // Only a shell expands `~`, so the completion contains the full path.
    let home = match parent.starts_with(b"~/") {
        true => std::env::home_dir(),
        false => None,
    };
    let (place, written) = match home {
        Some(home) => {
            start = literal.written_at(0);
            let place = home.join(OsStr::from_bytes(&parent[2..]));
            let written = format!("{}/", place.display().to_string().trim_end_matches('/'));
            (place, written)
        }
        None => (folder.join(OsStr::from_bytes(parent)), String::new()),
    };
    let range = literal.replaced(code, start, &['.', '-']);
    Completions {
        start: range.start,
        end: range.end,
        matches: names(&place, &name)
            .into_iter()
            .filter_map(|(name, is_folder)| {
                let slash = if is_folder { "/" } else { "" };
                Some(Match {
                    text: literal.write(&format!("{written}{name}{slash}"))?,
                    kind: if is_folder { "folder" } else { "file" }.to_owned(),
                    signature: String::new(),
                })
            })
            .collect(),
    }
}

/// Returns the sorted names in a folder that begin with `typed`, and whether
/// each is a folder. Hidden files are included only if `typed` starts with a
/// dot.
fn names(place: &PathBuf, typed: &[u8]) -> Vec<(String, bool)> {
    let Ok(entries) = fs::read_dir(place) else {
        return Vec::new();
    };
    let mut found: Vec<(String, fs::DirEntry)> = entries
        .take(LOOKED_AT)
        .filter_map(|entry| {
            let entry = entry.ok()?;
            // A name that is not UTF-8 cannot be written in a literal.
            let name = entry.file_name().into_string().ok()?;
            let is_hidden = name.starts_with('.') && !typed.starts_with(b".");
            (!is_hidden && name.as_bytes().starts_with(typed)).then_some((name, entry))
        })
        .collect();
    found.sort_by(|(a, _), (b, _)| a.cmp(b));
    found.truncate(OFFERED);
    found
        .into_iter()
        .map(|(name, entry)| {
            let is_folder = match entry.file_type() {
                // Links are followed only for the names that are offered.
                Ok(kind) if kind.is_symlink() => place.join(&name).is_dir(),
                Ok(kind) => kind.is_dir(),
                Err(_) => false,
            };
            (name, is_folder)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(names: &[&str]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for name in names {
            let path = folder.path().join(name.trim_end_matches('/'));
            if name.ends_with('/') {
                fs::create_dir_all(path).unwrap();
            } else {
                fs::create_dir_all(path.parent().unwrap()).unwrap();
                fs::write(path, "").unwrap();
            }
        }
        folder
    }

    #[test]
    fn files_and_folders() {
        let folder = folder(&[
            "data/ratings.csv",
            "data/.cache",
            "data/größe.csv",
            "data/with space.csv",
            "data/a \"quoted\" \\ name",
            "data/nested/deep.txt",
            "dates.csv",
            ".hidden/x",
        ]);
        std::os::unix::fs::symlink("data", folder.path().join("link")).unwrap();
        let root = folder.path().display();
        let check = |marked: &str, expect: &[&str]| {
            let marked = marked.replace("ROOT", &root.to_string());
            let cursor = marked.find('|').unwrap();
            let code = marked.replacen('|', "", 1);
            let literal = Literal::at(&code, cursor).unwrap();
            let found = complete(folder.path(), &code, &literal);
            let whole: Vec<String> = found
                .matches
                .iter()
                .map(|one| format!("{}{}{}", &code[..found.start], one.text, &code[found.end..]))
                .collect();
            assert_eq!(whole, expect, "{marked}");
        };
        check(r#"f("da|")"#, &[r#"f("data/")"#, r#"f("dates.csv")"#]);
        check(
            r#"f("da|tes.csv")"#,
            &[r#"f("data/")"#, r#"f("dates.csv")"#],
        );
        check("\"data/r|", &["\"data/ratings.csv"]);
        check("\"./data/r|", &["\"./data/ratings.csv"]);
        check("\"link/gr|", &["\"link/größe.csv"]);
        check("\"lin|", &["\"link/"]);
        check("b\"data/gr|", &["b\"data/gr\\xc3\\xb6\\xc3\\x9fe.csv"]);
        check("\"data/w|", &["\"data/with space.csv"]);
        check("\"data/a|", &[r#""data/a \"quoted\" \\ name"#]);
        check(r#""data/a \"q|"#, &[r#""data/a \"quoted\" \\ name"#]);
        check("r\"data/a|", &[]);
        check("r#\"data/a|", &["r#\"data/a \"quoted\" \\ name"]);
        check("\".h|", &["\".hidden/"]);
        check("\"data/.|", &["\"data/.cache"]);
        check(
            "\"data/../dat|",
            &["\"data/../data/", "\"data/../dates.csv"],
        );
        check("\"nowhere/|", &[]);
        check("\"nothing|", &[]);
        check("\"dates.csv/|", &[]);
        let absolute = format!("\"{root}/data/ratings.csv");
        check("\"ROOT/data/r|", &[&absolute]);
    }

    #[test]
    fn large_folders() {
        let names: Vec<String> = (0..3000).map(|at| format!("part-{at:05}")).collect();
        let folder = folder(&names.iter().map(String::as_str).collect::<Vec<_>>());
        let found = |code: &str| {
            let literal = Literal::at(code, code.len()).unwrap();
            complete(folder.path(), code, &literal).matches
        };
        let all = found("\"pa");
        assert_eq!((all.len(), &*all[0].text), (OFFERED, "part-00000"));
        assert_eq!(found("\"part-0299").len(), 10);
    }
}
