//! The compiler's errors, translated to places and terms of the cell.

use super::CellError;
use super::compiler::Compiler;
use super::generated::{Generated, Role};
use super::neighbours::Known;
use super::places::{Origin, line_and_column};
use annotate_snippets::renderer::DecorStyle;
use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};
use anstyle::{AnsiColor, Style};
use serde_json::Value;
use std::ops::Range;
use std::sync::Arc;

/// One error of the compiler.
#[derive(Clone, Debug)]
pub(super) struct Diagnostic {
    pub(super) message: String,
    pub(super) code: Option<String>,
    /// Places in the cell, with labels; the first is that of the error.
    places: Vec<LabelledSpan>,
    /// The places in an earlier cell, if the error is there.
    elsewhere: Option<Elsewhere>,
    /// The compiler's help and notes; true for help.
    helps: Vec<(bool, String)>,
    /// The generated line of the error, if it is not in the user's code.
    pub(super) role: Option<Role>,
    /// A generated line at a secondary place of the error.
    other_role: Option<Role>,
    /// The file that defines the function that is called incorrectly.
    callee: Option<String>,
    /// Replacements that the compiler suggests: the old text and the new.
    pub(super) replacements: Vec<(String, String)>,
    /// The type of the value that was moved.
    moved_type: Option<String>,
    /// The variable whose destructor uses a borrow.
    dropped: Option<String>,
    /// Whether the compiler's error is in generated code, and this is built from its
    /// note about the cell.
    is_promoted: bool,
    /// Whether it mentions `'static`.
    speaks_of_static: bool,
    /// A variable that a closure moves when it is called.
    moved_by_closure: Option<MovedByClosure>,
}

/// A variable that a closure moves when it is called, and the place of the move.
#[derive(Clone, Debug)]
pub(super) struct MovedByClosure {
    pub(super) variable: String,
    pub(super) cell: u32,
    pub(super) range: Range<usize>,
}

/// Places in an earlier cell.
#[derive(Clone, Debug)]
struct Elsewhere {
    cell: u32,
    code: Arc<str>,
    places: Vec<LabelledSpan>,
}

#[derive(Clone, Debug)]
struct LabelledSpan {
    range: Range<usize>,
    label: String,
    is_primary: bool,
}

/// Codes of errors about something that does not exist.
const MISSING: &[&str] = &[
    "E0277", "E0369", "E0404", "E0405", "E0407", "E0412", "E0422", "E0423", "E0425", "E0432",
    "E0433", "E0531", "E0532", "E0574", "E0576", "E0599", "E0600", "E0608", "E0614",
];

/// Parts of help messages in which the compiler guesses what was meant.
const GUESSES: &[&str] = &[
    "with a similar name",
    "`Into::into`",
    "consider borrowing here",
    "consider importing this function",
    "items from traits can only be used",
    "maybe write a path separator here",
    "perhaps you want to import it",
    "put a line `:dep ",
    "recursion limit",
    "try wrapping the expression in",
    "use `!` to",
    "use `.into_iter()` first",
    "call `.into_iter()` first",
    "use the path separator",
    "you might have meant",
];

