//! Places: parts of cells, and their positions in a text made of them.

use std::ops::Range;
use std::sync::Arc;

/// A part of a cell's text.
#[derive(Clone, Debug)]
pub(super) struct Text {
    /// The cell's execution count.
    pub(super) cell: u32,
    pub(super) code: Arc<str>,
    pub(super) range: Range<usize>,
}

impl Text {
    /// Returns a whole cell.
    pub(super) fn whole(cell: u32, code: &Arc<str>) -> Self {
        Self {
            cell,
            range: 0..code.len(),
            code: code.clone(),
        }
    }

    /// Returns another part of the same cell.
    pub(super) fn part(&self, range: Range<usize>) -> Self {
        Self {
            range,
            ..self.clone()
        }
    }

    pub(super) fn as_str(&self) -> &str {
        &self.code[self.range.clone()]
    }
}

/// The positions of pieces of cells in a text, in order.
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

impl Pieces {
    /// Adds a piece at the end of the text.
    pub(super) fn add(&mut self, range: Range<usize>, piece: &Text) {
        self.0.push((range, piece.clone()));
    }

    /// Returns the origin of a place in the text.
    pub(super) fn origin(&self, offset: usize) -> Option<Origin> {
        // Look at two pieces, because an empty piece contains no place.
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

    /// Returns the end of the last non-blank piece before a place.
    pub(super) fn end_before(&self, offset: usize) -> Option<Origin> {
        let (range, piece) = (self.0.iter().rev())
            .filter(|(_, piece)| !piece.as_str().trim().is_empty())
            .find(|(range, _)| range.end <= offset)?;
        let end = piece.as_str().trim_end().len();
        self.origin(range.start + end)
    }

    /// Returns the range from the first to the last piece within a range.
    pub(super) fn within(&self, range: &Range<usize>) -> Option<Range<usize>> {
        let mut inside = self
            .0
            .iter()
            .map(|(piece, _)| piece)
            .filter(|piece| range.start <= piece.start && piece.end <= range.end);
        let first = inside.next()?;
        Some(first.start..inside.next_back().unwrap_or(first).end)
    }

    /// Returns the start of the first piece after a place.
    pub(super) fn next(&self, offset: usize) -> Option<usize> {
        let after = self.0.partition_point(|(range, _)| range.start < offset);
        self.0.get(after).map(|(range, _)| range.start)
    }
}

/// Returns the byte offset of a line and column. Both count from 1, columns in
/// characters. A column past the end of a line gives the end of the line.
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

/// Returns the line and column of a byte offset, counted as in [`byte_offset`].
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
