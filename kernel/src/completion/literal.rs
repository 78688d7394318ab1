//! The string literal at the cursor.
//!
//! The text behind the cursor is ignored: a literal that is being typed has no
//! end yet, so it would extend to an arbitrary place.

use std::ops::Range;

use ra_ap_parser::LexedStr;
use ra_ap_syntax::{Edition, SyntaxKind};

/// A literal up to the cursor.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Literal {
    style: Style,
    /// The offset of the cursor.
    cursor: usize,
    /// The value, and for each of its bytes the offset where it is written.
    value: Vec<u8>,
    written: Vec<usize>,
}

/// How a literal is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Style {
    /// `"…"`, `c"…"`.
    Text,
    /// `b"…"`.
    Bytes,
    /// `r#"…"#` with this many `#`.
    Raw { hashes: usize, is_bytes: bool },
}

impl Literal {
    /// Returns the literal that contains byte `cursor`; `None` inside an
    /// escape.
    pub(super) fn at(code: &str, cursor: usize) -> Option<Self> {
        let before = &code[..cursor];
        // Most of the time there is no literal.
        if !before.contains('"') {
            return None;
        }
        let lexed = LexedStr::new(Edition::Edition2024, before);
        let last = lexed.len().checked_sub(1)?;
        if !matches!(
            lexed.kind(last),
            SyntaxKind::STRING | SyntaxKind::BYTE_STRING | SyntaxKind::C_STRING
        ) {
            return None;
        }
        let text = lexed.text(last);
        let quote = text.find('"')?;
        let (head, body) = (&text[..quote], &text[quote + 1..]);
        let start = lexed.text_start(last) + quote + 1;
        let is_bytes = head.starts_with('b');
        let mut literal = Self {
            style: match (head.contains('r'), is_bytes) {
                (true, _) => Style::Raw {
                    hashes: head.matches('#').count(),
                    is_bytes,
                },
                (false, true) => Style::Bytes,
                (false, false) => Style::Text,
            },
            cursor,
            value: Vec::new(),
            written: Vec::new(),
        };
        literal.read(body, start).then_some(literal)
    }

    /// Reads the body; returns whether the cursor is inside the literal and not
    /// in an escape.
    fn read(&mut self, body: &str, start: usize) -> bool {
        if let Style::Raw { hashes, .. } = self.style {
            for (at, c) in body.char_indices() {
                self.push(c, start + at);
            }
            return !body.contains(&format!("\"{}", "#".repeat(hashes)));
        }
        let mut rest = body;
        while let Some(c) = rest.chars().next() {
            let at = start + body.len() - rest.len();
            match c {
                '"' => return false,
                '\\' => {
                    let Some(length) = self.read_escape(rest, at) else {
                        return false;
                    };
                    rest = &rest[length..];
                }
                c => {
                    self.push(c, at);
                    rest = &rest[c.len_utf8()..];
                }
            }
        }
        true
    }

    /// Reads an escape; returns its length if it is complete.
    fn read_escape(&mut self, text: &str, at: usize) -> Option<usize> {
        let kind = text[1..].chars().next()?;
        let simple = match kind {
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            '0' => '\0',
            '\\' | '"' | '\'' => kind,
            'x' => {
                let byte = u8::from_str_radix(text.get(2..4)?, 16).ok()?;
                self.value.push(byte);
                self.written.push(at);
                return Some(4);
            }
            'u' => {
                let end = text.find('}')?;
                let digits = text.get(3..end)?.replace('_', "");
                let number = u32::from_str_radix(&digits, 16).ok()?;
                self.push(char::from_u32(number)?, at);
                return Some(end + 1);
            }
            // The line continues after the indent of the next one.
            '\n' | '\r' => return Some(text.len() - text[1..].trim_start().len()),
            _ => return None,
        };
        self.push(simple, at);
        Some(2)
    }

    fn push(&mut self, c: char, at: usize) {
        let mut buffer = [0; 4];
        let bytes = c.encode_utf8(&mut buffer).as_bytes();
        self.value.extend(bytes);
        self.written.extend(bytes.iter().map(|_| at));
    }

    /// Returns the typed text after the last `separator`, and the offset where
    /// it begins.
    pub(super) fn last_part(&self, separator: u8) -> (Vec<u8>, usize) {
        let last = self.value.iter().rposition(|&byte| byte == separator);
        let from = last.map_or(0, |at| at + 1);
        (self.value[from..].to_vec(), self.written_at(from))
    }

    /// Returns the typed text.
    pub(super) fn value(&self) -> &[u8] {
        &self.value
    }

    /// Returns the offset where a byte of the value is written; the cursor for
    /// the next byte.
    pub(super) fn written_at(&self, byte: usize) -> usize {
        self.written.get(byte).copied().unwrap_or(self.cursor)
    }

    /// Returns the range that a completion starting at `start` replaces: up to
    /// the end of the word at the cursor.
    pub(super) fn replaced(&self, code: &str, start: usize, also: &[char]) -> Range<usize> {
        let is_part = |c: char| c.is_alphanumeric() || c == '_' || also.contains(&c);
        let rest = &code[self.cursor..];
        let word = rest.find(|c| !is_part(c)).unwrap_or(rest.len());
        start..self.cursor + word
    }

