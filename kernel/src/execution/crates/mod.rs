//! `:dep`: the crates that a session's cells can name.
//!
//! The crates of the runtime are available from the start, and satisfy a `:dep` at once if
//! they fit it. For everything else, cargo builds a package that depends on all requested
//! crates, with this program in place of rustc ([`wrapper`]): crates that the runtime also
//! has are replaced by the runtime's copies, and all others become one shared library,
//! which cells link to. So there is one copy of each crate, of its types and of its
//! statics. A later `:dep` builds another library with the new crates, which links to the
//! earlier ones.

mod cargo;
mod held;
mod native;
mod request;
mod wrapper;

pub(crate) use wrapper::wrap_rustc;

use super::workplace::Workplace;
use crate::bundled::BUNDLED_CRATES;
use cargo::Project;
use cargo_metadata::PackageId;
use held::Catalogue;
use request::Request;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;
use wrapper::{WrapperPlan, externs, search_paths, shared_key};

/// The session's crates.
pub(super) struct Crates {
    project: Project,
    /// The folder of the runtime's crates.
    links: PathBuf,
    /// The runtime's own library.
    runtime: PathBuf,
    catalogue: LazyLock<Catalogue, Box<dyn FnOnce() -> Catalogue + Send>>,
    /// The requests, by name.
    requests: BTreeMap<String, Request>,
    /// The requested crates that code can name.
    named: BTreeMap<String, Named>,
    /// The crates below those, and whether they are the session's own copies: variables may
    /// have types of theirs.
    below: BTreeMap<String, (PathBuf, bool)>,
    /// The search paths for the dependencies of the session's own crates.
    search: Vec<String>,
    /// The libraries of the session's own crates, oldest first.
    libraries: Vec<(String, PathBuf)>,
    /// The C libraries that those are linked with.
    archives: Vec<PathBuf>,
    /// The number of the last library.
    number: u32,
    /// Whether to try builds in which a runtime crate coexists with another copy of one of
    /// its dependencies. Cleared after such a build fails.
    tries_loose: bool,
    /// `:sccache`.
    pub(super) sccache: bool,
    /// Whether rustc links with lld, which accepts several version scripts.
    has_lld: bool,
}

/// A crate that code can name.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Named {
    file: PathBuf,
    version: semver::Version,
    /// Whether it is the session's own copy.
    is_own: bool,
}

/// The outcome of a `:dep`.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Added {
    /// It was available already.
    Known,
    /// It is the runtime's own copy.
    Held { name: String, version: String },
    /// It was built.
    Built,
}

/// The rustc arguments for the crates that code names.
#[derive(Clone, Debug, Default)]
pub(super) struct Linked {
    pub(super) flags: Vec<String>,
    /// The shared libraries of the crates that `:dep` added, all in one folder, the newest
    /// first. A cell may need any of them, and must find it when it runs.
    pub(super) libraries: Vec<PathBuf>,
    /// The C libraries that those are linked with, for the symbols that they hide.
    pub(super) archives: Vec<PathBuf>,
}

impl Crates {
    /// Returns the crates of a new session. `rustc` compiles, and links with lld if
    /// `has_lld`. `links` contains the runtime's crates.
    pub(super) fn new(workplace: &Workplace, rustc: &Path, has_lld: bool, links: &Path) -> Self {
        let built = workplace.built();
        let folder = links.to_owned();
        let read = move || {
            Catalogue::read(&folder, &built, cargo::LOCK).unwrap_or_else(|error| {
                tracing::warn!("cannot read what cargo built: {error}");
                Catalogue::default()
            })
        };
        let target = cargo::host(rustc).unwrap_or_default();
        Self {
            project: Project::new(workplace.project(), rustc.to_owned(), target),
            links: links.to_owned(),
            runtime: workplace.library(),
            catalogue: LazyLock::new(Box::new(read)),
            requests: BTreeMap::new(),
            named: BTreeMap::new(),
            below: BTreeMap::new(),
            search: Vec::new(),
            libraries: Vec::new(),
            archives: Vec::new(),
            number: 0,
            tries_loose: true,
            sccache: false,
            has_lld,
        }
    }

    /// Adds the crate that a `:dep` asks for.
    ///
    /// # Errors
    /// The reason, for users, why the crate cannot be added. In this case nothing changes.
    pub(super) fn add(
        &mut self,
        argument: &str,
        tell: &dyn Fn(&str),
        is_interrupted: &dyn Fn() -> bool,
    ) -> Result<Added, String> {
        let request = Request::parse(argument)?;
        let name = request.name.clone();
        if self.requests.get(&name) == Some(&request) {
            return Ok(Added::Known);
        }
        let before = self.requests.insert(name.clone(), request);
        let added = self.take(&name, tell, is_interrupted);
        if added.is_err() {
            match before {
                Some(before) => self.requests.insert(name, before),
                None => self.requests.remove(&name),
            };
        }
        added
    }

