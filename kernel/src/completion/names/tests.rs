//! Tests of the completions offered at a mark, without the analyzer.

use super::*;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use std::time::Duration;

fn view() -> SessionView {
    let variable = |name: &str, type_name: &str| Variable {
        name: name.to_owned(),
        type_name: type_name.to_owned(),
        ..Variable::default()
    };
    SessionView {
        items: vec![
            "use swath::prelude::*;".to_owned(),
            "use swath::session::print::macros::println;".to_owned(),
            "pub fn grow(by: i32) -> Tree { todo!() }".to_owned(),
            "struct Grove;".to_owned(),
            "use std::fmt::{self, Write as _, Display as Shown};".to_owned(),
            "macro_rules! grind { () => {} }".to_owned(),
            "thread_local! { static GROUND: u8 = 1; }".to_owned(),
            "/// Grows.\n#[derive(Clone)]\nstruct Tree { height: f64, root: Root }".to_owned(),
            "struct Root(u8, Grove);".to_owned(),
            "enum Color { Red, Rgb(u8, u8, u8), Custom { name: String } }".to_owned(),
            "impl Tree { const MAX: u8 = 1; fn new() -> Self { todo!() } fn height_in(&self) {} \
             fn try_root(&self) -> Result<Root, String> { todo!() } }"
                .to_owned(),
            "trait Leafy { fn leaves(&self) -> usize; fn leaf() {} }".to_owned(),
            "impl Leafy for Tree { fn leaves(&self) -> usize { 1 } }".to_owned(),
            "impl std::fmt::Debug for Tree { fn fmt(&self) {} }".to_owned(),
        ],
        variables: vec![
            variable("größe", "Vec<i32>"),
            variable("x", "swath::array::Array<f64>"),
            variable("df", "swath::frame::DataFrame"),
            variable("plain", "swath::polars::frame::DataFrame"),
            variable("tree", "Tree"),
            variable("borrowed", "&'static Tree"),
        ],
        deps: vec!["some-crate = \"1\"".to_owned()],
        ..SessionView::default()
    }
}

fn found(marked: &str) -> Option<(String, Completions)> {
    let position = marked.rfind('|').expect("a mark");
    let code = format!("{}{}", &marked[..position], &marked[position + 1..]);
    let found = complete(&view(), &code, position)?;
    Some((code, found))
}

/// Checks the completions at the last `|`, joined by blanks; "-" if the place cannot
/// be completed.
fn check(marked: &str, expect: &str) {
    let texts = match found(marked) {
        Some((_, found)) => {
            let texts = found.matches.iter().map(|found| &found.text[..]);
            texts.collect::<Vec<_>>().join(" ")
        }
        None => "-".to_owned(),
    };
    assert_eq!(texts, expect, "{marked:?}");
}

/// Checks that the completions include all of `expect` and none of `absent`.
fn check_some(marked: &str, expect: &str, absent: &str) {
    let (_, found) = found(marked).expect("not only words");
    let texts: Vec<&str> = found.matches.iter().map(|found| &found.text[..]).collect();
    for name in expect.split_whitespace() {
        assert!(texts.contains(&name), "{name} at {marked:?}: {texts:?}");
    }
    for name in absent.split_whitespace() {
        assert!(!texts.contains(&name), "{name} at {marked:?}: {texts:?}");
    }
}

#[test]
fn variables_items_prelude_language() {
    check("grö|", "größe");
    check("1 + gro|", "grow");
    check("Gro|", "Grove");
    check("gri|", "grind!");
    check("GRO|", "GROUND");
    check("Show|", "Shown Show");
    check("fm|", "fmt");
    check("prin|", "println! print!");
    check("read_cs|", "read_csv");
    check("Arra|", "Array");
    check("jso|", "json!");
    check("show|", "show! show_progress");
    check("some|", "some_crate");
    check("polar|", "polars");
    check("whi|", "while");
    check("x.gr|", "");
    check("a::gr|", "");
    check("grow::gr|", "");
    check("|", "");
    check("  \n\t |", "");
    check("gro|w(1)", "grow");
}

