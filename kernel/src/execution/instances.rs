//! Libraries of precompiled instances of generic functions, and which of them a
//! cell uses.

/// The library that every cell uses.
pub(super) const ALL: &str = "swath_instances";
/// The library for cells that join frames in memory. It is separate because
/// reading the list of its instances takes as long as compiling a small cell.
pub(super) const JOINS: &str = "swath_join_instances";

/// Join methods of frames in memory, and their numbers of arguments. A string's
/// `join` has one, a lazy frame's has four.
const METHODS: [(&str, usize); 4] = [
    (".join(", 5),
    (".inner_join(", 3),
    (".left_join(", 3),
    (".full_join(", 3),
];

/// Returns whether code seems to join frames in memory, judged by its text.
pub(super) fn joins(code: &str) -> bool {
    METHODS.iter().any(|(method, count)| {
        code.match_indices(method)
            .any(|(at, _)| arguments(&code[at + method.len()..]) == *count)
    })
}

/// Counts the arguments before the closing parenthesis.
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
