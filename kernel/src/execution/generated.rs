//! Text for the compiler, made of cells' text and generated lines. It records
//! where each piece comes from and what each line does.

use super::places::{Origin, Pieces, Text};
use std::collections::BTreeMap;
use std::fmt::Write;
use std::ops::Range;

/// Code for the compiler.
#[derive(Debug, Default)]
pub(super) struct Generated {
    pub(super) text: String,
    /// The places of the cells' pieces in the text.
    pieces: Pieces,
    /// The generated lines that handle a variable.
    roles: Vec<(Range<usize>, Role)>,
}

/// What a generated line does.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Role {
    /// Takes an earlier variable out of the store.
    Load(String),
    /// Puts an earlier variable back.
    Keep(String),
    /// Puts back an earlier variable that was moved and got a new value, at the
    /// end of the user's statements.
    KeepNew(String),
    /// Puts a new variable into the store.
    Store(String),
    /// Puts a new variable into the store if the part of this number fails.
    Salvage(String, usize),
    /// Passes a new variable from the part of this number to the next ones.
    Hand(String, usize),
    /// Puts a copy of a new variable into the store, right when it is bound.
    Early(String),
    /// Puts copies of a closure's captures into the store.
    Hold(String),
    /// Drops a new variable that is not kept, if the part of this number panics.
    End(String, usize),
    /// Drops a new variable that borrows from others, which are stored next.
    Drop(String),
}

impl Role {
    /// Returns the variable that the line handles.
    pub(super) fn variable(&self) -> &str {
        match self {
            Self::Load(name)
            | Self::Keep(name)
            | Self::KeepNew(name)
            | Self::Store(name)
            | Self::Salvage(name, _)
            | Self::Hand(name, _)
            | Self::Early(name)
            | Self::Hold(name)
            | Self::End(name, _)
            | Self::Drop(name) => name,
        }
    }

    /// Returns whether it puts a new variable into the store.
    pub(super) fn stores(&self) -> bool {
        matches!(
            self,
            Self::Store(_) | Self::Salvage(..) | Self::Early(_) | Self::Hold(_)
        )
    }
}

impl Generated {
    /// Writes a part of a cell, with the insertions in it.
    pub(super) fn patched(&mut self, piece: &Text, insertions: &BTreeMap<usize, String>) {
        let mut start = piece.range.start;
        for (at, insertion) in insertions.range(piece.range.clone()) {
            self.piece(&piece.part(start..*at));
            self.raw(insertion);
            start = *at;
        }
        self.piece(&piece.part(start..piece.range.end));
    }

    pub(super) fn line(&mut self, text: std::fmt::Arguments<'_>) {
        // Writing to a String cannot fail.
        let _ = writeln!(self.text, "{text}");
    }

    pub(super) fn role(&mut self, role: Role, line: &str) {
        let start = self.text.len();
        self.line(format_args!("{line}"));
        self.roles.push((start..self.text.len(), role));
    }

    /// Writes text without an origin.
    pub(super) fn raw(&mut self, text: &str) {
        self.text += text;
    }

    /// Writes a part of a cell.
    pub(super) fn piece(&mut self, piece: &Text) {
        let start = self.text.len();
        self.text += piece.as_str();
        self.pieces.add(start..self.text.len(), piece);
    }

    /// Returns the origin of a place in the text.
    pub(super) fn origin(&self, offset: usize) -> Option<Origin> {
        self.pieces.origin(offset)
    }

    /// Returns the end of the last piece of a cell before a place.
    pub(super) fn end_before(&self, offset: usize) -> Option<Origin> {
        self.pieces.end_before(offset)
    }

    /// Returns a range without the parentheses that are written around a last
    /// expression.
    pub(super) fn without_parentheses(&self, range: Range<usize>) -> Range<usize> {
        let is_around = |text: &str| text.chars().all(|c| "()\n".contains(c));
        let inner = self.pieces.within(&range).filter(|inner| {
            is_around(&self.text[range.start..inner.start])
                && is_around(&self.text[inner.end..range.end])
        });
        inner.unwrap_or(range)
    }

    /// Returns the pieces of cells in the text.
    pub(super) fn into_pieces(self) -> Pieces {
        self.pieces
    }

    /// Returns the role of the line at a place in the text.
    pub(super) fn role_at(&self, offset: usize) -> Option<&Role> {
        self.roles
            .iter()
            .find(|(range, _)| range.contains(&offset))
            .map(|(_, role)| role)
    }
}
