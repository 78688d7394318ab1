"""The features of evcxr for Rust in cells, one by one, and the behaviour of evcxr itself.

A row is the cells of a short notebook. Each cell comes with the outcome in Swath
and, if evcxr's own kernel (0.22) does something else, the outcome there. That
column was recorded, not guessed: `python tests/bench/evcxr_parity.py --evcxr PATH`
runs every row in evcxr and reports where the column is wrong. Only the places of
errors aren't compared: evcxr's all begin with 1:1, and a drawing shows the line.
The tests here run only Swath and need no evcxr.

Each row starts from scratch (`:clear`), so it can use the names that users choose.
"""

import re
from dataclasses import dataclass

import pytest

from errors import assert_only_the_users_code, position
from kernel import ANSI, Result

# A cell with `:dep` downloads and compiles.
TIMEOUT = 150


@dataclass(frozen=True)
class Seen:
    """What a user sees of a cell."""

    ok: bool
    result: str | None
    stdout: str
    stderr: str
    errors: tuple[str, ...]
    # Notes about the cell, besides what it prints.
    notes: str = ""

    @classmethod
    def of(cls, result: Result) -> "Seen":
        """Reads the result of a cell in any kernel. Other kernels may show several results or errors."""
        results = [output["data"].get("text/plain") for output in result.of_type("execute_result")]
        errors = [
            ANSI.sub("", "\n".join([f"{error['ename']}: {error['evalue']}", *error["traceback"]]))
            for error in result.of_type("error")
        ]
        notes = "\n".join(display.get("text/plain", "") for display in result.displays)
        return cls(result.ok, results[-1] if results else None, result.stdout, ANSI.sub("", result.stderr), tuple(errors), notes)

    def __str__(self) -> str:
        lines = ["ok" if self.ok else "failed"]
        lines += [f"{name}: {text}" for name, text in (("result", self.result), ("stdout", self.stdout), ("stderr", self.stderr)) if text]
        return "\n".join([*lines, *self.errors])


class Expected:
    """One cell's expected outcome. `missed` returns how the seen outcome differs, or an empty string."""

    def missed(self, seen: Seen) -> str:
        raise NotImplementedError


def _unsaid(patterns: tuple[str, ...], text: str) -> str:
    return ", ".join(f"nothing says {pattern!r}" for pattern in patterns if not re.search(pattern, text, re.IGNORECASE))


@dataclass(frozen=True)
class Shows(Expected):
    """The cell succeeds, its last expression shows `text` (None: no result), and stderr is empty."""

    text: str | None

    def missed(self, seen: Seen) -> str:
        if not seen.ok:
            return "the cell failed"
        if seen.result != self.text:
            return f"the result is {seen.result!r}, not {self.text!r}"
        return f"the cell says {seen.stderr!r}" if seen.stderr else ""


class Prints(Shows):
    """The cell succeeds and prints exactly `text`."""

    def missed(self, seen: Seen) -> str:
        if not seen.ok or seen.result is not None:
            return "the cell failed" if not seen.ok else f"there is a result, {seen.result!r}"
        return "" if seen.stdout == self.text else f"it printed {seen.stdout!r}, not {self.text!r}"


class Notes(Expected):
    """The cell succeeds, and its output matches all of `patterns`."""

    def __init__(self, *patterns: str):
        self.patterns = patterns

    def missed(self, seen: Seen) -> str:
        return _unsaid(self.patterns, seen.stdout + seen.stderr + seen.notes) if seen.ok else "the cell failed"


class Fails(Expected):
    """The cell fails with `count` error messages that match all of `patterns`, `at` a line and column of the cell."""

    def __init__(self, *patterns: str, at: tuple[int, int] | None = None, count: int = 1):
        self.patterns = patterns
        self.at = at
        self.count = count

    def missed(self, seen: Seen) -> str:
        if seen.ok:
            return "the cell succeeded"
        if len(seen.errors) != self.count:
            return f"there are {len(seen.errors)} errors, not {self.count}"
        text = "\n".join(seen.errors)
        if self.at and not re.search(position(*self.at), text):
            return f"the error isn't at line {self.at[0]}, column {self.at[1]}"
        return _unsaid(self.patterns, text)


def expected(outcome) -> Expected:
    """Converts an outcome of the table, where a result is just its text, or None."""
    return outcome if isinstance(outcome, Expected) else Shows(outcome)


# Generated code has a type of this name, for the outcome that ends a cell. User code has none.
NO_FAILURE = r"(?s)\A(?!.*\bFailure\b)"
# In evcxr's column: the cell uses our runtime, which evcxr doesn't have.
OURS_ALONE = object()

