//! The members of those std types that cells use most, read from the standard
//! library's sources if they are installed.

use std::fs;
use std::sync::OnceLock;

use ra_ap_syntax::{Edition, SourceFile};

use super::members::{Reader, Types};
use super::world::std_sources;

/// The files that define these types. Numbers are missing: macros generate
/// their methods.
const FILES: &[&str] = &[
    "alloc/src/collections/btree/map.rs",
    "alloc/src/collections/btree/set.rs",
    "alloc/src/collections/vec_deque/mod.rs",
    "alloc/src/slice.rs",
    "alloc/src/str.rs",
    "alloc/src/string.rs",
    "alloc/src/vec/mod.rs",
    "core/src/iter/traits/iterator.rs",
    "core/src/option.rs",
    "core/src/result.rs",
    "core/src/slice/mod.rs",
    "core/src/str/mod.rs",
    "std/src/collections/hash/map.rs",
    "std/src/collections/hash/set.rs",
];

/// The types of std, and their `Deref` relations.
#[derive(Debug, Default)]
pub(super) struct Standard {
    pub(super) types: Types,
}

impl Standard {
    /// Returns the types. The first call reads the sources, which takes a tenth
    /// of a second.
    pub(super) fn get() -> &'static Self {
        static STANDARD: OnceLock<Standard> = OnceLock::new();
        STANDARD.get_or_init(|| {
            let mut types = Types::default();
            let Some(sources) = std_sources() else {
                return Self { types };
            };
            for file in FILES {
                let text = fs::read_to_string(sources.join(file)).unwrap_or_default();
                let parsed = SourceFile::parse(&text, Edition::Edition2024);
                types.read(&parsed.syntax_node(), Reader::Outside);
            }
            types.dereference("Vec", "[]");
            types.dereference("String", "str");
            Self { types }
        })
    }

    /// Returns the name of the std type that `path` names in a cell.
    pub(super) fn type_at<'a>(&self, path: &'a str) -> Option<&'a str> {
        let path = path.trim_start_matches("::");
        let name = match path.rsplit_once("::") {
            Some((module, name)) => {
                let root = module.split("::").next().unwrap_or(module);
                ["alloc", "core", "std"].contains(&root).then_some(name)?
            }
            None => path,
        };
        (!self.types.members(name).is_empty()).then_some(name)
    }
}

/// Returns whether a std method's return type is an iterator, given that it is
/// none of the known types: `Iter<'_, T>`, `Map<Self, F>`.
pub(super) fn is_iterator(result: &str) -> bool {
    const OTHERS: [&str; 4] = ["Cow", "Cursor", "CursorMut", "Entry"];
    let Some((name, arguments)) = result.split_once('<') else {
        return false;
    };
    let is_view = arguments.starts_with("'_") || arguments.starts_with("Self");
    (is_view || name == "IntoIter") && !OTHERS.contains(&name)
}
