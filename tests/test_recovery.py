"""The runtime process ends: what is reported, what still exists, and what comes back from disk."""

import os
import queue
import random
import re
import resource
import signal
import time
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from kernel import running_kernel, runtime_of

MIB = 1 << 20


@contextmanager
def recovering_kernel(folder: Path, **environment):
    """Runs a kernel with recovery on, whose disk is `folder`/disk."""
    disk = folder / "disk"
    disk.mkdir(exist_ok=True)
    variables = {**os.environ, "SWATH_RECOVERY": "1", "SWATH_SPILL_FOLDER": str(disk), **environment}
    with running_kernel(str(folder), env=variables) as kernel:
        kernel.disk = disk
        yield kernel


@pytest.fixture
def recovering(kernelspec, tmp_path):
    with recovering_kernel(tmp_path) as kernel:
        yield kernel


def files(kernel) -> list[Path]:
    """Returns the files on disk, one per layer."""
    return list(kernel.disk.glob("swath-recovery-*/*/*.layer"))


def wait_until(condition, what: str, timeout: float = 60) -> None:
    deadline = time.monotonic() + timeout
    while not condition():
        assert time.monotonic() < deadline, f"not in {timeout} s: {what}"
        time.sleep(0.02)


def wait_for_files(kernel, count: int) -> None:
    wait_until(lambda: len(files(kernel)) == count, f"{count} files; there are {len(files(kernel))}")


def kill(kernel) -> None:
    """Ends the runtime process from outside, between cells."""
    runtime = runtime_of(kernel)
    runtime.kill()
    wait_until(lambda: not runtime.is_running() or runtime.status() == psutil.STATUS_ZOMBIE, "the process has ended")


# What is reported.

DEATHS = {
    "an exit": ("std::process::exit(3)", ["RuntimeDied", r"exit code 3\b"]),
    "an abort": ("std::process::abort()", ["RuntimeDied", "SIGABRT"]),
    "a segmentation fault": ("unsafe { std::ptr::read_volatile(std::ptr::null::<u64>()) }", ["SIGSEGV", "segmentation fault", "unsafe"]),
    "a stack overflow": (
        "fn deep(n: u64) -> u64 { let block = [n; 512]; std::hint::black_box(&block); deep(n + 1) + block[7] }\ndeep(0)",
        ["StackOverflow", "stack_size"],
    ),
    "a kill": (
        "std::process::Command::new(\"kill\").args([\"-9\", &std::process::id().to_string()]).status()?; loop {}",
        ["SIGKILL", "perhaps because memory ran out", r"used up to [\d.]+ [MG]iB of memory", "set_memory_limit"],
    ),
    "a polite kill": (
        "std::process::Command::new(\"kill\").args([\"-15\", &std::process::id().to_string()]).status()?; loop {}",
        ["SIGTERM"],
    ),
    "an allocation": ("vec![1u8; 1 << 60].len()", ["OutOfMemory", "memory ran out", "1.00 EiB", "set_memory_limit"]),
    "a panic in a destructor while another panics": (
        "struct Bomb;\nimpl Drop for Bomb { fn drop(&mut self) { panic!(\"second\") } }\nfn burst() { let _bomb = Bomb; panic!(\"first\") }\nburst()",
        ["RuntimeDied", "destructor", "SIGABRT", "std::thread::panicking"],
    ),
    "a panic in a function that cannot unwind": (
        "extern \"C\" fn callback() { panic!(\"no way out\") }\ncallback()",
        ["RuntimeDied", "cannot unwind"],
    ),
}


@pytest.mark.dies
@pytest.mark.parametrize(("cell", "patterns"), DEATHS.values(), ids=DEATHS.keys())
def test_what_is_told_of_an_end(kernel, cell, patterns):
    kernel.ok("let lost_one = 7; fn survivor() -> i32 { 5 }")
    kernel.fails(cell, *patterns, r"lost variables: .*lost_one", "functions, types, `use` and `:dep` are kept")
    kernel.fails("lost_one + 1", "`lost_one` was lost when the runtime process ended")
    assert kernel.ok("survivor()").result == "5"


