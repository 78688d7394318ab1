"""Output appears while work runs: progress bars, notices, work that continues after its cell.

Order, streams and displays are tested in test_cells.py. How the kernel handles output in any pieces
and at any speed is tested in kernel/src/session/tests.rs and kernel/src/execution/channel.rs.
"""

import re
import time

import nbformat
import pytest
from nbclient import NotebookClient

from kernel import KERNEL_NAME

TASKS = """
fn nap(n: u64) -> u64 { std::thread::sleep(std::time::Duration::from_millis(50)); n }
fn sum_up(parts: Vec<u64>) -> u64 { parts.iter().sum() }
fn naps(count: u64) -> Delayed<u64> {
    let parts: Vec<_> = (0..count).map(|n| delayed(nap).call(n)).collect();
    delayed(sum_up).call(parts)
}
"""


@pytest.fixture(autouse=True)
def tasks(kernel):
    kernel.ok(TASKS)


def timed(kernel, message_id: str, until=None, timeout: float = 60) -> list[tuple[float, dict]]:
    """Returns the outputs of a cell with their times, up to its idle, or until `until` is true."""
    seen = []
    deadline = time.monotonic() + timeout
    while True:
        message = kernel.iopub(timeout=max(0.1, deadline - time.monotonic()))
        if until is None and message["parent_header"].get("msg_id") != message_id:
            continue
        seen.append((time.monotonic(), message))
        if until(message) if until else message["content"].get("execution_state") == "idle":
            return seen


def bars(seen: list[tuple[float, dict]]) -> list[tuple[float, str, str]]:
    """Returns the displays with an id: time, kind and plain text."""
    return [
        (at, message["msg_type"], message["content"]["data"]["text/plain"])
        for at, message in seen
        if (message["content"].get("transient", {}).get("display_id") or "swath-compiling")[:15] != "swath-compiling"
    ]