    /// Makes a requested crate available to code.
    fn take(
        &mut self,
        name: &str,
        tell: &dyn Fn(&str),
        is_interrupted: &dyn Fn() -> bool,
    ) -> Result<Added, String> {
        // If the runtime has all of them, cargo is not needed.
        let held: Option<BTreeMap<String, Named>> = self
            .requests
            .values()
            .map(|request| self.held(request))
            .collect();
        match held {
            Some(held) => {
                self.named = held;
                self.below.clear();
                self.search.clear();
            }
            None => self.build(tell, is_interrupted)?,
        }
        Ok(match self.held(&self.requests[name]) {
            Some((library, held)) if self.named.get(&library) == Some(&held) => Added::Held {
                name: name.to_owned(),
                version: held.version.to_string(),
            },
            _ => Added::Built,
        })
    }

    /// Returns the runtime's copy and its name, if it fits the request.
    fn held(&self, request: &Request) -> Option<(String, Named)> {
        let version = request.version()?;
        let held = self
            .catalogue
            .find(request.package(), &version, &request.features())?;
        let name = match request.package() == request.name {
            true => held.name.clone(),
            false => request.library(),
        };
        let named = Named {
            file: held.file.clone(),
            version: held.version.clone(),
            is_own: false,
        };
        Some((name, named))
    }

    /// Builds all requested crates with cargo.
    fn build(
        &mut self,
        tell: &dyn Fn(&str),
        is_interrupted: &dyn Fn() -> bool,
    ) -> Result<(), String> {
        let library = format!("swath_crates_{}", self.number + 1);
        // A request for any version gets the runtime's version.
        let requests = self.requests.values().map(|request| {
            let held = self.catalogue.version(request.package());
            request.or_version(held).to_string()
        });
        self.project
            .write(&library, requests)
            .map_err(|error| format!("cannot write the crates' package: {error}"))?;
        let metadata = self.project.resolve()?;
        let units = self.project.units()?;
        let held = |id: &PackageId, features: &[String]| {
            let package = &metadata[id];
            // Only packages of the registry: another source may contain anything.
            package.source.as_ref().filter(|one| one.is_crates_io())?;
            let features = features.iter().cloned().collect();
            let held = self
                .catalogue
                .exact(&package.name, &package.version, &features)?;
            Some(held.file.clone())
        };
        let loose = cargo::shared(&units, false, held);
        let strict = cargo::shared(&units, true, held);
        let plan = |shared: &BTreeMap<&PackageId, PathBuf>| WrapperPlan {
            library: library.clone(),
            linked: std::iter::once(("swath".to_owned(), self.runtime.clone()))
                .chain(self.libraries.iter().cloned())
                .collect(),
            crates: self.links.clone(),
            shared: shared
                .iter()
                .map(|(id, file)| {
                    let package = &metadata[*id];
                    let version = package.version.to_string();
                    (shared_key(&package.name, &version), file.clone())
                })
                .collect(),
            record: self.project.file("library"),
            sccache: self.sccache,
            lld: self.has_lld,
        };
        // A runtime crate beside another copy of one of its dependencies works as long as
        // the two do not meet, which the compiler checks. It is worth a try for crates
        // whose types Swath's own functions take.
        let is_worth_it = self.tries_loose
            && loose.keys().any(|id| {
                !strict.contains_key(*id)
                    && BUNDLED_CRATES.contains(&&*metadata[*id].name.replace('-', "_"))
            });
        let tried = match is_worth_it {
            true => self.project.build(&plan(&loose), false, tell).ok(),
            false => None,
        };
        if is_interrupted() {
            return Err("the crate was not added".to_owned());
        }
        let is_strict = tried.is_none();
        let (shared, built) = match tried {
            Some(built) => (loose, built),
            None => {
                self.tries_loose &= !is_worth_it;
                let built = self.project.build(&plan(&strict), true, tell)?;
                (strict, built)
            }
        };
        for archive in native::archives(&self.project.release(is_strict)) {
            if !self.archives.contains(&archive) {
                self.archives.push(archive);
            }
        }
        // From here on the number is used.
        self.number += 1;
        let record = self.project.file("library");
        let recorded = fs::read_to_string(&record)
            .map_err(|error| format!("cannot read the record of what cargo built: {error}"))?;
        let arguments: Vec<String> = recorded.lines().map(str::to_owned).collect();
        let files: BTreeMap<String, String> = externs(&arguments).into_iter().collect();
        self.named = cargo::direct(&metadata)
            .into_iter()
            .filter_map(|(name, package)| {
                let held = shared.get(&package.id).cloned();
                let is_own = held.is_none();
                let file = held.or_else(|| files.get(&name).map(PathBuf::from))?;
                let named = Named {
                    file,
                    version: package.version.clone(),
                    is_own,
                };
                Some((name, named))
            })
            .collect();
        self.below = built
            .into_iter()
            .map(|(name, file)| (name, (file, true)))
            .collect();
        for file in shared.values() {
            let stem = file.file_stem().and_then(|stem| stem.to_str());
            let name = stem.and_then(|stem| stem.strip_prefix("lib")?.rsplit_once('-'));
            if let Some((name, _)) = name {
                self.below.insert(name.to_owned(), (file.clone(), false));
            }
        }
        self.search = search_paths(&arguments);
        let file = self.project.libraries().join(format!("lib{library}.so"));
        self.libraries.push((library, file));
        Ok(())
    }

