//! The code that is compiled for a cell, and where each piece of it comes from.

use super::source::{Source, StatementKind};
use std::collections::BTreeMap;
use std::fmt::Write;
use std::ops::Range;

/// Code for the compiler.
#[derive(Debug, Default)]
pub(super) struct Generated {
    pub(super) text: String,
    /// Pieces of the cell in the text: (where in the text, where in the cell).
    pieces: Vec<(Range<usize>, usize)>,
    /// Lines that handle a variable.
    roles: Vec<(Range<usize>, Role)>,
}

/// What a generated line does.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Role {
    /// Takes an earlier variable out of the store.
    Load(String),
    /// Puts an earlier variable back.
    Keep(String),
    /// Puts a new variable into the store.
    Store(String),
}

/// An earlier variable that the cell uses.
#[derive(Clone, Debug)]
pub(super) struct Loaded {
    /// Its type, as source text.
    pub(super) of_type: String,
    pub(super) mutable: bool,
}

/// What is generated around the user's text.
#[derive(Debug, Default)]
pub(super) struct Frame<'a> {
    /// Earlier variables that the cell uses, by name.
    pub(super) loaded: BTreeMap<&'a str, Loaded>,
    /// Variables that are dropped first: their type is defined anew.
    pub(super) forget: &'a [String],
    /// Lines that are left out, because the variable is moved or has no name for its type.
    pub(super) without: &'a [Role],
    /// Whether `tokio` is a crate of the user's own: then futures run on its executor.
    pub(super) own_tokio: bool,
    /// The last expression's type shows itself by a trait's `evcxr_display`.
    pub(super) own_display: bool,
    /// Items in front of everything, which the user did not write.
    pub(super) items: &'a str,
    /// For each item of the cell, text in front of it; `None` leaves it out.
    pub(super) item_heads: &'a [Option<String>],
}

/// The line in front of the expression whose value is shown.
pub(super) const SHOWN: &str = "let swath_shown = match &(";

const CELL: &str = "swath::session::cell";

impl Generated {
    pub(super) fn new(code: &str, source: &Source, frame: &Frame<'_>) -> Self {
        let mut generated = Self::default();
        for range in &source.attributes {
            generated.piece(code, range.clone());
            generated.text.push('\n');
        }
        generated.text += frame.items;
        for (item, head) in source.items.iter().zip(frame.item_heads) {
            if let Some(head) = head {
                generated.text += head;
                generated.piece(code, item.range.clone());
                generated.text.push('\n');
            }
        }
        if !source.statements.is_empty() {
            generated.statements(code, source, frame);
        }
        generated
    }

    fn statements(&mut self, code: &str, source: &Source, frame: &Frame<'_>) {
        let bindings = source.bindings();
        self.line(format_args!("{CELL}::run(&mut || {{"));
        if !frame.forget.is_empty() {
            self.line(format_args!("{CELL}::forget(&{:?});", frame.forget));
        }
        if !frame.loaded.is_empty() {
            self.line(format_args!("{CELL}::check(&["));
            for (name, loaded) in &frame.loaded {
                let line = format!(
                    "({name:?}, ::std::any::TypeId::of::<{}>()),",
                    loaded.of_type
                );
                self.role(Role::Load((*name).to_owned()), &line);
            }
            self.line(format_args!("])?;"));
        }
        for (name, loaded) in &frame.loaded {
            let mutable = if loaded.mutable { "mut " } else { "" };
            let line = format!(
                "let {mutable}{name} = {CELL}::take::<{}>({name:?});",
                loaded.of_type
            );
            self.role(Role::Load((*name).to_owned()), &line);
        }
        let executor = if frame.own_tokio {
            format!("{CELL}::kept(\"tokio\", || ::tokio::runtime::Runtime::new())?.block_on")
        } else {
            format!("{CELL}::block_on")
        };
        let (open, result, close) = if source.awaits {
            (
                format!("{executor}(async {{"),
                format!("::std::result::Result::Ok::<(), {CELL}::Failure>(())"),
                "})",
            )
        } else {
            (
                String::new(),
                "::std::result::Result::Ok(())".to_owned(),
                "",
            )
        };
        self.line(format_args!(
            "let swath_outcome = {CELL}::guard(|| -> ::std::result::Result<(), {CELL}::Failure> {{ {open}"
        ));
        let mut shows = false;
        for statement in &source.statements {
            if statement.kind == StatementKind::Tail {
                // On lines of its own, so that places in it are the cell's.
                self.line(format_args!("{SHOWN}"));
                self.piece(code, statement.range.clone());
                let show = if frame.own_display {
                    "{ swath_value.evcxr_display(); ::std::result::Result::Ok(::std::option::Option::None) }"
                } else {
                    "swath::show_value!(swath_value)"
                };
                self.line(format_args!("\n) {{ swath_value => {show} }};"));
                shows = true;
            } else {
                self.piece(code, statement.range.clone());
                self.text.push('\n');
            }
        }
        for binding in &bindings {
            let line = format!("{CELL}::put({:?}, {});", binding.name, binding.name);
            if !frame.without.contains(&Role::Store(binding.name.clone())) {
                self.role(Role::Store(binding.name.clone()), &line);
            }
        }
        if shows {
            self.line(format_args!("{CELL}::show(swath_shown)?;"));
        }
        self.line(format_args!("{result} {close}"));
        self.line(format_args!("}});"));
        for name in frame.loaded.keys() {
            if frame.without.contains(&Role::Keep((*name).to_owned())) {
                continue;
            }
            // A variable that the cell sets anew comes back only if it was not.
            let condition = if bindings.iter().any(|binding| binding.name == *name) {
                "if swath_outcome.is_err() "
            } else {
                ""
            };
            let line = format!("{condition}{{ {CELL}::put({name:?}, {name}); }}");
            self.role(Role::Keep((*name).to_owned()), &line);
        }
        self.line(format_args!("swath_outcome"));
        self.line(format_args!("}});"));
    }

