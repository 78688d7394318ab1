"""How cells are compiled: the items they contain, statics, optimisation, other compilers."""

import os
import re
import stat

import pytest

from kernel import running_kernel


@pytest.fixture
def program(tmp_path):
    """Writes a shell script that replaces a program, in a folder at the front of PATH."""
    folder = tmp_path / "bin"
    folder.mkdir()

    def write(name: str, script: str) -> dict:
        path = folder / name
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(path.stat().st_mode | stat.S_IXUSR)
        return {**os.environ, "PATH": f"{folder}:{os.environ['PATH']}"}

    return write


def test_another_compiler_is_noticed_and_the_mend_said(program, tmp_path):
    program("rustup", "exit 1")
    version = "rustc 1.60.0\\nbinary: rustc\\ncommit-hash: 0123\\nhost: x\\nrelease: 1.60.0\\n"
    environment = program("rustc", f"printf '{version}'")
    with running_kernel(tmp_path, env=environment) as kernel:
        for _ in range(2):
            result = kernel.fails("1 + 1", "found rustc 1.60.0", "rustup toolchain install", "swath doctor")
            assert result.reply["ename"] == "StartError"


def test_no_compiler_is_noticed(program, tmp_path):
    program("rustup", "exit 1")
    environment = program("rustc", "exit 127")
    with running_kernel(tmp_path, env=environment) as kernel:
        kernel.fails("1 + 1", "found no rustc")


def test_cells_are_linked_without_lld(program, tmp_path):
    """If the C compiler does not report where libraries are, it links the cells itself."""
    import shutil

    compiler = shutil.which("cc")
    environment = program("cc", f'[ "$1" = -print-search-dirs ] && exit 1; exec {compiler} "$@"')
    with running_kernel(tmp_path, env=environment) as kernel:
        assert kernel.ok(":linker").result == "cc"
        assert kernel.ok('format!("{}", 2 * 21)').result == '"42"'


def test_a_long_path_for_temporary_files_is_no_obstacle(kernelspec, tmp_path):
    """The path of a socket has at most 107 bytes."""
    folder = tmp_path / ("long" * 30)
    folder.mkdir()
    with running_kernel(tmp_path, env=os.environ | {"TMPDIR": str(folder)}) as kernel:
        assert kernel.ok("std::env::temp_dir().to_string_lossy().len() > 120").result == "true"


def test_a_panic_in_std_is_placed_there(own_kernel):
    own_kernel.fails(
        "let big = vec![i32::MAX, 1];\nlet s: i32 = big.iter().sum();",
        "attempt to add with overflow", r"at core/src/iter/traits/accum\.rs:.*, in Rust's standard library",
    )


def test_a_panic_in_a_task_names_the_line_of_its_cell(own_kernel):
    own_kernel.ok("let ratio = delayed(|a: i32, b: i32| {\n    a / b\n});")
    own_kernel.fails("ratio.call(1, 0).compute()?", r"attempt to divide by zero \(at cell 1:2:5\)", r"--> cell 1:2:5", r"2 \|     a / b")
    own_kernel.fails("Array::<f64>::ones(4, 2).map(|_: f64| -> f64 { panic!(\"no\") }).compute()?", r"no \(at cell 3:1:\d+\)")


def test_an_error_in_an_earlier_cell_is_shown_there(own_kernel):
    own_kernel.ok("struct Point { x: f64 }")
    own_kernel.ok("fn norm(p: &Point) -> f64 {\n    p.x.abs()\n}")
    own_kernel.ok("struct Point { r: f64 }")
    assert own_kernel.ok("1 + 1").result == "2", "what is not used does no harm"
    result = own_kernel.fails("norm(&Point { r: 1.0 })", r"no field `x` on type `&Point`")
    assert re.search(r"--> cell 2:2:7", result.error)
    assert "p.x.abs()" in result.error


def test_a_panic_in_an_earlier_cells_function_is_shown_there(own_kernel):
    own_kernel.ok("fn check(x: i32) {\n    assert!(x < 2, \"{x} is too large\");\n}")
    result = own_kernel.fails("check(1);\ncheck(2)", "2 is too large")
    assert "cell 1:2:5" in result.error