    /// Returns `text` as written in this literal; `None` where it cannot be
    /// written.
    pub(super) fn write(&self, text: &str) -> Option<String> {
        match self.style {
            Style::Raw { hashes, is_bytes } => {
                let end = format!("\"{}", "#".repeat(hashes));
                let fits = !text.contains(&end) && !text.contains('\r');
                (fits && (!is_bytes || text.is_ascii())).then(|| text.to_owned())
            }
            Style::Text => Some(text.chars().map(|c| escaped(c, false)).collect()),
            Style::Bytes => Some(text.chars().map(|c| escaped(c, true)).collect()),
        }
    }

    /// Returns the delimiter that ends the literal.
    pub(super) fn end(&self) -> String {
        match self.style {
            Style::Raw { hashes, .. } => format!("\"{}", "#".repeat(hashes)),
            Style::Text | Style::Bytes => "\"".to_owned(),
        }
    }
}

fn escaped(c: char, is_bytes: bool) -> String {
    match c {
        '\\' | '"' => format!("\\{c}"),
        '\n' => "\\n".to_owned(),
        '\r' => "\\r".to_owned(),
        '\t' => "\\t".to_owned(),
        c if is_bytes && !c.is_ascii() => {
            let mut buffer = [0; 4];
            let bytes = c.encode_utf8(&mut buffer).bytes();
            bytes.map(|byte| format!("\\x{byte:02x}")).collect()
        }
        c if c.is_ascii_control() => format!("\\x{:02x}", u32::from(c)),
        c if c.is_control() => format!("\\u{{{:x}}}", u32::from(c)),
        c => c.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Returns the text typed before `|`, if that is in a literal.
    fn typed(marked: &str) -> Option<String> {
        let cursor = marked.find('|').unwrap();
        let literal = Literal::at(&marked.replacen('|', "", 1), cursor)?;
        Some(String::from_utf8_lossy(&literal.value).into_owned())
    }

    #[test]
    fn where_a_literal_is() {
        for (marked, expect) in [
            (r#"col("a|ge")"#, Some("a")),
            (r#"col("a|"#, Some("a")),
            (r#"col("|")"#, Some("")),
            (r#"col("a|).mean()"#, Some("a")),
            (r#"f("a", "b|c")"#, Some("b")),
            (r#"f("a"|)"#, None),
            (r#"f("a", b|)"#, None),
            (r#"|"a""#, None),
            ("x|", None),
            ("|", None),
            (r#"// "a|"#, None),
            (r#"/* "a| */"#, None),
            (r#"/// "a|"#, None),
            ("// \"\n\"a|", Some("a")),
            ("let s = \"one\ntwo|", Some("one\ntwo")),
            ("let s = \"one\\\n    two|", Some("onetwo")),
            (r##"r#"a"b|"#"##, Some("a\"b")),
            (r##"r#"a"#|"##, None),
            (r#"r"C:\d|"#, Some(r"C:\d")),
            (r##"br#"x|"#"##, Some("x")),
            (r#"b"x\xc3\xa9|"#, Some("xé")),
            (r#"c"x|"#, Some("x")),
            (r#""a\"b|"#, Some("a\"b")),
            (r#""a\\"|"#, None),
            (r#""a\\|"#, Some("a\\")),
            (r#""a\|"#, None),
            (r#""a\u{e9|"#, None),
            (r#""a\u{e9}|"#, Some("aé")),
            (r#""\x4|"#, None),
            (r#""\x41|"#, Some("A")),
            (r#"let c = '"'; x|"#, None),
            (r#"let c = '"'; "x|"#, Some("x")),
            (r#"fn f<'a>(x: &'a str) { "y|"#, Some("y")),
            (r#"println!("{x} |")"#, Some("{x} ")),
            (r#"vec!["a", "grö|"]"#, Some("grö")),
            ("#[doc = \"a|\"]", Some("a")),
            ("let unfinished = (\"a\", [\"b|", Some("b")),
        ] {
            assert_eq!(typed(marked).as_deref(), expect, "{marked}");
        }
    }

    #[test]
    fn what_is_replaced() {
        let replaced = |marked: &str| {
            let cursor = marked.find('|').unwrap();
            let code = marked.replacen('|', "", 1);
            let literal = Literal::at(&code, cursor).unwrap();
            let range = literal.replaced(&code, literal.last_part(b'/').1, &['.', '-']);
            code[range].to_owned()
        };
        assert_eq!(replaced("f(\"data/ra|tings.csv\")"), "ratings.csv");
        assert_eq!(replaced("f(\"data/|\")"), "");
        assert_eq!(replaced("f(\"a\\\\b|, x)"), "a\\\\b");
        assert_eq!(replaced("f(\"|a b\")"), "a");
    }

    proptest! {
        /// A written value reads back unchanged.
        #[test]
        fn names_survive(name in any::<String>(), style in 0usize..4) {
            let heads = ["\"", "b\"", "c\"", "r##\""];
            let code = heads[style].to_owned();
            let literal = Literal::at(&code, code.len()).unwrap();
            // A C string cannot contain a NUL; avoiding it is up to the user.
            if let Some(written) = literal.write(&name.replace('\0', "")) {
                let code = code + &written;
                let again = Literal::at(&code, code.len()).unwrap();
                prop_assert_eq!(String::from_utf8_lossy(&again.value), name.replace('\0', ""));
            }
        }
    }
}