# A cell, its outcome, and the outcome in evcxr's kernel if that differs.
Cell = tuple[str, object] | tuple[str, object, object]
ROWS: dict[str, list[Cell]] = {
    # Variables.
    "a variable gets another type": [
        ("let v = 5;", None),
        ('let v = "five";', None),
        ("v", '"five"'),
        ("let v = vec![v, v]; v", '["five", "five"]'),
    ],
    "a variable gets another type from its own value": [
        ('let n = "42";', None),
        ("let n: u8 = n.parse()?;", None),
        ("n + 1", "43"),
    ],
    "shadowing within a cell": [
        ("let a = 1; let a = a + 1; let a = format!(\"{a}!\");", None),
        ("a", '"2!"'),
    ],
    "shadowing in an inner block stays there": [
        ("let level = 1; { let level = 2; assert_eq!(level, 2); }", None, "()"),
        ("level", "1"),
    ],
    "a moved variable is noticed": [
        ('let ship = String::from("Argo");', None),
        ("let harbour = ship;", None),
        ("ship", Fails("ship", "moved", at=(1, 1)), Fails("cannot find value `ship` in this scope")),
        ("harbour", '"Argo"'),
    ],
    "a variable moved into a function": [
        ('let word = String::from("abc"); fn eat(text: String) -> usize { text.len() }', None),
        ("eat(word)", "3"),
        ("word.len()", Fails("word", "moved", at=(1, 1)), Fails("cannot find value `word` in this scope")),
    ],
    "a variable moved on one of two ways": [
        ('let maybe = String::from("still here");', None),
        ("if maybe.len() > 100 { drop(maybe); }", None, "()"),
        ("maybe", Fails("maybe", "moved"), Fails("cannot find value `maybe` in this scope")),
    ],
    "a variable moved in a loop's turn": [
        ("let once = vec![1];", None),
        ("for _ in 0..1 { drop(once); break; }", None, "()"),
        ("once.len()", Fails("once", "moved"), Fails("cannot find value `once` in this scope")),
    ],
    "a variable moved in part": [
        ('let pair = (String::from("left"), String::from("right"));', None),
        ("let left = pair.0;", None),
        ("pair.1", Fails("pair", "moved"), Fails("cannot find value `pair` in this scope")),
        ("left", '"left"'),
    ],
    "a variable moved into a thread": [
        ("let load = vec![1, 2, 3];", None),
        ("std::thread::spawn(move || load.iter().sum::<i32>()).join().unwrap()", "6"),
        ("load", Fails("load", "moved"), Fails("cannot find value `load` in this scope")),
    ],
    "a variable moved and given a new value": [
        ('let mut cup = String::from("tea");', None),
        ('drop(cup); cup = String::from("coffee");', None),
        ("cup", '"coffee"', Fails("cannot find value `cup` in this scope")),
    ],
    "a variable moved in a cell that shows it first": [
        ("let list = vec![3, 1, 2];", None),
        ("println!(\"{}\", list.len()); let sum: i32 = list.into_iter().sum(); sum", "6"),
        ("list", Fails("list", "moved"), Fails("cannot find value `list` in this scope")),
    ],
    "a moved name is free again": [
        ("let token = String::new(); drop(token);", None),
        ("let token = 7;", None),
        ("token", "7"),
    ],
    "copies aren't moved": [
        ("let number = 5; let point = (1, 2);", None),
        ("let other = number; let elsewhere = point;", None),
        ("(number, point, other, elsewhere)", "(5, (1, 2), 5, (1, 2))"),
    ],
    "showing isn't moving": [
        ('let shown = vec![String::from("a")];', None),
        ("shown", '["a"]'),
        ("shown", '["a"]'),
    ],
    "a mutable variable stays mutable": [
        ("let mut count = 1;", None),
        ("count += 10;", None),
        ("count *= 2; count", "22"),
    ],
    "a vector grows over cells": [
        ("let mut items = Vec::new(); items.push(1);", None),
        ("items.push(2);", None),
        ("for n in 3..6 { items.push(n); }", None, "()"),
        ("items", "[1, 2, 3, 4, 5]"),
    ],
    "an empty vector, with its type": [
        ("let mut names: Vec<String> = Vec::new();", None),
        ('names.push("Ada".into()); names', '["Ada"]'),
    ],
    "an immutable variable stays immutable": [
        ("let fixed = vec![1];", None),
        ("fixed.push(2);", Fails("cannot borrow `fixed` as mutable", at=(1, 1))),
        ("fixed", "[1]"),
        ("let solid = 1;", None),
        ("solid += 1;", Fails("`solid`", "not declared as mutable|immutable", "mutable", at=(1, 1))),
    ],
    "a variable is made mutable": [
        ("let v = vec![2, 1];", None),
        ("let mut v = v; v.sort();", None),
        ("v.push(3); v", "[1, 2, 3]"),
    ],
    "a variable without a value yet": [
        ("let later; if 1 < 2 { later = 5; } else { later = 6; }", None, "()"),
        ("later", "5"),
    ],
    "several variables of one cell": [
        ("let a = 1u8; let b = 2.5; let c = 'c'; let d = \"d\"; let e = [0; 3]; let f = (1, (2, 3)); let g = Some(4);", None),
        ("(a, b, c, d, e, f, g)", "(1, 2.5, 'c', \"d\", [0, 0, 0], (1, (2, 3)), Some(4))"),
    ],
    "numbers that need their type": [
        ("let big = 1u128 << 100; let small = i8::MIN; let real = 1.5f32;", None),
        ("(big, small, real)", "(1267650600228229401496703205376, -128, 1.5)"),
    ],
    "an inferred number stays what it was": [
        ("let byte: u8 = 200; let sum = byte;", None),
        ("sum.checked_add(100)", "None"),
    ],
    "collections": [
        ("use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};", None),
        ('let mut ages = HashMap::new(); ages.insert("Ada", 36); let seen: HashSet<u8> = [1].into(); let queue = VecDeque::from([1, 2]);', None),
        ('*ages.entry("Ada").or_insert(0) += 1; let tree: BTreeMap<_, _> = ages.iter().map(|(k, v)| (k.to_string(), *v)).collect();', None),
        ("(tree, seen, queue, ages)", '({"Ada": 37}, {1}, [1, 2], {"Ada": 37})'),
    ],
    # Destructuring.
    "a tuple is taken apart": [
        ("let (left, mut right) = (1, vec![2]);", None),
        ("right.push(left); right", "[2, 1]"),
    ],
    "a tuple struct and a nested pattern": [
        ("struct Pair(i32, (char, bool));", None),
        ("let Pair(number, (letter, _)) = Pair(1, ('x', true));", None),
        ("(number, letter)", "(1, 'x')"),
    ],
    "a struct is taken apart": [
        ("struct Place { x: i32, y: i32, z: i32 }", None),
        ("let Place { x: east, y, .. } = Place { x: 3, y: 4, z: 5 };", None),
        ("(east, y)", "(3, 4)"),
    ],
    "a slice pattern": [
        ("let [first, .., last] = [1, 2, 3];", None),
        ("first + last", "4"),
    ],
    "a binding with @": [
        ("let whole @ (part, _) = (1, 2);", None),
        ("(whole, part)", "((1, 2), 1)", Fails("cannot find value `part` in this scope")),
    ],
    "let else": [
        ("let Some(inside) = Some(5) else { panic!(\"empty\") };", None),
        ("inside", "5"),
        ("let Some(never) = None::<i32> else { panic!(\"nothing there\") };", Fails("nothing there"), Notes("nothing there")),
    ],
    "if let, and chains of it": [
        ("let given = Some(3);", None),
        ("if let Some(n) = given { n * 2 } else { 0 }", "6"),
        ('if let Some(n) = given && n > 2 { "big" } else { "small" }', '"big"'),
    ],
    "while let": [
        ("let mut stack = vec![1, 2, 3]; let mut sum = 0;", None),
        ("while let Some(top) = stack.pop() { sum += top; }", None, "()"),
        ("(sum, stack)", "(6, [])"),
    ],
    "assignment that takes apart": [
        ("let mut a = 1; let mut b = 2;", None),
        ("(a, b) = (b, a);", None),
        ("(a, b)", "(2, 1)"),
    ],
    # After failures.
    "values outlive a panic in a later cell": [
        ('let kept = String::from("here"); let mut log = vec![1];', None),
        ('log.push(2); panic!("on purpose");', Fails("on purpose"), Notes("on purpose")),
        ("(kept, log)", '("here", [1, 2])'),
    ],
    "values outlive an index out of bounds": [
        ("let three = vec![1, 2, 3]; let at = 3 + 4usize;", None),
        # The bracket is where rustc reports the panic.
        ("three[at]", Fails("index out of bounds", at=(1, 6)), Notes("index out of bounds: the len is 3 but the index is 7")),
        ("three", "[1, 2, 3]"),
    ],
    "a panic in a thread": [
        ("let bystander = 1;", None),
        ('std::thread::spawn(|| { panic!("down there") }).join().is_err()', Notes("down there")),
        ("bystander", "1"),
    ],
    "a panic that is caught": [
        ('std::panic::catch_unwind(|| { if true { panic!("caught") }; 1 }).is_err()', Notes("caught")),
    ],
    "a lock that a panic left behind": [
        ("use std::sync::Mutex;\nlet shared = Mutex::new(1);", None),
        ('let guard = shared.lock().unwrap(); panic!("with the lock");', Fails("with the lock"), Notes("with the lock")),
        ("shared.is_poisoned()", "true"),
    ],
    "values outlive a cell that doesn't compile": [
        ("let solid = 7;", None),
        ("let solid = unheard_of;", Fails("cannot find value `unheard_of`", at=(1, 13))),
        ("solid", "7"),
    ],
    "items of a cell that doesn't compile aren't there": [
        ("fn good() -> i32 { 1 }\nfn bad() -> i32 { \"no\" }", Fails("mismatched types", at=(2, 19))),
        ("good()", Fails("cannot find function `good`", at=(1, 1))),
    ],
    # The question mark.
    "a question mark passes the value on": [
        ('let parsed: i32 = "12".parse()?;', None),
        ("parsed + 1", "13"),
    ],
    "a question mark ends the cell with the error": [
        ("let before = 1;", None),
        ('let broken: i32 = "twelve".parse()?;', Fails("ParseIntError|invalid digit", "invalid digit found in string"), Notes("invalid digit found in string")),
        ("before", "1"),
        ("broken", Fails("cannot find value `broken`")),
    ],
    "a question mark on several kinds of errors": [
        ('let number: i32 = "4".parse()?; let text = String::from_utf8(vec![0x68, 0x69])?; let real: f64 = "0.5".parse()?;', None),
        ("(number, text, real)", '(4, "hi", 0.5)'),
        ('std::fs::read_to_string("no/such/file")?', Fails("No such file or directory"), Notes(r"No such file or directory \(os error 2\)")),
    ],
    "a question mark on one's own error": [
        (
            "#[derive(Debug)] enum Trouble { Small(u8) }\n"
            'impl std::fmt::Display for Trouble { fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result { write!(f, "some trouble") } }\n'
            "impl std::error::Error for Trouble {}\n"
            "fn risky(n: u8) -> Result<u8, Trouble> { if n > 3 { Err(Trouble::Small(n)) } else { Ok(n) } }",
            None,
        ),
        ("risky(2)?", "2"),
        ("risky(5)?", Fails("some trouble"), Notes("some trouble")),
    ],
    "a question mark on a boxed error, and on text": [
        ('fn boxed() -> Result<i32, Box<dyn std::error::Error>> { Err("from the box".into()) }', None),
        ("boxed()?", Fails("from the box"), Notes("from the box")),
        ('Err::<i32, &str>("only words")?', Fails("only words"), Notes("only words")),
        ('Err::<i32, String>("own words".into())?;', Fails("own words"), Notes("own words")),
    ],
    "a question mark on an option": [
        ("let some = Some(4)?;", Fails("can only be used on `Result`s, not `Option`s", "ok_or", NO_FAILURE, at=(1, 19))),
        ("let some = Some(4).ok_or(\"nothing\")?;", None),
        ("some", "4"),
    ],
    "errors turned into another by From": [
        (
            "#[derive(Debug)] struct Wrapped(String);\n"
            "impl From<std::num::ParseIntError> for Wrapped { fn from(e: std::num::ParseIntError) -> Self { Wrapped(e.to_string()) } }\n"
            "fn wrapping(text: &str) -> Result<i32, Wrapped> { Ok(text.parse::<i32>()? * 2) }",
            None,
        ),
        ('wrapping("21").unwrap()', "42"),
        ('wrapping("x")', Fails("Wrapped", "invalid digit"), 'Err(Wrapped("invalid digit found in string"))'),
    ],
    # Async.
    "an async function": [
        ("async fn answer() -> u32 { 42 }", None),
        ("answer().await", "42"),
        ("let kept = answer().await + 1;", None),
        ("kept", "43"),
    ],
    "an async block": [
        ("async { 20 + 22 }.await", "42"),
        ("let task = async { 5 };\ntask.await", "5", Fails(r"The variable `task` has type `impl Future<Output = i32>` which cannot be persisted\.")),
    ],
    "await with variables and a question mark": [
        ("let base = 40; async fn parse(text: &str) -> Result<i32, std::num::ParseIntError> { text.parse() }", None),
        ('base + parse("2").await?', "42"),
        ('parse("two").await?', Fails("invalid digit found in string"), Notes("invalid digit found in string")),
        ("base", "40"),
    ],
    "a future in a box": [
        ("let later: std::pin::Pin<Box<dyn std::future::Future<Output = i32> + Send>> = Box::pin(async { 7 });", None),
        ("later.await", "7"),
    ],
    # Items.
    "a function is defined again": [
        ("fn twice(n: i32) -> i32 { n + 2 }", None),
        ("twice(5)", "7"),
        ("fn twice(n: i32) -> i32 { n * 2 }", None),
        ("twice(5)", "10"),
    ],
    "an older function uses the new one": [
        ("fn part(n: i32) -> i32 { n + 1 }", None),
        ("fn whole(n: i32) -> i32 { part(n) * 10 }", None),
        ("whole(4)", "50"),
        ("fn part(n: i32) -> i32 { n + 2 }", None),
        ("whole(4)", "60"),
    ],
    "a function that no longer fits its older user": [
        ("fn part(n: i32) -> i32 { n + 1 }", None),
        ("fn whole(n: i32) -> i32 { part(n) * 10 }", None),
        # Notebooks change cell by cell. Code that no longer fits is reported where it is used.
        ("fn part(n: &str) -> usize { n.len() }", None, Fails("mismatched types", count=2)),
        ("whole(4)", Fails("mismatched types", r"--> cell \d+:1:\d+", r"fn whole\(n: i32\)"), "50"),
    ],
    "functions that need each other, over two cells": [
        ("fn even(n: u32) -> bool { n == 0 || odd(n - 1) }\nfn odd(n: u32) -> bool { n != 0 && even(n - 1) }", None),
        ("(even(10), odd(10))", "(true, false)"),
    ],
    "a function after its use in a cell": [
        ("let early = defined_below(2);\nfn defined_below(n: i32) -> i32 { n * n }\nearly", "4"),
    ],
    "fn main": [
        ('fn main() { println!("hello from main"); }', None),
        ("main();", Prints("hello from main\n")),
    ],
    "a function can't see variables": [
        ("let rate = 2;", None),
        ("fn scaled(n: i32) -> i32 { n * rate }", Fails("rate", at=(1, 32))),
    ],
    "a function and a variable of one name": [
        ("fn total() -> i32 { 5 }", None),
        ("let total = total();", None),
        ("total + 1", "6"),
    ],
    "a name that the prelude has as well": [
        ("#[derive(Debug)] struct Array { len: usize }\nfn col() -> usize { 1 }", None),
        ("let array = Array { len: col() };", None),
        ("array", "Array { len: 1 }"),
    ],
    "a struct is defined again": [
        ("#[derive(Debug)] struct Form { x: i32 }", None),
        ("Form { x: 1 }", "Form { x: 1 }"),
        ("#[derive(Debug)] struct Form { x: i32, y: i32 }", None),
        ("let form = Form { x: 1, y: 2 };", None),
        ("form", "Form { x: 1, y: 2 }"),
    ],
    "a struct is defined again while a variable holds the old one": [
        ("#[derive(Debug)] struct Form { x: i32 }", None),
        ("let form = Form { x: 1 };", None),
        ("#[derive(Debug)] struct Form { y: String }", Notes("form"), None),
        ("form", Fails("form", "was redefined", at=(1, 1)), Fails("cannot find value `form` in this scope")),
        ('Form { y: "new".into() }', 'Form { y: "new" }'),
    ],
    "a struct is run again unchanged, and its variable lives": [
        ("#[derive(Debug)] struct Same { x: i32 }", None),
        ("let same = Same { x: 1 };", None),
        ("#[derive(Debug)] struct Same { x: i32 }", None),
        ("same", "Same { x: 1 }"),
    ],
    "methods come in a later cell than the struct": [
        ("#[derive(Debug)] struct Account { total: i64 }", None),
        ("let mut account = Account { total: 5 };", None),
        ("impl Account { fn add(&mut self, amount: i64) -> i64 { self.total += amount; self.total } }", None),
        ("account.add(10)", "15"),
        ("account", "Account { total: 15 }"),
    ],
    "an impl is written again": [
        ("struct Dog;", None),
        ('impl Dog { fn sound(&self) -> &str { "wuff" } }', None),
        ('impl Dog { fn sound(&self) -> &str { "woof" } }', None, Fails("duplicate definitions with name `sound`")),
        ("Dog.sound()", '"woof"', '"wuff"'),
    ],
    "a second impl beside the first": [
        ("struct Cat;\nimpl Cat { fn legs(&self) -> u8 { 4 } }", None),
        ("impl Cat { fn tails(&self) -> u8 { 1 } }", None),
        ("Cat.legs() + Cat.tails()", "5"),
    ],
    "derives": [
        ("#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]\nstruct Full { name: String, size: u8 }", None),
        ('let one = Full { name: "a".into(), ..Default::default() }; let two = one.clone();', None),
        ("(one == two, one < Full { size: 1, ..two }, Full::default())", '(true, true, Full { name: "", size: 0 })'),
    ],
    "Display of one's own": [
        ("struct Meters(f64);", None),
        ('use std::fmt;\nimpl fmt::Display for Meters { fn fmt(&self, f: &mut fmt::Formatter<\'_>) -> fmt::Result { write!(f, "{:.1} m", self.0) } }', None),
        ("let way = Meters(2.0);", None),
        ('println!("{way}");', Prints("2.0 m\n")),
    ],
    "a value that can't be shown": [
        ("struct Mute;", None),
        ("Mute", "a value of type Mute (it has no Debug: derive or implement it to see the value)", Fails("`Mute` doesn't implement `Debug`")),
        ("let mute = Mute;", None),
        ("Mute;", None),
    ],
    "operators of one's own": [
        ("use std::ops::{Add, Index, Mul};\n#[derive(Debug, Clone, Copy)] struct V2(f64, f64);", None),
        ("impl Add for V2 { type Output = V2; fn add(self, o: V2) -> V2 { V2(self.0 + o.0, self.1 + o.1) } }", None),
        ("impl Mul<f64> for V2 { type Output = V2; fn mul(self, k: f64) -> V2 { V2(self.0 * k, self.1 * k) } }\nimpl Index<usize> for V2 { type Output = f64; fn index(&self, n: usize) -> &f64 { if n == 0 { &self.0 } else { &self.1 } } }", None),
        ("let v = V2(1.0, 2.0) + V2(1.0, 1.0) * 2.0;", None),
        ("(v, v[1])", "(V2(3.0, 4.0), 4.0)"),
    ],
    "a value is dropped when its name is used again": [
        ('struct Guard(u8);\nimpl Drop for Guard { fn drop(&mut self) { println!("dropped {}", self.0); } }', None),
        ("let guard = Guard(1);", None),
        ("let guard = Guard(2);", Prints("dropped 1\n")),
        ("drop(guard);", Prints("dropped 2\n")),
    ],
    "an enum is matched": [
        ("#[derive(Debug, Clone, Copy)] enum Step { Up(u8), Down { by: u8 }, Rest }", None),
        ("let steps = [Step::Up(3), Step::Down { by: 1 }, Step::Rest];", None),
        ("steps.iter().map(|step| match step { Step::Up(n) if *n > 2 => 100, Step::Up(n) => *n as i32, Step::Down { by } => -(*by as i32), Step::Rest => 0 }).sum::<i32>()", "99"),
    ],
    "an enum's variants are used by themselves": [
        ("#[derive(Debug, PartialEq)] enum Color { Red, Green }\nuse Color::*;", None),
        ("let color = Red;", None),
        ("color == Green", "false"),
    ],
    "an incomplete match": [
        ("enum Side { Left, Right }", None),
        ("match Side::Left { Side::Left => 1 }", Fails("non-exhaustive", "Right", at=(1, 7))),
    ],
    "a type alias, a constant and a constant function": [
        ("type Grid = [[u8; SIDE]; SIDE];\nconst SIDE: usize = double(2);\nconst fn double(n: usize) -> usize { 2 * n }", None),
        ("let grid: Grid = [[1; SIDE]; SIDE];", None),
        ("grid.iter().flatten().map(|n| *n as u32).sum::<u32>()", "16"),
        ("const SIDE: usize = 3;", None),
        ("SIDE", "3", Notes(r"The type of the variable grid was redefined, so was lost\.")),
    ],
    "nested modules": [
        (
            "mod outer {\n    pub const LEVEL: u8 = 1;\n    pub mod inner {\n        pub fn depth() -> u8 { super::LEVEL + 1 }\n"
            "        pub(crate) struct Hidden { pub n: u8 }\n    }\n    pub use inner::depth as how_deep;\n}",
            None,
        ),
        ("outer::inner::depth() + outer::how_deep()", "4"),
        ("use outer::inner::Hidden;", None),
        ("let hidden = Hidden { n: 7 };", None),
        ("hidden.n", "7"),
    ],
    "a module is written again": [
        ("mod version { pub fn get() -> u8 { 1 } }", None),
        ("mod version { pub fn get() -> u8 { 2 } }", None),
        ("version::get()", "2"),
    ],
    "a use lasts": [
        ("use std::collections::BTreeMap;", None),
        ("let tree = BTreeMap::from([(1, 'a')]);", None),
        ("tree", "{1: 'a'}"),
    ],
    "a use is replaced": [
        ("use std::collections::HashMap as Map;", None),
        ("use std::collections::BTreeMap as Map;", None),
        ("Map::from([(2, 'b'), (1, 'a')])", "{1: 'a', 2: 'b'}"),
    ],
    "a use is written twice": [
        ("use std::collections::HashMap;", None),
        ("use std::collections::HashMap;\nlet map: HashMap<u8, u8> = HashMap::new();", None),
        ("use std::collections::{HashMap, HashSet};\nlet set: HashSet<u8> = HashSet::new();", None),
        ("map.len() + set.len()", "0"),
    ],
    "a use with groups, stars and underscores": [
        ("use std::{fmt::{self, Write as _}, collections::*, rc::Rc as Shared};", None),
        ('let mut text = String::new(); write!(text, "{}", Shared::new(5))?;', None),
        ("let set: BTreeSet<u8> = [2, 1].into(); (text, set, fmt::Error)", '("5", {1, 2}, Error)'),
    ],
    "a use gives way to an item of its name": [
        ("use std::collections::HashMap as Table;", None),
        ("#[derive(Debug)] struct Table;", None),
        ("Table", "Table"),
    ],
    # Traits and generics.
    "a trait over four cells": [
        ("trait Area { fn area(&self) -> f64; fn twice(&self) -> f64 { 2.0 * self.area() } }", None),
        ("struct Square(f64);\nimpl Area for Square { fn area(&self) -> f64 { self.0 * self.0 } }", None),
        ("struct Oblong(f64, f64);\nimpl Area for Oblong { fn area(&self) -> f64 { self.0 * self.1 } }", None),
        ("let areas: Vec<Box<dyn Area>> = vec![Box::new(Square(2.0)), Box::new(Oblong(1.0, 3.0))];", None),
        ("areas.iter().map(|shape| shape.twice()).sum::<f64>()", "14.0"),
    ],
    "a trait with a generic function, a type and a constant": [
        ("trait Unit { const NAME: &'static str; type Raw; fn convert<T: Into<f64>>(value: T) -> Self::Raw; }", None),
        ("struct Foot;\nimpl Unit for Foot { const NAME: &'static str = \"ft\"; type Raw = f64; fn convert<T: Into<f64>>(value: T) -> f64 { value.into() / 0.5 } }", None),
        ("(Foot::NAME, Foot::convert(2u8), <Foot as Unit>::convert(1.5f32))", '("ft", 4.0, 3.0)'),
    ],
    "a trait for types of others": [
        ("trait Shout { fn shout(&self) -> String; }\nimpl<T: std::fmt::Display> Shout for T { fn shout(&self) -> String { format!(\"{self}!\") } }", None),
        ('("hey".shout(), 5.shout())', '("hey!", "5!")'),
    ],
    "a generic function": [
        ("fn largest<T: PartialOrd + Copy>(items: &[T]) -> T {\n    items.iter().copied().fold(items[0], |a, b| if b > a { b } else { a })\n}", None),
        ("(largest(&[1, 5, 3]), largest(&[0.5, 0.25]))", "(5, 0.5)"),
    ],
    "a generic struct with a bound": [
        ("#[derive(Debug)] struct Stack<T> where T: Clone { items: Vec<T> }", None),
        ("impl<T: Clone> Stack<T> { fn new() -> Self { Stack { items: vec![] } } fn push(&mut self, item: T) -> &mut Self { self.items.push(item); self } }", None),
        ("let mut stack = Stack::new(); stack.push(1u8);", None),
        ("stack.push(2).push(3); stack", "Stack { items: [1, 2, 3] }"),
        ("let words: Stack<String> = Stack::new();", None),
        ("words.items.len()", "0"),
    ],
    "constant generics": [
        ("#[derive(Debug)] struct Matrix<const R: usize, const C: usize>([[i32; C]; R]);", None),
        ("impl<const R: usize, const C: usize> Matrix<R, C> { fn turned(&self) -> Matrix<C, R> { let mut m = [[0; R]; C]; for r in 0..R { for c in 0..C { m[c][r] = self.0[r][c]; } } Matrix(m) } }", None),
        ("let matrix = Matrix([[1, 2, 3], [4, 5, 6]]);", None),
        ("let turned = matrix.turned(); turned", "Matrix([[1, 4], [2, 5], [3, 6]])"),
    ],
    "a function that returns impl Trait": [
        ("fn evens(to: u32) -> impl Iterator<Item = u32> { (0..to).filter(|n| n % 2 == 0) }\nfn adder(n: i32) -> impl Fn(i32) -> i32 { move |m| m + n }", None),
        ("evens(7).collect::<Vec<_>>()", "[0, 2, 4, 6]"),
        ("adder(2)(3)", "5"),
    ],
    "a function that takes impl Fn and dyn Fn": [
        ("fn apply(f: impl Fn(i32) -> i32, n: i32) -> i32 { f(n) }\nfn apply_dyn(f: &dyn Fn(i32) -> i32, n: i32) -> i32 { f(n) }", None),
        ("let offset = 3; apply(|n| n + offset, 1) + apply_dyn(&|n| n * offset, 2)", "10"),
    ],
    "lifetimes in functions and structs": [
        ("fn longer<'a>(a: &'a str, b: &'a str) -> &'a str { if a.len() >= b.len() { a } else { b } }\nstruct Words<'a> { text: &'a str }\nimpl<'a> Words<'a> { fn first(&self) -> &'a str { self.text.split(' ').next().unwrap() } }", None),
        ('let text = String::from("one two"); longer(Words { text: &text }.first(), "no")', '"one"'),
        ('let words = Words { text: "kept as it is static" };', None),
        ("words.first()", '"kept"'),
    ],
    "an iterator of one's own": [
        ("struct Countdown(u32);\nimpl Iterator for Countdown { type Item = u32; fn next(&mut self) -> Option<u32> { if self.0 == 0 { None } else { self.0 -= 1; Some(self.0) } } }", None),
        ("let mut countdown = Countdown(3);", None),
        ("countdown.next()", "Some(2)"),
        ("countdown.map(|n| n * 10).collect::<Vec<_>>()", "[10, 0]"),
    ],
    "FromStr, Deref and Default": [
        ("use std::{ops::Deref, str::FromStr};\n#[derive(Debug, Default)] struct Id(u32);\nimpl FromStr for Id { type Err = std::num::ParseIntError; fn from_str(s: &str) -> Result<Id, Self::Err> { Ok(Id(s.parse()?)) } }\nimpl Deref for Id { type Target = u32; fn deref(&self) -> &u32 { &self.0 } }", None),
        ('let id: Id = "17".parse()?; id.pow(2)', "289"),
        ("Id::default()", "Id(0)"),
    ],
    # Statics.
    "a static counter lives across cells": [
        ("use std::sync::atomic::{AtomicUsize, Ordering};\nstatic COUNT: AtomicUsize = AtomicUsize::new(0);", None),
        ("COUNT.fetch_add(1, Ordering::SeqCst);", None),
        ("COUNT.fetch_add(1, Ordering::SeqCst);", None),
        ("COUNT.fetch_add(1, Ordering::SeqCst); COUNT.load(Ordering::SeqCst)", "3", "1"),
    ],
    "a static that functions of several cells use": [
        ("use std::sync::atomic::{AtomicUsize, Ordering};\nstatic CALLS: AtomicUsize = AtomicUsize::new(0);\nfn call() -> usize { CALLS.fetch_add(1, Ordering::SeqCst) }", None),
        ("call(); call();", None),
        ("fn calls() -> usize { CALLS.load(Ordering::SeqCst) }", None),
        ("call(); calls()", "3", "1"),
    ],
    "a static in a function": [
        ("fn ticket() -> usize { static NEXT: std::sync::atomic::AtomicUsize = std::sync::atomic::AtomicUsize::new(1); NEXT.fetch_add(1, std::sync::atomic::Ordering::SeqCst) }", None),
        ("ticket()", "1"),
        ("ticket()", "2", "1"),
    ],
    "a static mut": [
        ("static mut TOTAL: i32 = 0;", None),
        ("unsafe { TOTAL += 5; }", None, "()"),
        ("unsafe { TOTAL += 5; }\nlet total = unsafe { TOTAL };\ntotal", "10", "5"),
    ],
    "a static with a lock": [
        ("use std::sync::Mutex;\nstatic LIST: Mutex<Vec<i32>> = Mutex::new(Vec::new());", None),
        ("LIST.lock().unwrap().push(1);", None),
        ("LIST.lock().unwrap().push(2);", None),
        ("LIST.lock().unwrap().clone()", "[1, 2]", "[]"),
    ],
    "a static that is made when it is used": [
        ("use std::sync::{LazyLock, OnceLock};\nstatic LAZY: LazyLock<Vec<i32>> = LazyLock::new(|| { println!(\"made\"); vec![1, 2] });\nstatic ONCE: OnceLock<String> = OnceLock::new();", None),
        ('let length = LAZY.len(); ONCE.set("first".into()).is_ok()', "true"),
        ('let set = ONCE.set("second".into()).is_ok(); (length, set, ONCE.get())', '(2, false, Some("first"))', '(2, true, Some("second"))'),
        ("let sum: i32 = LAZY.iter().sum(); println!(\"{sum}\");", Prints("3\n"), Prints("made\n3\n")),
    ],
    "a static in a module": [
        ("mod counters { use std::sync::atomic::*; pub static HITS: AtomicU32 = AtomicU32::new(0); pub fn hit() -> u32 { HITS.fetch_add(1, Ordering::Relaxed) + 1 } }", None),
        ("counters::hit()", "1"),
        ("counters::hit()", "2", "1"),
    ],
    "a static is defined again": [
        ("static LIMIT: u8 = 1;", None),
        ("LIMIT", "1"),
        ("static LIMIT: u8 = 2;", None),
        ("LIMIT", "2"),
        ('static LIMIT: &str = "none";', None),
        ("LIMIT", '"none"'),
    ],
    "a thread_local": [
        ("use std::cell::Cell;\nthread_local! { static HERE: Cell<u32> = const { Cell::new(1) }; }", None, Fails("expected expression, found `vis` metavariable")),
        ("HERE.with(|here| here.set(here.get() + 1));", None, Fails("cannot find value `HERE` in this scope")),
        ("HERE.with(|here| here.set(here.get() + 1)); HERE.get()", "3", Fails("cannot find value `HERE` in this scope", count=2)),
    ],
    "the address of a static": [
        ("static SPOT: [u8; 4] = [1, 2, 3, 4];", None),
        ("let spot: &'static [u8; 4] = &SPOT;", None),
        ("std::ptr::eq(spot, &SPOT)", "true", "false"),
    ],
    # Macros.
    "a macro in a later cell": [
        ("macro_rules! square { ($e:expr) => { $e * $e }; }", None),
        ("square!(3 + 1)", "16"),
        ("fn nine() -> i32 { square!(3) }", None, Fails("cannot find macro `square` in this scope", "unused macro definition: `square`", count=2)),
        ("nine()", "9", Fails("unused macro definition: `square`", "cannot find function `nine` in this scope", count=2)),
    ],
    "a macro is written again": [
        ("macro_rules! greet { () => { \"hi\" }; }", None),
        ("macro_rules! greet { () => { \"hello\" }; ($name:expr) => { format!(\"hello {}\", $name) }; }", None),
        ('(greet!(), greet!("you"))', '("hello", "hello you")'),
    ],
    "a macro that makes items and variables": [
        ("macro_rules! point { ($name:ident, $($field:ident),*) => { #[derive(Debug, Default)] struct $name { $($field: f64),* } }; }\npoint!(P3, x, y, z);", None),
        ("P3::default()", "P3 { x: 0.0, y: 0.0, z: 0.0 }", Fails("unused macro definition: `point`", "cannot find type `P3` in this scope", count=2)),
    ],
    "a macro that calls itself": [
        ("macro_rules! count { () => { 0usize }; ($head:tt $($tail:tt)*) => { 1usize + count!($($tail)*) }; }", None),
        ("count!(a b c d)", "4"),
    ],
    "a macro in an item's place": [
        ("macro_rules! answer { ($name:ident, $value:expr) => { fn $name() -> u32 { $value } }; }", None),
        ("answer!(the_answer, 42);", None),
        ("the_answer()", "42", Fails("unused macro definition: `answer`", "cannot find function `the_answer` in this scope", count=2)),
    ],
    # Types without a name, and types that can't be kept.
    "a closure is kept": [
        ("let add = |n: i32| n + 1;", None, Fails(r"The variable `add` is a closure, which cannot be persisted\.")),
        ("add(1)", "2", Fails("cannot find function `add` in this scope")),
        ("let by = 2; let scale = move |n: i32| n * by; scale(4)", "8", Fails(r"The variable `scale` is a closure, which cannot be persisted\.")),
        ("by", "2", Fails("cannot find value `by` in this scope")),
    ],
    "a closure in a box": [
        ("let offset = 3; let add: Box<dyn Fn(i32) -> i32> = Box::new(move |n| n + offset);", None),
        ("add(4)", "7"),
        ("let mut all: Vec<Box<dyn Fn(i32) -> i32 + Send>> = vec![Box::new(|n| n + 1)]; all.push(Box::new(|n| n * 2));", None),
        ("all.iter().fold(5, |n, f| f(n))", "12"),
    ],
    "a closure that changes what it holds": [
        ("let mut seen = 0; let mut counter: Box<dyn FnMut() -> i32> = Box::new(move || { seen += 1; seen });", None),
        ("counter(); counter()", "2"),
        ("counter()", "3"),
    ],
    "a closure in a vector or an option": [
        ("let some = Some(|n: i32| n + 1);", Notes("some", "closure", "Box"), Fails(r"The variable `some` has type `Option<impl Fn\(i32\) -> i32>` which cannot be persisted\.")),
        ("1 + 1", "2"),
    ],
    "an iterator without a name is kept": [
        ("let numbers = (1..4).map(|n| n * n);", None, Fails(r"The variable `numbers` has type `std::iter::Map<std::ops::Range<i32>, impl FnMut\(i32\) -> i32>` which cannot be persisted\.")),
        ("numbers.sum::<i32>()", "14", Fails("cannot find value `numbers` in this scope")),
    ],
    "an iterator of impl Trait": [
        ("fn evens() -> impl Iterator<Item = u32> { (0..).step_by(2) }", None),
        ("let mut some = evens(); some.next()", "Some(0)", Fails(r"The variable `some` has type `impl Iterator<Item = u32>` which cannot be persisted\.")),
        ("some.next()", "Some(2)", Fails("cannot find value `some` in this scope")),
    ],
    "an iterator that has a name": [
        ("let mut items = vec![1, 2, 3].into_iter(); let mut letters = \"xyz\".chars(); let range = 0..3;", None),
        ("(items.next(), letters.next(), range.len())", "(Some(1), Some('x'), 3)"),
        ("(items.next(), letters.next())", "(Some(2), Some('y'))"),
    ],
    "an iterator in a box": [
        ("let mut sevens: Box<dyn Iterator<Item = u32>> = Box::new((1..).filter(|n| n % 7 == 0));", None),
        ("sevens.next()", "Some(7)"),
        ("sevens.next()", "Some(14)"),
    ],
    "a function as a value": [
        ("fn triple(n: i32) -> i32 { 3 * n }\nlet f: fn(i32) -> i32 = triple;", None),
        ("f(2)", "6"),
        ("let g = triple; g(3)", "9"),
        ("g(3)", "9"),
    ],
    "a future isn't kept": [
        ("let future = async { 1 };", Notes("future", "Box"), Fails(r"The variable `future` has type `impl Future<Output = i32>` which cannot be persisted\.")),
        ("1", "1"),
    ],
    "a reference isn't kept, and it is said what to do": [
        ("let list = vec![1, 2];", None),
        ("let first = &list[0];", Notes("`first`", "kept", "clone|to_owned"), Fails("The variable `first` contains a reference with a non-static lifetime so")),
        ("list", "[1, 2]"),
    ],
    "a slice of text isn't kept": [
        ('let text = String::from("one two");', None),
        ("let word = text.split(' ').next().unwrap();\nword.len()", Notes("`word`", "kept", "clone|to_owned"), Fails("The variable `word` contains a reference with a non-static lifetime so")),
        ("text", '"one two"'),
    ],
    "static references are kept": [
        ('let word = "static"; let list: &\'static [i32] = &[1, 2]; let leaked: &\'static mut i32 = Box::leak(Box::new(5));', None),
        ("*leaked += 1; (word, list, *leaked)", '("static", [1, 2], 6)'),
    ],
    "types whose paths are private": [
        ("let at = std::time::Instant::now(); let hash = std::collections::HashMap::<u8, Vec<Option<String>>>::new(); let path = std::path::PathBuf::from(\"a\"); let ip: std::net::IpAddr = \"127.0.0.1\".parse()?;", None),
        ("let handle = std::thread::spawn(|| 5);", None),
        ("(at.elapsed().as_secs() < 3600, hash.len(), path, ip.is_loopback(), handle.join().unwrap())", '(true, 0, "a", true, 5)'),
    ],
    "a type from inside a block": [
        ("let inside = { #[derive(Debug)] struct Local(i32); Local(1) };", Notes("inside"), Fails(r"Couldn't automatically determine type of variable `inside`\.")),
        ("1", "1"),
    ],
    # Sharing.
    "Rc<RefCell>": [
        ("use std::{cell::RefCell, rc::{Rc, Weak}};\nlet shared = Rc::new(RefCell::new(vec![1]));", None),
        ("let other = Rc::clone(&shared); other.borrow_mut().push(2);", None),
        ("let weak: Weak<_> = Rc::downgrade(&shared); shared.borrow_mut().push(3);", None),
        ("(other.borrow().len(), Rc::strong_count(&shared), weak.upgrade().is_some())", "(3, 2, true)"),
    ],
    "Rc<dyn Trait>": [
        ("use std::rc::Rc;\ntrait Named { fn name(&self) -> String; }\nstruct A;\nimpl Named for A { fn name(&self) -> String { \"A\".into() } }", None),
        ("let named: Rc<dyn Named> = Rc::new(A);", None),
        ("named.name()", '"A"'),
    ],
    "Arc<Mutex> and threads over cells": [
        ("use std::{sync::{Arc, Mutex}, thread};\nlet total = Arc::new(Mutex::new(0));", None),
        ("let threads: Vec<thread::JoinHandle<()>> = (1..=4).map(|n| { let total = Arc::clone(&total); thread::spawn(move || *total.lock().unwrap() += n) }).collect();", None),
        ("for thread in threads { thread.join().unwrap(); }\nlet sum = *total.lock()?;\nsum", "10"),
    ],
    "a channel over cells": [
        ("let (sender, receiver) = std::sync::mpsc::channel::<i32>();", None),
        ("std::thread::spawn({ let sender = sender.clone(); move || sender.send(5).unwrap() }).join().unwrap();", None),
        ("receiver.recv()?", "5"),
    ],
    "threads that borrow": [
        ("let data = vec![1, 2, 3, 4];", None),
        ("std::thread::scope(|scope| { let (a, b) = data.split_at(2); let left = scope.spawn(|| a.iter().sum::<i32>()); b.iter().sum::<i32>() * left.join().unwrap() })", "21"),
        ("data.len()", "4"),
    ],
    "a list that holds itself": [
        ("#[derive(Debug)] enum List { Cons(i32, Box<List>), Nil }\nuse List::{Cons, Nil};", None),
        ("let list = Cons(1, Box::new(Cons(2, Box::new(Nil))));", None),
        ("fn sum(list: &List) -> i32 { match list { Cons(n, rest) => n + sum(rest), Nil => 0 } }\nsum(&list)", "3"),
    ],
    # Syntax.
    "loops with labels": [
        ("let mut found = None;\n'rows: for r in 1..10 {\n    for c in 1..10 {\n        if r * c == 42 { found = Some((r, c)); break 'rows; }\n    }\n}", None, "()"),
        ("found", "Some((6, 7))"),
        ("let n = 'block: { if 1 < 2 { break 'block 5; } 6 }; n", "5"),
        ("let mut tries = 0; loop { tries += 1; if tries == 5 { break tries * 2; } }", "10"),
    ],
    "unsafe": [
        ("let mut value = 5; let pointer = &raw mut value; unsafe { *pointer += 1; *pointer }", "6"),
        ("unsafe fn danger(p: *const i32) -> i32 { unsafe { *p } }\nunsafe { danger(&7) }", "7"),
        ("union Bits { float: f32, int: u32 }\nunsafe { Bits { float: 1.0 }.int }", "1065353216"),
    ],
    "extern functions": [
        ('unsafe extern "C" { fn abs(n: i32) -> i32; }\nextern "C" fn back(n: i32) -> i32 { n }', None),
        ("back(1) + unsafe { abs(-3) }", "4"),
    ],
    "raw names": [
        ("let r#type = 1; fn r#match(r#fn: i32) -> i32 { r#fn + 1 }", None),
        ("r#match(r#type)", "2"),
    ],
    "names and text of the world": [
        ('let größe = "日本 🗾"; fn länge(s: &str) -> usize { s.chars().count() }', None),
        ("länge(größe)", "4"),
    ],
    "text that looks like code": [
        ('let text = r#"let x = 1; // } :vars"#;', None),
        ("text.len()", "21"),
        ('let bytes = b"}{"; let c = \'"\'; let nested = r##"a"#b"##;', None),
        ("(bytes.len(), c, nested)", r"""(2, '"', "a\"#b")"""),
    ],
    "comments before items and in between": [
        ("/* a block /* in a block */ */\n/// Doubles.\n/// # Panics\n/// Never.\n#[inline]\nfn double(n: i32) -> i32 {\n    //! inside\n    n * 2 // twice\n}\n// the end", None),
        ("// first\ndouble(/* here */ 4) // last", "8"),
        ("let x = 1; /* let x = 2; */\nx", "1"),
    ],
    "attributes": [
        ("#[allow(dead_code)]\n#[derive(Debug)]\n#[repr(u8)]\nenum Level { Low = 1, High = 10 }\n#[must_use]\nfn level() -> Level { Level::High }", None),
        ("#[allow(unused_variables)]\nlet unused = 1;\nlevel() as u8", "10"),
        ("#[cfg(any())]\nfn not_there() {}\n#[cfg(not(any()))]\nfn not_there() -> u8 { 1 }\nnot_there()", "1"),
    ],
    "attributes for the whole": [
        ("#![allow(unused_variables, dead_code)]\nfn quiet() -> u8 { let unused = 1; 3 }", None),
        ("quiet()", "3"),
    ],
    "an empty cell, and one of comments": [
        ("", None),
        ("\n  \n", None),
        ("// only a comment", None),
        ("/* only\n   a comment */", None),
        ("/// only a doc comment", None),
    ],
    "a semicolon at the end shows nothing": [
        ("1 + 1;", None),
        ("vec![1]; // comment", None),
        ("let silent = 1;", None),
        ("()", None, "()"),
        ("fn nothing() {}\nnothing()", None, "()"),
    ],
    "blocks, conditions and matches are values": [
        ("{ let a = 1; a + 1 }", "2"),
        ('if 1 + 1 == 2 { "yes" } else { "no" }', '"yes"'),
        ("match 7 % 4 { n @ 0..=2 => n, 3 => 30, _ => -1 }", "30"),
        ("if false { println!(\"never\"); }", None, "()"),
    ],
    "variables of a block are its own": [
        ("{ let hidden = 1; println!(\"{hidden}\"); }", Prints("1\n"), "()"),
        ("hidden", Fails("cannot find value `hidden`", at=(1, 1))),
    ],
    "an expression over several lines": [
        ("(1..=10)\n    .filter(|n| n % 2 == 0)\n    .map(|n| n * n)\n    .sum::<i32>()", "220"),
    ],
    "items, statements and a value in one cell": [
        ("use std::fmt::Debug;\nlet a = 2;\nfn show<T: Debug>(t: T) -> String { format!(\"<{t:?}>\") }\nlet b = show(a);\nstruct Unit;\nb", '"<2>"'),
        ("(a, show(b))", '(2, "<\\"<2>\\">")'),
    ],
    "numbers in text": [
        ('let pi = 3.14159; let n = 42; let name = "x";', None),
        ('println!("{name}: {pi:.2} {n:>5} {n:#x} {0:?} {w:03}", Some(1), w = 7);', Prints("x: 3.14    42 0x2a Some(1) 007\n")),
    ],
    "text to standard error": [
        ('eprintln!("to stderr");', Notes("to stderr")),
        ("let n = dbg!(2 * 3);", Notes(r"2 \* 3 = 6")),
        ("n", "6"),
    ],
    "a pretty value": [
        ('let nested = vec![Some((1, "a")), None];', None),
        ('println!("{nested:#?}");', Prints('[\n    Some(\n        (\n            1,\n            "a",\n        ),\n    ),\n    None,\n]\n')),
    ],
    "a Result at the end": [
        ("Ok::<i32, String>(5)", "5", "Ok(5)"),
        ('"7".parse::<u8>()', "7", "Ok(7)"),
        ('Err::<i32, String>("no luck".to_string())', Fails("no luck"), 'Err("no luck")'),
        ("Some(5)", "Some(5)"),
    ],
    "types are asked for where they are needed": [
        ("let empty = Vec::new();", Fails("type annotations needed", at=(1, 5))),
        ("let parsed = \"1\".parse()?;", Fails("FromStr|type annotations needed")),
        ("let sum = [1, 2].iter().sum();", Fails("type annotations needed", at=(1, 5))),
    ],
    # Errors of the compiler.
    "an error is at the user's line and column": [
        ('let a = 1;\nlet b: i32 = "text";', Fails("mismatched types", "expected `i32`, found `&str`", at=(2, 14))),
        ("let a = 1;\n\n    a + unheard_of", Fails("cannot find value `unheard_of`", at=(3, 9))),
        ("fn f(x: Strange) {}", Fails("cannot find type `Strange`", at=(1, 9))),
        ('let größe = "日本"; let b: i32 = "text";', Fails("mismatched types", at=(1, 32))),
    ],
    "an error in an item between statements": [
        ("let a = 1;\nfn g() -> String {\n    5\n}\nlet b = 2;", Fails("mismatched types", at=(3, 5))),
    ],
    "rustc's help is kept": [
        ("let v = vec![1];\nv.push(2);", Fails("cannot borrow `v` as mutable", "consider changing this to be mutable|mut v", at=(2, 1))),
        ("let s: String = \"text\";", Fails("mismatched types", r"to_string\(\)", at=(1, 17))),
        ("let map: HashMap<u8, u8> = HashMap::new();", Fails("cannot find type `HashMap`", "use std::collections::HashMap"), Fails("cannot find type `HashMap` in this scope", count=2)),
        ("let name = 1;\nnane", Fails("cannot find value `nane`", "similar name", "`?name`?", at=(2, 1))),
        ("vec![1].lenn()", Fails("no method named `lenn`", "`?len`?", at=(1, 9))),
    ],
    "a borrow error points at both places": [
        ("let mut v = vec![1];\nlet first = &v[0];\nv.push(2);\nprintln!(\"{first}\");", Fails("cannot borrow `v` as mutable", "immutable borrow occurs here", "immutable borrow later used here", at=(3, 1)), Fails("The variable `first` contains a reference with a non-static lifetime so", "cannot borrow `v` as mutable because it is also borrowed as immutable", count=2)),
    ],
    "a use after a move in a cell": [
        ("let s = String::new();\ndrop(s);\ns.len()", Fails("borrow of moved value", "value moved here", "clone", at=(3, 1))),
    ],
    "several errors in a cell are one message": [
        ("let a = missing_one;\nlet b = missing_two;", Fails("missing_one", "missing_two", at=(2, 9)), Fails("cannot find value `missing_one` in this scope", "cannot find value `missing_two` in this scope", count=2)),
    ],
    "what isn't finished": [
        ("fn g() {\n    let x = 1;\n", Fails("unclosed", at=(1, 8))),
        ("let x = 1;\n}", Fails("unexpected closing delimiter", at=(2, 1))),
        ("1 +", Fails("expected expression", at=(1, 4))),
        ("let x = 1\nlet y = 2;", Fails("expected.*`;`", at=(1, 10))),
        ('let s = "no end;', Fails("unterminated double quote", at=(1, 9))),
        ("let = 5;", Fails("expected pattern", at=(1, 5)), None),
    ],
    "nothing of the generated code in a long type's error": [
        ("let n: u8 = (0..9).map(|a| a + 1).filter(|a| a % 2 == 0).map(|a| a as f64).chain([1.0]).zip([\"a\"]).enumerate().skip(1).step_by(2);", Fails("mismatched types", at=(1, 13))),
    ],
    "an error in a macro's arguments": [
        ('println!("{} {}", 1);', Fails("2 positional arguments", at=(1, 11))),
        ('println!("{missing}");', Fails("cannot find value `missing`", at=(1, 12))),
    ],
    "an error in an earlier cell's function": [
        ("fn takes_text(text: &str) -> usize {\n    text.len()\n}", None),
        ("takes_text(5)", Fails("mismatched types", at=(1, 12))),
    ],
    "an error in a variable of an earlier cell": [
        ("let count = 5;", None),
        ("let text: &str = count;", Fails("mismatched types", "expected `&str`, found `i32`|found integer", at=(1, 18))),
    ],
    "a trait that isn't there": [
        ("struct Plain;", None),
        ("Plain.clone()", Fails("no method named `clone`", "Clone", at=(1, 7))),
        ("Plain == Plain", Fails("binary operation `==` cannot be applied", "PartialEq", at=(1, 7)), Fails("an implementation of `PartialEq` might be missing for `Plain`")),
    ],
    "an unknown crate": [
        ("use no_such_crate::thing;", Fails("no_such_crate", ":dep|cargo add", at=(1, 5)), Fails("unresolved import `no_such_crate`")),
    ],
    "warnings aren't shown": [
        ("fn unused_function() { let unused_variable = 1; }\nlet mut unmutated = 1;", None),
        ("#[deprecated] fn old() {}\nold();", None),
    ],
    # Crates.
    "a crate is added": [
        (':dep itoa = "1"', Notes()),
        ("itoa::Buffer::new().format(128u64).to_string()", '"128"'),
        ("use itoa::Buffer;\nlet mut buffer = Buffer::new();", None),
        ("buffer.format(5).len()", "1"),
    ],
    "a crate is added in a cell that uses it": [
        (':dep itoa = "1"\nuse itoa::Buffer;\nBuffer::new().format(7).to_string()', '"7"'),
    ],
    "a crate that isn't there": [
        (':dep swath-test-no-such-crate-exists = "1"', Fails("swath-test-no-such-crate-exists")),
        ("1 + 1", "2"),
    ],
    "a crate of the runtime, at its version, is bound at once": [
        (':dep ndarray = "0.17"', Notes(r"ndarray 0\.17\.\d+: the runtime's own copy, available at once"), OURS_ALONE),
        ("let ours = Array::<f64>::from_ndarray(ndarray::Array::ones((2, 2)), (1, 2)); ours.sum().compute()?", "4.0", OURS_ALONE),
    ],
    "a crate of the runtime, with features that it has, is bound at once": [
        (':dep ndarray = { version = "0.17", features = ["std"] }', Notes(r"ndarray 0\.17\.\d+: the runtime's own copy, available at once"), OURS_ALONE),
        (':dep polars = "0.55"', Notes(r"polars 0\.55\.\d+: the runtime's own copy, available at once"), OURS_ALONE),
        ("polars::prelude::Series::from_iter([1i64, 2]).len() + ndarray::arr1(&[1, 2]).len()", "4", OURS_ALONE),
    ],
    "a crate of the runtime needs no :dep": [
        ("ndarray::arr1(&[1, 2]).sum()", "3", OURS_ALONE),
        ("use ndarray::array;\nlet square = array![[1.0, 2.0], [3.0, 4.0]];", None, OURS_ALONE),
        ("square.t().dot(&square)[[0, 0]]", "10.0", OURS_ALONE),
    ],
    "a crate of the runtime, at another version, is another crate": [
        (':dep ndarray = { version = "0.15", default-features = false }', Notes(), OURS_ALONE),
        ("let theirs = ndarray::Array2::<f64>::ones((2, 2)); theirs.sum()", "4.0", OURS_ALONE),
        ("theirs.dim()", "(2, 2)", OURS_ALONE),
    ],
    "types of a crate in two versions": [
        (':dep ndarray = { version = "0.15", default-features = false }', Notes(), OURS_ALONE),
        (
            "let ours = random_array((2, 2), 1);\nlet theirs = ndarray::Array2::<f64>::ones((2, 2));\nArray::from_ndarray(theirs, (1, 2))",
            Fails("ndarray", r"0\.15|two versions|different versions|another version", r":dep|runtime's", at=(3, 21)),
            OURS_ALONE,
        ),
        (
            "let theirs: ndarray::Array2<f64> = random_array((2, 2), 1);",
            Fails("mismatched types", "ndarray", r"0\.15|two versions|different versions|another version", r":dep|runtime's", at=(1, 36)),
            OURS_ALONE,
        ),
    ],
}


@pytest.mark.parametrize("cells", ROWS.values(), ids=ROWS.keys())
def test_what_evcxr_promises(kernel, cells):
    kernel.ok(":clear")
    row = "\n".join(code for code, *_ in cells)
    complaints, errors = [], []
    for code, ours, *_ in cells:
        result = kernel.run(code, timeout=TIMEOUT)
        seen = Seen.of(result)
        missed = expected(ours).missed(seen)
        if missed:
            complaints.append(f"{missed}, in the cell\n{code}\n\n{seen}")
        errors.append(result.error)
    assert not complaints, "\n\n".join(complaints)
    for error in errors:
        assert_only_the_users_code(error, row)
