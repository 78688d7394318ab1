"""Interrupting a cell ends the cell, not the session."""

import os
import re
import signal
import time

import pytest

SLOW_TASKS = """
fn nap(n: u64) -> u64 { std::thread::sleep(std::time::Duration::from_millis(50)); n }
fn sum_up(parts: Vec<u64>) -> u64 { parts.iter().sum() }
let parts: Vec<_> = (0..2000u64).map(|n| delayed(nap).call(n)).collect();
delayed(sum_up).call(parts).compute()?
"""


@pytest.fixture(autouse=True)
def kept_variables(kernel):
    kernel.ok('let treasure = String::from("gold");')
    yield
    assert kernel.ok("1 + 1").result == "2"


def interrupted(kernel, cell: str, after: float = 1.5, times: int = 1, pause: float = 0.0):
    """Runs a cell and interrupts it. Returns its result, and how long it ran on after the first interrupt."""
    message_id = kernel.send('println!("started");\n' + cell)
    while True:
        message = kernel.iopub(timeout=60)
        if message["parent_header"].get("msg_id") == message_id and message["msg_type"] == "stream":
            break
    time.sleep(after)
    asked = time.monotonic()
    for n in range(times):
        if n:
            time.sleep(pause)
        kernel.manager.interrupt_kernel()
    result = kernel.finish(message_id, timeout=60)
    assert not result.ok, f"the cell should have been interrupted:\n{result}"
    assert re.search("interrupt", result.error, re.IGNORECASE), result.error
    return result, time.monotonic() - asked


def test_tasks_are_interrupted(kernel):
    _, took = interrupted(kernel, SLOW_TASKS)
    assert took < 3
    assert kernel.ok("treasure").result == '"gold"'


def test_arrays_are_interrupted(kernel):
    _, took = interrupted(
        kernel,
        "let big = Array::random((400_000, 1_000), (2_000, 1_000), 1);\n"
        "big.map(|v: f64| (0..50).fold(v, |s, _| s.sin())).sum().compute()?",
    )
    assert took < 5
    assert kernel.ok("treasure").result == '"gold"'
    assert kernel.ok("Array::<f64>::ones((4, 4), (2, 2)).sum().compute()?").result == "16.0"


# Cells that run for minutes and stop at once.
STOPPABLE = {
    "sleep": "sleep(std::time::Duration::from_secs(600))?;",
    "checkpoint in a loop": "let mut n = 0u64; loop { n += 1; std::hint::black_box(n); checkpoint()?; }",
    "checkpoint in a function": """
        fn look(n: u64) -> SwathResult<u64> { checkpoint()?; Ok(n) }
        let mut n = 0u64; while n < u64::MAX { n = look(n)? + 1; std::hint::black_box(n); }
    """,
    "a loop with a bar": "for n in (0..6_000_000).progress() { std::thread::sleep(std::time::Duration::from_millis(1)); std::hint::black_box(n); }",
    "a loop that prints": "loop { std::thread::sleep(std::time::Duration::from_millis(20)); print!(\".\"); }",
    "a future": "std::future::pending::<()>().await;",
    "a future that is awaited in an async block": "(async { std::future::pending::<i32>().await + 1 }).await;",
    "a query of Polars": """
        let rows: Vec<i64> = (0..100).collect();
        let frame = df!("a" => rows)?;
        let parts: Vec<_> = (0..2_000).map(|_| polars::prelude::IntoLazy::lazy(frame.clone()).map(
            |frame| { std::thread::sleep(std::time::Duration::from_millis(50)); Ok(frame) },
            polars::prelude::AllowedOptimizations::default(), None, Some("nap"))).collect();
        polars::prelude::concat(parts, polars::prelude::UnionArgs { parallel: false, ..Default::default() })?.collect()?;
    """,
    "a graph of tasks": """
        fn nap(n: u64) -> u64 { std::thread::sleep(std::time::Duration::from_millis(20)); n + 1 }
        let mut graph = TaskGraph::new();
        graph.insert("0", nap, (0u64,))?;
        for n in 1..5_000 { graph.insert(format!("{n}"), nap, (key(&format!("{}", n - 1)),))?; }
        graph.get::<u64>("4999")?;
    """,
    "a task that sleeps": "try_delayed(|x: u64| { sleep(std::time::Duration::from_secs(600))?; Ok::<u64, Error>(x) }).call(1u64).compute()?;",
    "a frame of partitions": """
        let text: String = (0..200_000).map(|n| format!("{},{}\\n", n % 7, n)).collect();
        std::fs::write("numbers.csv", format!("a,b\\n{text}"))?;
        loop { read_csv("numbers.csv").partitions(8).load()?.group_by(["a"]).mean().compute()?; }
    """,
}