def test_a_fresh_process_is_there_within_a_second(own_kernel):
    own_kernel.ok("static COUNT: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(1);\nfn twice(n: u32) -> u32 { 2 * n }")
    cell = "twice(COUNT.fetch_add(1, std::sync::atomic::Ordering::SeqCst))"
    assert own_kernel.ok(cell).result == "2"
    own_kernel.ok("1 + 1")
    alive = min(own_kernel.ok("1 + 1").seconds for _ in range(5))
    took = []
    for _ in range(3):
        own_kernel.fails("std::process::abort()", "SIGABRT")
        fresh = own_kernel.ok("1 + 1").seconds
        took.append(fresh - alive)
        # Statics live in the process, and this is a new process.
        assert own_kernel.ok(cell).result == "2"
        assert own_kernel.ok(cell).result == "4"
    print(f"a cell takes {alive * 1000:.0f} ms; right after an end {max(took) * 1000:.0f} ms more")
    assert min(took) < 1


def test_crates_of_a_dep_work_in_the_fresh_process(own_kernel):
    own_kernel.ok(':dep itoa = "1"\nuse itoa::Buffer;', timeout=150)
    own_kernel.ok("fn text(n: u32) -> String { Buffer::new().format(n).to_string() }")
    assert own_kernel.ok("text(7)").result == '"7"'
    own_kernel.fails("std::process::abort()", "SIGABRT")
    assert own_kernel.ok("text(8)").result == '"8"'


BETWEEN = "std::thread::spawn(|| { std::thread::sleep(std::time::Duration::from_millis(300)); std::process::abort() });"


def wait_for_the_end(kernel) -> None:
    runtime = runtime_of(kernel)
    wait_until(lambda: not runtime.is_running() or runtime.status() == psutil.STATUS_ZOMBIE, "the process has ended")


def test_an_end_between_cells_costs_no_cell_that_needs_nothing(own_kernel):
    own_kernel.ok("let before = 1;")
    own_kernel.ok(BETWEEN)
    wait_for_the_end(own_kernel)
    result = own_kernel.ok("let after = 2; after + 1")
    assert result.result == "3"
    assert re.search(r"since the last cell.*SIGABRT", result.stderr), result.stderr
    assert "Lost variables: before" in result.stderr
    own_kernel.fails("before + after", "`before` was lost when the runtime process ended")
    assert own_kernel.ok("after").result == "2"


def test_an_end_between_cells_is_an_error_where_a_static_would_begin_anew(own_kernel):
    own_kernel.ok("static COUNT: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(1);\nfn count() -> u32 { COUNT.fetch_add(1, std::sync::atomic::Ordering::SeqCst) }")
    assert own_kernel.ok("count()").result == "1"
    own_kernel.ok(BETWEEN)
    wait_for_the_end(own_kernel)
    own_kernel.fails("count()", "SIGABRT", "start again: COUNT", "Run it again")
    assert own_kernel.ok("count()").result == "1"


def test_children_do_not_hide_the_end(own_kernel):
    """Child processes hold the standard streams, and a fork holds the channel too."""
    started = time.monotonic()
    child = own_kernel.fails('let child = std::process::Command::new("sleep").arg("100").spawn()?; println!("{}", child.id()); std::process::abort()', "SIGABRT")
    forked = own_kernel.fails(
        'unsafe extern "C" { fn fork() -> i32; fn pause() -> i32; }\n'
        'let child = unsafe { fork() };\nif child == 0 { loop { unsafe { pause() }; } }\nprintln!("{child}"); std::process::abort()',
        "SIGABRT",
    )
    assert own_kernel.ok("1 + 1").result == "2"
    assert time.monotonic() - started < 60
    for one in (child, forked):
        os.kill(int(one.stdout), signal.SIGKILL)


def test_a_cell_that_closes_every_descriptor_is_ended(own_kernel):
    own_kernel.ok("let lost_one = 1;")
    own_kernel.fails('unsafe extern "C" { fn close(fd: i32) -> i32; }\nfor fd in 0..200 { unsafe { close(fd) }; }', "RuntimeDied", "channel", "lost_one")
    assert own_kernel.ok("1 + 1").result == "2"


# What comes back.

