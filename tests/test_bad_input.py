"""Every failure gives one clear error that names its cause, and the kernel keeps working.

No other value is lost unless the process itself died; the error then says so.
Malformed messages are in test_protocol.py.
"""

import re
import time
from pathlib import Path

import pytest

from errors import assert_only_the_users_code, position


@pytest.fixture(autouse=True)
def the_kernel_goes_on(kernel, request):
    """Checks around each test that an earlier variable still exists and that cells run.

    Tests marked `dies` end the process; the variable is then lost.
    """
    kernel.ok("let bystander = vec![1, 2, 3];")
    yield
    if request.node.get_closest_marker("dies"):
        kernel.fails("bystander", "bystander")
    else:
        assert kernel.ok("bystander").result == "[1, 2, 3]"
    assert kernel.ok("20 + 22").result == "42"


COMPILE_ERRORS = {
    "mismatched types": ('let a = 1;\nlet b: i32 = "text";', (2, 14), ["mismatched types", "expected `?i32`?"]),
    "an unknown name": ("let a = 1;\n\n    a + unheard_of", (3, 9), ["cannot find value `unheard_of`"]),
    "an unknown method": ("let list = vec![1];\nlist.shuffle_all();", (2, 6), ["shuffle_all"]),
    "an unknown type": ("fn f(x: Strange) {}", (1, 9), ["cannot find type `Strange`"]),
    "an unknown crate": ("use no_such_crate::thing;", (1, 5), ["no_such_crate"]),
    "a type that can't be inferred": ("let empty = Vec::new();", (1, 5), ["type annotations needed|annotat"]),
    "a missing brace": ("fn g() {\n    let x = 1;\n", None, ["unclosed|expected"]),
    "one brace too many": ("let x = 1;\n}", (2, 1), ["unexpected closing|expected"]),
    "a missing semicolon": ("let x = 1\nlet y = 2;", None, ["expected.*`?;`?|;"]),
    "a borrow": ("let mut v = vec![1];\nlet first = &v[0];\nv.push(2);\nprintln!(\"{first}\");", (3, 1), ["cannot borrow `v` as mutable"]),
    "a use after a move": ("let s = String::new();\ndrop(s);\ns.len()", (3, 1), ["borrow of moved value"]),
    "an error in an item": ("fn h() -> i32 {\n    \"no number\"\n}", (2, 5), ["mismatched types"]),
    "an error in a macro": ('println!("{} {}", 1);', None, ["2 positional arguments|positional argument"]),
    "after letters of several bytes": ('let größe = "日本"; let b: i32 = "text";', (1, 32), ["mismatched types"]),
}


@pytest.mark.parametrize(("cell", "place", "patterns"), COMPILE_ERRORS.values(), ids=COMPILE_ERRORS.keys())
def test_a_cell_that_does_not_compile(kernel, cell, place, patterns):
    result = kernel.fails(cell, *patterns)
    assert_only_the_users_code(result.error, cell)
    if place:
        assert re.search(position(*place), result.error), f"no place {place} in\n{result.error}"
    assert [output["type"] for output in result.outputs] == ["error"]


def test_all_errors_of_a_cell_are_shown(kernel):
    kernel.fails("let a = missing_one;\nlet b = missing_two;", "missing_one", "missing_two")


def test_warnings_are_no_errors(kernel):
    result = kernel.ok("fn unused_function() { let unused_variable = 1; }\nlet mut unmutated = 1;")
    assert result.error == ""


def test_an_error_in_an_earlier_cells_function_says_so(kernel):
    kernel.ok("fn takes_text(text: &str) -> usize {\n    text.len()\n}")
    result = kernel.fails("takes_text(5)", "mismatched types", position(1, 12))
    assert_only_the_users_code(result.error, "takes_text(5)\nfn takes_text(text: &str) -> usize {")


def test_a_closure_inside_of_a_value_says_what_to_do(kernel):
    """The cell runs, with a note that the closure is not kept. A later use gets an error that says the same."""
    result = kernel.ok("let add = Some(|n: i32| n + 1);\nlet keep = add.map_or(0, |add| add(1));")
    [note] = [display["text/plain"] for display in result.displays]
    assert "add" in note and "Box" in note
    kernel.fails("add.is_some()", "add", "Box")
    assert kernel.ok("keep").result == "2"


