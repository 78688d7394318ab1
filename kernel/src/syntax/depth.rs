//! Checks whether text is nested too deeply for the parser, which recurses: at
//! some thousands of levels it overflows a stack of the usual size, which ends
//! the kernel.

use ra_ap_parser::LexedStr;
use ra_ap_syntax::T;

/// How many `else if` use as much stack as one level.
const CHAINED: usize = 4;

/// Returns whether text is nested deeper than this many levels. Everything that
/// the parser reads as a part of the text before it counts as a level: the
/// contents of brackets, the operand of an operator, the right side of an
/// assignment. A long formula has more levels by this count than in the parser.
pub(crate) fn is_deeper_than(levels: usize, lexed: &LexedStr<'_>) -> bool {
    // The depth before each open bracket.
    let mut open = Vec::new();
    let mut depth = 0;
    let mut chain = 0;
    let mut was_else = false;
    for at in 0..lexed.len() {
        let kind = lexed.kind(at);
        if kind.is_trivia() {
            continue;
        }
        match kind {
            T!['('] | T!['['] | T!['{'] => {
                open.push(depth);
                depth += 1;
            }
            T![')'] | T![']'] => depth = open.pop().unwrap_or(0),
            // Another statement may follow the end of a block.
            T!['}'] => {
                open.pop();
                depth = outer(&open);
            }
            T![;] | T![,] => depth = outer(&open),
            T![!] | T![-] | T![*] | T![&] | T![|] | T![=] | T![<] | T![return] | T![break] => {
                depth += 1;
            }
            T![else] => chain += 1,
            T![if] if !was_else => chain = 0,
            _ => {}
        }
        was_else = kind == T![else];
        if depth > levels || chain / CHAINED > levels {
            return true;
        }
    }
    false
}

/// Returns the depth right after the last open bracket.
fn outer(open: &[usize]) -> usize {
    open.last().map_or(0, |depth| depth + 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use ra_ap_syntax::{Edition, SourceFile};

    fn check(text: &str, expect: bool) {
        let lexed = LexedStr::new(Edition::Edition2024, text);
        let shown = &text[..text.len().min(30)];
        assert_eq!(is_deeper_than(256, &lexed), expect, "{shown}…");
        if !expect {
            // It can be parsed on a stack of this size.
            let text = format!("fn f() {{ {text}");
            let parse = move || {
                SourceFile::parse(&text, Edition::Edition2024)
                    .syntax_node()
                    .descendants()
                    .count()
            };
            let thread = std::thread::Builder::new().stack_size(2 << 20).spawn(parse);
            assert!(thread.unwrap().join().unwrap() > 0, "{shown}…");
        }
    }

    #[test]
    fn what_recurses_is_counted() {
        for part in [
            "(",
            "[",
            "{",
            "f(a, ",
            "!",
            "& ",
            "-",
            "a = ",
            "|x| ",
            "return ",
            "Vec<",
            "a::<",
            "if a { } else ",
            "loop { ",
            "match a { b => ",
            "let x: &",
            "!(",
            "x(|y| -",
        ] {
            check(&part.repeat(100_000), true);
            check(&part.repeat(50), false);
        }
    }

    #[test]
    fn what_stands_side_by_side_is_not() {
        for part in [
            "let a = -b & !c;\n",
            "f(&a, -b, |x| x);\n",
            "if a < b { c = 1; } else if d { } else { }\n",
            "match a { b => { } }\n",
            "-1, ",
            "a.b(|x| x)\n.c()",
            "fn f<'a>(x: &'a T<u8>) -> T<u8> { *x }\n",
            "a + ",
        ] {
            check(&part.repeat(2_000), false);
        }
    }
}
