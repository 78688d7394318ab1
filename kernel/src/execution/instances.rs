//! Libraries of ready instances of generic functions: which of them a cell takes
//! into account.

/// Every cell does.
pub(super) const ALL: &str = "swath_instances";
/// Those that join frames in memory do: to read the list of its instances takes as
/// long as to compile a small cell.
pub(super) const JOINS: &str = "swath_join_instances";

/// Methods of frames in memory, and the arguments that they have. A text's `join`
/// has one, a lazy frame's four.
const METHODS: [(&str, usize); 4] = [
    (".join(", 5),
    (".inner_join(", 3),
    (".left_join(", 3),
    (".full_join(", 3),
];

/// Whether code joins frames in memory, as far as its text says.
pub(super) fn joins(code: &str) -> bool {
    METHODS.iter().any(|(method, count)| {
        code.match_indices(method)
            .any(|(at, _)| arguments(&code[at + method.len()..]) == *count)
    })
}

/// How many arguments stand in front of the parenthesis that closes.
fn arguments(code: &str) -> usize {
    let (mut depth, mut count, mut is_empty) = (0usize, 0, true);
    for c in code.chars() {
        match c {
            ')' | ']' | '}' if depth == 0 => break,
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' => depth -= 1,
            ',' if depth == 0 => {
                count += 1;
                is_empty = true;
                continue;
            }
            _ => {}
        }
        is_empty &= c.is_whitespace();
    }
    count + usize::from(!is_empty)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn joins_of_frames_are_told_from_others() {
        for code in [
            "left.join(&right, [\"a\", \"b\"], [\"a\", \"b\"], how(), None)?",
            "a.join(\n    &b, [\"x\"], [\"y\"],\n    JoinArgs::new(JoinType::Left), None,\n)",
            "let c = a.inner_join(&b, [\"x\"], [\"y\"])?;",
        ] {
            assert!(joins(code), "{code}");
        }
        for code in [
            "words.join(\", \")",
            "thread.join()",
            "lazy.join(other, [col(\"a\")], [col(\"b\")], JoinArgs::new(JoinType::Inner))",
            "a.join(",
        ] {
            assert!(!joins(code), "{code}");
        }
    }
}
