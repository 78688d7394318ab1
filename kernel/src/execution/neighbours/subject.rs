//! Determines the subject of an error, from the compiler's message, its labels,
//! and the code around its place in the cell.

use super::Known;
use super::table::What;

/// The subject of an error.
#[derive(Debug)]
pub(super) struct Subject<'a> {
    pub(super) what: What,
    /// The type, as the compiler prints it, or the file that defines the called
    /// function.
    pub(super) of: &'a str,
    /// The candidate words, from the most to the least exact. The last one may
    /// be `*`, for any.
    pub(super) words: Vec<String>,
    /// The text that a hint quotes.
    pub(super) shown: &'a str,
}

impl<'a> Subject<'a> {
    fn new(what: What, of: &'a str, words: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self {
            what,
            of,
            words: words.into_iter().map(Into::into).collect(),
            shown: "",
        }
    }
}

impl<'a> Known<'a> {
    /// Returns the possible subjects of the error, the likeliest first.
    pub(super) fn subjects(&self) -> Vec<Subject<'a>> {
        let names = quoted(self.message);
        let at = |place: usize| names.get(place).copied().unwrap_or_default();
        let one = |what, of, shown: &'a str| {
            let subject = Subject::new(what, of, [shown, "*"]);
            vec![Subject { shown, ..subject }]
        };
        let starts = |prefix: &str| self.message.starts_with(prefix);
        let ends = |suffix: &str| self.message.ends_with(suffix);
        match self.code {
            None => self.syntax(),
            // A method of iterators.
            Some("E0599") if ends("is not an iterator") => one(What::Method, at(0), self.text()),
            // A method that exists for other element types.
            Some("E0599") if ends("its trait bounds were not satisfied") => {
                let of_elements = one(What::Elements, at(1), at(0));
                let method = one(What::Method, at(1), at(0));
                of_elements.into_iter().chain(method).collect()
            }
            Some("E0599") => {
                // The message may leave out a generic type's parameters.
                let of = self.labelled("method not found in `").unwrap_or(at(1));
                let what = match self.message.contains("associated ") {
                    true => What::Associated,
                    false => What::Method,
                };
                one(what, of, at(0).trim_start_matches("r#"))
            }
            Some("E0609") => one(What::Field, at(1), at(0)),
            Some("E0615") => one(What::MethodAsField, at(1), at(0)),
            Some("E0608") => {
                let inner = self.text().strip_prefix('[').unwrap_or_default();
                vec![self.index(at(0), inner.strip_suffix(']').unwrap_or(inner))]
            }
            Some("E0600") => one(What::Unary, at(1), at(0)),
            Some("E0614") => self.power(),
            Some("E0605" | "E0606") => one(What::Cast, at(0), at(1)),
            Some("E0308") if starts("arguments to this ") => self.arguments(),
            Some("E0308") => self.mismatch(),
            Some("E0061") => self.arguments(),
            // If the parenthesis is on the next line, the user meant no call.
            Some("E0618") if !self.behind().starts_with('(') => Vec::new(),
            Some("E0618") => one(What::Call, at(0), self.text()),
            Some("E0423" | "E0425" | "E0433" | "E0412") => self.name(at(0)),
            Some("E0432") => {
                let words = [self.text(), at(0)].map(|path| format!("use {path}"));
                vec![Subject::new(What::Name, at(0), words)]
            }
            Some("E0624") => {
                let before = self.before().strip_suffix("::").unwrap_or_default();
                one(What::Associated, last_word(before), at(0))
            }
            Some("E0277") if starts("the trait bound ") => {
                let (of, bound) = at(0).split_once(": ").unwrap_or_default();
                let name = last_segment(bound.split('<').next().unwrap_or(bound));
                vec![self.bound(of, bound, name)]
            }
            Some("E0277") if starts("the `?` operator can only be applied") => {
                let of = self.labelled("the `?` operator cannot be applied to type `");
                one(What::Bound, of.unwrap_or_default(), "Try")
            }
            Some("E0277") if ends("is not a future") => one(What::Bound, at(0), "Future"),
            Some("E0277") if self.message.contains("doesn't implement") => {
                one(What::Bound, at(0), last_segment(at(1)))
            }
            Some("E0277") if ends("is not an iterator") => {
                vec![self.bound(at(0), "Iterator", "Iterator")]
            }
            Some("E0277") if self.message.contains("cannot be indexed by") => {
                let by_type = Subject::new(What::Index, at(0), [format!("by {}", at(1))]);
                vec![by_type, self.index(at(0), self.text())]
            }
            Some("E0271") => vec![self.bound("", "Item", "Item")],
            Some("E0275") => one(What::Method, "", self.text()),
            Some("E0382") => match self.moved()[..] {
                [name, of, ..] => one(What::Moved, of, name),
                _ => Vec::new(),
            },
            Some("E0507") => {
                let of = self.labelled("move occurs because value has type `");
                one(What::Moved, of.unwrap_or_default(), self.text())
            }
            Some("E0594") if ends("as it is not declared as mutable") => {
                one(What::Assigned, "mut", at(0))
            }
            Some("E0282" | "E0283") => {
                let prefix = "cannot infer type of the type parameter `T` declared on the struct `";
                let of = self.labelled(prefix).unwrap_or_default();
                let shown = last_segment(self.text());
                let closure = self.before().strip_suffix('|').and_then(|_| self.call());
                let mut words = vec![self.text().to_owned()];
                words.extend(closure.map(|call| format!("| in {call}")));
                vec![Subject {
                    shown,
                    ..Subject::new(What::Inference, of, words)
                }]
            }
            // Which `sum` is meant depends on the element type.
            Some("E0034") => {
                let prefix = "candidate #1 is defined in an impl for the type `";
                let of = self.labelled(prefix).unwrap_or_default();
                let made = self.before().rsplit_once("Array::").map(|(_, rest)| rest);
                let shown = made.and_then(|rest| rest.split('(').next());
                match shown {
                    Some(shown) => vec![Subject {
                        shown,
                        ..Subject::new(What::Inference, of, [format!("Array::{shown}")])
                    }],
                    None => Vec::new(),
                }
            }
            Some("E0689") => one(What::Inference, at(1), at(0)),
            Some("E0369" | "E0277") => self.operation(&names),
            Some("E0368") => {
                let operator = at(0);
                one(What::Operator, at(1), operator)
            }
            Some(_) => Vec::new(),
        }
    }

    /// Returns the code at the error's place.
    fn text(&self) -> &'a str {
        self.cell.get(self.range.clone()).unwrap_or_default()
    }

    fn before(&self) -> &'a str {
        self.cell.get(..self.range.start).unwrap_or_default()
    }

    fn behind(&self) -> &'a str {
        self.cell.get(self.range.end..).unwrap_or_default()
    }

    /// Returns the text in backticks of the label with this prefix, which ends
    /// with a backtick.
    fn labelled(&self, prefix: &str) -> Option<&'a str> {
        let mut labels = self.labels.iter();
        let rest = labels.find_map(|label| label.strip_prefix(prefix))?;
        rest.split('`').next()
    }

    /// Returns the moved variable and its type.
    fn moved(&self) -> Vec<&'a str> {
        let mut notes = self.labels.iter();
        let note = notes.find(|note| note.starts_with("move occurs because "));
        note.map(|note| quoted(note)).unwrap_or_default()
    }

    /// Returns the function that is called with wrong arguments.
    fn arguments(&self) -> Vec<Subject<'a>> {
        let mut path = self.text().to_owned();
        if let (Some(start), Some(end)) = (path.find("::<"), path.find('>')) {
            path.replace_range(start..=end, "");
        }
        let shown = last_segment(self.text());
        let of = self.callee.unwrap_or_default();
        vec![Subject {
            shown,
            ..Subject::new(What::Arguments, of, [path])
        }]
    }

    /// Classifies an index by its form.
    fn index(&self, of: &'a str, inner: &'a str) -> Subject<'a> {
        let shown = inner.trim();
        let kind = if shown.starts_with(['[', '(']) {
            "list"
        } else if shown.starts_with('"') {
            "text"
        } else if shown.contains("..") {
            "range"
        } else if shown.parse::<usize>().is_ok() {
            "number"
        } else {
            "other"
        };
        let behind = self.behind().trim_start();
        let used = [">=", "<=", "==", "!=", ">", "<", "="]
            .into_iter()
            .find(|operator| behind.starts_with(operator));
        let exact = used.map(|operator| format!("{kind} {operator}"));
        let words = exact.into_iter().chain([kind.to_owned()]);
        Subject {
            shown,
            ..Subject::new(What::Index, of, words)
        }
    }

    /// Returns the subject for a trait that a type lacks, with words for the
    /// call whose argument it is and the method that requires it.
    fn bound(&self, of: &'a str, bound: &str, name: &str) -> Subject<'a> {
        let call = self.call().unwrap_or_default();
        let words = [
            format!("{bound} in {call}"),
            bound.to_owned(),
            format!("{name} in {call}"),
            format!("{name} of {}", self.text()),
            name.to_owned(),
        ];
        Subject::new(What::Bound, of, words)
    }

    /// Recognizes `x ** 2`, which the compiler reads as `x * *2`.
    fn power(&self) -> Vec<Subject<'a>> {
        if self.before().ends_with('*') || self.text().starts_with("* ") {
            vec![Subject::new(What::Power, "", ["**"])]
        } else {
            Vec::new()
        }
    }

    /// Returns the subjects for an operator and the types of its operands.
    fn operation(&self, quoted: &[&'a str]) -> Vec<Subject<'a>> {
        let at = |place: usize| quoted.get(place).copied().unwrap_or_default();
        let operator = self.text().trim();
        let starts = |prefix: &str| self.message.starts_with(prefix);
        let (left, right) = if starts("cannot add ") || starts("cannot subtract ") {
            (at(1), at(0))
        } else if starts("cannot multiply ") || starts("cannot divide ") {
            (at(0), at(1))
        } else if starts("cannot calculate the remainder of ") {
            let sides = at(0).split_once(" divided by ");
            sides.unwrap_or((at(0), at(1)))
        } else if starts("can't compare ") {
            (at(0), at(1))
        } else if starts("no implementation for ") {
            let middle = format!(" {operator} ");
            match at(0).split_once(&*middle) {
                Some(sides) => sides,
                None => return Vec::new(),
            }
        } else if starts("binary operation ") {
            // The labels contain both operands; the right one is the last.
            (at(1), self.labels.get(2).copied().unwrap_or_default())
        } else {
            return Vec::new();
        };
        let opener = self.opener().map(|(opener, _)| opener);
        let words = |other: &str| {
            let mut words = vec![format!("{operator} {other}")];
            let base = other.split('<').next().unwrap_or(other);
            words.push(format!("{operator} {}", last_segment(base)));
            words.extend(self.call().map(|call| format!("{operator} in {call}")));
            words.extend((opener == Some('[')).then(|| format!("[{operator}")));
            words.push(operator.to_owned());
            words
        };
        vec![
            Subject::new(What::Operator, left, words(right)),
            Subject::new(What::OperatorBehind, right, words(left)),
        ]
    }

    /// Returns the subjects for a type where another one is expected.
    fn mismatch(&self) -> Vec<Subject<'a>> {
        let label = self.labels.iter().find_map(|label| {
            let (expected, found) = label.strip_prefix("expected ")?.split_once(", found ")?;
            Some((expected.trim_matches('`'), found.trim_matches('`')))
        });
        let Some((mut expected, mut found)) = label else {
            return Vec::new();
        };
        // A note contains the full paths of the types; labels only have their
        // last names.
        let note = self.labels.iter().find_map(|note| {
            let is_same = |path: &str, name: &str| path.ends_with(last_segment(name));
            let is_note = note.trim_start().starts_with("expected ");
            match quoted(note)[..] {
                [one, other] if is_note && is_same(one, expected) && is_same(other, found) => {
                    Some((one, other))
                }
                _ => None,
            }
        });
        if let Some((one, other)) = note {
            (expected, found) = (one, other);
        }
        let compares = ["==", "!="]
            .into_iter()
            .find(|operator| self.text().contains(operator));
        let exact = compares.map(|operator| format!("{operator} {found}"));
        let before = self.before().trim_end();
        let operator = [">=", "<=", "==", "!=", "&&", "||", "+"]
            .into_iter()
            .find(|operator| {
                before.ends_with(operator) || self.behind().trim_start().starts_with(operator)
            })
            .map(|operator| format!("{found} beside {operator}"));
        let call = self.call().unwrap_or_default();
        let place = format!("{found} in {call}");
        let list = found.starts_with('[').then(|| format!("list in {call}"));
        let base = found.split('<').next().unwrap_or(found);
        let general = [place, found.to_owned(), base.to_owned()];
        let words = exact.into_iter().chain(operator).chain(list).chain(general);
        let mut subjects = vec![
            Subject {
                shown: call,
                ..Subject::new(What::Expected, expected, words)
            },
            Subject::new(What::Found, found, [expected]),
        ];
        if let Some(shown) = self.assigned() {
            subjects.push(Subject {
                shown,
                ..Subject::new(What::Assigned, "", ["*"])
            });
        }
        subjects
    }

    /// Returns the variable to which a statement assigns the value at the
    /// place.
    fn assigned(&self) -> Option<&'a str> {
        let before = self.before().trim_end().strip_suffix('=')?.trim_end();
        let name = last_word(before);
        let statement = before[..before.len() - name.len()].trim_end();
        let is_start = statement.is_empty() || statement.ends_with([';', '{', '}']);
        (is_start && !name.is_empty()).then_some(name)
    }

    /// Returns the subjects for an unknown name, with the names behind it
    /// (`np.random.rand`) or, for the name of an argument, the call before it:
    /// `sum(axis=)`.
    fn name(&self, name: &'a str) -> Vec<Subject<'a>> {
        if self
            .text()
            .strip_prefix(name)
            .is_some_and(|rest| rest.starts_with('('))
        {
            return vec![Subject::new(What::Name, name, [format!("{name}()")])];
        }
        let is_free = self.message.contains(" in this scope") || self.code == Some("E0423");
        if self.text() != name || !is_free {
            return Vec::new();
        }
        let behind = self.behind().trim_start();
        let is_argument = behind.starts_with('=')
            && !behind.starts_with("==")
            && self.before().trim_end().ends_with(['(', ',']);
        if is_argument {
            let call = self.call().unwrap_or_default();
            let words = [
                format!("{call}({name}=)"),
                format!("{name}="),
                "*".to_owned(),
            ];
            return vec![Subject::new(What::Argument, self.owner_type, words)];
        }
        if self.before().ends_with("col(") && behind.starts_with(')') {
            let shown = name;
            return vec![Subject {
                shown,
                ..Subject::new(What::Argument, "", ["col()"])
            }];
        }
        let is_type = self
            .message
            .ends_with(&*format!("found builtin type `{name}`"));
        if is_type && !behind.starts_with('(') {
            let call = self.call().unwrap_or_default();
            return vec![Subject::new(What::Argument, "", [format!("{call}(type)")])];
        }
        let mut paths = vec![name.to_owned()];
        let mut rest = self.behind();
        let mut shown = "";
        while let Some(next) = rest.strip_prefix("::").or_else(|| rest.strip_prefix('.')) {
            let end = next.find(|c| !is_word(c)).unwrap_or(next.len());
            if end == 0 {
                break;
            }
            if shown.is_empty() {
                shown = &next[..end];
            }
            let longer = format!("{}.{}", paths[0], &next[..end]);
            paths.insert(0, longer);
            rest = &next[end..];
        }
        if paths.len() > 1 {
            // The name alone may be a variable.
            paths.pop();
            if ["da", "numpy"].contains(&name) {
                paths.extend([format!("np.{shown}"), "np.*".to_owned()]);
            }
            paths.push(format!("{name}.*"));
        }
        if behind.starts_with('(') {
            paths.insert(0, format!("{name}()"));
        }
        if let (Some(call), Some((_, outer))) = (self.call(), self.opener()) {
            paths.push(format!("{name} in {call}"));
            let is_compared = behind.starts_with(['<', '>', '=', '!']);
            // A closure compares values.
            if is_compared && !self.before()[outer.len()..].contains('|') {
                paths.push(format!("compared in {call}"));
            }
        }
        let what = match self.message.starts_with("cannot find type ") {
            true => What::Type,
            false => What::Name,
        };
        vec![Subject {
            shown,
            ..Subject::new(what, name, paths)
        }]
    }

    /// Returns the name of the function or macro in whose arguments the error
    /// is.
    fn call(&self) -> Option<&'a str> {
        let (opener, before) = self.opener()?;
        (opener == '(').then(|| last_word(before.trim_end_matches('!').trim_end()))
    }

    /// Returns the name of the value that is indexed, or whose method is
    /// called, at the error.
    pub(super) fn owner(&self) -> Option<&'a str> {
        let (opener, mut before) = self.opener()?;
        if opener == '(' {
            before = before.strip_suffix(last_word(before))?.strip_suffix('.')?;
        }
        let name = last_word(before);
        let is_field = before[..before.len() - name.len()].ends_with('.');
        (opener != '{' && !name.is_empty() && !is_field).then_some(name)
    }

    /// Returns the innermost open bracket at the error, and the code before it.
    fn opener(&self) -> Option<(char, &'a str)> {
        let before = self.before();
        let mut closed = 0;
        for (at, c) in before.char_indices().rev() {
            match c {
                ')' | ']' | '}' => closed += 1,
                '(' | '[' | '{' if closed == 0 => return Some((c, &before[..at])),
                '(' | '[' | '{' => closed -= 1,
                _ => {}
            }
        }
        None
    }

    /// Returns the subjects for a syntax error, by the text at its place and
    /// before it.
    fn syntax(&self) -> Vec<Subject<'a>> {
        let line = self.before().rsplit('\n').next().unwrap_or_default();
        let mut last = line.split_whitespace().next_back().unwrap_or_default();
        if last_word(last) == "not" {
            last = "not";
        }
        let first = line.split_whitespace().next().unwrap_or_default();
        let here = self.text();
        let rest = self.behind().split('\n').next().unwrap_or_default();
        let mut words: Vec<String> = Vec::new();
        match self.opener() {
            _ if here == ":" && rest.trim().is_empty() && BLOCKS.contains(&first) => {
                words.push(":\n".to_owned());
            }
            // The expression before the bracket is indexed.
            Some(('[', before)) if before.ends_with(|c| is_word(c) || ")]?".contains(c)) => {
                let owner = last_word(before);
                if here == ":" || line.ends_with("::") {
                    words.extend([format!("{owner}[:"), "[:".to_owned()]);
                } else if [",", "..."].contains(&here) {
                    words.extend([format!("{owner}[,"), "[,".to_owned()]);
                }
            }
            Some(('(', _)) if [":", "+"].contains(&here) => {
                let call = self.call().unwrap_or_default();
                words.push(format!("{call}({here}"));
            }
            Some(('{', before)) if here == ":" => {
                let outer = Known {
                    range: before.len()..before.len(),
                    ..self.clone()
                };
                words.extend(outer.call().map(|call| format!("{call}({{:")));
                words.push("{:".to_owned());
            }
            _ if here == "." && line.trim_start().starts_with("use ") => {
                words.push("use .".to_owned());
            }
            _ if here == "@" && line.trim().is_empty() && rest.starts_with("delayed") => {
                words.push("@delayed".to_owned());
            }
            _ => {}
        }
        vec![
            Subject::new(What::Message, "", [self.message]),
            Subject::new(What::Syntax, self.owner_type, words),
            Subject::new(What::Behind, "", self.is_behind(line, last).then_some(last)),
            Subject::new(What::At, "", self.is_at(line).then_some(here)),
        ]
    }

    /// Returns whether the word before the place is meant as Python.
    fn is_behind(&self, line: &str, word: &str) -> bool {
        match word {
            // An attribute without its brackets looks like a comment, too.
            "#" => !ATTRIBUTES.contains(&self.text()),
            "def" | "lambda" | "not" | "elif" | "\"\"" => true,
            "type" => line.trim() == word && self.text() == "(",
            _ => line.trim() == word,
        }
    }

    /// Returns whether the word at the place is meant as Python.
    fn is_at(&self, line: &str) -> bool {
        match self.text() {
            // At the beginning of a line, the word belongs to another
            // statement.
            "in" => !line.split_whitespace().any(|word| word == "for") && !line.trim().is_empty(),
            "if" | "for" | "is" | "not" | "@" => !line.trim().is_empty(),
            "where" => self.before().ends_with('.'),
            "type" => self.behind().starts_with('('),
            "try" => line.trim().is_empty() && self.behind().starts_with(':'),
            "%" => line.trim().is_empty(),
            _ => false,
        }
    }
}

/// The keywords that begin Python's blocks.
const BLOCKS: [&str; 9] = [
    "for", "if", "while", "else", "elif", "def", "class", "with", "try",
];

/// Attributes that are often written.
const ATTRIBUTES: [&str; 9] = [
    "derive", "allow", "expect", "warn", "deny", "cfg", "inline", "test", "repr",
];

/// Returns the parts of a text in backticks.
fn quoted(text: &str) -> Vec<&str> {
    text.split('`').skip(1).step_by(2).collect()
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

fn last_segment(path: &str) -> &str {
    path.rsplit("::").next().unwrap_or(path)
}

/// Returns the name at the end of a text.
fn last_word(text: &str) -> &str {
    let start = text
        .char_indices()
        .rev()
        .take_while(|(_, c)| is_word(*c))
        .last()
        .map_or(text.len(), |(at, _)| at);
    &text[start..]
}