COLLECTIONS = """
let array = (Array::<f64>::arange(1000, 100) * 2.0).persist()?;
let mask = Array::<f64>::arange(10, 5).astype::<bool>().persist()?;
let total = Array::<i64>::arange(1000, 100).sum().persist()?;
let frame = DataFrame::from_polars(df!("name" => ["a", "b", "a"], "value" => [1, 2, 3])?, 2).filter(col("value").gt(lit(1))).persist()?;
let column = frame.column("name").persist()?;
let mean = frame.column("value").mean().persist()?;
let text = delayed(|n: usize| "x".repeat(n)).call(3usize).persist()?;
let many: Vec<Delayed<u64>> = (0..3u64).map(|n| delayed(|n: u64| n * n).call(n).persist()).collect::<SwathResult<_>>()?;
progress(&[&array])?;
let lost_number = 5;
let lost_lazy = &array + 1.0;
let lost_vector = vec![1, 2, 3];
"""
WHAT_THEY_ARE = {
    "array.sum().compute()?": "999000.0",
    "mask.compute()?.iter().filter(|set| **set).count()": "9",
    "total.compute()?": "499500",
    "frame.compute()?.height()": "2",
    "column.to_vec::<String>()?": '["b", "a"]',
    "mean.compute()?": "2.5",
    "text.compute()?": '"xxx"',
    "many.iter().map(|one| one.compute()).collect::<SwathResult<Vec<_>>>()?": "[0, 1, 4]",
}
BACK = "Restored from disk: array, column, frame, many, mask, mean, text, total."


def check(kernel) -> None:
    for cell, expected in WHAT_THEY_ARE.items():
        assert kernel.ok(cell).result == expected, cell


def test_persisted_collections_come_back_after_every_end(recovering):
    recovering.ok(COLLECTIONS)
    check(recovering)
    wait_for_files(recovering, 10)
    for cell in ["std::process::abort()", "std::process::exit(0)", "unsafe { std::ptr::read_volatile(std::ptr::null::<u64>()) }"]:
        error = recovering.fails(cell, "lost_number" if "abort" in cell else "No variable was lost").error
        assert BACK in error, error
        check(recovering)
    recovering.fails("lost_lazy.compute()?", "`lost_lazy` was lost")
    # They are ordinary collections.
    assert recovering.ok("(&array + 1.0).max().compute()?").result == "1999.0"
    kill(recovering)
    result = recovering.ok("array.sum().compute()?")
    assert result.result == "999000.0" and BACK in result.stderr
    assert len(files(recovering)) == 10


def test_what_is_computed_from_them_is_found_again(recovering):
    """The layers have their old identities, so the same expression uses the values that came back."""
    expression = "(Array::random((2000, 1000), (500, 500), 7) + 1.0)"
    tasks = lambda: recovering.ok(f"{expression}.sum().explain()?").result  # noqa: E731
    computed = tasks()
    recovering.ok(f"let kept = {expression}.persist()?; progress(&kept)?;")
    taken = tasks()
    assert taken != computed
    wait_for_files(recovering, 1)
    recovering.fails("std::process::abort()", "Restored from disk: kept")
    assert tasks() == taken
    assert recovering.ok(f"({expression} - &kept).abs().max().compute()?").result == "0.0"


def test_a_persist_that_has_not_finished_is_lost_and_named(recovering):
    recovering.ok("let there = Array::<f64>::ones(10, 5).persist()?; there.compute()?;")
    wait_for_files(recovering, 1)
    recovering.ok("let slow = delayed(|| { std::thread::sleep(std::time::Duration::from_secs(60)); 1u64 }).call().persist()?;")
    recovering.fails("std::process::abort()", "Restored from disk: there", "Lost variables: slow")


def test_a_variable_never_comes_back_as_what_it_was_before(recovering):
    """After kill -9 at any moment, even while files are written, a variable has its last value or is lost."""
    moments = random.Random(5)
    outcomes = []
    for n in range(10):
        recovering.ok(f"let big = (Array::<i64>::full((8000, 1000), {n}, (500, 1000)) + 0).persist()?; let small = delayed(|n: u64| n).call({n}u64).persist()?;")
        time.sleep(moments.choice([0, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0]))
        kill(recovering)
        note = recovering.ok("1 + 1").stderr
        came = re.search(r"Restored from disk: (.*)\.", note)
        names = came.group(1).split(", ") if came else []
        outcomes.append(tuple(names))
        if "big" in names:
            assert recovering.ok("(big.min().compute()?, big.max().compute()?)").result == f"({n}, {n})"
        else:
            recovering.fails("big.compute()?", "`big` was lost")
        if "small" in names:
            assert recovering.ok("small.compute()?").result == str(n)
        # Files that were not completed are removed.
        assert not list(recovering.disk.glob("swath-recovery-*/*/*.unfinished")) or "big" not in names
    print("came back:", outcomes)
    assert any("big" in names for names in outcomes)