@pytest.mark.parametrize(
    ("define", "use", "shown"),
    [
        ("trait Twice { fn twice(&self) -> i32; }\nimpl Twice for i32 { fn twice(&self) -> i32 { 2 * self } }", "4.twice()", "8"),
        ("struct P(i32); impl std::ops::Add for P { type Output = i32; fn add(self, o: P) -> i32 { self.0 + o.0 } }", "P(1) + P(2)", "3"),
        ("macro_rules! call { ($f:ident) => { $f() } }\nfn target() -> i32 { 5 }", "call!(target)", "5"),
        ("const LIMIT: i32 = 7;\nfn limit() -> String { format!(\"{LIMIT}\") }", "limit()", '"7"'),
        ("mod m { pub fn f() -> i32 { g() }\n fn g() -> i32 { 3 } }\nuse m::f as from_m;", "from_m()", "3"),
        ("enum E { A, B }\nuse E::*;\nimpl E { fn n(&self) -> i32 { match self { A => 1, B => 2 } } }", "B.n()", "2"),
        ("type Pair = (i32, i32);\nfn sum((a, b): Pair) -> i32 { a + b }", "sum((1, 2))", "3"),
        ("struct W<T>(T);\nimpl<T: std::fmt::Display> std::fmt::Display for W<T> { fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result { write!(f, \"<{}>\", self.0) } }", 'format!("{}", W(1))', '"<1>"'),
        ("struct Countdown(u32);\nimpl Iterator for Countdown { type Item = u32; fn next(&mut self) -> Option<u32> { self.0 = self.0.checked_sub(1)?; Some(self.0) } }", "Countdown(3).sum::<u32>()", "3"),
    ],
    ids=["trait", "operator", "macro", "constant", "module", "enum", "alias", "display", "iterator"],
)
def test_a_cell_gets_the_items_that_it_uses(own_kernel, define, use, shown):
    own_kernel.ok("fn unrelated() {}\nstruct Unrelated;")
    own_kernel.ok(define)
    assert own_kernel.ok(use).result == shown
    assert own_kernel.ok(use).result == shown


STATIC = """use std::sync::atomic::{AtomicUsize, Ordering};
static CALLS: AtomicUsize = AtomicUsize::new(0);
fn call() -> usize { CALLS.fetch_add(1, Ordering::SeqCst) + 1 }"""


def test_a_value_is_shown_by_its_own_method(own_kernel):
    own_kernel.ok('struct Loud(i32);\nimpl Loud { fn evcxr_display(&self) { println!("EVCXR_BEGIN_CONTENT text/html\\n<b>{}</b>\\nEVCXR_END_CONTENT", self.0); } }')
    for _ in range(2):
        (output,) = own_kernel.ok("Loud(3)").outputs
        assert output["data"]["text/html"] == "<b>3</b>"


def test_a_static_is_one_for_all_cells(own_kernel):
    own_kernel.ok(STATIC)
    assert [own_kernel.ok("call()").result for _ in range(3)] == ["1", "2", "3"]
    assert own_kernel.ok("CALLS.load(Ordering::SeqCst)").result == "3"
    own_kernel.fails("call(); panic!(\"now\")", "now")
    assert own_kernel.ok("CALLS.load(Ordering::SeqCst)").result == "4"
    own_kernel.ok(STATIC)
    assert own_kernel.ok("call()").result == "1", "a definition that runs again begins again"


def test_a_static_in_a_function_lives(own_kernel):
    own_kernel.ok("fn next() -> u32 { static N: std::sync::Mutex<u32> = std::sync::Mutex::new(0); let mut n = N.lock().unwrap(); *n += 1; *n }")
    assert [own_kernel.ok("next()").result for _ in range(3)] == ["1", "2", "3"]


def test_a_thread_local_lives(own_kernel):
    own_kernel.ok("use std::cell::RefCell;\nthread_local! {\n    static LOG: RefCell<Vec<i32>> = RefCell::new(vec![]);\n    static N: std::cell::Cell<i32> = const { std::cell::Cell::new(1) };\n}")
    own_kernel.ok("LOG.with(|log| log.borrow_mut().push(N.get()));")
    own_kernel.ok("N.set(2); LOG.with_borrow_mut(|log| log.push(N.get()));")
    assert own_kernel.ok("LOG.with_borrow(|log| log.clone())").result == "[1, 2]"


