//! The code that is compiled for a cell, and where each piece of it comes from.

use super::items::Text;
use super::source::{Source, StatementKind};
use std::collections::BTreeMap;
use std::fmt::Write;
use std::ops::Range;
use std::sync::Arc;

/// Code for the compiler.
#[derive(Debug, Default)]
pub(super) struct Generated {
    pub(super) text: String,
    /// Where pieces of cells are in the text.
    pieces: Pieces,
    /// Lines that handle a variable.
    roles: Vec<(Range<usize>, Role)>,
}

/// Where pieces of cells are in a text, in order.
#[derive(Clone, Debug, Default)]
pub(super) struct Pieces(Vec<(Range<usize>, Text)>);

/// A place in a cell.
#[derive(Clone, Debug)]
pub(super) struct Origin {
    pub(super) cell: u32,
    pub(super) code: Arc<str>,
    /// The byte offset in the cell.
    pub(super) offset: usize,
}

/// What a generated line does.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Role {
    /// Takes an earlier variable out of the store.
    Load(String),
    /// Puts an earlier variable back.
    Keep(String),
    /// Puts an earlier variable back that was moved and got a new value: where
    /// the user's statements end.
    KeepNew(String),
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
    /// The function's name.
    pub(super) function: &'a str,
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
}

/// The line in front of the expression whose value is shown.
pub(super) const SHOWN: &str = "let swath_shown = match &(";

const CELL: &str = "swath::session::cell";

impl Generated {
    /// Writes the function that runs a cell's statements.
    pub(super) fn function(&mut self, cell: &Text, source: &Source, frame: &Frame<'_>) {
        self.line(format_args!("#[unsafe(no_mangle)]"));
        self.line(format_args!("pub extern \"C\" fn {}() {{", frame.function));
        if source.statements.is_empty() {
            self.line(format_args!("{CELL}::run(&mut || {{"));
            self.forget(frame);
            self.line(format_args!("::std::result::Result::Ok(())\n}});"));
        } else {
            self.statements(cell, source, frame);
        }
        self.line(format_args!("}}"));
    }

    /// Writes the cell as it is, for the compiler's own words on what the parser
    /// does not understand: into a function, or alone, which tells of a
    /// delimiter that is missing and nothing else.
    pub(super) fn verbatim(&mut self, cell: &Text, commands: &[Range<usize>], is_alone: bool) {
        if !is_alone {
            self.line(format_args!("pub fn cell() {{"));
        }
        let end = cell.range.end;
        let mut start = cell.range.start;
        for range in commands.iter().cloned().chain(std::iter::once(end..end)) {
            self.piece(&cell.part(start..range.start));
            self.raw("\n");
            start = range.end;
        }
        if !is_alone {
            self.line(format_args!("}}"));
        }
    }