def test_a_long_computation_has_a_bar(kernel):
    message_id = kernel.send("naps(100).compute()?")
    shown = bars(timed(kernel, message_id))
    kernel.reply(message_id, 10)
    assert [kind for _, kind, _ in shown] == ["display_data"] + ["update_display_data"] * (len(shown) - 1)
    texts = [text for _, _, text in shown]
    last = texts[-1]
    assert re.search(r"100 % +101 of 101 tasks +[\d.]+ s", last), last
    assert sum("100 %" in text for text in texts) == 1, "it ends once"
    middle = texts[len(texts) // 2]
    assert re.search(r"\d+ of 101 tasks .* tasks/s · .* left · ", middle), middle
    parts = [int(re.search(r"(\d+) %", text)[1]) for text in texts]
    assert parts == sorted(parts)
    # At most ten times a second, plus some slack for delays on the way here.
    elapsed = shown[-1][0] - shown[0][0]
    assert len(shown) <= 10 * elapsed + 5


def test_a_short_computation_has_none(kernel):
    result = kernel.ok("naps(4).compute()?")
    assert [output["type"] for output in result.outputs] == ["execute_result"]


def test_several_computations_share_a_display(kernel):
    message_id = kernel.send("for _ in 0..3 { naps(60).compute()?; }")
    shown = bars(timed(kernel, message_id))
    kernel.reply(message_id, 10)
    assert [kind for _, kind, _ in shown].count("display_data") == 1
    assert shown[-1][2].count("100 %") == 3


def test_bars_can_be_turned_off(kernel):
    kernel.ok("show_progress(false);")
    try:
        result = kernel.ok("naps(60).compute()?")
        assert [output["type"] for output in result.outputs] == ["execute_result"]
    finally:
        kernel.ok("show_progress(true);")


def test_a_bar_of_what_fails_says_so(kernel):
    result = kernel.fails(
        "fn boom(n: u64) -> u64 { assert!(n < 55, \"boom\"); n }\n"
        "let parts: Vec<_> = (0..60u64).map(|n| delayed(boom).call(delayed(nap).call(n))).collect();\n"
        "delayed(sum_up).call(parts).compute()?",
        "boom",
    )
    assert "failed" in result.of_type("update_display_data")[-1]["data"]["text/plain"]


def test_a_loop_has_a_bar(kernel):
    result = kernel.ok(
        "let mut sum = 0; for n in (0..30u64).progress_as(\"rows\") { sum += n; std::thread::sleep(std::time::Duration::from_millis(20)); }\nsum"
    )
    assert result.result == "435"
    shown = result.of_type("display_data", "update_display_data")
    assert [output["type"] for output in shown].count("display_data") == 1
    assert re.search(r"rows .*100 % +30 of 30 items", shown[-1]["data"]["text/plain"])
    assert 'role="progressbar"' in shown[-1]["data"]["text/html"]


def test_a_quick_loop_has_its_bar_once(kernel):
    result = kernel.ok("(0..5).progress().count()")
    shown = result.of_type("display_data", "update_display_data")
    assert [output["type"] for output in shown].count("display_data") == 1
    assert "5 of 5 items" in shown[-1]["data"]["text/plain"]


def test_what_goes_on_after_its_cell_updates_the_cells_output(kernel):
    first = kernel.send("let background = naps(150).persist()?;")
    assert kernel.finish(first).ok
    seen = timed(kernel, first, until=lambda message: "100 %" in str(message["content"].get("data")))
    shown = bars(seen)
    assert shown[0][1] == "display_data" and "in the background" in shown[0][2]
    parents = {message["parent_header"]["msg_id"] for _, message in seen if "data" in message["content"]}
    assert parents == {first}
    assert kernel.ok("background.compute()?").result == "11175"


def test_a_display_from_the_background_is_updated_while_another_cell_runs(kernel):
    first = kernel.send("let slow = naps(200).persist()?;")
    assert kernel.finish(first).ok
    time.sleep(2)
    second = kernel.send("std::thread::sleep(std::time::Duration::from_secs(1));")
    updates = [output for output in kernel.finish(second).outputs if output["type"] == "update_display_data"]
    assert updates, "front ends that follow only the running cell would miss them"
    timed(kernel, first, until=lambda message: "100 %" in str(message["content"].get("data")))


def test_a_saved_notebook_has_the_end_of_each_bar(kernelspec, tmp_path):
    cells = [
        TASKS,
        "naps(60).compute()?",
        "let there = naps(60).persist()?; progress!(there)?;",
        "for _ in (0..3).progress() { println!(\"row\"); }",
    ]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    NotebookClient(notebook, kernel_name=KERNEL_NAME, timeout=120, cwd=str(tmp_path)).execute()
    for cell in notebook.cells[1:]:
        shown = [output.data["text/plain"] for output in cell.outputs if output.output_type == "display_data"]
        assert len(shown) == 1, f"one bar, not {shown}"
        assert "100 %" in shown[0] and "left" not in shown[0]


def test_a_long_compilation_has_a_notice(kernel):
    # This takes the compiler some seconds.
    code = (
        "const fn fib(n: u64) -> u64 { if n < 2 { n } else { fib(n - 1) + fib(n - 2) } }\n"
        "#[allow(long_running_const_eval)]\nconst SLOW: u64 = fib(30);\nSLOW"
    )
    result = kernel.ok(code, timeout=150)
    assert result.result == "832040"
    kinds = [notice["type"] for notice in result.notices]
    assert (kinds[0], kinds[-1]) == ("display_data", "clear_output"), kinds
    assert "Compiling" in result.notices[0]["data"]["text/plain"]
    assert [output["type"] for output in result.outputs] == ["execute_result"]


def test_a_flood_is_cut_with_a_note_and_the_cell_after_it_is_not(kernel):
    result = kernel.ok('for n in 0..400_000 { println!("{n:0>40}"); }', timeout=120)
    assert "left out" in str(result.of_type("display_data", "update_display_data")[-1]["data"])
    assert len(result.stdout) <= 8_000_000
    assert kernel.ok('println!("after")').stdout == "after\n"