    fn line(&mut self, text: std::fmt::Arguments<'_>) {
        // Writing to a String cannot fail.
        let _ = writeln!(self.text, "{text}");
    }

    fn role(&mut self, role: Role, line: &str) {
        let start = self.text.len();
        self.line(format_args!("{line}"));
        self.roles.push((start..self.text.len(), role));
    }

    fn piece(&mut self, code: &str, range: Range<usize>) {
        let start = self.text.len();
        self.text += &code[range.clone()];
        self.pieces.push((start..self.text.len(), range.start));
    }

    /// Where in the cell a place of the text comes from.
    pub(super) fn cell_offset(&self, offset: usize) -> Option<usize> {
        self.pieces
            .iter()
            .find(|(range, _)| range.contains(&offset) || range.end == offset)
            .map(|(range, cell)| cell + (offset - range.start))
    }

    /// What the line at a place of the text does.
    pub(super) fn role_at(&self, offset: usize) -> Option<&Role> {
        self.roles
            .iter()
            .find(|(range, _)| range.contains(&offset))
            .map(|(_, role)| role)
    }
}

/// The byte offset of a line and column, both counted from 1, columns in
/// characters; a place past a line's end is the line's end.
pub(super) fn byte_offset(text: &str, line: usize, column: usize) -> usize {
    let start: usize = text
        .split_inclusive('\n')
        .take(line.saturating_sub(1))
        .map(str::len)
        .sum();
    let rest = text[start..].split('\n').next().unwrap_or_default();
    start
        + rest
            .char_indices()
            .nth(column.saturating_sub(1))
            .map_or(rest.len(), |(at, _)| at)
}

/// The line and column of a byte offset, as [`byte_offset`] counts them.
pub(super) fn line_and_column(text: &str, offset: usize) -> (usize, usize) {
    let before = &text[..offset.min(text.len())];
    let start = before.rfind('\n').map_or(0, |at| at + 1);
    (
        before.matches('\n').count() + 1,
        before[start..].chars().count() + 1,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn generate(code: &str, frame: &Frame<'_>) -> Generated {
        Generated::new(code, &Source::parse(code), frame)
    }

    #[test]
    fn places_are_found_again() {
        let code = "fn f() {}\nlet y = x;\ny";
        let loaded = BTreeMap::from([(
            "x",
            Loaded {
                of_type: "i32".into(),
                mutable: true,
            },
        )]);
        let heads = [Some(String::new())];
        let generated = generate(
            code,
            &Frame {
                loaded,
                item_heads: &heads,
                ..Frame::default()
            },
        );
        let at = |needle| generated.text.find(needle).expect("it is there");
        assert_eq!(generated.cell_offset(at("let y = x")), code.find("let y"));
        assert_eq!(generated.cell_offset(at("fn f()")), Some(0));
        assert_eq!(generated.cell_offset(at("swath_outcome =")), None);
        assert_eq!(
            generated.role_at(at("take::<i32>")),
            Some(&Role::Load("x".into()))
        );
        assert_eq!(
            generated.role_at(at("put(\"y\"")),
            Some(&Role::Store("y".into()))
        );
        assert_eq!(
            generated.role_at(at("put(\"x\"")),
            Some(&Role::Keep("x".into()))
        );
    }

    #[test]
    fn items_alone_run_nothing() {
        let heads = [Some(String::new())];
        assert_eq!(
            generate(
                "fn f() {}",
                &Frame {
                    item_heads: &heads,
                    ..Frame::default()
                }
            )
            .text,
            "fn f() {}\n"
        );
    }

    #[test]
    fn lines_and_columns_are_characters() {
        let text = "äb\ncd";
        assert_eq!(byte_offset(text, 1, 2), 2);
        assert_eq!(byte_offset(text, 2, 1), 4);
        assert_eq!(byte_offset(text, 2, 99), 6);
        assert_eq!(line_and_column(text, 4), (2, 1));
        assert_eq!(line_and_column(text, 2), (1, 2));
    }
}
