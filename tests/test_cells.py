"""The meaning of Rust in cells: variables, items, results and displays across several cells.

The cases are data: a list of steps, each a cell and its expected outcome. They
share a kernel, like the cells of one long notebook, so each case uses its own
names.
"""

import re
import time

import pytest

from kernel import tables


class Prints(str):
    """The cell prints this to stdout."""


class Fails(str):
    """The cell fails, and its error matches this pattern."""


# The expected outcome of a cell: a string is the plain text of its result, None means no result.
CASES = {
    "a name is used again with another type": [
        ("let v = 5;", None),
        ("let v = \"five\";", None),
        ("v", '"five"'),
    ],
    "a moved variable is gone, and the error says its name": [
        ("let ship = String::from(\"Argo\");", None),
        ("let harbour = ship;", None),
        ("ship.len()", Fails("ship")),
        ("harbour", '"Argo"'),
    ],
    "showing a variable does not move it": [
        ("let shown = vec![String::from(\"a\")];", None),
        ("shown", '["a"]'),
        ("shown", '["a"]'),
    ],
    "a change is kept": [
        ("let mut growing = vec![1];", None),
        ("growing.push(2);", None),
        ("growing.push(3); growing", "[1, 2, 3]"),
        ("growing", "[1, 2, 3]"),
    ],
    "an assignment is kept": [
        ("let mut level = 1;", None),
        ("level += 10;", None),
        ("level", "11"),
    ],
    "values outlive a panic": [
        ("let kept = String::from(\"here\"); let mut log = vec![1];", None),
        ("log.push(2); assert_eq!(kept.len(), 5, \"on purpose\");", Fails("on purpose")),
        ("kept", '"here"'),
        ("log", "[1, 2]"),
    ],
    "values outlive a cell that does not compile": [
        ("let solid = 7;", None),
        ("let solid = does_not_exist;", Fails("does_not_exist")),
        ("solid", "7"),
    ],
    "variables of the failing cell itself are not half there": [
        ("let whole = 1;", None),
        ("let whole = 2; panic!(\"in between\");", Fails("in between")),
        ("whole == 1 || whole == 2", "true"),
    ],
    "a function is defined again": [
        ("fn twice(n: i32) -> i32 { n + 2 }", None),
        ("twice(5)", "7"),
        ("fn twice(n: i32) -> i32 { n * 2 }", None),
        ("twice(5)", "10"),
    ],
    # To the compiler both functions are in the same crate, so they have the same type.
    "a pure function that is defined again is another one": [
        ("fn scaled(n: i64) -> i64 { n * 5 }", None),
        ("let scaled_kept = delayed(scaled).pure()?.call(2).persist()?;", None),
        ("scaled_kept.compute()?", "10"),
        ("fn scaled(n: i64) -> i64 { n * 7 }", None),
        ("delayed(scaled).pure()?.call(2).compute()?", "14"),
        ("scaled_kept.compute()?", "10"),
    ],
    "a graph keeps a function and one that is defined again": [
        ("let mut versions = TaskGraph::new();\nfn version() -> i64 { 1 }\nversions.insert(\"a\", version, ())?;", None),
        ("fn version() -> i64 { 2 }\nversions.insert(\"b\", version, ())?;", None),
        ("versions.get_all::<Vec<i64>>([\"a\", \"b\"])?", "[1, 2]"),
    ],
    "a function calls one of another cell": [
        ("fn inner_part(n: i32) -> i32 { n + 1 }", None),
        ("fn outer_part(n: i32) -> i32 { inner_part(n) * 10 }", None),
        ("outer_part(4)", "50"),
    ],
    "a use lasts, and is replaced": [
        ("use std::collections::HashMap as Map;", None),
        ("use std::collections::BTreeMap as Map;", None),
        ("Map::from([(2, 'b'), (1, 'a')])", "{1: 'a', 2: 'b'}"),
    ],
    "a question mark passes a value on": [
        ("let parsed: i32 = \"12\".parse()?;", None),
        ("parsed + 1", "13"),
    ],
    "a question mark ends the cell with the error": [
        ("let before_error = 1;", None),
        ("let broken: i32 = \"twelve\".parse()?;\nprintln!(\"not reached\");", Fails("invalid digit found in string")),
        ("before_error", "1"),
    ],
    "a question mark on a boxed error, and on text": [
        ("fn boxed() -> Result<i32, Box<dyn std::error::Error>> { Err(\"from the box\".into()) }", None),
        ("boxed()?", Fails("from the box")),
        ("boxed()", Fails("from the box")),
        ("Err::<i32, &str>(\"only words\")?", Fails("only words")),
    ],
    "a question mark on an error that borrows": [
        ("use std::sync::Mutex;\nlet guarded = Mutex::new(5);", None),
        ("*guarded.lock()?", "5"),
    ],
    "a question mark on errors of different types": [
        ("let number: i32 = \"4\".parse()?; let text = String::from_utf8(vec![0x68, 0x69])?;", None),
        ("(number, text)", '(4, "hi")'),
    ],
    "a tuple is taken apart": [
        ("let (left, mut right) = (1, vec![2]);", None),
        ("right.push(left);", None),
        ("right", "[2, 1]"),
    ],
    "a struct, an array and an option are taken apart": [
        ("struct Place { x: i32, y: i32 }", None),
        ("let Place { x: east, y } = Place { x: 3, y: 4 };", None),
        ("let [first, .., last] = [1, 2, 3];", None),
        ("let Some(inside) = Some(5) else { panic!(\"empty\") };", None),
        ("(east, y, first, last, inside)", "(3, 4, 1, 3, 5)"),
    ],
    "generics": [
        ("fn largest<T: PartialOrd + Copy>(items: &[T]) -> T {\n    items.iter().copied().fold(items[0], |a, b| if b > a { b } else { a })\n}", None),
        ("(largest(&[1, 5, 3]), largest(&[0.5, 0.25]))", "(5, 0.5)"),
    ],
    "traits, over four cells": [
        ("trait Area { fn area(&self) -> f64; fn twice_area(&self) -> f64 { 2.0 * self.area() } }", None),
        ("struct Square(f64);\nimpl Area for Square { fn area(&self) -> f64 { self.0 * self.0 } }", None),
        ("struct Oblong(f64, f64);\nimpl Area for Oblong { fn area(&self) -> f64 { self.0 * self.1 } }", None),
        ("let areas: Vec<Box<dyn Area>> = vec![Box::new(Square(2.0)), Box::new(Oblong(1.0, 3.0))];", None),
        ("areas.iter().map(|shape| shape.twice_area()).sum::<f64>()", "14.0"),
    ],
    "methods added in a later cell": [
        ("#[derive(Debug, Clone, PartialEq)]\nstruct Account { total: i64 }", None),
        ("impl Account { fn add(&mut self, amount: i64) -> i64 { self.total += amount; self.total } }", None),
        ("let mut account = Account { total: 5 };", None),
        ("account.add(10)", "15"),
        ("account", "Account { total: 15 }"),
    ],
    "a struct is defined again": [
        ("#[derive(Debug)] struct Form { x: i32 }", None),
        ("Form { x: 1 }", "Form { x: 1 }"),
        ("#[derive(Debug)] struct Form { x: i32, y: i32 }", None),
        ("let form = Form { x: 1, y: 2 };", None),
        ("form", "Form { x: 1, y: 2 }"),
    ],
    "an enum is matched": [
        ("#[derive(Debug, Clone, Copy)] enum Step { Up(u8), Down { by: u8 }, Rest }", None),
        ("let steps = [Step::Up(3), Step::Down { by: 1 }, Step::Rest];", None),
        ("steps.iter().map(|step| match step { Step::Up(n) => *n as i32, Step::Down { by } => -(*by as i32), Step::Rest => 0 }).sum::<i32>()", "2"),
    ],
    "a last let without its semicolon": [
        ("let unfinished = 20 + 1", None),
        ("unfinished * 2", "42"),
    ],
    "a constant and a module": [
        ("const SIDES: usize = 4;\nmod shapes { pub fn corners() -> usize { super::SIDES } }", None),
        ("shapes::corners() + SIDES", "8"),
    ],
    "a closure in a box": [
        ("let offset = 3; let add: Box<dyn Fn(i32) -> i32> = Box::new(move |n| n + offset);", None),
        ("add(4)", "7"),
    ],
    "a macro of one's own": [
        ("macro_rules! square { ($e:expr) => { $e * $e }; }", None),
        ("square!(3 + 1)", "16"),
    ],
    "loops": [
        ("for n in 0..3 { print!(\"{n} \"); }\nprintln!();", Prints("0 1 2 \n")),
        ("let mut n = 1; while n < 100 { n *= 3; }", None),
        ("n", "243"),
        ("let mut tries = 0; loop { tries += 1; if tries == 5 { break tries * 2; } }", "10"),
    ],
    "if, match and a block are values": [
        ("if 1 + 1 == 2 { \"yes\" } else { \"no\" }", '"yes"'),
        ("match 7 % 4 { 3 => 'c', _ => 'x' }", "'c'"),
        ("{ let a = 1; a + 1 }", "2"),
    ],
    "no result without a value": [
        ("1 + 1;", None),
        ("let silent = 1;", None),
        ("()", None),
        ("fn nothing() {}\nnothing()", None),
        ("", None),
        ("// only a comment", None),
    ],
    "a Result that is the last expression": [
        ("Ok::<i32, String>(5)", "5"),
        ("Err::<i32, String>(\"no luck today\".to_string())", Fails("no luck today")),
        ("Some(5)", "Some(5)"),
    ],
    "text that looks like code": [
        ("let text = r#\"let x = 1; // } :vars\"#;", None),
        ("text.len()", "21"),
        ("// a comment }\nlet after = 1; /* { */\nafter", "1"),
    ],
    "names and text of the world": [
        ("let größe = \"日本 🗾\";", None),
        ("println!(\"{größe}\"); größe.chars().count()", "4"),
    ],
    "a value over several lines": [
        ("(1..=10)\n    .filter(|n| n % 2 == 0)\n    .map(|n| n * n)\n    .sum::<i32>()", "220"),
    ],
    "an iterator in a box, kept over cells": [
        ("let mut numbers: Box<dyn Iterator<Item = u32>> = Box::new((1..).filter(|n| n % 7 == 0));", None),
        ("numbers.next()", "Some(7)"),
        ("numbers.next()", "Some(14)"),
    ],
    "async": [
        ("async fn answer() -> u32 { 42 }", None),
        ("answer().await", "42"),
    ],
    "a crate from crates.io": [
        (":dep itoa = \"1\"", None),
        ("let mut buffer = itoa::Buffer::new(); buffer.format(128u64).to_string()", '"128"'),
    ],
    "the crates that the runtime is made of": [
        ("ndarray::arr1(&[1, 2]).sum()", "3"),
        ("use polars::prelude::NamedFrom;\npolars::prelude::Series::new(\"s\".into(), [1i64, 2, 3]).sum::<i64>()?", "6"),
    ],
}