def test_a_missing_crate(kernel):
    kernel.fails(':dep swath-test-no-such-crate-exists = "1"', "swath-test-no-such-crate-exists", timeout=120)
    kernel.ok("1 + 1", timeout=120)


def test_a_dep_that_is_no_toml(kernel):
    kernel.fails(':dep itoa = "1', "itoa|quot|toml|string")


PANICS = {
    "an index": ("let three = vec![1, 2, 3];\nlet at = 10;\nthree[at]", ["index out of bounds: the len is 3 but the index is 10", position(3)]),
    "an unwrap": ("let none: Option<i32> = None;\nnone.unwrap()", [r"called `Option::unwrap\(\)` on a `None` value", position(2)]),
    "a message": ('let n = 5;\npanic!("the number is {n}")', ["the number is 5", position(2)]),
    "a division": ("let zero = \"0\".parse::<i32>()?;\n1 / zero", ["attempt to divide by zero", position(2)]),
    "an overflow": ("let big: u8 = \"255\".parse()?;\nbig + 1", ["attempt to add with overflow", position(2)]),
    "an assertion": ("assert_eq!(1 + 1, 3, \"arithmetic\");", ["arithmetic", "left: 2", "right: 3"]),
    "a thread's": ("std::thread::spawn(|| panic!(\"down there\")).join().expect(\"it ended well\");", ["it ended well"]),
    "a payload that is no text": ("std::panic::panic_any(42)", ["panic"]),
    "in a destructor": ("struct Fuse;\nimpl Drop for Fuse { fn drop(&mut self) { panic!(\"blown\") } }\ndrop(Fuse);", ["blown"]),
}


@pytest.mark.parametrize(("cell", "patterns"), PANICS.values(), ids=PANICS.keys())
def test_a_panic(kernel, cell, patterns):
    result = kernel.fails(cell, *patterns)
    assert_only_the_users_code(result.error, cell)


def test_what_was_printed_before_a_panic_is_shown(kernel):
    result = kernel.fails('println!("so far so good"); print!("and"); panic!("no further")', "no further")
    assert result.stdout == "so far so good\nand"


DEATHS = {
    "abort": ("std::process::abort()", "SIGABRT|abort"),
    "a null pointer": ("unsafe { std::ptr::read_volatile(std::ptr::null::<u64>()) }", "SIGSEGV|segmentation fault"),
    "a wild jump": ("let f: extern \"C\" fn() = unsafe { std::mem::transmute(16usize) }; f();", "SIGSEGV|SIGILL|SIGBUS|segmentation fault"),
    "exit": ("std::process::exit(3)", r"exit\D*3"),
    "exit, as if all were well": ("std::process::exit(0)", r"exit"),
    "a stack overflow": (
        "fn deep(n: u64) -> u64 {\n    let block = [n; 512];\n    std::hint::black_box(&block);\n    deep(n + 1) + block[7]\n}\ndeep(0)",
        "stack overflow|overflowed its stack",
    ),
    "a stack overflow in a task": (
        "fn deeper(n: u64) -> u64 {\n    let block = [n; 512];\n    std::hint::black_box(&block);\n    deeper(n + 1) + block[7]\n}\ndelayed(deeper).call(0u64).compute()?",
        "stack overflow|overflowed its stack",
    ),
    "a kill from outside": (
        "std::process::Command::new(\"kill\").args([\"-9\", &std::process::id().to_string()]).status()?;\nstd::thread::sleep(std::time::Duration::from_secs(10));",
        "SIGKILL|killed",
    ),
}


@pytest.mark.dies
@pytest.mark.parametrize(("cell", "pattern"), DEATHS.values(), ids=DEATHS.keys())
def test_the_process_dies(kernel, cell, pattern):
    result = kernel.fails('println!("last words");\n' + cell, pattern, r"variables?\b.*\b(lost|gone)|(lost|gone)\b.*\bvariables?")
    assert "last words" in result.stdout
    # Definitions do not depend on the process: functions of earlier cells are still known.
    assert kernel.manager.is_alive()