impl Diagnostic {
    /// Builds a diagnostic from rustc's JSON for `generated`, with its places mapped
    /// to the cell.
    pub(super) fn new(error: &Value, generated: &Generated, cell: u32) -> Self {
        let children = array(&error["children"]);
        // An error in generated code may be caused by the user's code.
        let told = match children.iter().find(|child| is_users(child, generated)) {
            Some(child) if !is_users(error, generated) => child,
            _ => error,
        };
        let message = message_for_people(told["message"].as_str().unwrap_or_default());
        let mut diagnostic = Self {
            code: error["code"]["code"].as_str().map(str::to_owned),
            ..Self::of_message(message)
        };
        // The error itself says which generated line it is about.
        if !std::ptr::eq(told, error) {
            let ranges = array(&error["spans"]).iter().filter_map(local_range);
            diagnostic.role = ranges
                .filter_map(|range| generated.role_at(range.start).cloned())
                .next();
            diagnostic.is_promoted = true;
        }
        let notes = array(&error["children"])
            .iter()
            .map(|note| &note["message"]);
        let labels = array(&error["spans"]).iter().map(|span| &span["label"]);
        for text in notes.chain(labels).filter_map(Value::as_str) {
            diagnostic.learn_type(text);
            diagnostic.speaks_of_static |= text.contains("`'static`");
        }
        let mut elsewhere: Vec<(Origin, LabelledSpan)> = Vec::new();
        for span in array(&told["spans"]) {
            let label = span["label"].as_str().unwrap_or_default();
            if let Some((_, rest)) = label.split_once("when `") {
                diagnostic.dropped = rest.split('`').next().map(str::to_owned);
            }
            let Some(range) = local_range(span) else {
                continue;
            };
            let range = generated.without_parentheses(range);
            let is_primary = span["is_primary"] == true;
            let end = range.end.max(range.start);
            let ends = (
                generated.origin(range.start),
                // An unterminated string extends beyond the cell.
                generated.origin(end).or_else(|| generated.end_before(end)),
            );
            if let (Some(start), Some(end)) = ends
                && start.cell == end.cell
                && Arc::ptr_eq(&start.code, &end.code)
                && start.offset <= end.offset
            {
                let place = LabelledSpan {
                    range: start.offset..end.offset,
                    label: message_for_people(span["label"].as_str().unwrap_or_default()),
                    is_primary,
                };
                if start.cell == cell {
                    diagnostic.places.push(place);
                } else {
                    elsewhere.push((start, place));
                }
            } else {
                let role = generated.role_at(range.start).cloned();
                let known = if is_primary {
                    &mut diagnostic.role
                } else {
                    &mut diagnostic.other_role
                };
                // Prefer a role that stores a variable: it says more than that the
                // variable exists.
                if !known.as_ref().is_some_and(Role::stores) {
                    *known = role.or(known.take());
                }
            }
        }
        diagnostic.places.sort_by_key(|place| !place.is_primary);
        diagnostic.set_elsewhere(elsewhere);
        for child in array(&told["children"]) {
            diagnostic.learn_move(child, generated);
            diagnostic.add_child(child);
        }
        diagnostic
    }

    fn of_message(message: String) -> Self {
        Self {
            message,
            code: None,
            places: Vec::new(),
            elsewhere: None,
            helps: Vec::new(),
            role: None,
            other_role: None,
            callee: None,
            replacements: Vec::new(),
            moved_type: None,
            dropped: None,
            is_promoted: false,
            speaks_of_static: false,
            moved_by_closure: None,
        }
    }

    /// Extracts the type of a moved value: "move occurs because `x` has type
    /// `Array<f64>`".
    fn learn_type(&mut self, text: &str) {
        if let Some((_, rest)) = text.split_once("has type `") {
            self.moved_type = rest.split('`').next().map(str::to_owned);
        }
    }

    /// Extracts the variable that a closure moves: "closure cannot be invoked more
    /// than once because it moves the variable `x` out of its environment".
    fn learn_move(&mut self, child: &Value, generated: &Generated) {
        let message = child["message"].as_str().unwrap_or_default();
        let Some((before, _)) = message.split_once("` out of its environment") else {
            return;
        };
        let name = before.rsplit('`').next().unwrap_or_default();
        let range = array(&child["spans"]).first().and_then(local_range);
        self.moved_by_closure = range.and_then(|range| {
            let (start, end) = (generated.origin(range.start)?, generated.origin(range.end)?);
            (start.cell == end.cell).then(|| MovedByClosure {
                variable: name.to_owned(),
                cell: start.cell,
                range: start.offset..end.offset,
            })
        });
    }

    fn set_elsewhere(&mut self, mut found: Vec<(Origin, LabelledSpan)>) {
        found.sort_by_key(|(_, place)| !place.is_primary);
        let Some((first, _)) = found.first() else {
            return;
        };
        let (cell, code) = (first.cell, first.code.clone());
        found.retain(|(origin, _)| Arc::ptr_eq(&origin.code, &code));
        self.elsewhere = Some(Elsewhere {
            cell,
            places: found.into_iter().map(|(_, place)| place).collect(),
            code,
        });
    }