@pytest.mark.parametrize("steps", CASES.values(), ids=CASES.keys())
def test_cells(kernel, steps):
    for code, expected in steps:
        if isinstance(expected, Fails):
            result = kernel.fails(code, expected)
            assert "not reached" not in result.stdout
        else:
            result = kernel.ok(code, timeout=150)
            if isinstance(expected, Prints):
                assert result.stdout == expected
            else:
                assert result.result == expected, f"the result of\n{code}\n{result}"


def test_several_displays_in_a_cell(kernel):
    result = kernel.ok('display(&Html("<i>one</i>")); display(&Html("<i>two</i>")); display(&Markdown("*three*")); 4')
    assert [output["type"] for output in result.outputs] == ["display_data"] * 3 + ["execute_result"]
    assert [data.get("text/html") for data in result.displays[:2]] == ["<i>one</i>", "<i>two</i>"]
    assert result.displays[2]["text/markdown"] == "*three*"
    assert all("text/plain" in data for data in result.displays)
    assert result.result == "4"


def test_order_between_streams_and_displays(kernel):
    result = kernel.ok(
        'for n in 0..20 { println!("out {n}"); eprintln!("err {n}"); display(&Html(format!("html {n}"))); }'
    )
    seen = []
    for output in result.outputs:
        text = output["text"] if output["type"] == "stream" else output["data"]["text/html"]
        seen += text.split("\n") if output["type"] == "stream" else [text]
    seen = [line for line in seen if line]
    assert seen == [f"{kind} {n}" for n in range(20) for kind in ("out", "err", "html")]