#[test]
fn what_the_cell_binds() {
    for marked in [
        "let zebra_crossing = 5; zebra_cr|",
        "let zebra_crossing = 5\nzebra_cr|",
        "let mut zebra_crossing: i32;\nprintln!(\"{}\", zebra_cr|",
        "let (a, zebra_crossing) = f(); zebra_cr|",
        "let Some(zebra_crossing) = f() else { return }; zebra_cr|",
        "let Tree { height: zebra_crossing, .. } = f(); zebra_cr|",
        "let [first, zebra_crossing @ ..] = f(); zebra_cr|",
        "let f = |zebra_crossing| zebra_cr|",
        "v.iter().map(|(_, zebra_crossing)| zebra_cr|",
        "v.iter().map(move |zebra_crossing: &i32| { zebra_cr|",
        "for zebra_crossing in 0..3 { zebra_cr|",
        "for (i, zebra_crossing) in v.iter().enumerate() { f(zebra_cr|",
        "match x { Some(zebra_crossing) => zebra_cr|",
        "match x { zebra_crossing if zebra_cr|",
        "match x { None => 1, zebra_crossing @ 1..=3 => { zebra_cr|",
        "if let Some(zebra_crossing) = x { zebra_cr|",
        "if let Some(zebra_crossing) = x && zebra_cr|",
        "if let Some(zebra_crossing) = x && true { zebra_cr|",
        "while let Some(zebra_crossing) = x { zebra_cr|",
        "fn f(zebra_crossing: i32) -> i32 { zebra_cr|",
        "fn f(zebra_crossing: i32) -> i32 { { let y = zebra_cr|; } }",
        "fn zebra_crossing() {} zebra_cr|",
        "fn zebra_crossing() { zebra_cr|",
        "zebra_cr|\nfn zebra_crossing() {}",
        "{ zebra_cr| } fn zebra_crossing() {}",
        "static zebra_crossing: u8 = 1; zebra_cr|",
        "const zebra_crossing: u8 = 1; fn f() { zebra_cr|",
        "mod zebra_crossing {} zebra_cr|",
        "use a::{b, zebra_crossing}; zebra_cr|",
        "use a::b as zebra_crossing; zebra_cr|",
        "use a::zebra_crossing::{self, c}; zebra_cr|",
        "struct zebra_crossing; zebra_cr|",
        "enum zebra_crossing {} zebra_cr|",
        "trait zebra_crossing {} zebra_cr|",
        "type zebra_crossing = u8; let a: zebra_cr|",
        "extern crate zebra_crossing; zebra_cr|",
        "let a = 1; let zebra_crossing = 5; let b = zebra_cr|",
        "let zebra_crossing = 5; let b = vec![1, zebra_cr|",
        "let zebra_crossing = 5; let b = Tree { height: zebra_cr|",
        "let zebra_crossing = 5; b![zebra_cr|",
        "let zebra_crossing = 5; b! { zebra_cr|",
        "let zebra_crossing = 5; zebra_cr|.len()",
        "let zebra_crossing = 5; f(zebra_cr|, 1)",
        "let zebra_crossing = 5; async { zebra_cr|",
        "let zebra_crossing = 5; loop { if a { b } else { zebra_cr|",
    ] {
        check(marked, "zebra_crossing");
    }
    check("macro_rules! zebra { () => {} } zebr|", "zebra!");
    check("fn f<Zebra>(a: Zebr|", "Zebra");
    check("impl Tree { fn f(&self) { sel|", "self");
    check("impl Tree { fn f(&self) -> Sel|", "Self");
}

