"""Completion and inspection come from a process that may be slow, out of memory or dead, and work all the same.

The answers themselves are tested in test_protocol.py.
"""

import html
import os
import signal
import time
from contextlib import suppress
from pathlib import Path

import pytest

from kernel import Kernel, running_kernel, tables

# Long enough for an analyzer to load on a busy machine.
PATIENCE = 150

BUSY = """
println!("started");
std::thread::scope(|scope| {
    for _ in 0..std::thread::available_parallelism().unwrap().get() {
        scope.spawn(|| {
            while !std::path::Path::new("enough").exists() {
                for n in 0..10_000_000u64 { std::hint::black_box(n); }
            }
        });
    }
});
"""


def analyzer(kernel: Kernel) -> int | None:
    """Returns the id of the analyzer process."""
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            parent = int((folder / "stat").read_text().rsplit(")", 1)[1].split()[1])
            arguments = (folder / "cmdline").read_bytes().split(b"\0")
            if parent == kernel.manager.provisioner.pid and b"analyze" in arguments:
                return int(folder.name)
    return None


def another_analyzer(kernel: Kernel, than: int | None) -> int:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        found = analyzer(kernel)
        if found not in (None, than):
            return found
        time.sleep(0.2)
    raise TimeoutError(f"no other analyzer than {than} after {PATIENCE} s")


def test_names_need_no_analyzer(own_kernel):
    # The request comes before the kernel can have a ready analyzer.
    assert "println!" in own_kernel.complete("printl")
    own_kernel.ok("fn reciprocal(x: f64) -> f64 { 1.0 / x }\nlet recipe = 3;")
    assert own_kernel.complete("reci")[:2] in (["recipe", "reciprocal"], ["reciprocal", "recipe"])
    assert "3" in own_kernel.inspect("recipe")


EARLIER = """
let x = Array::<f64>::ones([4], 2);
struct Point { east: f64, north: f64 }
impl Point { fn norm(&self) -> f64 { self.east.hypot(self.north) } }
let point = Point { east: 3.0, north: 4.0 };
let größe = 5;
let spare = vec![1, 2, 3];
"""

# Completions that must be offered at the last `|`, and completions that must not.
AT_ONCE = [
    ("let zebra_crossing = 5; zebra_cr|", ["zebra_crossing"], []),
    ('"é🦀"; let größer = 1; grö|', ["größer", "größe"], []),
    ("fn zebra(stripes: usize) { for stripe in 0..stripes { strip|", ["stripe", "stripes"], []),
    ("match point { Point { east: easting, .. } => eas|", ["easting"], []),
    ('println!("{}", [1].iter().map(|single| sing|', ["single"], []),
    ("} ) let zebra = 5; zeb|", ["zebra"], []),
    ("zeb|\nfn zebra() {}", ["zebra"], []),
    ("x.mea|", ["mean", "mean_axis"], []),
    ("(x.t() + 1.0).persi|", ["persist"], []),
    ("let y = x.mean(); y.comp|", ["compute"], []),
    ("spare.pus|", ["push"], []),
    ("spare.iter().enumer|", ["enumerate"], []),
    ("point.nor|", ["north", "norm"], ["nor"]),
    ("let q = Point { ea|", ["east"], ["north"]),
    ("whi|", ["while"], []),
    ("Arra|", ["Array"], []),
    (":de|", [":dep"], []),
    ("// prin|", [], ["println!"]),
    ("/* prin|", [], ["println!"]),
    ("let c = 'p|'", [], ["point", "println!"]),
    ("fn f<'p|", [], ["point", "println!"]),
    ("let n = 0x1f|", [], ["f32", "f64"]),
    ("{ let zebra = 5; } zeb|", [], ["zebra"]),
    ("let zebra = 5; fn stable() { zeb|", [], ["zebra"]),
    ("|", [], ["println"]),
    ("  \n |", [], ["println"]),
]


def test_completion_from_the_first_second(own_kernel):
    own_kernel.ok(EARLIER)
    for marked, expect, absent in AT_ONCE:
        before, after = marked.rsplit("|", 1)
        reply = own_kernel.reply(own_kernel.client.complete(before + after, len(before)), 60)
        found = set(reply["matches"])
        assert set(expect) <= found, f"{marked}: {sorted(found)[:20]}"
        assert not set(absent) & found, marked