def test_part_of_a_line_is_seen_at_once(kernel):
    message_id = kernel.send('print!("half"); std::thread::sleep(std::time::Duration::from_secs(3)); println!(" and half");')
    while True:
        message = kernel.iopub(timeout=30)
        if message["parent_header"].get("msg_id") == message_id and message["msg_type"] == "stream":
            break
    seen = time.monotonic()
    assert message["content"]["text"] == "half"
    result = kernel.finish(message_id)
    assert result.stdout == " and half\n"
    assert time.monotonic() - seen > 2, "the first half came only with the second"


def test_a_thread_prints_into_the_running_cell(kernel):
    result = kernel.ok('std::thread::spawn(|| println!("from a thread")).join().unwrap();')
    assert result.stdout == "from a thread\n"


def test_a_display_is_updated(kernel):
    result = kernel.ok('let handle = display_handle(&Html("one")); handle.update(&Html("two"));')
    shown, updated = result.of_type("display_data", "update_display_data")
    assert (shown["type"], updated["type"]) == ("display_data", "update_display_data")
    assert shown["transient"]["display_id"] == updated["transient"]["display_id"] != ""
    assert (shown["data"]["text/html"], updated["data"]["text/html"]) == ("one", "two")
    later = kernel.ok('handle.update(&Html("three"));')
    assert [output["type"] for output in later.outputs] == ["update_display_data"]
    assert later.outputs[0]["transient"]["display_id"] == shown["transient"]["display_id"]