    /// Adds a note or a help message.
    fn add_child(&mut self, child: &Value) {
        let Some(mut message) = child["message"].as_str().map(message_for_people) else {
            return;
        };
        if let Some((_, rest)) = message.split_once("`cargo add ") {
            let name = rest.split('`').next().unwrap_or_default();
            message =
                format!("to use a crate `{name}`, put a line `:dep {name}` at the top of the cell");
        }
        if message.ends_with(" defined here") {
            let file = child["spans"][0]["file_name"].as_str();
            let others = file.filter(|file| Compiler::unit_of(file).is_none());
            self.callee = others.map(str::to_owned);
        }
        let places = array(&child["spans"]);
        for span in places {
            let Some(replacement) = span["suggested_replacement"].as_str() else {
                continue;
            };
            let replaced = spanned_text(span).unwrap_or_default();
            self.replacements.push((replaced, replacement.to_owned()));
            let shown = replacement.trim();
            // Names must match in backticks: a name of one letter occurs in every
            // message.
            let is_told = match shown.chars().all(|c| c.is_alphanumeric() || c == '_') {
                true => message.contains(&format!("`{shown}`")),
                false => message.contains(shown),
            };
            // A single piece of a multi-part suggestion is meaningless.
            if places.len() == 1
                && !shown.is_empty()
                && !shown.contains('\n')
                && !shown.contains("swath_")
                && !is_told
            {
                message += &format!(": `{shown}`");
            }
        }
        // Skip notes about code that the user never saw.
        let is_internal = [
            "swath_",
            "session::cell",
            "introduced here",
            "full name for the type has been written",
            "consider using `--verbose`",
        ]
        .iter()
        .any(|part| message.contains(part));
        if !is_internal {
            self.helps.push((child["level"] == "help", message));
        }
    }

    /// Returns an error of our own at the first use of a name in the cell.
    pub(super) fn at_name(message: String, help: String, code: &str, name: &str) -> Self {
        let mut diagnostic = Self::of_message(message);
        diagnostic.places.push(LabelledSpan {
            range: find_word(code, name).unwrap_or(0..0),
            label: String::new(),
            is_primary: true,
        });
        if !help.is_empty() {
            diagnostic.add_help(help);
        }
        diagnostic
    }

    /// Builds a diagnostic for a cell that does not parse: if something is missing, it
    /// is missing at the end.
    pub(super) fn of_verbatim(error: &Value, generated: &Generated, cell: u32) -> Self {
        let mut diagnostic = Self::new(error, generated, cell);
        if diagnostic.is_about_cell() {
            return diagnostic;
        }
        if let Some(place) = diagnostic.places.first_mut() {
            // This is the delimiter or quote without a counterpart.
            place.is_primary = true;
        } else {
            let end = array(&error["spans"])
                .iter()
                .find(|span| span["is_primary"] == true)
                .and_then(local_range)
                .and_then(|range| generated.end_before(range.start));
            if let Some(end) = end {
                diagnostic.places.insert(
                    0,
                    LabelledSpan {
                        range: end.offset..end.offset,
                        label: String::new(),
                        is_primary: true,
                    },
                );
            }
        }
        if let Some((before, _)) = diagnostic.message.split_once(", found `}`") {
            diagnostic.message = format!("{before}, found the end of the cell");
        }
        diagnostic
    }

    /// Returns whether the error is an unmatched delimiter or quote.
    pub(super) fn is_about_delimiters(&self) -> bool {
        ["delimiter", "unterminated"]
            .iter()
            .any(|word| self.message.contains(word))
    }

    /// Returns whether it is about the user's code.
    pub(super) fn is_about_cell(&self) -> bool {
        self.places.iter().any(|place| place.is_primary)
    }

    /// Returns whether it is only about the text of an earlier cell.
    pub(super) fn is_elsewhere(&self) -> bool {
        self.places.is_empty() && self.elsewhere.is_some()
    }

    /// Returns whether the error itself is in generated code.
    pub(super) fn is_about_generated(&self) -> bool {
        self.is_promoted || !self.is_about_cell()
    }

