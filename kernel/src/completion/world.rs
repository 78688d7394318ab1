//! The crates loaded into rust-analyzer: std, the runtime, the crates that
//! cells added, and the cell.
//!
//! Everything but the cell is declared a library, which never changes. So the
//! cost of a request depends on the cell only, not on the sixty crates below
//! it.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use ra_ap_hir::{CfgOptions, ChangeWithProcMacros, Symbol, TraitImpls, crate_def_map};
use ra_ap_ide::{
    Analysis, AnalysisHost, CrateGraphBuilder, Edition, FileId, RootDatabase, SourceRoot,
};
use ra_ap_ide_db::base_db::target::{Arch, TargetData, TargetLoadResult};
use ra_ap_ide_db::base_db::{
    AbsPathBuf, CrateBuilderId, CrateDisplayName, CrateName, CrateOrigin, CrateWorkspaceData,
    DependencyBuilder, Env, FileSet, LangCrateOrigin, Version, VfsPath, all_crates,
};
use serde::Deserialize;
use triomphe::Arc;

use super::crates::Libraries;

/// The crates of std, and their dependencies.
const STD: [(&str, LangCrateOrigin, &[&str]); 3] = [
    ("core", LangCrateOrigin::Core, &[]),
    ("alloc", LangCrateOrigin::Alloc, &["core"]),
    ("std", LangCrateOrigin::Std, &["core", "alloc"]),
];

/// Folders beside them that contain some of their modules. `stdarch` is left
/// out: it holds the processors' instructions, 100 MB.
const STD_MODULES: [&str; 2] = ["portable-simd/crates/core_simd", "backtrace"];

/// For how many crates syntax trees are kept at once.
const AT_A_TIME: usize = 8;

/// The compiler's description of itself.
pub(super) struct Toolchain {
    /// The folder of std's sources, if they are installed.
    library: Option<PathBuf>,
    cfg: CfgOptions,
    data: Arc<CrateWorkspaceData>,
}

/// The cell's crate and everything below it.
pub(super) struct World {
    host: AnalysisHost,
    toolchain: Toolchain,
    /// The files that were read; each is read once.
    files: BTreeMap<PathBuf, FileId>,
    /// The root of the cell, then one root per library.
    roots: Vec<SourceRoot>,
    /// How many crates [`World::load_some`] has loaded.
    loaded: usize,
}

/// The cell's file.
pub(super) const CELL: FileId = FileId::from_raw(0);

impl Toolchain {
    /// Returns a toolchain without std.
    #[cfg(test)]
    pub(super) fn bare() -> Self {
        Self {
            library: None,
            cfg: CfgOptions::default(),
            data: Arc::new(CrateWorkspaceData {
                target: Err("none".into()),
                toolchain: Some(Version::new(1, 95, 0)),
            }),
        }
    }

    /// Queries rustc.
    pub(super) fn find() -> io::Result<Self> {
        let mut cfg = CfgOptions::default();
        for line in rustc(&["--print", "cfg"])?.lines() {
            match line.split_once('=') {
                None => cfg.insert_atom(Symbol::intern(line)),
                Some((key, value)) => {
                    let value = value.trim_matches('"');
                    cfg.insert_key_value(Symbol::intern(key), Symbol::intern(value));
                }
            }
        }
        // Without the version, unstable items would be offered.
        let version = rustc(&["-vV"])?
            .lines()
            .find_map(|line| Version::parse(line.strip_prefix("release: ")?).ok());
        Ok(Self {
            library: std_sources(),
            cfg,
            data: Arc::new(CrateWorkspaceData {
                target: target(),
                toolchain: version,
            }),
        })
    }
}

/// Returns the folder of std's sources, if they are installed.
pub(super) fn std_sources() -> Option<PathBuf> {
    let sysroot = rustc(&["--print", "sysroot"]).ok()?;
    let library = Path::new(sysroot.trim()).join("lib/rustlib/src/rust/library");
    library.is_dir().then_some(library)
}

/// Returns the target's data layout, where the compiler reports it.
fn target() -> TargetLoadResult {
    #[derive(Deserialize)]
    #[serde(rename_all = "kebab-case")]
    struct Target {
        data_layout: String,
    }
    let specification = rustc(&["-Zunstable-options", "--print", "target-spec-json"])
        .map_err(|error| error.to_string())?;
    let target: Target = serde_json::from_str(&specification).map_err(|error| error.to_string())?;
    Ok(TargetData {
        data_layout: target.data_layout.into(),
        arch: Arch::Other,
    })
}