def test_definitions_outlive_the_process(own_kernel):
    own_kernel.ok("fn survivor() -> i32 { 5 }")
    own_kernel.ok("use std::collections::BTreeSet;")
    own_kernel.fails("std::process::abort()")
    assert own_kernel.ok("survivor() + BTreeSet::<i32>::new().len() as i32").result == "5"


def test_100_megabytes_are_printed(kernel):
    started = time.monotonic()
    result = kernel.ok('let line = "x".repeat(99);\nfor n in 0..1_000_000 { println!("{line}"); }\neprintln!("the end");', timeout=120)
    shown = sum(len(output["text"]) for output in result.of_type("stream"))
    assert 100_000 < shown < 20_000_000, f"{shown} characters were shown"
    assert re.search(r"left out|not shown|omitted|truncated|skipped", str(result.outputs), re.IGNORECASE), "nothing says that output is missing"
    assert kernel.ok("1 + 1").seconds < 10
    assert time.monotonic() - started < 100


def test_a_line_without_end(kernel):
    result = kernel.ok('print!("{}", "y".repeat(30_000_000));', timeout=120)
    assert sum(len(output["text"]) for output in result.of_type("stream")) < 20_000_000


def test_bytes_that_are_not_utf8(kernel):
    result = kernel.ok('use std::io::Write;\nstd::io::stdout().write_all(b"a \\xff\\xfe z\\n")?;')
    assert result.stdout.startswith("a ") and result.stdout.endswith(" z\n")
    assert "\N{REPLACEMENT CHARACTER}" in result.stdout


def test_a_character_cut_in_two(kernel):
    result = kernel.ok(
        "use std::io::Write;\nlet mut out = std::io::stdout();\n"
        'out.write_all(b"caf\\xc3")?; out.flush()?;\n'
        "std::thread::sleep(std::time::Duration::from_millis(600));\n"
        'out.write_all(b"\\xa9\\n")?; out.flush()?;'
    )
    assert result.stdout == "café\n"


def test_control_characters_pass(kernel):
    result = kernel.ok('println!("\\x1b[31mred\\x1b[0m\\r\\0end");')
    assert result.stdout == "\x1b[31mred\x1b[0m\r\0end\n"


# Files.


@pytest.fixture
def write(kernel):
    def write_into_the_kernels_folder(name: str, content: bytes) -> None:
        (Path(kernel.folder) / name).write_bytes(content)

    return write_into_the_kernels_folder


def test_a_csv_that_is_missing(kernel):
    kernel.fails('read_csv("no/such/file.csv").load()?', r"no/such/file\.csv", "No such file")


def test_a_csv_that_is_a_folder(kernel, write):
    (Path(kernel.folder) / "folder.csv").mkdir()
    kernel.fails('read_csv("folder.csv").load()?.compute()?', r"folder\.csv", "directory|folder")


def test_a_csv_that_is_empty(kernel, write):
    write("empty.csv", b"")
    kernel.fails('read_csv("empty.csv").load()?.compute()?', r"empty\.csv", "empty")


def test_a_csv_with_nothing_but_a_header(kernel, write):
    write("header.csv", b"a,b\n")
    result = kernel.ok('read_csv("header.csv").load()?.compute()?.shape()')
    assert result.result == "(0, 2)"


@pytest.mark.parametrize("partitions", [1, 3])
def test_a_csv_that_is_ragged(kernel, write, partitions):
    rows = [b"a,b"] + [b"%d,%d" % (n, n) for n in range(1, 100)]
    rows[41] += b",7,8"
    write("ragged.csv", b"\n".join(rows) + b"\n")
    kernel.fails(
        f'read_csv("ragged.csv").partitions({partitions}).load()?.compute()?',
        r"ragged\.csv", r"line 42\b", "4 fields|found 4|4 columns", "expected 2|2 expected|2 fields|2 columns",
    )


def test_a_csv_with_other_columns(kernel, write):
    write("other.csv", b"1|2\n3|4\n")
    kernel.fails(
        'read_csv("other.csv").separator(\'|\').names(["a", "b", "c"]).load()?.compute()?',
        r"other\.csv", r"\b2\b", r"\b3\b",
    )