    /// Returns whether it requires something to live forever, like a stored variable,
    /// although none of our lines is involved: the requirement passes through a
    /// closure in between.
    pub(super) fn wants_forever(&self) -> bool {
        self.is_about_borrowing() && self.speaks_of_static && !self.stores()
    }

    /// Returns whether it involves a line that stores a variable.
    fn stores(&self) -> bool {
        let roles = [self.role.as_ref(), self.other_role.as_ref()];
        roles.into_iter().flatten().any(Role::stores)
    }

    fn is_about_borrowing(&self) -> bool {
        const BORROWED: &[&str] = &[
            "E0310", "E0505", "E0506", "E0515", "E0521", "E0597", "E0713", "E0716",
        ];
        self.code
            .as_deref()
            .is_some_and(|code| BORROWED.contains(&code))
    }

    /// Returns whether it is about something that does not exist: a name, a method, an
    /// implementation.
    pub(super) fn misses_something(&self) -> bool {
        match self.code.as_deref() {
            Some(code) => MISSING.contains(&code),
            None => self.message.starts_with("cannot find"),
        }
    }

    /// Returns whether it is about a missing method or field of a function.
    pub(super) fn is_about_function(&self) -> bool {
        let is_it = ["fn item ", "fn("]
            .iter()
            .any(|it| self.message.contains(it));
        is_it && matches!(self.code.as_deref(), Some("E0599" | "E0609"))
    }

    /// Returns the crate if two versions of it meet and the error is about that.
    /// Removes the compiler's own notes about it, which mention cargo.
    pub(super) fn take_two_versions(&mut self) -> Option<String> {
        const NOTE: &str = "multiple different versions of crate `";
        let name = self.helps.iter().find_map(|(_, help)| {
            let (_, rest) = help.split_once(NOTE)?;
            rest.split('`').next().map(str::to_owned)
        })?;
        let is_about_it = |help: &str| {
            [NOTE, "`cargo tree`", "item with same name found"]
                .iter()
                .any(|part| help.contains(part))
        };
        self.helps.retain(|(_, help)| !is_about_it(help));
        Some(name)
    }

    /// Returns the variable that the cell would store although it borrows.
    pub(super) fn borrowing_variable(&self) -> Option<&str> {
        let code = self.code.as_deref()?;
        if !self.is_about_borrowing() {
            return None;
        }
        // A stored value must live forever: that is why moving or ending something
        // else is an error.
        let of_itself = self.role.as_ref().filter(|_| code != "E0505");
        let stored = [self.other_role.as_ref(), of_itself]
            .into_iter()
            .flatten()
            .find(|role| role.stores())?;
        Some(stored.variable())
    }

    /// Returns the borrowed variable, in an error about borrowing.
    pub(super) fn borrowed_from(&self) -> Option<&str> {
        let (before, rest) = self.message.split_once('`')?;
        let name = rest.split('`').next()?;
        let is_name = name.chars().all(|c| c.is_alphanumeric() || c == '_');
        (is_name && !before.contains("argument")).then_some(name)
    }

    /// Returns whether it is about ownership or lifetimes, which the code around the
    /// user's may cause.
    pub(super) fn is_about_ownership(&self) -> bool {
        const OWNERSHIP: &[&str] = &[
            "E0282", "E0283", "E0284", "E0373", "E0381", "E0382", "E0384", "E0499", "E0500",
            "E0501", "E0502", "E0503", "E0505", "E0506", "E0507", "E0515", "E0521", "E0594",
            "E0596", "E0597", "E0700", "E0689", "E0713", "E0716", "E0728",
        ];
        match self.code.as_deref() {
            Some(code) => OWNERSHIP.contains(&code),
            None => self.message.contains("lifetime") || self.message.contains("closure"),
        }
    }

    /// Returns the type of the value that was moved.
    pub(super) fn moved_type(&self) -> Option<&str> {
        self.moved_type.as_deref()
    }