fn rustc(arguments: &[&str]) -> io::Result<String> {
    let output = Command::new("rustc")
        .args(arguments)
        // Without this, only nightly compilers print the target's layout.
        .env("RUSTC_BOOTSTRAP", "1")
        .output()?;
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

impl World {
    /// Returns a world in which a cell can name std and `libraries`.
    pub(super) fn new(toolchain: Toolchain, libraries: &Libraries) -> Self {
        let mut cell = FileSet::default();
        cell.insert(CELL, VfsPath::new_virtual_path("/cell.rs".to_owned()));
        let mut world = Self {
            host: AnalysisHost::default(),
            toolchain,
            files: BTreeMap::new(),
            roots: vec![SourceRoot::new_local(cell)],
            loaded: 0,
        };
        world.set_libraries(libraries);
        world
    }

    /// Sets the crates that a cell can name. Files that were read already are
    /// kept.
    pub(super) fn set_libraries(&mut self, libraries: &Libraries) {
        let mut change = ChangeWithProcMacros::default();
        let mut graph = CrateGraphBuilder::default();
        let std = self.add_std(&mut graph, &mut change);
        let all: Vec<Option<CrateBuilderId>> = libraries
            .all
            .iter()
            .map(|library| {
                let folder = library.root.parent()?;
                self.load(&[folder.to_owned()], &mut change);
                let mut cfg = self.toolchain.cfg.clone();
                for feature in &library.features {
                    cfg.insert_key_value(Symbol::intern("feature"), Symbol::intern(feature));
                }
                let name = CrateDisplayName::from_canonical_name(&library.name);
                let mut env = Env::default();
                env.set("CARGO_PKG_VERSION", &library.version[..]);
                let id = graph.add_crate_root(
                    *self.files.get(&library.root)?,
                    edition(&library.edition),
                    Some(name),
                    Some(library.version.clone()),
                    cfg,
                    None,
                    env,
                    CrateOrigin::Library {
                        repo: None,
                        name: Symbol::intern(&library.name),
                    },
                    Vec::new(),
                    false,
                    absolute(folder)?,
                    self.toolchain.data.clone(),
                );
                Some(id)
            })
            .collect();
        for (id, library) in all.iter().zip(&libraries.all) {
            let Some(id) = *id else { continue };
            add_std_dependencies(&mut graph, id, &std);
            for (name, at) in &library.dependencies {
                if let Some(dependency) = all[*at] {
                    add_dependency(&mut graph, id, name, dependency);
                }
            }
        }
        let name = CrateDisplayName::from_canonical_name("cell");
        let cell = graph.add_crate_root(
            CELL,
            Edition::Edition2024,
            Some(name),
            None,
            self.toolchain.cfg.clone(),
            None,
            Env::default(),
            CrateOrigin::Local {
                repo: None,
                name: None,
            },
            Vec::new(),
            false,
            Arc::new(AbsPathBuf::assert("/".into())),
            self.toolchain.data.clone(),
        );
        add_std_dependencies(&mut graph, cell, &std);
        for (name, at) in &libraries.named {
            if let Some(dependency) = all[*at] {
                add_dependency(&mut graph, cell, name, dependency);
            }
        }
        change.change_file(CELL, Some(String::new()));
        change.set_roots(self.roots.clone());
        change.set_crate_graph(graph);
        self.host.apply_change(change);
    }

    /// Sets the text of the cell.
    pub(super) fn set_cell(&mut self, text: String) {
        let mut change = ChangeWithProcMacros::default();
        change.change_file(CELL, Some(text));
        self.host.apply_change(change);
    }

    /// Analyzes the next crate; returns false if all are done.
    ///
    /// Syntax trees are dropped only when the text changes, so this changes the
    /// text every few crates. All trees at once were 690 MB; this halves it.
    pub(super) fn load_some(&mut self) -> bool {
        let database = self.host.raw_database();
        let Some(next) = all_crates(database).get(self.loaded).copied() else {
            return false;
        };
        // Count the crate first, so that it is not tried again if it fails.
        self.loaded += 1;
        ra_ap_hir::attach_db(database, || {
            crate_def_map(database, next);
            TraitImpls::for_crate(database, next);
        });
        if self.loaded.is_multiple_of(AT_A_TIME) {
            self.set_cell(format!("// {}", self.loaded));
        }
        true
    }

    /// Returns a snapshot to query.
    pub(super) fn analysis(&self) -> Analysis {
        self.host.analysis()
    }

    /// Returns the database, for queries that [`World::analysis`] does not
    /// offer.
    pub(super) fn database(&self) -> &RootDatabase {
        self.host.raw_database()
    }

    fn add_std(
        &mut self,
        graph: &mut CrateGraphBuilder,
        change: &mut ChangeWithProcMacros,
    ) -> Vec<(&'static str, CrateBuilderId)> {
        let Some(sources) = self.toolchain.library.clone() else {
            return Vec::new();
        };
        let crates = STD.iter().map(|(name, ..)| sources.join(name).join("src"));
        let modules = STD_MODULES.iter().map(|name| sources.join(name));
        self.load(&crates.chain(modules).collect::<Vec<_>>(), change);
        let mut cfg = self.toolchain.cfg.clone();
        cfg.insert_atom(Symbol::intern("debug_assertions"));
        // Without `miri`, much of std is system calls in detail.
        cfg.insert_atom(Symbol::intern("miri"));
        let mut std: Vec<(&str, CrateBuilderId)> = Vec::new();
        for (name, origin, dependencies) in STD {
            let root = sources.join(name).join("src/lib.rs");
            let (Some(file), Some(folder)) = (self.files.get(&root), absolute(&root)) else {
                continue;
            };
            let id = graph.add_crate_root(
                *file,
                Edition::Edition2024,
                Some(CrateDisplayName::from_canonical_name(name)),
                None,
                cfg.clone(),
                None,
                Env::default(),
                CrateOrigin::Lang(origin),
                Vec::new(),
                false,
                folder,
                self.toolchain.data.clone(),
            );
            for (dependency, at) in &std {
                if dependencies.contains(dependency) {
                    add_dependency(graph, id, dependency, *at);
                }
            }
            std.push((name, id));
        }
        std
    }

    /// Reads the sources in `folders` as one root, unless they were read
    /// already.
    fn load(&mut self, folders: &[PathBuf], change: &mut ChangeWithProcMacros) {
        let mut root = FileSet::default();
        let mut waiting = folders.to_vec();
        while let Some(path) = waiting.pop() {
            if path.is_dir() {
                let entries = fs::read_dir(&path).into_iter().flatten();
                waiting.extend(entries.filter_map(Result::ok).map(|entry| entry.path()));
            } else if path.extension() == Some(OsStr::new("rs")) && !self.files.contains_key(&path)
            {
                let (Ok(text), Some(name)) = (fs::read_to_string(&path), absolute(&path)) else {
                    continue;
                };
                let id = FileId::from_raw(self.files.len() as u32 + 1);
                change.change_file(id, Some(text));
                root.insert(id, VfsPath::from((*name).clone()));
                self.files.insert(path, id);
            }
        }
        if root.len() > 0 {
            self.roots.push(SourceRoot::new_library(root));
        }
    }
}

fn add_std_dependencies(
    graph: &mut CrateGraphBuilder,
    id: CrateBuilderId,
    std: &[(&str, CrateBuilderId)],
) {
    for (name, at) in std {
        let Ok(crate_name) = CrateName::new(name) else {
            continue;
        };
        // `alloc` is available only after `extern crate alloc`.
        let prelude = *name != "alloc";
        let dependency = DependencyBuilder::with_prelude(crate_name, *at, prelude, true);
        if let Err(error) = graph.add_dep(id, dependency) {
            tracing::debug!(%error, "a dependency is left out");
        }
    }
}

fn add_dependency(
    graph: &mut CrateGraphBuilder,
    id: CrateBuilderId,
    name: &str,
    dependency: CrateBuilderId,
) {
    let name = CrateName::normalize_dashes(name);
    if let Err(error) = graph.add_dep(id, DependencyBuilder::new(name, dependency)) {
        tracing::debug!(%error, "a dependency is left out");
    }
}

fn absolute(path: &Path) -> Option<Arc<AbsPathBuf>> {
    AbsPathBuf::try_from(path.to_str()?).ok().map(Arc::new)
}

fn edition(name: &str) -> Edition {
    name.parse().unwrap_or(Edition::CURRENT)
}