def test_names_that_are_known_need_no_waiting(own_kernel):
    lines = "".join(f'let value_{at} = f("{at}", {at});\n' for at in range(10_000))
    own_kernel.complete("prin")
    for code in ("let zebra = 5; zeb", lines + "value_9999", "// zeb"):
        started = time.monotonic()
        found = own_kernel.complete(code)
        # A request that waits for the analyzer waits for three seconds.
        assert time.monotonic() - started < 1.5
        assert found or code.startswith("//")


def test_inspection_from_the_first_second(own_kernel):
    code = "/// Counts the stripes.\nfn stripes(of: u8) -> usize { 0 }\nlet zebra = stripes(1);\n"
    told = own_kernel.inspect(code + "stripes")
    assert "fn stripes(of: u8) -> usize" in told
    assert "Counts the stripes." in told
    assert "let zebra" in own_kernel.inspect(code + "zebra")
    own_kernel.ok(code)
    assert "Counts the stripes." in own_kernel.inspect("stripes")


def test_answers_while_a_cell_keeps_every_core_busy(own_kernel):
    own_kernel.ok("let spare = vec![1, 2, 3];")
    Path(own_kernel.folder, "data.csv").touch()
    own_kernel.wait_for_analyzer()
    cell = own_kernel.send(BUSY)
    try:
        while True:
            message = own_kernel.iopub(timeout=60)
            if message["msg_type"] == "stream" and message["parent_header"]["msg_id"] == cell:
                break
        assert "is_empty" in own_kernel.complete("spare.is_")
        assert "collections" in own_kernel.complete("std::col")
        assert "with_capacity" in own_kernel.inspect("Vec::with_capacity")
        assert "[1, 2, 3]" in own_kernel.inspect("spare")
        assert completed(own_kernel, 'read_csv("data.c|') == ['read_csv("data.csv']
    finally:
        # The cell runs until here, so the answers didn't wait for it.
        Path(own_kernel.folder, "enough").touch()
    assert own_kernel.finish(cell).ok


FRAME = """
let users = DataFrame::from_polars(df!("age" => [24, 53, 23], "sex" => ["M", "F", "M"], "größe" => [1.8, 1.7, 1.9])?, 2);
let x = Array::<f64>::ones([20_000, 1000], (1000, 1000));
let there = Array::<f64>::ones([1000], 500).persist()?;
let plain = df!("name" => ["ada", "grace"], "born" => [1815, 1906])?;
let words = vec!["one", "two"];
let graph = TaskGraph::new();
struct Own { a: u64 }
let own = Own { a: 1 };
"""


@pytest.fixture(scope="module")
def filled(kernelspec, tmp_path_factory):
    """A kernel with variables, in a folder with files."""
    folder = tmp_path_factory.mktemp("filled")
    (folder / "data").mkdir()
    for name in ("ratings.csv", "größe.csv", ".hidden"):
        (folder / "data" / name).touch()
    with running_kernel(str(folder)) as kernel:
        kernel.ok(FRAME)
        yield kernel


def completed(kernel: Kernel, marked: str) -> list[str]:
    """Returns the code with each of the completions inserted at `|`."""
    before, after = marked.split("|")
    reply = kernel.reply(kernel.client.complete(before + after, len(before)), 60)
    code = before + after
    return [code[: reply["cursor_start"]] + match + code[reply["cursor_end"] :] for match in reply["matches"]]


@pytest.mark.parametrize(
    ("marked", "expect"),
    [
        ('users.filter(col("a|ge").gt(lit(30)))', ['users.filter(col("age").gt(lit(30)))']),
        ('"é🦀"; users.select(["age", "|', [f'"é🦀"; users.select(["age", "{name}' for name in ("age", "sex", "größe")]),
        ('plain.column("|")', ['plain.column("name")', 'plain.column("born")']),
        ('let a = users.clone();\na.group_by("s|', ['let a = users.clone();\na.group_by("sex']),
        ('read_csv("da|")', ['read_csv("data/")']),
        ('read_csv("data/|")', ['read_csv("data/größe.csv")', 'read_csv("data/ratings.csv")']),
        ('let é = r"data/r|', ['let é = r"data/ratings.csv']),
        ('println!("wor|', []),
        ('// "da|', []),
    ],
)
def test_columns_and_files_in_strings(filled, marked, expect):
    assert completed(filled, marked) == expect