#[test]
fn what_is_not_in_scope() {
    for marked in [
        "{ let zebra = 5; } zebr|",
        "let zebra = zebr|",
        "zebr|; let zebra = 5;",
        "for zebra in 0..3 {} zebr|",
        "for zebra in zebr|",
        "let f = |zebra| 1; zebr|",
        "v.map(|zebra| zebra + 1).filter(zebr|",
        "match x { zebra => 1, _ => zebr|",
        "if let Some(zebra) = x {} else { zebr|",
        "if let Some(zebra) = x {} zebr|",
        "if a && let Some(zebra) = zebr|",
        "fn f(zebra: i32) {} zebr|",
        "fn f() { fn zebra() {} } zebr|",
        "zebr|; fn f() { fn zebra() {} }",
        "{ zebr| } fn f() { fn zebra() {} }",
        "impl Tree { fn f() { zebr| } fn zebra(&self) {} }",
        "let zebra = 5; fn f() { zebr|",
        "let zebra = 5; impl Tree { fn f(&self) { zebr|",
        "let zebra = 5; const A: u8 = zebr|",
        "fn f(zebra: u8) { fn g() { zebr|",
        "let None = zebra; zebr|",
        "let zebra = 5; Tree::zebr|",
        "let zebra = 5; a.zebr|",
        "let zebra = 5; use zebr|",
        "let zebra = 5; let zebr|",
        "let zebra = 5; let a: zebr|",
        "let zebra = 5; fn zebr|",
        "let zebra = 5; fn f(zebr|",
        "let zebra = 5; #[zebr|",
        "fn f() { grö|",
    ] {
        check(marked, "");
    }
}

#[test]
fn near_names_come_first() {
    check(
        "let grown = 1; fn grows() {} let group = 2; gro|\nfn groan() {}",
        "group grows grown groan grow",
    );
    check("let größe = 1; let größer = größe; grö|", "größer größe");
}

#[test]
fn patterns_and_types() {
    check("match c { Colo|", "Color");
    check("match c { So|", "Some");
    check("let a: Vec<Tre|", "Tree");
    check_some("fn f(a: &d|", "dyn", "df drop dbg!");
    check_some("use s|", "std swath some_crate self", "struct String");
}

#[test]
fn words_are_no_names() {
    for marked in [
        "// prin|",
        "x // größe gr|",
        "/* gr|",
        "/* gr| */",
        "/// gr|",
        "\"gr|",
        "\"a\\|",
        "r#\"gr|",
        "let c = 'g|",
        "let c = 'g|'",
        "let c = '|",
        "fn f<'g|",
        "&'st|",
        "12|",
        "0x1f|",
        "1.5|",
        "1e|",
        "5usize|",
        "tree.root.0|",
    ] {
        check(marked, "-");
    }
    // Names behind such places are completed.
    check("\"🦀é\"; grö|", "größe");
    check("/* a */ grö|", "größe");
    check("let c = '\"'; grö|", "größe");
    check("'a: loop { grö|", "größe");
    check("🦀 grö|", "größe");
    check("let жёлтый = 1; жё|", "жёлтый");
}

#[test]
fn braces_that_do_not_match() {
    check("} } let zebra = 1; zebr|", "zebra");
    check("f(]) ; let zebra = 1; { zebr|", "zebra");
    check("if a { ( } let zebra = 1; zebr|", "zebra");
    check("let zebra = 1; fn f( { zebr|", "");
    check("let zebra = f(; let a = zebr|", "zebra");
    check(&format!("let zebra = 1; {}zebr|", "(".repeat(100)), "zebra");
    check(&format!("let zebra = 1; {}zebr|", "(".repeat(100_000)), "-");
}

