"""Completion and inspection come from a process that may be slow, full or dead: nobody notices.

What they know is in test_protocol.py.
"""

import os
import signal
import time
from contextlib import suppress
from pathlib import Path

import pytest

from kernel import Kernel, running_kernel

# Long enough for an analyzer to load on a machine that does other things.
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
    """The process that answers."""
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
    # Asked before the kernel can have started one that is ready.
    assert "println!" in own_kernel.complete("printl")
    own_kernel.ok("fn reciprocal(x: f64) -> f64 { 1.0 / x }\nlet recipe = 3;")
    assert own_kernel.complete("reci")[:2] in (["recipe", "reciprocal"], ["reciprocal", "recipe"])
    assert "3" in own_kernel.inspect("recipe")


def test_answers_while_a_cell_keeps_every_core_busy(own_kernel):
    own_kernel.ok("let spare = vec![1, 2, 3];")
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
    finally:
        # The cell runs until here: the answers didn't wait for it.
        Path(own_kernel.folder, "enough").touch()
    assert own_kernel.finish(cell).ok


def test_a_killed_analyzer_is_replaced(own_kernel):
    own_kernel.ok("let spare = vec![1, 2, 3];")
    own_kernel.wait_for_analyzer()
    killed = analyzer(own_kernel)
    os.kill(killed, signal.SIGKILL)
    assert own_kernel.complete("spar") == ["spare"]
    another_analyzer(own_kernel, than=killed)
    own_kernel.wait_for_analyzer()
    assert "is_empty" in own_kernel.complete("spare.is_")
    assert own_kernel.ok("spare.len()").result == "3"


@pytest.mark.timeout(2 * PATIENCE + 60)
def test_an_analyzer_without_memory_is_replaced(kernelspec, tmp_path, monkeypatch):
    monkeypatch.setenv("SWATH_ANALYZER_MEMORY", "120M")
    with running_kernel(str(tmp_path)) as kernel:
        kernel.ok("let spare = vec![1, 2, 3];")
        assert kernel.complete("spar") == ["spare"]
        first = another_analyzer(kernel, than=None)
        another_analyzer(kernel, than=first)
        assert kernel.complete("spare.is_") == []
        assert kernel.complete("spar") == ["spare"]
        shown = kernel.ok("spare.len()")
        assert (shown.result, shown.stderr) == ("3", "")
        assert not list(tmp_path.iterdir()), "the process left something behind"
