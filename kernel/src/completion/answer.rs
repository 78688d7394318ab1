//! Puts questions to rust-analyzer and converts its answers.

use std::collections::BTreeSet;

use ra_ap_hir::PrefixKind;
use ra_ap_ide::{
    CompletionConfig, CompletionFieldsToResolve, CompletionItem, CompletionItemKind, FilePosition,
    FileRange, HoverConfig, HoverDocFormat, RaFixtureConfig, SubstTyLen, SymbolKind, TextRange,
    TextSize,
};
use ra_ap_ide_db::imports::insert_use::{ImportGranularity, InsertUseConfig};

use super::context::{Context, is_internal};
use super::protocol::{Answer, Ask, Completions, Inspection, Match, Question};
use super::world::{CELL, World};
use super::{markdown, modules};
use crate::view::SessionView;

/// Answers `ask`, with `view` in place of the question's own view. The answer is empty
/// where rust-analyzer knows nothing.
pub(super) fn answer(world: &mut World, view: &SessionView, ask: &Ask) -> Answer {
    match ask.question {
        Question::Complete => Answer::Completions(complete(world, view, ask)),
        Question::Inspect => Answer::Inspection(inspect(world, view, ask)),
    }
}

fn complete(world: &mut World, view: &SessionView, ask: &Ask) -> Completions {
    let context = Context::new(view, &ask.code);
    world.set_cell(context.text);
    if let Some(found) = modules::complete(world, context.before, &ask.code, ask.position) {
        return found;
    }
    let position = FilePosition {
        file_id: CELL,
        offset: size(context.before + ask.position),
    };
    let found = world
        .analysis()
        .completions(&completion_config(), position, None)
        .ok()
        .flatten()
        .unwrap_or_default();
    let mut completions = Completions {
        start: ask.position,
        end: ask.position,
        matches: Vec::new(),
    };
    let mut matches: Vec<(Rank, Match)> = Vec::new();
    for item in &found {
        // Skip completions that would replace part of the context instead of the user's
        // code.
        let range = item.source_range;
        let (Some(start), Some(end)) = (
            usize::from(range.start()).checked_sub(context.before),
            usize::from(range.end()).checked_sub(context.before),
        ) else {
            continue;
        };
        let Some(typed) = ask.code.get(start..ask.position) else {
            continue;
        };
        let Some(text) = inserted(item) else { continue };
        if end > ask.code.len() || !text.starts_with(typed) || is_internal(text) {
            continue;
        }
        // All completions replace the identifier at the cursor.
        (completions.start, completions.end) = (start, end);
        matches.push((
            Rank::new(item, text),
            Match {
                text: text.to_owned(),
                kind: kind(item.kind).to_owned(),
                signature: signature(item),
            },
        ));
    }
    matches.sort_by(|(a, _), (b, _)| a.cmp(b));
    // A name that stands for two things, such as a type and a function, is offered
    // once.
    let mut seen = BTreeSet::new();
    completions.matches = matches
        .into_iter()
        .map(|(_, found)| found)
        .filter(|found| seen.insert(found.text.clone()))
        .collect();
    completions
}

/// The order of completions: near ones first, then by name.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Rank {
    /// Private by convention.
    is_underscored: bool,
    is_far: bool,
    /// A trait's method: every type has dozens.
    is_of_trait: bool,
    name: String,
}

impl Rank {
    fn new(item: &CompletionItem, text: &str) -> Self {
        Self {
            is_underscored: text.starts_with('_'),
            is_far: !item.relevance.is_local,
            is_of_trait: item.relevance.trait_.is_some(),
            name: text.to_owned(),
        }
    }
}

/// Returns the text that choosing `item` inserts, if that is a single word.
fn inserted(item: &CompletionItem) -> Option<&str> {
    let mut edits = item.text_edit.iter();
    let edit = edits.next()?;
    if edits.next().is_some() || edit.delete != item.source_range {
        return None;
    }
    // Keywords come with blanks and braces, which the user would have to delete.
    let text = edit.insert.split([' ', '(', '{', '$', ';']).next()?;
    (!text.is_empty()).then_some(text)
}

