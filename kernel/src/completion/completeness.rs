//! Decides whether a console should run the code or ask for another line.

use ra_ap_parser::LexedStr;
use ra_ap_syntax::{Edition, SourceFile, SyntaxKind, T};

use super::DEEPEST;
use super::commands::is_command_line;
use crate::syntax::is_deeper_than;
use swath_wire::IsCompleteReply;

/// The indent of the next line, for each open brace.
const INDENT: &str = "    ";

/// Puts code where statements and expressions are allowed.
const BEFORE: &str = "fn __swath_cell() {\n";
/// Closes what [`BEFORE`] opens.
const AFTER: &str = "\n}";

/// Judges whether `code` is complete as a cell.
pub(crate) fn completeness(code: &str) -> IsCompleteReply {
    // Commands are not Rust.
    let rust: String = code
        .lines()
        .map(|line| {
            let is_command = is_command_line(line, 0);
            format!("{}\n", if is_command { "" } else { line })
        })
        .collect();
    let rust = rust.trim_end();
    if rust.is_empty() {
        return IsCompleteReply::Complete;
    }
    if is_deeper_than(DEEPEST, &LexedStr::new(Edition::Edition2024, rust)) {
        // Let the compiler report the error.
        return IsCompleteReply::Complete;
    }
    let tokens = SourceFile::parse(rust, Edition::Edition2024);
    if tokens
        .errors()
        .iter()
        .any(|error| is_unterminated(&error.to_string()))
    {
        return IsCompleteReply::Incomplete {
            indent: String::new(),
        };
    }
    let mut open = Vec::new();
    let mut last = None;
    for element in tokens.syntax_node().descendants_with_tokens() {
        let Some(token) = element.into_token() else {
            continue;
        };
        let kind = token.kind();
        match kind {
            T!['('] => open.push(T![')']),
            T!['['] => open.push(T![']']),
            T!['{'] => open.push(T!['}']),
            T![')'] | T![']'] | T!['}'] if open.pop() != Some(kind) => {
                return IsCompleteReply::Invalid;
            }
            _ => {}
        }
        if !kind.is_trivia() {
            last = Some(kind);
        }
    }
    if !open.is_empty() {
        return IsCompleteReply::Incomplete {
            indent: INDENT.repeat(open.len()),
        };
    }
    if last.is_some_and(wants_operand) {
        return IsCompleteReply::Incomplete {
            indent: INDENT.to_owned(),
        };
    }
    let cell = format!("{BEFORE}{rust}{AFTER}");
    let parsed = SourceFile::parse(&cell, Edition::Edition2024);
    let end = BEFORE.len() + rust.len();
    let errors = parsed.errors();
    if errors.is_empty() {
        IsCompleteReply::Complete
    } else if errors
        .iter()
        .all(|error| usize::from(error.range().start()) >= end)
    {
        // The only error is that the code ends.
        IsCompleteReply::Incomplete {
            indent: String::new(),
        }
    } else {
        IsCompleteReply::Invalid
    }
}

/// Returns whether the lexer missed the end of a string or a comment.
fn is_unterminated(message: &str) -> bool {
    let is_missing = message.contains("Missing trailing");
    is_missing && (message.contains("comment") || message.contains("string"))
        || message.contains("Invalid raw string")
}

/// Returns whether something must follow a token of this kind.
fn wants_operand(kind: SyntaxKind) -> bool {
    matches!(
        kind,
        T![+]
            | T![-]
            | T![*]
            | T![/]
            | T![%]
            | T![^]
            | T![&]
            | T![|]
            | T![&&]
            | T![||]
            | T![=]
            | T![==]
            | T![!=]
            | T![<]
            | T![<=]
            | T![>=]
            | T![<<]
            | T![+=]
            | T![-=]
            | T![*=]
            | T![/=]
            | T![%=]
            | T![&=]
            | T![|=]
            | T![^=]
            | T![<<=]
            | T![>>=]
            | T![.]
            | T![::]
            | T![:]
            | T![,]
            | T![->]
            | T![=>]
            | T![!]
            | T![as]
            | T![let]
            | T![else]
            | T![in]
            | T![fn]
            | T![struct]
            | T![enum]
            | T![impl]
            | T![trait]
            | T![use]
            | T![mod]
            | T![pub]
            | T![mut]
            | T![match]
            | T![if]
            | T![while]
            | T![for]
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(code: &str, expect: &str) {
        let found = match completeness(code) {
            IsCompleteReply::Complete => "complete".to_owned(),
            IsCompleteReply::Invalid => "invalid".to_owned(),
            IsCompleteReply::Incomplete { indent } => format!("incomplete {}", indent.len()),
        };
        assert_eq!(found, expect, "{code:?}");
    }

    #[test]
    fn complete() {
        for code in [
            "",
            "  \n",
            "1 + 1",
            "let x = 1;",
            "println!(\"}\")",
            "fn f() -> i32 { 1 }",
            "struct P { x: i32 }\nlet p = P { x: 1 };\np.x",
            "for i in 0..3 {\n    println!(\"{i}\");\n}",
            "// a comment {",
            "x?",
            "#[derive(Debug)]\nstruct A;",
            ":dep regex = \"1\"",
            ":vars\nlet x = 1;",
            "use std::collections::HashMap;",
            "'{'",
            "let s = r#\"a\"b\"#;",
        ] {
            check(code, "complete");
        }
    }

    #[test]
    fn incomplete() {
        check("fn f() {", "incomplete 4");
        check("fn f() {\n    if x {", "incomplete 8");
        check("let v = vec![1,", "incomplete 4");
        check("foo(", "incomplete 4");
        check("1 +", "incomplete 4");
        check("let x =", "incomplete 4");
        check("x.iter()\n    .", "incomplete 4");
        check("\"abc", "incomplete 0");
        check("let s = r#\"abc", "incomplete 0");
        check("/* abc", "incomplete 0");
        check("let x = 5", "incomplete 0");
        check("fn f()", "incomplete 0");
        check("#[derive(Debug)]", "incomplete 0");
    }

    #[test]
    fn what_is_too_deep_to_parse() {
        check(&"(".repeat(100_000), "complete");
        check(&"!".repeat(100_000), "complete");
    }

    #[test]
    fn invalid() {
        for code in [")", "fn f() }", "(]", "let = 5;", "struct { x }", "1 2 3;"] {
            check(code, "invalid");
        }
    }
}