def test_a_static_begins_anew_with_the_process(own_kernel):
    own_kernel.ok(STATIC)
    own_kernel.ok("call()")
    own_kernel.fails("std::process::abort()", "SIGABRT")
    assert own_kernel.ok("call()").result == "1"
    own_kernel.ok(":restart")
    assert own_kernel.ok("call()").result == "1"


def test_a_static_whose_type_changes_begins_anew_and_says_so(own_kernel):
    own_kernel.ok("#[derive(Debug)] struct State(u8);\nstatic STATE: std::sync::Mutex<State> = std::sync::Mutex::new(State(1));")
    own_kernel.ok("STATE.lock()?.0 = 2;")
    result = own_kernel.ok("#[derive(Debug)] struct State(u64);")
    assert "`STATE`" in result.stderr
    assert "State(1)" in own_kernel.ok("STATE.lock()?").result


def test_an_exported_function_is_redefined(own_kernel):
    own_kernel.ok('#[unsafe(no_mangle)] pub extern "C" fn answer() -> i32 { 1 }\nanswer()')
    assert own_kernel.ok('#[unsafe(no_mangle)] pub extern "C" fn answer() -> i32 { 2 }\nanswer()').result == "2"
    assert own_kernel.ok("answer()").result == "2"


def test_restart_keeps_items(own_kernel):
    own_kernel.ok("fn seven() -> i32 { 7 }\nlet gone = 1;")
    own_kernel.ok(":restart")
    assert own_kernel.ok("seven()").result == "7"
    own_kernel.fails("gone", "`gone` was lost when the runtime process was restarted")


def test_opt_is_by_cell_unless_said(own_kernel):
    assert own_kernel.ok(":opt").result == "Optimization: auto"
    own_kernel.ok("let (a, b) = (u8::MAX, std::hint::black_box(1u8));")
    own_kernel.fails("a + b", "overflow")
    own_kernel.fails("for _ in 0..1 {}\na + b", "overflow")
    own_kernel.ok(":opt 3")
    assert own_kernel.ok("a + b").result == "0", "as in cargo build --release"
    own_kernel.ok(":opt 0")
    own_kernel.fails("for _ in 0..1 { println!(\"{}\", a + b); }", "overflow")
    own_kernel.ok(":opt auto")
    own_kernel.fails(":opt 7", "no optimization level `7`")


def test_the_last_error_is_explained(own_kernel):
    own_kernel.fails("let x: i32 = \"a\";", "E0308")
    assert "Expected type did not match" in own_kernel.ok(":explain").result


def test_two_versions_of_a_crate_are_told_apart(own_kernel):
    own_kernel.ok(':dep ndarray = { version = "0.16", default-features = false }', timeout=300)
    own_kernel.ok("let theirs = ndarray::ArcArray1::<f64>::zeros(2);", timeout=60)
    result = own_kernel.fails("Array::from_ndarray(theirs.to_owned(), 1)", "two crates `ndarray`", "swath::ndarray", 'default-features = false')
    assert "cargo tree" not in result.error


def test_extern_crate_adds_the_crate(own_kernel):
    assert own_kernel.ok("extern crate itoa;\nitoa::Buffer::new().format(5).to_string()", timeout=150).result == '"5"'
    assert own_kernel.ok("itoa::Buffer::new().format(6).to_string()", timeout=150).result == '"6"'


def test_one_error_for_a_cell_that_does_not_compile(own_kernel):
    result = own_kernel.fails("let x = 1;\nlet y = x +;\nx", "cell 1:2:12")
    assert result.error.count("error:") == 1
    assert "swath_" not in result.error


def test_a_missing_semicolon_is_one_error(own_kernel):
    result = own_kernel.fails('let s = String::from("hello")\ns.len()', "cell 1:1:30", "add `;` here")
    assert result.error.count("\nerror") == 1