/// Returns the text shown beside a completion: the type of a function or variable.
fn signature(item: &CompletionItem) -> String {
    match &item.detail {
        Some(detail) if !detail.is_empty() => detail.clone(),
        _ => item.label.primary.to_string(),
    }
}

fn completion_config() -> CompletionConfig<'static> {
    CompletionConfig {
        enable_postfix_completions: false,
        enable_imports_on_the_fly: false,
        enable_self_on_the_fly: true,
        enable_auto_iter: false,
        enable_auto_await: false,
        enable_private_editable: false,
        // Term search invents expressions, and takes most of a second.
        enable_term_search: false,
        term_search_fuel: 0,
        full_function_signatures: true,
        callable: None,
        add_colons_to_module: false,
        add_semicolon_to_unit: false,
        snippet_cap: None,
        insert_use: InsertUseConfig {
            granularity: ImportGranularity::Item,
            enforce_granularity: false,
            prefix_kind: PrefixKind::ByCrate,
            group: false,
            skip_glob_imports: false,
        },
        prefer_no_std: false,
        prefer_prelude: true,
        prefer_absolute: false,
        snippets: Vec::new(),
        limit: None,
        // Nobody sees these fields.
        fields_to_resolve: CompletionFieldsToResolve {
            resolve_documentation: true,
            resolve_tags: true,
            resolve_command: true,
            ..CompletionFieldsToResolve::empty()
        },
        exclude_flyimport: Vec::new(),
        exclude_traits: &[],
        ra_fixture: RaFixtureConfig::default(),
    }
}

/// Returns JupyterLab's name for the kind of a completion.
fn kind(kind: CompletionItemKind) -> &'static str {
    use CompletionItemKind as Kind;
    match kind {
        Kind::SymbolKind(kind) => match kind {
            SymbolKind::Function
            | SymbolKind::Method
            | SymbolKind::Macro
            | SymbolKind::ProcMacro
            | SymbolKind::Derive
            | SymbolKind::DeriveHelper
            | SymbolKind::Attribute
            | SymbolKind::BuiltinAttr => "function",
            SymbolKind::Struct
            | SymbolKind::Enum
            | SymbolKind::Union
            | SymbolKind::Trait
            | SymbolKind::TypeAlias
            | SymbolKind::TypeParam
            | SymbolKind::SelfType => "class",
            SymbolKind::Module | SymbolKind::CrateRoot | SymbolKind::ToolModule => "module",
            _ => "instance",
        },
        Kind::Keyword => "keyword",
        _ => "instance",
    }
}

/// Describes the identifier that ends at the position of the question.
fn inspect(world: &mut World, view: &SessionView, ask: &Ask) -> Option<Inspection> {
    hover(world, Context::new(view, &ask.code), ask.position).or_else(|| {
        // Methods and macros resolve only where they are called.
        let name = ask.code.get(..ask.position)?;
        [format!("{name}()"), format!("{name}!()")]
            .iter()
            .find_map(|called| hover(world, Context::new(view, called), ask.position))
    })
}

fn hover(world: &mut World, context: Context, position: usize) -> Option<Inspection> {
    let range = FileRange {
        file_id: CELL,
        range: TextRange::empty(size(context.before + position)),
    };
    world.set_cell(context.text);
    let found = world
        .analysis()
        .hover(&hover_config(), range)
        .ok()
        .flatten()?;
    let markdown = String::from(found.info.markup);
    (!markdown.is_empty()).then(|| markdown::shown(&markdown))
}

fn hover_config() -> HoverConfig<'static> {
    HoverConfig {
        links_in_hover: true,
        memory_layout: None,
        documentation: true,
        keywords: true,
        format: HoverDocFormat::Markdown,
        max_trait_assoc_items_count: None,
        max_fields_count: Some(5),
        max_enum_variants_count: Some(5),
        max_subst_ty_len: SubstTyLen::Unlimited,
        show_drop_glue: false,
        ra_fixture: RaFixtureConfig::default(),
    }
}