def test_files_are_those_of_where_the_cells_are(own_kernel):
    Path(own_kernel.folder, "elsewhere").mkdir()
    Path(own_kernel.folder, "elsewhere", "needle.csv").touch()
    assert completed(own_kernel, 'read_csv("nee|') == []
    own_kernel.ok('std::env::set_current_dir("elsewhere")?;')
    assert completed(own_kernel, 'read_csv("nee|') == ['read_csv("needle.csv']


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("x", ["x: Array<f64>", "(20000, 1000)", "(1000, 1000), 20 chunks", "not computed", "152.59 MiB"]),
        ("there", ["persisted", "7.81 KiB"]),
        ("users", ["users: DataFrame", "3 columns", "2 partitions", "in memory", "größe: f64"]),
        ("plain", ["(2, 2)", "grace", "1906"]),
        ("words", ["words: Vec<&str>", "2 elements", '["one", "two"]']),
        ("own", ["own: Own", "8 B"]),
    ],
)
def test_inspection_of_variables(filled, name, told):
    # Persisted values are complete a moment later; the next cell reports that.
    deadline = time.monotonic() + 30
    while name == "there" and "persisted" not in filled.inspect(name) and time.monotonic() < deadline:
        filled.ok(":vars")
    data = filled.reply(filled.client.inspect(name, len(name)), 60)["data"]
    for expect in told:
        assert expect in data["text/plain"]
        assert expect in html.unescape(data["text/html"])
    assert "color" not in data["text/html"], "the page's colours are the theme's"


def test_vars_is_a_table(filled):
    result = filled.ok(":vars").outputs[0]["data"]
    rows = [row for table in tables(result["text/html"]) for row in table]
    assert rows[0] == ["Name", "Type", "Shape", "Bytes", "Value"]
    assert [row[0] for row in rows[1:]] == sorted(row[0] for row in rows[1:])
    by_name = {row[0]: row[1:] for row in rows}
    assert by_name["x"] == ["Array<f64>", "(20000, 1000)", "", "not computed: ones"]
    assert by_name["words"] == ["Vec<&str>", "2 elements", "32 B", '["one", "two"]']
    assert by_name["users"][:2] == ["DataFrame", "3 columns"]
    assert by_name["own"] == ["Own", "", "8 B", ""]
    lines = result["text/plain"].splitlines()
    assert lines[0].split() == rows[0]
    value = lines[0].index("Value")
    assert all(line.ljust(value)[value - 2 : value] == "  " for line in lines), "columns are aligned"


def test_a_value_is_told_anew_where_it_changed(own_kernel):
    own_kernel.ok("let mut list = vec![1]; let other = 5;")
    own_kernel.ok("list.push(2);")
    assert "[1, 2]" in own_kernel.inspect("list")
    own_kernel.fails("list.push(3); panic!()", "panic")
    assert "[1, 2, 3]" in own_kernel.inspect("list")
    assert "5" in own_kernel.inspect("other")


def test_a_killed_analyzer_is_replaced(own_kernel):
    own_kernel.ok("let spare = vec![1, 2, 3];")
    own_kernel.wait_for_analyzer()
    killed = analyzer(own_kernel)
    os.kill(killed, signal.SIGKILL)
    assert own_kernel.complete("spar") == ["spare"]
    another_analyzer(own_kernel, than=killed)
    own_kernel.wait_for_analyzer()
    assert "collections" in own_kernel.complete("std::col")
    assert own_kernel.ok("spare.len()").result == "3"


@pytest.mark.timeout(2 * PATIENCE + 60)
def test_an_analyzer_without_memory_is_replaced(kernelspec, tmp_path, monkeypatch):
    monkeypatch.setenv("SWATH_ANALYZER_MEMORY", "120M")
    with running_kernel(str(tmp_path)) as kernel:
        kernel.ok("let spare = vec![1, 2, 3];")
        assert kernel.complete("spar") == ["spare"]
        first = another_analyzer(kernel, than=None)
        another_analyzer(kernel, than=first)
        # Only the analyzer knows the contents of a module of std.
        assert kernel.complete("std::process::exi") == []
        assert kernel.complete("spar") == ["spare"]
        shown = kernel.ok("spare.len()")
        assert (shown.result, shown.stderr) == ("3", "")
        assert not list(tmp_path.iterdir()), "the process left something behind"
