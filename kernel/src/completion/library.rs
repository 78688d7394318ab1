//! The runtime's types and their members, read from its sources. They are read
//! from the installed sources, so they always match the runtime in use.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use ra_ap_syntax::ast;
use ra_ap_syntax::{AstNode as _, Edition, SourceFile};

use super::context::runtime_sources;
use super::expand::expanded;
use super::members::{Reader, Types};
use super::scope::{Kind, imported, kind_of};

/// The contents of the runtime.
#[derive(Debug, Default)]
pub(super) struct Library {
    /// The names that its prelude brings into scope, without macros.
    pub(super) prelude: BTreeSet<String>,
    pub(super) macros: BTreeSet<String>,
    pub(super) types: Types,
    /// Its modules. Any other path after `swath::` leads into another crate.
    modules: BTreeSet<String>,
}

impl Library {
    /// Returns the runtime. The first call reads its sources, which takes a
    /// tenth of a second. Without sources the result is empty.
    pub(super) fn runtime() -> &'static Self {
        static RUNTIME: OnceLock<Library> = OnceLock::new();
        RUNTIME.get_or_init(|| match runtime_sources() {
            Some(sources) => Self::read(&sources.join("src")),
            None => Self::default(),
        })
    }

    /// Returns the name of the runtime's type that `path` names in a cell.
    pub(super) fn type_at<'a>(&self, path: &'a str) -> Option<&'a str> {
        let parts: Vec<&str> = path.trim_start_matches("::").split("::").collect();
        match &parts[..] {
            [name] => self.prelude.contains(*name).then_some(*name),
            ["swath", name] => Some(*name),
            ["swath", module, .., name] => self.modules.contains(*module).then_some(*name),
            _ => None,
        }
        .filter(|name| self.types.has(name))
    }

    fn read(folder: &Path) -> Self {
        let mut library = Self::default();
        let text = |name: &str| fs::read_to_string(folder.join(name)).unwrap_or_default();
        library.read_prelude(&text("prelude.rs"));
        // The prelude re-exports this module.
        if let Some((_, collections)) = text("lib.rs").split_once("pub mod collections {") {
            library.read_prelude(collections.split("\n}").next().unwrap_or_default());
        }
        let mut waiting = vec![folder.to_owned()];
        while let Some(path) = waiting.pop() {
            let name = path.file_stem().unwrap_or_default().to_string_lossy();
            if path.parent() == Some(folder) {
                library.modules.insert(name.clone().into_owned());
            }
            // Cells cannot call tests.
            if name == "tests" {
                continue;
            }
            if path.is_dir() {
                let mut entries: Vec<PathBuf> = fs::read_dir(&path)
                    .into_iter()
                    .flatten()
                    .filter_map(|entry| Some(entry.ok()?.path()))
                    .collect();
                entries.sort();
                waiting.extend(entries);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                library.read_file(&fs::read_to_string(&path).unwrap_or_default());
            }
        }
        let Self { prelude, types, .. } = &mut library;
        types.keep_traits(|name| prelude.contains(name));
        library
    }

    fn read_prelude(&mut self, text: &str) {
        let root = SourceFile::parse(text, Edition::Edition2024).syntax_node();
        for tree in root.descendants().filter_map(ast::UseTree::cast) {
            let Some(name) = imported(&tree) else {
                continue;
            };
            let trees = tree.syntax().ancestors().filter_map(ast::UseTree::cast);
            let paths = trees.filter_map(|tree| Some(tree.path()?.syntax().text().to_string()));
            let depth: usize = paths.map(|path| path.split("::").count()).sum();
            // A lower-case name at a crate's root is a macro:
            // `serde_json::json`.
            match depth == 2 && kind_of(&name) == Kind::Function {
                true => self.macros.insert(name),
                false => self.prelude.insert(name),
            };
        }
    }

    fn read_file(&mut self, text: &str) {
        // Most of the text is private or belongs to tests.
        let text = text
            .split("#[cfg(test)]\nmod tests {")
            .next()
            .unwrap_or(text);
        if !text.contains("pub fn") && !text.contains("pub trait") && !text.contains("impl") {
            return;
        }
        let parsed = match text.contains("macro_rules!") {
            true => SourceFile::parse(&expanded(text), Edition::Edition2024),
            false => SourceFile::parse(text, Edition::Edition2024),
        };
        self.types.read(&parsed.syntax_node(), Reader::Outside);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Checks that the prelude's `type_name` has all of these members.
    fn check(type_name: &str, names: &str) {
        let library = Library::runtime();
        let name = library.type_at(type_name).unwrap();
        let members = library.types.members(name);
        for expect in names.split(' ') {
            let found = members.iter().filter(|member| member.name == expect);
            assert_eq!(found.count(), 1, "{expect} of {type_name}");
        }
    }

    #[test]
    fn methods_of_the_collections() {
        check(
            "Array",
            "ones mean mean_axis compute persist visualize clone sqrt is_nan gt dot",
        );
        check("swath::array::Scalar", "compute sqrt into_array");
        check("swath::prelude::Array", "any");
        check("DataFrame", "from_polars filter group_by compute join");
        check("Series", "mean unique value_counts compute");
        check("Delayed", "map compute");
        check("Function", "call named");
        check("TaskGraph", "insert get output");
        check("Client", "submit gather");
        check("JoinType", "Inner Left");
    }

    #[test]
    fn what_is_not_for_cells() {
        let library = Library::runtime();
        for (type_name, absent) in [
            ("Array", "from_raw"),
            ("Array", "fmt"),
            ("DataFrame", "engine"),
        ] {
            let members = library.types.members(type_name);
            assert!(
                members.iter().all(|member| member.name != absent),
                "{absent}"
            );
        }
        assert_eq!(library.type_at("swath::polars::frame::DataFrame"), None);
        assert_eq!(library.type_at("std::vec::Vec"), None);
        assert_eq!(library.type_at("GroupedFrame"), None);
    }
}