def test_output_is_cleared(kernel):
    result = kernel.ok('println!("old"); clear_output(true); println!("new");')
    assert [output["type"] for output in result.outputs] == ["stream", "clear_output", "stream"]
    assert result.outputs[1]["wait"] is True


def test_an_image_is_shown(kernel):
    result = kernel.ok('Svg("<svg xmlns=\'http://www.w3.org/2000/svg\' width=\'9\' height=\'9\'><circle r=\'4\'/></svg>")')
    data = result.outputs[0]["data"]
    assert "<circle" in data.get("image/svg+xml", "") + data.get("text/html", "")
    assert "text/plain" in data


def test_input(kernel):
    result = kernel.ok('let name = input("Name? ")?; format!("{name}!")', answers=["Ada"])
    request = result.of_type("input_request")[0]
    assert (request["prompt"], request["password"]) == ("Name? ", False)
    assert result.result == '"Ada!"'


def test_password(kernel):
    result = kernel.ok('let secret = password("Secret? ")?; secret.len()', answers=["four"])
    request = result.of_type("input_request")[0]
    assert (request["prompt"], request["password"]) == ("Secret? ", True)
    assert result.result == "4"


def test_input_without_a_front_end_that_can_ask(kernel):
    kernel.fails('input("Name? ")?', "input")


def test_evcxr_input(kernel):
    kernel.ok(':dep evcxr_input = "1"', timeout=150)
    result = kernel.ok('evcxr_input::get_string("Who? ")', answers=["Grace"], timeout=150)
    assert result.of_type("input_request")[0]["prompt"] == "Who? "
    assert "Grace" in result.result


def test_vars(kernel):
    kernel.ok("let apples: u8 = 3; let pears = vec![1.5f64];")
    result = kernel.ok(":vars")
    data = result.outputs[0]["data"]
    assert re.search(r"apples\W+u8", data["text/plain"])
    rows = {row[0]: row[1] for table in tables(data["text/html"]) for row in table if len(row) >= 2}
    assert rows["apples"] == "u8"
    assert re.search(r"Vec<f64>", rows["pears"])


def test_type(kernel):
    kernel.ok("let pair = (1u16, 'x');")
    result = kernel.ok(":type pair")
    assert "(u16, char)" in str(result)


def test_help(kernel):
    result = kernel.ok(":help")
    text = result.stdout + (result.result or "") + "".join(data["text/plain"] for data in result.displays)
    for command in (":dep", ":vars", ":type", ":help"):
        assert command in text


def test_an_unknown_command_is_an_error(kernel):
    kernel.fails(":frobnicate", "frobnicate")


def test_clear_forgets_variables(own_kernel):
    own_kernel.ok("let fleeting = 1;")
    own_kernel.ok(":clear")
    own_kernel.fails("fleeting", "fleeting")
    assert own_kernel.ok("1 + 1").result == "2"