#[test]
fn members_of_what_is_known() {
    check("tree.|", "height root clone height_in leaves try_root");
    check("tree.hei|", "height height_in");
    check("tree.hei|ght_in()", "height height_in");
    check("borrowed.hei|", "height height_in");
    check("(&tree).lea|", "leaves");
    check("println!(\"{}\", tree.hei|", "height height_in");
    check("tree.root.|", "0 1");
    check("tree.try_root()?.|", "0 1");
    check("tree.try_root().unwrap().|", "0 1");
    check("tree.clone().hei|", "height height_in");
    check("grow(1).hei|", "height height_in");
    check("let t = Tree::new(); t.hei|", "height height_in");
    check(
        "let t = Tree { height: 1.0 }; let u = &t;\nu.hei|",
        "height height_in",
    );
    check("fn f(t: &mut Tree) { t.hei|", "height height_in");
    check("impl Tree { fn f(&self) { self.hei|", "height height_in");
    check("let tree = 5; tree.hei|", "");
    check(
        "struct Tree { width: u8 } tree.|",
        "width height_in leaves try_root",
    );
    check(
        "struct Own { aa: u8 } impl Own { fn ab(&self) {} } let o = Own { aa: 1 }; o.a|",
        "aa ab",
    );
    check("unknown.hei|", "");
    check("1.|", "");
    check("..|", "");
}

#[test]
fn members_of_the_collections() {
    check("x.mea|", "mean mean_axis");
    check("x.persi|", "persist");
    check("(x.clone() + 1.0).mea|", "mean mean_axis");
    check("x.t().mean_axis(Axis(0)).mea|", "mean mean_axis");
    check("x.mean().into_arr|", "into_array");
    check(
        "let y = Array::<f64>::ones([5], 5); y.mea|",
        "mean mean_axis",
    );
    check("df.group_|", "group_by");
    check("df.group_by(\"a\").n_uni|", "n_unique");
    check("df.column(\"a\").value_|", "value_counts");
    check("plain.group_|", "");
    check("Array::lins|", "linspace");
    check("Array::<f64>::lins|", "linspace");
    check("x.from_raw|", "");
}

#[test]
fn members_of_std() {
    check("größe.pus|", "push push_mut");
    check("größe.windo|", "windows");
    check("größe.iter().enumer|", "enumerate");
    check("größe.iter().map(|x| x + 1).collec|", "collect");
    check("größe.first().unwrap_or_e|", "unwrap_or_else");
    check(
        "let s = String::from(\"a\"); s.trim_st|",
        "trim_start trim_start_matches",
    );
    check("let s = format!(\"a\"); s.push_s|", "push_str");
    check("\"a b\".split_whi|", "split_whitespace");
    check("let v = vec![1, 2]; v.retai|", "retain retain_mut");
    check("let m: HashMap<u8, u8> = a; m.entr|", "entry");
    check(
        "let m = std::collections::BTreeMap::new(); m.range_|",
        "range_mut",
    );
    check("(0..3).filt|", "filter filter_map");
    check("[1, 2].to_v|", "to_vec");
    check("Vec::with_cap|", "with_capacity");
    check("Some(1).unwrap_or_e|", "unwrap_or_else");
}

#[test]
fn paths_and_fields() {
    check("Color::|", "Custom Red Rgb");
    check("match c { Color::R|", "Red Rgb");
    check("Tree::|", "MAX clone height_in leaf leaves new try_root");
    check("let t = Tree { |", "height root");
    check("let t = Tree { h|", "height");
    check("let t = Tree { height: 1.0, r|", "root");
    check("let t = Tree { height, |", "root");
    check("let Tree { h|", "height");
    check("f(Tree { r|", "root");
    check("let t = Tree { height: grö|", "größe");
    check("if tree == grove { grö|", "größe");
    check("let b = Unheard { grö|", "größe");
}