    /// Returns whether it says that something cannot be cloned.
    pub(super) fn misses_clone(&self) -> bool {
        let is_about_it = self.message.contains("`clone`") || self.message.contains("Clone");
        is_about_it && matches!(self.code.as_deref(), Some("E0277" | "E0599"))
    }

    /// Returns the variable whose destructor uses a borrow, which is too late.
    pub(super) fn dropped_variable(&self) -> Option<&str> {
        self.dropped.as_deref()
    }

    /// Returns the places in the cell where the value was moved, for an error about a
    /// move.
    pub(super) fn moved_at(&self) -> impl Iterator<Item = &Range<usize>> {
        self.places
            .iter()
            .filter(|place| {
                let label = &place.label;
                // If it cannot be moved, the primary label says this.
                label.contains("moved") || place.is_primary && label.contains("move occurs")
            })
            .map(|place| &place.range)
    }

    /// Returns whether the cell itself uses `?` on an error that is not `Display`.
    pub(super) fn wants_display_for_question_mark(&self) -> bool {
        let is_for_cell = |help: &str| help.contains("required for `Failure` to implement `From<");
        self.code.as_deref() == Some("E0277")
            && self.message.starts_with("`?` couldn't convert the error")
            && self.helps.iter().any(|(_, help)| is_for_cell(help))
    }

    /// Returns the variable that a closure moves when it is called.
    pub(super) fn moved_by_closure(&self) -> Option<&MovedByClosure> {
        self.moved_by_closure.as_ref()
    }

    /// Returns the variable in the message: `x` of "use of moved value: `x`".
    pub(super) fn variable(&self) -> Option<&str> {
        self.message.split('`').nth(1)
    }

    /// Returns the start of the error's place in the cell.
    pub(super) fn starts_at(&self) -> Option<usize> {
        let first = self.places.iter().find(|place| place.is_primary)?;
        Some(first.range.start)
    }

    /// Returns the path that the compiler suggests for one of two candidates of a
    /// kind.
    pub(super) fn path_to(&self, kind: &str) -> Option<&str> {
        let end = format!("` to refer to this {kind} unambiguously");
        self.helps.iter().find_map(|(_, text)| {
            let (before, _) = text.split_once(&end)?;
            Some(before.rsplit_once('`')?.1)
        })
    }

    pub(super) fn add_help(&mut self, help: String) {
        self.helps.push((true, help));
    }

    /// Removes the compiler's guesses: they would mislead a user who gets a row of the
    /// hint table.
    pub(super) fn drop_guesses(&mut self) {
        self.helps.retain(|(is_help, help)| {
            !is_help || !GUESSES.iter().any(|guess| help.contains(guess))
        });
    }

    /// Returns what the hints need to know about the error, if it has a place in the
    /// cell.
    pub(super) fn known<'a>(&'a self, cell: &'a str) -> Option<Known<'a>> {
        let labels = self.places.iter().map(|place| place.label.as_str());
        let notes = self.helps.iter().map(|(_, text)| text.as_str());
        Some(Known {
            code: self.code.as_deref(),
            message: &self.message,
            labels: labels.chain(notes).collect(),
            callee: self.callee.as_deref(),
            owner_type: "",
            range: self.places.first()?.range.clone(),
            cell,
        })
    }

    /// Returns the code at the error's place.
    pub(super) fn subject<'a>(&self, code: &'a str) -> Option<&'a str> {
        code.get(self.places.first()?.range.clone())
    }

    fn rendered(&self, code: &str, path: &str) -> String {
        let mut title = Level::ERROR.primary_title(self.message.as_str());
        if let Some(code) = &self.code {
            title = title.id(code.as_str());
        }
        let mut group: Group<'_> = title.elements(Vec::<annotate_snippets::Element<'_>>::new());
        let annotation = |place: &'_ LabelledSpan| {
            let kind = if place.is_primary {
                AnnotationKind::Primary
            } else {
                AnnotationKind::Context
            };
            kind.span(place.range.clone())
                .label((!place.label.is_empty()).then_some(place.label.clone()))
        };
        let other_path = self
            .elsewhere
            .as_ref()
            .map(|elsewhere| format!("cell {}", elsewhere.cell));
        if !self.places.is_empty() {
            let annotations = self.places.iter().map(annotation);
            group = group.element(Snippet::source(code).path(path).annotations(annotations));
        } else if let (Some(elsewhere), Some(path)) = (&self.elsewhere, &other_path) {
            let annotations = elsewhere.places.iter().map(annotation);
            group = group.element(
                Snippet::source(&*elsewhere.code)
                    .path(path.as_str())
                    .annotations(annotations),
            );
        }
        for (is_help, text) in &self.helps {
            let level = if *is_help { Level::HELP } else { Level::NOTE };
            group = group.element(level.message(text.as_str()));
        }
        Renderer::styled()
            .decor_style(DecorStyle::Ascii)
            .error(BOLD)
            .line_num(BESIDE)
            .context(BESIDE)
            .render(&[group])
    }
}

