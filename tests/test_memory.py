"""Values above the memory limit are on disk, and leave nothing behind."""

import os
import re
import time
from pathlib import Path

import pytest

from kernel import runtime_of, tables

MIB = 1 << 20
CHUNKS = "let x = Array::<i64>::arange(32 << 20, 1 << 20);"
SUM = (32 << 20) * ((32 << 20) - 1) // 2


def spilled_files(kernel) -> list[str]:
    """Returns the open files of the runtime process that no longer have a name."""
    folder = Path(f"/proc/{runtime_of(kernel).pid}/fd")
    links = []
    for link in folder.iterdir():
        try:
            links.append(os.readlink(link))
        except FileNotFoundError:
            pass
    return [link for link in links if link.endswith("(deleted)")]


def shown_by(kernel, cell: str) -> dict:
    [message] = kernel.ok(cell).of_type("execute_result")
    return message["data"]


@pytest.fixture
def folder(own_kernel, tmp_path):
    spill = tmp_path / "spill"
    spill.mkdir()
    own_kernel.ok(f'swath::set_spill_folder("{spill}")?; set_memory_limit("64 MiB")?;')
    return spill


def test_persisted_values_above_the_limit_are_on_disk(own_kernel, folder):
    own_kernel.ok(CHUNKS)
    own_kernel.ok("let kept = x.persist()?; progress(&kept)?;")
    assert own_kernel.ok("kept.sum().compute()?").result == str(SUM)
    assert own_kernel.ok("memory_limit()").result == str(64 * MIB)
    in_use, spilled = own_kernel.ok("(memory().in_use >> 20, memory().spilled >> 20)").result.strip("()").split(", ")
    assert int(in_use) <= 64
    assert int(spilled) >= 256 - 64
    assert list(folder.iterdir()) == [], "the file has no name"
    assert any(str(folder) in link for link in spilled_files(own_kernel))
    assert runtime_of(own_kernel).memory_info().rss < 64 * MIB + 250 * MIB


def test_the_room_is_given_back(own_kernel, folder):
    own_kernel.ok(CHUNKS)
    own_kernel.ok("let kept = x.persist()?; progress(&kept)?;")
    assert int(own_kernel.ok("memory().spilled >> 20").result) > 0
    own_kernel.ok("let kept = 0;")
    assert own_kernel.ok("memory().spilled").result == "0"


@pytest.mark.dies
def test_nothing_is_left_of_a_process_that_was_killed(own_kernel, folder):
    own_kernel.ok(CHUNKS)
    own_kernel.ok("let kept = x.persist()?; progress(&kept)?;")
    runtime_of(own_kernel).kill()
    own_kernel.run("1")
    assert list(folder.iterdir()) == []
    assert own_kernel.ok("2 + 2").result == "4"


def test_a_folder_that_is_not_there_is_an_error(own_kernel):
    own_kernel.fails('swath::set_spill_folder("/no/such/folder")?;', "/no/such/folder", "No such file")
    own_kernel.fails('set_memory_limit("much")?;', "much", "4 GiB")


def test_memory_is_a_table(own_kernel):
    shown = shown_by(own_kernel, "memory()")
    assert "of" in shown["text/plain"] and "in memory" in shown["text/plain"]
    [table] = tables(shown["text/html"])
    assert [row[0] for row in table] == ["Values in memory", "Values on disk", "The process in memory"]


def test_what_the_optimiser_does_is_a_table(own_kernel):
    shown = shown_by(own_kernel, "let y = (Array::<f64>::ones((100, 100), (10, 10)) + 1.0) * 2.0; y.sum().explain()?")
    [table] = tables(shown["text/html"])
    rows = {row[0]: row for row in table}
    assert rows["fuse_blockwise"][2] == "421 → 121", rows
    assert re.search(r"ones-add-mul-sum-chunk", shown["text/html"])


def test_a_profile_is_a_table(own_kernel):
    own_kernel.ok("let profiler = Profiler::start();\n(Array::<f64>::ones((100, 100), (10, 10)) + 1.0).sum().compute()?;")
    shown = shown_by(own_kernel, "profiler.report()")
    [table] = tables(shown["text/html"])
    assert table[0][:2] == ["Operation", "Tasks"]
    assert {row[0]: row[1] for row in table}["ones-add-sum-chunk"] == "100"
    assert "ones-add-sum-chunk" in shown["text/plain"]


def test_a_redefined_function_is_another_one(own_kernel):
    """Persisted values are found by their computation, never by the name of a function."""
    own_kernel.ok("fn f(x: f64) -> f64 { x + 1.0 }\nlet x = Array::<f64>::ones((4, 4), (2, 2));")
    own_kernel.ok("let y = x.map(f).persist()?; progress(&y)?;")
    assert own_kernel.ok("x.map(f).sum().compute()?").result == "32.0"
    own_kernel.ok("fn f(x: f64) -> f64 { x + 2.0 }")
    assert own_kernel.ok("x.map(f).sum().compute()?").result == "48.0"
    assert own_kernel.ok("y.sum().compute()?").result == "32.0"


def test_what_is_persisted_is_not_computed_again(own_kernel):
    own_kernel.ok(
        "static RUNS: std::sync::atomic::AtomicUsize = std::sync::atomic::AtomicUsize::new(0);\n"
        "fn slow(x: u64) -> u64 { RUNS.fetch_add(1, std::sync::atomic::Ordering::SeqCst); x }\n"
        "let calls: Vec<_> = (0..10u64).map(|n| delayed(slow).call(n)).collect();\n"
        "let all = delayed(|parts: Vec<u64>| parts.iter().sum::<u64>()).call(&calls);"
    )
    own_kernel.ok("let kept = all.persist()?; progress(&kept)?;")
    assert own_kernel.ok("all.compute()?").result == "45"
    assert own_kernel.ok("all.map(|n| n + 1).compute()?").result == "46"
    assert own_kernel.ok("RUNS.load(std::sync::atomic::Ordering::SeqCst)").result == "10"


def test_the_process_is_interrupted_while_it_plans(own_kernel):
    """With a million calls, most of the time goes into the plan."""
    own_kernel.ok(
        "let none = delayed(|| 0u64);\n"
        "let calls: Vec<_> = (0..1_000_000).map(|_| none.call()).collect();\n"
        "let all = delayed(|parts: Vec<u64>| parts.len()).call(&calls);"
    )
    message = own_kernel.send("for _ in 0..1000 { all.compute()?; }")
    time.sleep(1.0)
    asked = time.monotonic()
    own_kernel.manager.interrupt_kernel()
    result = own_kernel.finish(message, timeout=30)
    assert re.search("interrupt", result.error, re.IGNORECASE)
    assert time.monotonic() - asked < 5
    assert own_kernel.ok("none.call().compute()?").result == "0"
