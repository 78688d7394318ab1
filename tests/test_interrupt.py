"""Interrupting a cell ends the cell, not the session."""

import re
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
    """Runs a cell, interrupts it, and says how long it went on after the first interrupt."""
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