/// An error is shown on pale or dark red, depending on the page's theme. rustc's red
/// and blue are readable on one of them only.
const BOLD: Style = Style::new().bold();
const BESIDE: Style = AnsiColor::Cyan.on_default().bold();

/// Combines all errors of a cell into one.
pub(super) fn cell_error(diagnostics: &[Diagnostic], code: &str, cell: u32) -> CellError {
    let first = diagnostics.first();
    let path = format!("cell {cell}");
    let place = first
        .and_then(|first| first.places.first())
        .map(|place| line_and_column(code, place.range.start));
    let evalue = match (first, place) {
        (Some(first), Some((line, column))) => {
            format!("{} (line {line}, column {column})", first.message)
        }
        (Some(first), None) => first.message.clone(),
        (None, _) => "the compiler failed without a message".to_owned(),
    };
    let mut traceback: Vec<String> = Vec::new();
    for diagnostic in diagnostics {
        traceback.extend(diagnostic.rendered(code, &path).lines().map(str::to_owned));
        traceback.push(String::new());
    }
    traceback.pop();
    CellError {
        ename: "CompileError".to_owned(),
        evalue,
        traceback,
    }
}

/// Returns the bytes of the cell's file that a span covers, or those of the macro call
/// it comes from.
fn local_range(span: &Value) -> Option<Range<usize>> {
    if Compiler::unit_of(span["file_name"].as_str()?).is_some() {
        let offset = |key: &str| span[key].as_u64().map(|offset| offset as usize);
        return Some(offset("byte_start")?..offset("byte_end")?);
    }
    local_range(
        span["expansion"]
            .as_object()
            .and(Some(&span["expansion"]["span"]))?,
    )
}

/// Returns whether a message points at the user's code.
fn is_users(message: &Value, generated: &Generated) -> bool {
    array(&message["spans"])
        .iter()
        .filter_map(local_range)
        .any(|range| generated.origin(range.start).is_some())
}

fn array(value: &Value) -> &[Value] {
    value.as_array().map(Vec::as_slice).unwrap_or_default()
}

/// Returns the text that a compiler span covers.
fn spanned_text(span: &Value) -> Option<String> {
    let line = &span["text"].as_array()?.first()?;
    let text: Vec<char> = line["text"].as_str()?.chars().collect();
    let column = |key: &str| line[key].as_u64().map(|column| column as usize - 1);
    let (start, end) = (column("highlight_start")?, column("highlight_end")?);
    text.get(start..end).map(|chars| chars.iter().collect())
}

fn message_for_people(message: &str) -> String {
    message
        .replace("`swath_outcome`", "the end of the cell")
        .replace(" compatible with `Result<(), Failure>`", "")
        .replace(" compatible with `Result<_, Failure>`", "")
        .replace("in a closure that returns `Result`", "in a cell")
        // The prelude re-exports std's items, which nobody knows by this path.
        .replace("`swath::prelude::", "`")
}

/// Returns the first place where a name occurs as a word.
pub(super) fn find_word(code: &str, name: &str) -> Option<Range<usize>> {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    code.match_indices(name)
        .find(|(at, _)| {
            !code[..*at].chars().next_back().is_some_and(is_word)
                && !code[at + name.len()..].chars().next().is_some_and(is_word)
        })
        .map(|(at, _)| at..at + name.len())
}