def test_a_csv_whose_numbers_are_words_further_down(kernel, write):
    """A column that looked like numbers until a later partition: the error names file, line and column."""
    rows = b"".join(b"%d,%d\n" % (n, n) for n in range(20_000))
    write("words.csv", b"a,b\n" + rows + b"7,seven\n")
    # Type inference reads the whole file: such a column is text, unless its type is given.
    kernel.ok('read_csv("words.csv").partitions(4).load()?.compute()?')
    code = 'read_csv("words.csv").with_dtype("b", DataType::Int64).partitions(4).load()?.compute()?'
    kernel.fails(code, r"words\.csv", "seven|column|\\bb\\b")


def test_a_csv_in_another_encoding(kernel, write):
    write("latin.csv", "name\nMisérables\n".encode("latin-1"))
    kernel.fails('read_csv("latin.csv").load()?.compute()?', r"latin\.csv", "UTF-8", "Latin1")
    result = kernel.ok('read_csv("latin.csv").encoding(Encoding::Latin1).load()?.compute()?')
    assert "Misérables" in result.result


@pytest.mark.parametrize(
    "expression",
    [
        'numbers.select(["nope"]).compute()?',
        'numbers.column("nope").compute()?',
        'numbers.filter(col("nope").gt(lit(1))).compute()?',
        'numbers.group_by(["nope"]).mean().compute()?',
        'numbers.sort("nope", Ascending).compute()?',
        'numbers.join(&numbers, ["nope"], JoinType::Inner).compute()?',
    ],
)
def test_a_column_that_is_not_there(kernel, write, expression):
    write("numbers.csv", b"left,right\n1,2\n3,4\n")
    kernel.ok('let numbers = read_csv("numbers.csv").load()?;')
    kernel.fails(expression, "nope", "left", "right")


# Arrays.

SHAPES = {
    "a sum": ("Array::<f64>::ones((3, 4), (3, 4)) + Array::<f64>::ones((2, 4), (2, 4))", [r"\(3, 4\)", r"\(2, 4\)"]),
    "a product": ("Array::<f64>::ones((3, 4), (2, 2)).dot(&Array::<f64>::ones((3, 4), (2, 2)))", [r"\(3, 4\).*\(3, 4\)"]),
    "an axis": ("Array::<f64>::ones((3, 4), (2, 2)).sum_axis(Axis(2))", ["axis 2", r"\(3, 4\)|2-d|2 dimensions|two"]),
    "chunks": ("Array::<f64>::ones((3, 4), (2, 2, 2))", [r"\(3, 4\)", r"\(2, 2, 2\)"]),
    "chunks of nothing": ("Array::<f64>::ones((3, 4), (0, 2))", ["chunk", r"\b0\b"]),
    "the mean of nothing": ("Array::<f64>::ones((0, 4), (1, 4)).min().compute()?", ["empty|no element|zero|no minimum"]),
}


@pytest.mark.parametrize(("cell", "patterns"), SHAPES.values(), ids=SHAPES.keys())
def test_shapes_that_do_not_fit(kernel, cell, patterns):
    result = kernel.fails(cell, *patterns)
    assert_only_the_users_code(result.error, cell)


# Graphs and tasks.


@pytest.fixture
def functions(kernel):
    kernel.ok(
        "fn add_one(n: i64) -> i64 { n + 1 }\n"
        "fn explode(n: i64) -> i64 { panic!(\"bang {n}\") }\n"
        "fn refuse(n: i64) -> Result<i64, String> { Err(format!(\"not {n}\")) }"
    )


def test_a_graph_with_a_cycle(kernel, functions):
    kernel.fails(
        "let mut graph = TaskGraph::new();\n"
        'graph.insert("hen", add_one, (key("egg"),))?;\n'
        'graph.insert("egg", add_one, (key("hen"),))?;\n'
        'graph.get::<i64>("egg")?',
        "cycle", "egg → hen → egg|hen → egg → hen",
    )


def test_a_graph_with_a_key_that_needs_itself(kernel, functions):
    kernel.fails('let mut graph = TaskGraph::new();\ngraph.insert("self", add_one, (key("self"),))?;\ngraph.get::<i64>("self")?', "cycle", "self → self")