    /// Returns the rustc arguments for the crates that `code` names, and the lines to write
    /// before the code.
    pub(super) fn linked(&self, code: &str) -> (Linked, String) {
        let words: BTreeSet<&str> = code
            .split(|c: char| !(c.is_alphanumeric() || c == '_'))
            .collect();
        let mut linked = Linked::default();
        let mut head = String::new();
        let mut names_own = false;
        // Pass all requested crates: the expansion of a macro may name any of them.
        let is_macro = |named: &Named| named.file.extension().is_some_and(|one| one == "so");
        let mut calls_macro = false;
        for (name, named) in &self.named {
            linked.flags.push(extern_flag(name, &named.file));
            if words.contains(&**name) {
                names_own |= named.is_own;
                calls_macro |= is_macro(named);
            }
        }
        names_own |= calls_macro && self.named.values().any(|named| named.is_own);
        for (name, (file, is_own)) in &self.below {
            if words.contains(&**name) && !self.named.contains_key(name) {
                linked.flags.push(extern_flag(name, file));
                names_own |= is_own;
            }
        }
        for name in BUNDLED_CRATES {
            if words.contains(name)
                && !self.below.contains_key(*name)
                && !self.named.contains_key(*name)
                && let Some(held) = self.catalogue.find(name, &semver::VersionReq::STAR, &[])
            {
                linked.flags.push(extern_flag(name, &held.file));
            }
        }
        if names_own && let Some((library, file)) = self.libraries.last() {
            linked.flags.extend(self.search.iter().cloned());
            linked.flags.push(extern_flag(library, file));
            let files = self.libraries.iter().rev().map(|(_, file)| file.clone());
            linked.libraries.extend(files);
            linked.archives.clone_from(&self.archives);
            head = format!("extern crate {library} as _;\n");
        }
        (linked, head)
    }

    /// Returns whether code can name a crate without another `:dep`.
    pub(super) fn has(&self, name: &str) -> bool {
        self.named.contains_key(name) || BUNDLED_CRATES.contains(&name)
    }

    /// Returns the version of a crate if the session has its own copy of it.
    pub(super) fn own(&self, name: &str) -> Option<&semver::Version> {
        let named = self.named.get(name)?;
        named.is_own.then_some(&named.version)
    }

    /// Returns the names of the session's own crates.
    pub(super) fn own_names(&self) -> impl Iterator<Item = &String> {
        let own = self.named.iter().filter(|(_, named)| named.is_own);
        own.map(|(name, _)| name)
    }

    /// Returns the runtime's version of a crate.
    pub(super) fn runtimes(&self, name: &str) -> Option<String> {
        let version = self
            .catalogue
            .version(name)
            .or_else(|| self.catalogue.version(&name.replace('_', "-")))?;
        Some(version.to_string())
    }

    /// Returns the requests as lines of `[dependencies]`.
    pub(super) fn requests(&self) -> Vec<String> {
        self.requests.values().map(ToString::to_string).collect()
    }

    /// Returns the request for a crate, given its name in code.
    pub(super) fn request(&self, library: &str) -> Option<String> {
        let mut requests = self.requests.values();
        let request = requests.find(|request| request.library() == library)?;
        Some(request.to_string())
    }

    /// Forgets all requests; built libraries stay.
    pub(super) fn clear(&mut self) {
        self.requests.clear();
        self.named.clear();
        self.below.clear();
        self.search.clear();
        self.tries_loose = true;
    }

    /// Sets whether cargo may not use the network.
    pub(super) fn set_offline(&mut self, offline: bool) {
        self.project.offline = offline;
    }
}

fn extern_flag(name: &str, file: &Path) -> String {
    format!("--extern={name}={}", file.display())
}