def test_files_go_when_no_variable_has_them(recovering):
    recovering.ok("let one = Array::<f64>::ones(100, 10).persist()?; let two = one.clone(); one.compute()?;")
    wait_for_files(recovering, 1)
    recovering.ok("drop(one);")
    assert len(files(recovering)) == 1
    recovering.fails("std::process::abort()", "Restored from disk: two")
    recovering.ok("drop(two);")
    wait_for_files(recovering, 0)


@pytest.mark.parametrize("command", [":restart", ":clear"])
def test_a_restart_forgets(recovering, command):
    recovering.ok("let kept = Array::<f64>::ones(100, 10).persist()?; kept.compute()?;")
    wait_for_files(recovering, 1)
    recovering.ok(command)
    assert files(recovering) == []
    recovering.fails("kept.compute()?", "kept")
    recovering.ok("let again = Array::<f64>::ones(100, 10).persist()?; again.compute()?;")
    wait_for_files(recovering, 1)
    recovering.fails("std::process::abort()", "Restored from disk: again")


def test_no_process_is_left_in_the_systems_table(own_kernel):
    """A process that has ended stays in the table until its parent waits for it."""
    kernel = psutil.Process(own_kernel.manager.provisioner.process.pid)
    for command in [":restart", ":clear", ":restart"]:
        own_kernel.ok(command)
        own_kernel.ok("1 + 1")
    own_kernel.fails("std::process::abort()", "Lost|ended")
    own_kernel.ok("1 + 1")
    zombies = [child for child in kernel.children(recursive=True) if child.status() == psutil.STATUS_ZOMBIE]
    assert not zombies


def test_the_setting(kernelspec, tmp_path):
    with running_kernel(str(tmp_path)) as own_kernel:
        folder = check_the_setting(own_kernel)
    wait_until(lambda: not folder.parent.exists(), "the folder has gone with the kernel")


def check_the_setting(own_kernel) -> Path:
    assert "off" in own_kernel.ok(":recovery").result
    own_kernel.fails(":recovery perhaps", "expected on or off")
    own_kernel.ok("let kept = Array::<f64>::ones(100, 10).persist()?; kept.compute()?;")
    own_kernel.fails("std::process::abort()", "Lost variables: kept", "`:recovery on`")
    # Values that exist when it is turned on are kept as well.
    own_kernel.ok("let kept = Array::<f64>::ones(100, 10).persist()?; kept.compute()?;")
    [folder] = re.findall(r"written to (\S+),", own_kernel.ok(":recovery on").result)
    folder = Path(folder)
    wait_until(lambda: len(list(folder.glob("*.layer"))) == 1, "a file")
    own_kernel.fails("std::process::exit(1)", "Restored from disk: kept")
    # When it is turned off, values that came back and are only on disk still exist.
    assert "off" in own_kernel.ok(":recovery off").result
    assert own_kernel.ok("kept.sum().compute()?").result == "100.0"
    assert "on" in own_kernel.ok(":recovery on").result
    assert own_kernel.ok("kept.sum().compute()?").result == "100.0"
    own_kernel.ok(":recovery off")
    own_kernel.fails("std::process::abort()", "Lost variables: kept")
    return folder


def test_the_folder_of_a_kernel_that_was_killed_goes_with_the_next(kernelspec, tmp_path):
    with recovering_kernel(tmp_path) as kernel:
        kernel.ok("let kept = Array::<f64>::ones(100, 10).persist()?; kept.compute()?;")
        wait_for_files(kernel, 1)
        [left] = kernel.disk.glob("swath-recovery-*")
        process = psutil.Process(kernel.manager.provisioner.process.pid)
        process.kill()
        process.wait(30)
        assert left.exists()
        with recovering_kernel(tmp_path) as another:
            another.ok("1 + 1")
            wait_until(lambda: not left.exists(), "the folder has gone")


# Scarce memory and disk.


