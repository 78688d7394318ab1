//! Expands the calls of a file's own `macro_rules!` as text.
//!
//! The runtime defines some methods with small macros, and syntax alone sees no
//! methods inside a macro call. These macros take names, literals, types and
//! lists of them; nothing else of `macro_rules!` is supported here. A call that
//! matches no rule is left out.

use std::collections::BTreeMap;

use ra_ap_parser::LexedStr;
use ra_ap_syntax::{Edition, SyntaxKind, T};

/// How many levels of calls within expansions are expanded.
const DEPTH: usize = 8;

/// Returns `text` with the calls of its macros expanded, and without the
/// macros.
pub(super) fn expanded(text: &str) -> String {
    let mut rules = BTreeMap::new();
    let trees = take_rules(trees(text), &mut rules);
    let mut out = String::new();
    write(&mut out, &trees, &rules, DEPTH);
    out
}

/// A token, or a bracketed group.
#[derive(Clone, Debug, PartialEq)]
struct Tree {
    /// Whether blanks precede it.
    is_apart: bool,
    kind: SyntaxKind,
    /// The text of the token, or of the opening bracket.
    text: String,
    /// For a bracket: its contents and its closing bracket.
    inner: Option<(Vec<Tree>, &'static str)>,
}

/// One rule of a macro.
#[derive(Debug)]
struct Rule {
    pattern: Vec<Part>,
    body: Vec<Part>,
}

/// A part of a rule.
#[derive(Debug)]
enum Part {
    Token(Tree),
    Group(Tree, Vec<Part>),
    /// `$name:kind`, or `$name`.
    Variable {
        is_apart: bool,
        name: String,
        kind: String,
    },
    /// `$(…),*`
    Repeat {
        parts: Vec<Part>,
        separator: Option<Tree>,
    },
}

type Rules = BTreeMap<String, Vec<Rule>>;

/// The bindings of a call's arguments.
#[derive(Debug, Default)]
struct Bound {
    variables: BTreeMap<String, Vec<Tree>>,
    /// For each repetition, the bindings of its rounds.
    repeated: Vec<Vec<Bound>>,
}

fn trees(text: &str) -> Vec<Tree> {
    let lexed = LexedStr::new(Edition::Edition2024, text);
    let mut at = 0;
    group(&lexed, &mut at)
}

/// Returns the trees up to the bracket that closes the current group.
fn group(lexed: &LexedStr<'_>, at: &mut usize) -> Vec<Tree> {
    let mut trees = Vec::new();
    let mut is_apart = false;
    while *at < lexed.len() {
        let kind = lexed.kind(*at);
        let text = lexed.text(*at);
        *at += 1;
        let closing = match kind {
            kind if kind.is_trivia() => {
                is_apart = true;
                continue;
            }
            T!['('] => Some(")"),
            T!['['] => Some("]"),
            T!['{'] => Some("}"),
            T![')'] | T![']'] | T!['}'] => return trees,
            _ => None,
        };
        trees.push(Tree {
            is_apart,
            kind,
            text: text.to_owned(),
            inner: closing.map(|closing| (group(lexed, at), closing)),
        });
        is_apart = false;
    }
    trees
}

/// Moves the macro definitions out of `trees` into `rules`.
fn take_rules(trees: Vec<Tree>, rules: &mut Rules) -> Vec<Tree> {
    let mut left: Vec<Tree> = Vec::new();
    for mut tree in trees {
        let is_macro = matches!(&left[..], [.., word, mark, _]
            if word.text == "macro_rules" && mark.text == "!");
        match tree.inner.take() {
            Some((inner, _)) if is_macro => {
                if let Some(name) = left.pop() {
                    rules.insert(name.text, read_rules(&inner));
                }
                left.truncate(left.len().saturating_sub(2));
            }
            Some((inner, closing)) => {
                tree.inner = Some((take_rules(inner, rules), closing));
                left.push(tree);
            }
            None => left.push(tree),
        }
    }
    left
}

/// `(pattern) => { body }; …`
fn read_rules(trees: &[Tree]) -> Vec<Rule> {
    let groups: Vec<&Vec<Tree>> = trees
        .iter()
        .filter_map(|tree| tree.inner.as_ref().map(|(inner, _)| inner))
        .collect();
    groups
        .chunks_exact(2)
        .map(|rule| Rule {
            pattern: parts(rule[0]),
            body: parts(rule[1]),
        })
        .collect()
}

fn parts(trees: &[Tree]) -> Vec<Part> {
    let mut parts_found = Vec::new();
    let mut rest = trees;
    while let [tree, after @ ..] = rest {
        rest = after;
        let (dollar, next) = match (tree.kind, after) {
            (T![$], [next, ..]) => (tree, next),
            _ => {
                parts_found.push(match &tree.inner {
                    Some((inner, _)) => Part::Group(tree.clone(), parts(inner)),
                    None => Part::Token(tree.clone()),
                });
                continue;
            }
        };
        rest = &after[1..];
        if let Some((inner, _)) = &next.inner {
            let is_end = |tree: &Tree| matches!(tree.kind, T![*] | T![+] | T![?]);
            let separator = match rest {
                [end, ..] if is_end(end) => None,
                [separator, end, ..] if is_end(end) => Some(separator.clone()),
                _ => None,
            };
            rest = &rest[(1 + usize::from(separator.is_some())).min(rest.len())..];
            parts_found.push(Part::Repeat {
                parts: parts(inner),
                separator,
            });
            continue;
        }
        let mut kind = String::new();
        if let [colon, fragment, after @ ..] = rest
            && colon.kind == T![:]
            && !colon.is_apart
            && !fragment.is_apart
            && fragment.kind == SyntaxKind::IDENT
        {
            kind.clone_from(&fragment.text);
            rest = after;
        }
        parts_found.push(Part::Variable {
            is_apart: dollar.is_apart,
            name: next.text.clone(),
            kind,
        });
    }
    parts_found
}

/// Matches `parts` against the start of `trees`; returns how many trees they
/// cover.
fn matched(parts: &[Part], trees: &[Tree], bound: &mut Bound) -> Option<usize> {
    let mut at = 0;
    for (number, part) in parts.iter().enumerate() {
        match part {
            Part::Token(token) => {
                (trees.get(at)?.text == token.text).then_some(())?;
                at += 1;
            }
            Part::Group(group, parts) => {
                let tree = trees.get(at)?;
                let (inner, _) = tree.inner.as_ref()?;
                let is_whole =
                    tree.text == group.text && matched(parts, inner, bound) == Some(inner.len());
                is_whole.then_some(())?;
                at += 1;
            }
            Part::Variable { name, kind, .. } => {
                let count = match &kind[..] {
                    "ident" => usize::from(trees.get(at)?.kind == SyntaxKind::IDENT),
                    "literal" => usize::from(trees.get(at)?.kind.is_literal()),
                    "tt" | "lifetime" | "vis" => usize::from(at < trees.len()),
                    _ => {
                        // Everything up to the next token of the rule, or up to
                        // a comma.
                        let end = match parts.get(number + 1) {
                            Some(Part::Token(end)) => &end.text,
                            _ => ",",
                        };
                        let rest = &trees[at..];
                        let found = rest.iter().position(|tree| tree.text == *end);
                        found.unwrap_or(rest.len())
                    }
                };
                (count > 0).then_some(())?;
                let value = trees[at..at + count].to_vec();
                bound.variables.insert(name.clone(), value);
                at += count;
            }
            Part::Repeat { parts, separator } => {
                let mut rounds = Vec::new();
                let mut next = at;
                loop {
                    let mut round = Bound::default();
                    let Some(count) = matched(parts, &trees[next..], &mut round) else {
                        break;
                    };
                    if count == 0 {
                        break;
                    }
                    rounds.push(round);
                    at = next + count;
                    next = at;
                    if let Some(separator) = separator {
                        if trees.get(at).is_none_or(|tree| tree.text != separator.text) {
                            break;
                        }
                        next += 1;
                    }
                }
                bound.repeated.push(rounds);
            }
        }
    }
    Some(at)
}

/// Returns the expansion of a rule's body; the innermost of `bound` comes last.
fn made(parts: &[Part], bound: &[&Bound]) -> Vec<Tree> {
    let mut trees = Vec::new();
    for part in parts {
        match part {
            Part::Token(token) => trees.push(token.clone()),
            Part::Group(group, parts) => {
                let closing = group.inner.as_ref().map_or("", |(_, closing)| *closing);
                trees.push(Tree {
                    inner: Some((made(parts, bound), closing)),
                    ..group.clone()
                });
            }
            Part::Variable { is_apart, name, .. } => {
                let value = bound.iter().rev().find_map(|one| one.variables.get(name));
                for (number, tree) in value.into_iter().flatten().enumerate() {
                    let mut tree = tree.clone();
                    tree.is_apart = if number == 0 {
                        *is_apart
                    } else {
                        tree.is_apart
                    };
                    trees.push(tree);
                }
            }
            Part::Repeat { parts, separator } => {
                for (number, round) in rounds(parts, bound).iter().enumerate() {
                    trees.extend(separator.clone().filter(|_| number > 0));
                    let inner: Vec<&Bound> = bound.iter().copied().chain([round]).collect();
                    trees.extend(made(parts, &inner));
                }
            }
        }
    }
    trees
}

/// Returns the rounds of the repetition whose variables these parts name.
fn rounds<'a>(parts: &[Part], bound: &[&'a Bound]) -> &'a [Bound] {
    let mut names = Vec::new();
    variables(parts, &mut names);
    bound
        .iter()
        .rev()
        .flat_map(|one| &one.repeated)
        .find(|rounds| {
            rounds
                .first()
                .is_some_and(|round| names.iter().any(|name| round.variables.contains_key(*name)))
        })
        .map_or(&[], |rounds| rounds)
}

