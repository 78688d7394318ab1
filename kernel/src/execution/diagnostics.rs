//! The compiler's errors, told in terms of the cell.

use super::CellError;
use super::generate::{Generated, Role, byte_offset, line_and_column};
use annotate_snippets::renderer::DecorStyle;
use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};
use evcxr::CompilationError;
use std::ops::Range;

/// One error of the compiler.
#[derive(Clone, Debug)]
pub(super) struct Diagnostic {
    pub(super) message: String,
    pub(super) code: Option<String>,
    /// Places in the cell, with labels; the first is where it is.
    places: Vec<Place>,
    /// The line that it is about, where that is in an item of an earlier cell.
    elsewhere: Option<(String, Place)>,
    /// What to do, as the compiler says it.
    helps: Vec<(bool, String)>,
    /// The generated line that it is about, if it is not about the user's code.
    pub(super) role: Option<Role>,
    /// A generated line that is part of the story.
    other_role: Option<Role>,
    /// Replacements that the compiler suggests: what stands there, what should.
    pub(super) replacements: Vec<(String, String)>,
}

#[derive(Clone, Debug)]
struct Place {
    range: Range<usize>,
    label: String,
    is_primary: bool,
}

impl Diagnostic {
    /// Places an error of `generated` in the cell.
    pub(super) fn new(error: &CompilationError, generated: &Generated, code: &str) -> Self {
        let place = |offset| generated.cell_offset(offset);
        let mut diagnostic = Self::placed(error, &generated.text, place, |offset| {
            generated.role_at(offset).cloned()
        });
        if diagnostic.places.is_empty() && diagnostic.role.is_none() {
            diagnostic.find(&error.json, code);
        }
        diagnostic
    }

    /// Finds the place of an error that evcxr could not place: in a `use` of
    /// this cell, which it takes apart, or in an item of an earlier cell.
    fn find(&mut self, json: &serde_json::Value, code: &str) {
        let spans = json["spans"]
            .as_array()
            .map(Vec::as_slice)
            .unwrap_or_default();
        let Some(span) = spans.iter().find(|span| span["is_primary"] == true) else {
            return;
        };
        let Some(subject) = spanned_text(span) else {
            return;
        };
        let label = span["label"].as_str().unwrap_or_default().to_owned();
        if let Some(range) = find_word(code, &subject) {
            self.places.push(Place {
                range,
                label,
                is_primary: true,
            });
        } else if let Some(line) = span["text"][0]["text"].as_str() {
            let start = line.find(&subject).unwrap_or(0);
            let range = start..(start + subject.len()).min(line.len());
            self.elsewhere = Some((
                line.to_owned(),
                Place {
                    range,
                    label,
                    is_primary: true,
                },
            ));
        }
    }

    /// An error of code that was compiled as the user wrote it.
    pub(super) fn verbatim(error: &CompilationError, code: &str) -> Self {
        Self::placed(error, code, Some, |_| None)
    }

    fn placed(
        error: &CompilationError,
        text: &str,
        cell_offset: impl Fn(usize) -> Option<usize>,
        role_at: impl Fn(usize) -> Option<Role>,
    ) -> Self {
        let message = message_for_people(&error.message());
        let mut places = Vec::new();
        let mut role = None;
        let mut other_role = None;
        for spanned in error.spanned_messages() {
            let Some(span) = spanned.span else { continue };
            let start = byte_offset(text, span.start_line, span.start_column);
            let end = byte_offset(text, span.end_line, span.end_column).max(start);
            match (cell_offset(start), cell_offset(end)) {
                (Some(start), Some(end)) if start <= end => {
                    // evcxr repeats the message where there is no label.
                    let repeated = message_for_people(&spanned.label).ends_with(&message);
                    let label = if repeated {
                        String::new()
                    } else {
                        spanned.label.clone()
                    };
                    places.push(Place {
                        range: start..end,
                        label,
                        is_primary: spanned.is_primary,
                    });
                }
                _ if spanned.is_primary => role = role.or_else(|| role_at(start)),
                _ => other_role = other_role.or_else(|| role_at(start)),
            }
        }
        places.sort_by_key(|place| !place.is_primary);
        let children = error.json["children"]
            .as_array()
            .map(Vec::as_slice)
            .unwrap_or_default();
        let mut helps = Vec::new();
        let mut replacements = Vec::new();
        for child in children {
            let Some(mut message) = child["message"].as_str().map(str::to_owned) else {
                continue;
            };
            if let Some((_, rest)) = message.split_once("`cargo add ") {
                let name = rest.split('`').next().unwrap_or_default();
                message = format!(
                    "to use a crate `{name}`, put a line `:dep {name}` at the top of the cell"
                );
            }
            for span in child["spans"]
                .as_array()
                .map(Vec::as_slice)
                .unwrap_or_default()
            {
                let Some(replacement) = span["suggested_replacement"].as_str() else {
                    continue;
                };
                let replaced = spanned_text(span).unwrap_or_default();
                replacements.push((replaced, replacement.to_owned()));
                let shown = replacement.trim();
                if !shown.is_empty()
                    && !shown.contains('\n')
                    && !shown.contains("swath_")
                    && !message.contains(shown)
                {
                    message += &format!(": `{shown}`");
                }
            }
            // Notes about code that the user never saw help nobody.
            if !message.contains("swath_")
                && !message.contains("evcxr")
                && !message.contains("session::cell")
            {
                helps.push((child["level"] == "help", message));
            }
        }
        Self {
            message,
            code: error.code().map(str::to_owned),
            places,
            elsewhere: None,
            helps,
            role,
            other_role,
            replacements,
        }
    }

