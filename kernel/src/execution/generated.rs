//! Text for the compiler that is made of cells' text and lines around it, and
//! knows where each piece comes from and what each line does.

use super::places::{Origin, Pieces, Text};
use std::collections::BTreeMap;
use std::fmt::Write;
use std::ops::Range;

/// Code for the compiler.
#[derive(Debug, Default)]
pub(super) struct Generated {
    pub(super) text: String,
    /// Where pieces of cells are in the text.
    pieces: Pieces,
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
    /// Puts an earlier variable back that was moved and got a new value: where
    /// the user's statements end.
    KeepNew(String),
    /// Puts a new variable into the store.
    Store(String),
    /// Puts a new variable into the store where the part of this number fails.
    Salvage(String, usize),
    /// Hands a new variable from the part of this number to the next ones.
    Hand(String, usize),
    /// Puts a copy of a new variable into the store, right when it is bound.
    Early(String),
    /// Puts copies of what a closure holds into the store.
    Hold(String),
    /// Ends a new variable that is not kept, where the part of this number panics.
    End(String, usize),
    /// Drops a new variable that borrows from others, which are stored next.
    Drop(String),
}

impl Role {
    /// The variable that the line is about.
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

    /// Whether it puts a new variable into the store.
    pub(super) fn stores(&self) -> bool {
        matches!(
            self,
            Self::Store(_) | Self::Salvage(..) | Self::Early(_) | Self::Hold(_)
        )
    }
}

impl Generated {
    /// Writes a part of a cell, with what is inserted into it.
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

    /// Writes text of nobody's.
    pub(super) fn raw(&mut self, text: &str) {
        self.text += text;
    }

    /// Writes a part of a cell.
    pub(super) fn piece(&mut self, piece: &Text) {
        let start = self.text.len();
        self.text += piece.as_str();
        self.pieces.add(start..self.text.len(), piece);
    }

    /// Where a place of the text comes from.
    pub(super) fn origin(&self, offset: usize) -> Option<Origin> {
        self.pieces.origin(offset)
    }

    /// The end of the last cell's piece in front of a place.
    pub(super) fn end_before(&self, offset: usize) -> Option<Origin> {
        self.pieces.end_before(offset)
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