def test_a_graph_without_the_key_that_is_asked_for(kernel, functions):
    kernel.fails('let mut graph = TaskGraph::new();\ngraph.insert("one", add_one, (0i64,))?;\ngraph.get::<i64>("two")?', '"two"', '"one"')


def test_a_graph_without_the_key_that_a_task_needs(kernel, functions):
    kernel.fails('let mut graph = TaskGraph::new();\ngraph.insert("one", add_one, (key("zero"),))?;\ngraph.get::<i64>("one")?', '"zero"', '"?one"?')


def test_a_graph_with_two_tasks_under_one_key(kernel, functions):
    kernel.fails('let mut graph = TaskGraph::new();\ngraph.insert("one", add_one, (0i64,))?;\ngraph.insert("one", add_one, (1i64,))?;', "two tasks", '"one"')


def test_a_graph_whose_value_has_another_type(kernel, functions):
    kernel.fails('let mut graph = TaskGraph::new();\ngraph.insert("one", add_one, (0i64,))?;\ngraph.get::<String>("one")?', "one", "i64", "String")


def test_a_task_that_gets_another_type(kernel, functions):
    kernel.fails(
        "fn shout(text: String) -> String { text.to_uppercase() }\n"
        "let mut graph = TaskGraph::new();\n"
        'graph.insert("one", add_one, (0i64,))?;\ngraph.insert("loud", shout, (key("one"),))?;\ngraph.get::<String>("loud")?',
        "loud", "i64", "String",
    )


def test_a_task_that_panics(kernel, functions):
    kernel.fails('let mut graph = TaskGraph::new();\ngraph.insert("fuse", explode, (7i64,))?;\ngraph.insert("after", add_one, (key("fuse"),))?;\ngraph.get::<i64>("after")?', "fuse", "explode", "bang 7")


def test_a_task_that_returns_an_error(kernel, functions):
    kernel.fails('let mut graph = TaskGraph::new();\ngraph.try_insert("doubt", refuse, (7i64,))?;\ngraph.get::<i64>("doubt")?', "doubt", "refuse", "not 7")


def test_a_delayed_call_that_panics(kernel, functions):
    kernel.fails("delayed(add_one).call(delayed(explode).call(3i64)).compute()?", "explode", "bang 3")


def test_a_delayed_call_that_returns_an_error(kernel, functions):
    kernel.fails("try_delayed(refuse).call(3i64).compute()?", "refuse", "not 3")


def test_a_closure_in_an_array_that_panics(kernel):
    kernel.fails('Array::<f64>::ones((4, 4), (2, 2)).map(|v: f64| -> f64 { panic!("on {v}") }).compute()?', "map", "on 1")


def test_a_persisted_task_that_fails(kernel, functions, write):
    write("later.csv", b"a,b\n1,2\n3,4,5\n")
    kernel.fails(
        "let cluster = LocalCluster::new();\nlet client = Client::new(&cluster);\n"
        'let frame = client.persist(&read_csv("later.csv").load()?)?;\nprogress(&[&frame])?;\nframe.compute()?',
        r"later\.csv",
    )


def test_a_program_that_fails_to_write(kernel):
    kernel.fails('Array::<f64>::ones((4, 4), (2, 2)).visualize()?.save("no/such/folder/graph.svg")?', r"no/such/folder/graph\.svg")


@pytest.mark.parametrize("name", ["ages", "df"])
def test_what_a_cell_did_not_set_because_it_did_not_compile(kernel, name):
    """`df` is also the name of a macro."""
    broken = f"let {name} = vec![1, 2, 3];\nlet sum: String = {name}.iter().sum::<i32>();"
    number = kernel.run(broken).reply["execution_count"]
    kernel.fails(f"{name}.len()", f"`{name}` is not set: cell {number}, which sets it, did not compile")
    kernel.ok(f"let {name} = vec![1, 2, 3];")
    assert kernel.ok(f"{name}.len()").result == "3"


@pytest.mark.parametrize("part", ["(", "[", "-", "Some(", "if true { } else "])
def test_text_that_is_nested_without_end(kernel, part):
    """The parser recurses: without a limit its stack would overflow and end the kernel."""
    kernel.ok("let before = 7;")
    kernel.fails(part * 50_000, "nested more than")
    assert kernel.ok("before").result == "7"