@pytest.mark.parametrize("cell", STOPPABLE.values(), ids=STOPPABLE.keys())
def test_it_stops_and_everything_is_kept(kernel, cell):
    kernel.ok("fn triple(n: u64) -> u64 { 3 * n }\nlet held = Array::<f64>::ones([8, 8], (4, 4)).persist()?;")
    result, took = interrupted(kernel, cell, after=1.0)
    assert result.reply["ename"] == "Interrupted", result.error
    # Generous, because other compilations on this machine may delay it.
    assert took < 5
    asked = time.monotonic()
    assert kernel.ok('format!("{} {treasure} {}", triple(2), held.sum().compute()?)').result == '"6 gold 64"'
    assert time.monotonic() - asked < 10


def test_waiting_for_input_is_interrupted(kernel):
    message_id = kernel.send('let name = input("Name? ")?;', allow_stdin=True)
    kernel.client.get_stdin_msg(timeout=30)
    kernel.manager.interrupt_kernel()
    result = kernel.finish(message_id)
    assert result.reply["ename"] == "Interrupted"
    assert kernel.ok("treasure").result == '"gold"'


def test_a_compilation_is_interrupted(kernel):
    # This takes the compiler minutes.
    slow = "const fn fib(n: u64) -> u64 { if n < 2 { n } else { fib(n - 1) + fib(n - 2) } }\nconst SLOW: u64 = fib(60);\nSLOW"
    message_id = kernel.send("#[allow(long_running_const_eval)]\n" + slow.replace("const SLOW", "#[allow(long_running_const_eval)]\nconst SLOW"))
    time.sleep(3)
    kernel.manager.interrupt_kernel()
    result = kernel.finish(message_id)
    assert result.reply["ename"] == "Interrupted", result
    assert "was not run" in result.error
    assert kernel.ok("treasure").result == '"gold"'


def test_a_persist_in_the_background_is_interrupted(kernel):
    kernel.ok(
        "static DOZED: std::sync::atomic::AtomicU64 = std::sync::atomic::AtomicU64::new(0);\n"
        "fn doze(n: u64) -> u64 {\n"
        "    std::thread::sleep(std::time::Duration::from_millis(20));\n"
        "    DOZED.fetch_add(1, std::sync::atomic::Ordering::SeqCst); n\n"
        "}\n"
        "fn gather(parts: Vec<u64>) -> u64 { parts.iter().sum() }\n"
        "let parts: Vec<_> = (0..5_000u64).map(|n| delayed(doze).call(n)).collect();\n"
        "let dozing = delayed(gather).call(parts).persist()?;"
    )
    time.sleep(0.5)
    # No cell is running.
    kernel.manager.interrupt_kernel()
    time.sleep(1)
    dozed = kernel.ok("DOZED.load(std::sync::atomic::Ordering::SeqCst)").result
    assert 0 < int(dozed) < 5_000
    time.sleep(1)
    assert kernel.ok("DOZED.load(std::sync::atomic::Ordering::SeqCst)").result == dozed
    assert kernel.ok("treasure").result == '"gold"'