def test_values_above_the_memory_limit_come_back_without_filling_memory(recovering):
    """The values are twice the limit, and the process uses far less memory than that."""
    recovering.ok('set_memory_limit("128 MiB")?;')
    recovering.ok("let big = (Array::<i64>::arange(32 << 20, 1 << 20) + 1).persist()?; progress(&big)?;")
    wait_for_files(recovering, 1)
    assert files(recovering)[0].stat().st_size > 256 * MIB
    for _ in range(2):
        recovering.fails("std::process::abort()", "Restored from disk: big")
        assert recovering.ok("memory_limit()").result == str(128 * MIB)
        before = runtime_of(recovering).memory_info().rss
        assert before < 150 * MIB, "nothing has been read yet"
        assert recovering.ok("big.sum().compute()?").result == str((32 << 20) * ((32 << 20) + 1) // 2)
        assert int(recovering.ok("memory().in_use >> 20").result) <= 128


def test_what_is_kept_need_not_be_spilled_again(recovering):
    recovering.ok('set_memory_limit("64 MiB")?;')
    recovering.ok("let big = (Array::<i64>::arange(16 << 20, 1 << 20) + 1).persist()?; progress(&big)?;")
    wait_for_files(recovering, 1)
    assert int(recovering.ok("memory().spilled >> 20").result) == 0
    assert recovering.ok("big.sum().compute()?").result == str((16 << 20) * ((16 << 20) + 1) // 2)
    assert int(recovering.ok("memory().spilled >> 20").result) < 16


def test_a_full_disk_costs_nothing_but_recovery(recovering):
    recovering.ok("let small = Array::<f64>::ones(1000, 100).persist()?; small.compute()?;")
    wait_for_files(recovering, 1)
    runtime = runtime_of(recovering)
    runtime.rlimit(resource.RLIMIT_FSIZE, (4 * MIB, resource.RLIM_INFINITY))
    # The note appears when the disk turns out to be full, usually after the cell.
    said = recovering.ok("let big = Array::random((1000, 1000), (100, 1000), 1).persist()?; progress(&big)?;").stderr
    deadline = time.monotonic() + 30
    while "`big` cannot be restored" not in said and time.monotonic() < deadline:
        try:
            said += recovering.iopub(timeout=1)["content"].get("text", "")
        except queue.Empty:
            pass
    assert said.count("cannot be restored") == 1, said
    # Reported only once.
    result = recovering.ok("let other = Array::random((1000, 1000), (100, 1000), 2).persist()?; progress(&other)?; sleep(std::time::Duration::from_millis(500))?;")
    assert "cannot be restored" not in result.stderr
    assert 0.49 < float(recovering.ok("big.mean().compute()?").result) < 0.51
    recovering.fails("std::process::abort()", "Restored from disk: small", "Lost variables: big, other")


def test_out_of_memory(recovering):
    recovering.ok("let kept = Array::<f64>::ones(1000, 100).persist()?; kept.compute()?;")
    wait_for_files(recovering, 1)
    runtime = runtime_of(recovering)
    size = runtime.memory_info().vms
    runtime.rlimit(resource.RLIMIT_AS, (size + 300 * MIB, resource.RLIM_INFINITY))
    recovering.fails(
        "let mut all = Vec::new(); loop { all.push(vec![1u8; 50_000_000]); }",
        "OutOfMemory", "memory ran out", "set_memory_limit", "Restored from disk: kept",
    )
    assert recovering.ok("kept.sum().compute()?").result == "1000.0"


def test_writing_does_not_hold_up_cells(recovering):
    """Writes half a gigabyte while cells run."""
    alive = min(recovering.ok("1 + 1").seconds for _ in range(5))
    recovering.ok("let big = (Array::<i64>::arange(64 << 20, 1 << 20) + 1).persist()?; progress(&big)?;")
    cells = []
    while len(files(recovering)) < 1 and len(cells) < 300:
        cells.append(recovering.ok("1 + 1").seconds)
    wait_for_files(recovering, 1)
    if cells:
        print(f"a cell takes {alive * 1000:.0f} ms; while {len(cells)} of them were run beside the writing, {sorted(cells)[len(cells) // 2] * 1000:.0f} ms")
        assert sorted(cells)[len(cells) // 2] < alive + 2
