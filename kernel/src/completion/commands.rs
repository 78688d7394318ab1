//! Finds commands in a cell: lines that start with a colon.

use std::ops::Range;

use super::cursor::line_at;

/// Returns the range of the command name in `code` that contains byte `offset`
/// or ends there.
pub(super) fn command_at(code: &str, offset: usize) -> Option<Range<usize>> {
    let (line_start, line) = line_at(code, offset);
    let trimmed = line.trim_start();
    if !trimmed.starts_with(':') || trimmed.starts_with("::") {
        return None;
    }
    let start = line_start + line.len() - trimmed.len();
    let end = start + trimmed.find(char::is_whitespace).unwrap_or(trimmed.len());
    (start < offset && offset <= end).then_some(start..end)
}

/// Returns whether the line at `offset` is a command.
pub(super) fn is_command_line(code: &str, offset: usize) -> bool {
    let line = line_at(code, offset).1.trim_start();
    line.starts_with(':') && !line.starts_with("::")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_stands_at_the_beginning_of_a_line() {
        let at = |code: &str, offset| command_at(code, offset).map(|range| code[range].to_owned());
        assert_eq!(at(":de", 3).as_deref(), Some(":de"));
        assert_eq!(at("x\n  :dep regex", 7).as_deref(), Some(":dep"));
        assert_eq!(at(":dep regex", 8), None);
        assert_eq!(at("a :dep", 4), None);
        assert_eq!(at("::std", 3), None);
        assert!(is_command_line(":dep regex", 8));
    }
}