def test_a_thread_of_the_users_is_not_interrupted_while_idle(kernel):
    kernel.ok(
        "let counted = std::sync::Arc::new(std::sync::atomic::AtomicU64::new(0)); let counts = counted.clone();\n"
        "let counting = std::thread::spawn(move || for _ in 0..40 {\n"
        "    std::thread::sleep(std::time::Duration::from_millis(50));\n"
        "    print!(\".\"); counts.fetch_add(1, std::sync::atomic::Ordering::SeqCst);\n"
        "});"
    )
    kernel.manager.interrupt_kernel()
    time.sleep(0.5)
    kernel.ok("counting.join().unwrap();")
    assert kernel.ok("counted.load(std::sync::atomic::Ordering::SeqCst)").result == "40"


def test_sigint_is_an_interrupt(kernel):
    message_id = kernel.send('println!("started"); sleep(std::time::Duration::from_secs(600))?;')
    while kernel.iopub(timeout=60)["msg_type"] != "stream":
        pass
    os.kill(kernel.manager.provisioner.pid, signal.SIGINT)
    assert kernel.finish(message_id).reply["ename"] == "Interrupted"
    os.kill(kernel.manager.provisioner.pid, signal.SIGINT)
    time.sleep(0.3)
    assert kernel.ok("treasure").result == '"gold"'


def test_who_interrupts_code_that_goes_on_is_told_why(kernel):
    message_id = kernel.send(
        'println!("started"); let end = std::time::Instant::now() + std::time::Duration::from_secs(5);\n'
        "while std::time::Instant::now() < end { std::hint::black_box(0); }"
    )
    while kernel.iopub(timeout=60)["msg_type"] != "stream":
        pass
    kernel.manager.interrupt_kernel()
    result = kernel.finish(message_id)
    assert "Interrupting again ends its process" in result.stderr
    assert "treasure" in result.stderr and "checkpoint()" in result.stderr


def test_an_interrupted_computation_can_be_run_again(kernel):
    interrupted(kernel, SLOW_TASKS)
    short = SLOW_TASKS.replace("2000u64", "20u64")
    assert kernel.ok(short).result == "190"


def test_waiting_for_progress_is_interrupted(kernel):
    _, took = interrupted(
        kernel,
        "let cluster = LocalCluster::new(); let client = Client::new(&cluster);\n"
        "let big = Array::random((400_000, 1_000), (2_000, 1_000), 1).map(|v: f64| (0..50).fold(v, |s, _| s.sin())).sum_axis(Axis(1));\n"
        "let big = client.persist(&big)?; progress(&[&big])?;",
    )
    assert took < 5
    assert kernel.ok("treasure").result == '"gold"'


def test_code_that_reaches_no_boundary_costs_the_process_at_the_second_interrupt(kernel):
    result, took = interrupted(kernel, "loop { std::hint::black_box(0); }", times=2, pause=5)
    assert re.search(r"variables?\b.*\b(lost|gone)|(lost|gone)\b.*\bvariables?", result.error, re.IGNORECASE), result.error
    assert took < 20
    kernel.fails("treasure", "treasure")


def test_an_interrupt_while_idle_is_harmless(kernel):
    kernel.manager.interrupt_kernel()
    time.sleep(0.3)
    assert kernel.ok("treasure").result == '"gold"'


def test_cells_after_the_interrupted_one_are_aborted(kernel):
    first = kernel.send('println!("started");\n' + SLOW_TASKS)
    second = kernel.send("let should_not = 1;")
    while True:
        message = kernel.iopub(timeout=60)
        if message["parent_header"].get("msg_id") == first and message["msg_type"] == "stream":
            break
    time.sleep(1)
    kernel.manager.interrupt_kernel()
    assert kernel.reply(first, 30)["status"] == "error"
    assert kernel.reply(second, 30)["status"] == "aborted"
    time.sleep(0.5)
    assert kernel.ok("treasure").result == '"gold"'