fn variables<'a>(parts: &'a [Part], names: &mut Vec<&'a str>) {
    for part in parts {
        match part {
            Part::Token(_) => {}
            Part::Variable { name, .. } => names.push(name),
            Part::Group(_, parts) | Part::Repeat { parts, .. } => variables(parts, names),
        }
    }
}

fn write(out: &mut String, trees: &[Tree], rules: &Rules, depth: usize) {
    let mut rest = trees;
    while let [tree, after @ ..] = rest {
        rest = after;
        if let Some(own) = rules.get(&tree.text)
            && let [mark, arguments, after @ ..] = after
            && mark.kind == T![!]
            && let Some((arguments, _)) = &arguments.inner
        {
            rest = match after {
                [end, after @ ..] if end.kind == T![;] => after,
                _ => after,
            };
            let found = own.iter().find_map(|rule| {
                let mut bound = Bound::default();
                let count = matched(&rule.pattern, arguments, &mut bound)?;
                (count == arguments.len()).then(|| made(&rule.body, &[&bound]))
            });
            if let (Some(trees), Some(depth)) = (found, depth.checked_sub(1)) {
                out.push('\n');
                write(out, &trees, rules, depth);
            }
            continue;
        }
        if tree.is_apart {
            out.push(' ');
        }
        out.push_str(&tree.text);
        if let Some((inner, closing)) = &tree.inner {
            write(out, inner, rules, depth);
            out.push_str(closing);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expect: &str) {
        let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        assert_eq!(words(&expanded(text)), expect, "{text}");
    }

    #[test]
    fn names_lists_and_calls_within() {
        check(
            "macro_rules! shell {
                ($name:ident) => { impl<T> $name<T> { pub fn raw(&self) {} shell!(@float $name sin Sin \"s\"; cos Cos \"c\";); } };
                (@float $name:ident $($method:ident $op:ident $doc:literal;)*) => {$(
                    #[doc = $doc]
                    pub fn $method(&self) -> $name { $op }
                )*};
            }
            shell!(Array);",
            "impl<T> Array<T> { pub fn raw(&self) {} \
             #[doc = \"s\"] pub fn sin(&self) -> Array { Sin} \
             #[doc = \"c\"] pub fn cos(&self) -> Array { Cos}}",
        );
        check(
            "macro_rules! calls { ($($a:ident $p:ty),*) => { fn f($($a: $p),*) -> ($($p,)*); }; }
             calls!(); calls!(a Vec<A>, b &B);",
            "fn f() -> (); fn f(a: Vec<A>,b: &B) -> (Vec<A>,&B,);",
        );
    }

    #[test]
    fn what_fits_no_rule_is_left_out() {
        check(
            "macro_rules! m { (a) => { b }; } m!(c); m!(a); d::e(1)",
            "b d::e(1)",
        );
        check("a!(b) // c", "a!(b)");
        check("macro_rules! m { (a) => { m!(a) }; } m!(a);", "");
        check("macro_rules! m", "macro_rules! m");
        check("} ) x", "");
    }
}