    /// An error of ours at a name's first use in the cell.
    pub(super) fn at_name(message: String, help: String, code: &str, name: &str) -> Self {
        let range = find_word(code, name).unwrap_or(0..0);
        Self {
            message,
            code: None,
            places: vec![Place {
                range,
                label: String::new(),
                is_primary: true,
            }],
            elsewhere: None,
            helps: if help.is_empty() {
                Vec::new()
            } else {
                vec![(true, help)]
            },
            role: None,
            other_role: None,
            replacements: Vec::new(),
        }
    }

    /// Whether it is about something that the user wrote.
    pub(super) fn is_about_cell(&self) -> bool {
        self.places.iter().any(|place| place.is_primary)
    }

    /// The variable that the cell would store although it borrows.
    pub(super) fn borrowing_variable(&self) -> Option<&str> {
        match (&self.other_role, self.code.as_deref()) {
            (Some(Role::Store(name)), Some("E0597" | "E0505" | "E0521" | "E0716")) => Some(name),
            _ => None,
        }
    }

    pub(super) fn add_help(&mut self, help: String) {
        self.helps.push((true, help));
    }

    /// What stands where the error is.
    pub(super) fn subject<'a>(&self, code: &'a str) -> Option<&'a str> {
        code.get(self.places.first()?.range.clone())
    }

    fn rendered(&self, code: &str, path: &str) -> String {
        let mut title = Level::ERROR.primary_title(self.message.as_str());
        if let Some(code) = &self.code {
            title = title.id(code.as_str());
        }
        let mut group: Group<'_> = title.elements(Vec::<annotate_snippets::Element<'_>>::new());
        if !self.places.is_empty() {
            let annotations = self.places.iter().map(|place| {
                let kind = if place.is_primary {
                    AnnotationKind::Primary
                } else {
                    AnnotationKind::Context
                };
                let annotation = kind.span(place.range.clone());
                if place.label.is_empty() {
                    annotation
                } else {
                    annotation.label(place.label.as_str())
                }
            });
            group = group.element(Snippet::source(code).path(path).annotations(annotations));
        } else if let Some((line, place)) = &self.elsewhere {
            let annotation = AnnotationKind::Primary
                .span(place.range.clone())
                .label(place.label.as_str());
            group = group.element(
                Snippet::source(line.as_str())
                    .path("an earlier cell")
                    .annotation(annotation),
            );
        }
        for (is_help, text) in &self.helps {
            let level = if *is_help { Level::HELP } else { Level::NOTE };
            group = group.element(level.message(text.as_str()));
        }
        Renderer::styled()
            .decor_style(DecorStyle::Ascii)
            .render(&[group])
    }
}

/// All errors of a cell, as one.
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

/// What a span of the compiler covers.
fn spanned_text(span: &serde_json::Value) -> Option<String> {
    let line = &span["text"].as_array()?.first()?;
    let text: Vec<char> = line["text"].as_str()?.chars().collect();
    let column = |key: &str| line[key].as_u64().map(|column| column as usize - 1);
    let (start, end) = (column("highlight_start")?, column("highlight_end")?);
    text.get(start..end).map(|chars| chars.iter().collect())
}

fn message_for_people(message: &str) -> String {
    message
        .replace("`evcxr_variable_store`", "the end of the cell")
        .replace("<end of input>", "the end of the cell")
}

/// The first place where a name stands as a word.
pub(super) fn find_word(code: &str, name: &str) -> Option<Range<usize>> {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    code.match_indices(name)
        .find(|(at, _)| {
            !code[..*at].chars().next_back().is_some_and(is_word)
                && !code[at + name.len()..].chars().next().is_some_and(is_word)
        })
        .map(|(at, _)| at..at + name.len())
}