#[test]
fn names_in_formats() {
    let check = |marked: &str, expect: Option<&str>| {
        let position = marked.find('|').unwrap();
        let code = marked.replace('|', "");
        let literal = code[..position].rfind('"').unwrap() + 1;
        let found = in_format(&view(), &code, position, literal);
        let texts = found.map(|found| {
            let texts = found.matches.into_iter().map(|found| found.text);
            texts.collect::<Vec<_>>().join(" ")
        });
        assert_eq!(texts.as_deref(), expect, "{marked}");
    };
    check("let grün = 1; println!(\"{gr|", Some("grün größe"));
    check("let grün = 1; println!(\"{} {grü|", Some("grün"));
    check("println!(\"{gr|ün}\")", Some("größe"));
    check("println!(\"{{gr|", None);
    check("println!(\"gr|", None);
}

#[test]
fn what_is_shown_beside() {
    let (_, found) = found("let größte: Vec<u8> = a; fn grö() -> u8 { 1 } grö|").unwrap();
    let shown: Vec<_> = found
        .matches
        .iter()
        .map(|found| (&found.text[..], &found.kind[..], &found.signature[..]))
        .collect();
    assert_eq!(
        shown,
        [
            ("grö", "function", "fn grö() -> u8"),
            ("größte", "instance", "Vec<u8>"),
            ("größe", "instance", "Vec<i32>"),
        ]
    );
}

#[test]
fn a_long_cell_is_answered_at_once() {
    // The sources are read once.
    Library::runtime();
    Standard::get();
    let lines: String = (0..2_000)
        .map(|at| {
            format!(
                "let value_{at} = compute(\"text\", {at})?;\n\
                 if value_{at} > 3 {{\n    println!(\"{{}}\", value_{at});\n    total += 1;\n}}\n"
            )
        })
        .collect();
    for (code, is_known) in [
        (format!("{lines}value_199|"), true),
        (format!("value_199|\n{lines}"), false),
        (format!("{lines}tree.|"), true),
        (format!("tree.|\n{lines}"), true),
    ] {
        // Take the quickest of several runs: other tests run in parallel.
        let answered = (0..5).map(|_| {
            let started = worked();
            let (_, found) = found(&code).unwrap();
            assert_eq!(!found.matches.is_empty(), is_known);
            worked() - started
        });
        let quickest = answered.min().unwrap();
        assert!(quickest < Duration::from_millis(50), "{quickest:?}");
    }
}

const PARTS: &[&str] = &[
    "let ",
    "größe",
    " = ",
    "5",
    ";",
    "{",
    "}",
    "(",
    ")",
    "[",
    "]",
    "|x| ",
    "fn f",
    "<'a>",
    "struct P ",
    "impl P ",
    "match x ",
    "=> ",
    "if let ",
    "Some(y)",
    "for i in ",
    "use a::",
    ".",
    "::",
    "..",
    "\"",
    "'",
    "//",
    "/*",
    "*/",
    "🦀",
    "e\u{301}",
    "#[",
    "!",
    "vec!",
    "tree",
    "P ",
    "macro_rules! m ",
    "$",
    ", ",
    ": ",
    "\n",
    "r#",
    "b'",
    "1.",
    "__swath",
    "&",
];

proptest! {
    /// For any text, a completion replaces the word at the cursor and begins with its
    /// typed part.
    #[test]
    fn any_text(parts in vec(select(PARTS), 0..40), at in any::<Index>()) {
        let code = parts.concat();
        let ends: Vec<usize> = code.char_indices().map(|(at, _)| at).chain([code.len()]).collect();
        let position = *at.get(&ends);
        if let Some(found) = complete(&view(), &code, position) {
            let word = &code[found.start..found.end];
            prop_assert!(word.chars().all(|c| c.is_alphanumeric() || c == '_'));
            for offered in found.matches {
                prop_assert!(offered.text.starts_with(&code[found.start..position]));
            }
        }
        super::super::declared::inspect(&view(), &code, position);
    }
}

/// Returns the CPU time of this thread.
fn worked() -> Duration {
    let mut time = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    // SAFETY: clock_gettime writes to a time that is ours.
    let result = unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &raw mut time) };
    assert_eq!(result, 0);
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}