/// Converts a byte offset. Texts are far smaller than 4 GiB.
pub(super) fn size(offset: usize) -> TextSize {
    TextSize::new(u32::try_from(offset).unwrap_or(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::completion::crates::{Libraries, Library};
    use crate::completion::world::Toolchain;
    use crate::view::Variable;
    use std::collections::BTreeMap;

    const LIBRARY: &str = "\
        pub mod prelude { pub use crate::shapes::Circle; }\n\
        pub mod shapes {\n\
            /// A round thing.\n\
            pub struct Circle { pub radius: f64, private: f64 }\n\
            impl Circle {\n\
                /// What it covers.\n\
                pub fn area(&self, scale: f64) -> f64 { 0.0 }\n\
                fn secret(&self) {}\n\
            }\n\
            #[doc(hidden)] pub fn hidden() {}\n\
            pub fn circles() {}\n\
            #[macro_export] macro_rules! circle { () => {} }\n\
        }";

    /// Asks a question in a world without std, in which `swath` is [`LIBRARY`]; `|` is
    /// the cursor.
    fn ask(question: Question, marked: &str) -> Answer {
        let directory = tempfile::tempdir().unwrap();
        let root = directory.path().join("lib.rs");
        std::fs::write(&root, LIBRARY).unwrap();
        let libraries = Libraries {
            all: vec![Library {
                name: "swath".to_owned(),
                version: "1.0.0".to_owned(),
                edition: "2024".to_owned(),
                root,
                features: Vec::new(),
                dependencies: Vec::new(),
            }],
            named: BTreeMap::from([("swath".to_owned(), 0)]),
        };
        let mut world = World::new(Toolchain::bare(), &libraries);
        while world.load_some() {}
        let view = SessionView {
            items: vec!["fn grow(by: i32) {}".to_owned()],
            variables: vec![Variable {
                name: "größe".to_owned(),
                type_name: "Circle".to_owned(),
                ..Variable::default()
            }],
            ..SessionView::default()
        };
        let ask = Ask {
            id: 1,
            question,
            view: SessionView::default(),
            position: marked.find('|').unwrap(),
            code: marked.replace('|', ""),
        };
        answer(&mut world, &view, &ask)
    }

    /// Checks which completions are found, and what they would replace.
    fn check(marked: &str, expect: &[&str], replaced: &str) {
        let Answer::Completions(found) = ask(Question::Complete, marked) else {
            panic!("no completions");
        };
        let texts: Vec<&str> = found.matches.iter().map(|found| &found.text[..]).collect();
        assert_eq!(texts, expect, "{marked}");
        let code = marked.replace('|', "");
        assert_eq!(&code[found.start..found.end], replaced, "{marked}");
    }

    #[test]
    fn fields_and_methods_that_are_public() {
        check("größe.|", &["area", "radius"], "");
        check(":vars\nlet x = größe.a|;", &["area"], "a");
        check("let c = größe; c.ra|dius", &["radius"], "radius");
    }

    #[test]
    fn variables_and_items() {
        check("grö|", &["größe"], "grö");
        check("1; gro|", &["grow"], "gro");
        check("fn growth() {} gro|", &["grow", "growth"], "gro");
    }

    #[test]
    fn what_is_in_modules() {
        check("swath::|", &["circle!", "prelude", "shapes"], "");
        check("swath::shapes::|", &["Circle", "circles"], "");
        check("use swath::pre|", &["prelude"], "pre");
        check("use swath::{shapes::ci|}", &["circles"], "ci");
        check("swath::nothing::|", &[], "");
    }

    #[test]
    fn strings_hold_no_paths() {
        check("\"swath::|\"", &[], "");
        check("// swath::|", &[], "");
    }

    #[test]
    fn documentation() {
        let plain = |marked| match ask(Question::Inspect, marked) {
            Answer::Inspection(found) => found.map(|found| found.plain).unwrap_or_default(),
            Answer::Completions(_) => panic!("no inspection"),
        };
        assert!(plain("Circle|").contains("A round thing."));
        assert!(plain("größe.area|(1.0)").contains("What it covers."));
        assert!(plain("größe.area|").contains("What it covers."));
        assert_eq!(plain("nothing|"), "");
    }
}