    fn statements(&mut self, cell: &Text, source: &Source, frame: &Frame<'_>) {
        let bindings = source.bindings();
        self.line(format_args!("{CELL}::run(&mut || {{"));
        self.forget(frame);
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
                self.piece(&cell.part(statement.range.clone()));
                let show = if frame.own_display {
                    "{ swath_value.evcxr_display(); ::std::result::Result::Ok(::std::option::Option::None) }"
                } else {
                    "swath::show_value!(swath_value)"
                };
                self.line(format_args!("\n) {{ swath_value => {show} }};"));
                shows = true;
            } else {
                self.piece(&cell.part(statement.range.clone()));
                self.text.push('\n');
            }
        }
        for name in frame.loaded.keys() {
            // Instead of the line behind the statements.
            let role = Role::KeepNew((*name).to_owned());
            if source.assigned.contains(*name)
                && frame.without.contains(&Role::Keep((*name).to_owned()))
                && !frame.without.contains(&role)
            {
                self.role(role, &format!("{CELL}::put({name:?}, {name});"));
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

    fn forget(&mut self, frame: &Frame<'_>) {
        if !frame.forget.is_empty() {
            self.line(format_args!("{CELL}::forget(&{:?});", frame.forget));
        }
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

    /// Writes text of nobody's.
    pub(super) fn raw(&mut self, text: &str) {
        self.text += text;
    }

    /// Writes a part of a cell.
    pub(super) fn piece(&mut self, piece: &Text) {
        let start = self.text.len();
        self.text += piece.as_str();
        self.pieces.0.push((start..self.text.len(), piece.clone()));
    }

    /// Where a place of the text comes from.
    pub(super) fn origin(&self, offset: usize) -> Option<Origin> {
        self.pieces.origin(offset)
    }

    /// The end of the last cell's piece in front of a place.
    pub(super) fn end_before(&self, offset: usize) -> Option<Origin> {
        let before = self.pieces.0.iter().rev();
        let (range, piece) = before
            .filter(|(_, piece)| !piece.as_str().trim().is_empty())
            .find(|(range, _)| range.end <= offset)?;
        let end = piece.as_str().trim_end().len();
        self.pieces.origin(range.start + end)
    }

    /// A range without the parentheses that are written around a last
    /// expression.
    pub(super) fn without_parentheses(&self, range: Range<usize>) -> Range<usize> {
        let is_around = |text: &str| text.chars().all(|c| "()\n".contains(c));
        let inner = self.pieces.within(&range).filter(|inner| {
            is_around(&self.text[range.start..inner.start])
                && is_around(&self.text[inner.end..range.end])
        });
        inner.unwrap_or(range)
    }

    /// The pieces of cells in the text.
    pub(super) fn into_pieces(self) -> Pieces {
        self.pieces
    }

    /// What the line at a place of the text does.
    pub(super) fn role_at(&self, offset: usize) -> Option<&Role> {
        self.roles
            .iter()
            .find(|(range, _)| range.contains(&offset))
            .map(|(_, role)| role)
    }
}

impl Pieces {
    /// Where a place of the text comes from.
    pub(super) fn origin(&self, offset: usize) -> Option<Origin> {
        // Pieces of no length hold no place.
        let after = self.0.partition_point(|(range, _)| range.start <= offset);
        self.0[..after]
            .iter()
            .rev()
            .take(2)
            .find(|(range, _)| offset <= range.end)
            .map(|(range, piece)| Origin {
                cell: piece.cell,
                code: piece.code.clone(),
                offset: piece.range.start + (offset - range.start),
            })
    }

    /// From the first to the last piece in a range.
    fn within(&self, range: &Range<usize>) -> Option<Range<usize>> {
        let mut inside = self
            .0
            .iter()
            .map(|(piece, _)| piece)
            .filter(|piece| range.start <= piece.start && piece.end <= range.end);
        let first = inside.next()?;
        Some(first.start..inside.next_back().unwrap_or(first).end)
    }

    /// The beginning of the first piece behind a place.
    pub(super) fn next(&self, offset: usize) -> Option<usize> {
        let after = self.0.partition_point(|(range, _)| range.start < offset);
        self.0.get(after).map(|(range, _)| range.start)
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
    use crate::execution::items::{Items, Needed};

    fn generate(code: &str, frame: &Frame<'_>) -> Generated {
        let source = Source::parse(code);
        let code: Arc<str> = Arc::from(code);
        let mut generated = Generated::default();
        let mut items = Items::default().change(3, &code, &source).after;
        items.write(&mut generated, &Needed::All, 1);
        generated.function(&Text::whole(3, &code), &source, frame);
        generated
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
        let generated = generate(
            code,
            &Frame {
                function: "cell",
                loaded,
                ..Frame::default()
            },
        );
        let at = |needle| generated.text.find(needle).expect("it is there");
        let offset = |at| {
            let origin = generated.origin(at)?;
            assert_eq!(origin.cell, 3);
            Some(origin.offset)
        };
        assert_eq!(offset(at("let y = x")), code.find("let y"));
        assert_eq!(offset(at("fn f()")), Some(0));
        assert_eq!(offset(at("swath_outcome =")), None);
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
    fn what_is_not_understood_is_compiled_as_it_is() {
        let code: Arc<str> = Arc::from(":dep a\nlet x = ;");
        let mut generated = Generated::default();
        generated.verbatim(&Text::whole(1, &code), std::slice::from_ref(&(0..6)), false);
        assert_eq!(generated.text, "pub fn cell() {\n\n\nlet x = ;\n}\n");
        let at = generated.text.find("= ;").expect("it is there");
        assert_eq!(
            generated.origin(at).map(|origin| origin.offset),
            code.find("= ;")
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
