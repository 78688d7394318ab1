"""A kernel ends when asked to, whatever it is doing, and leaves nothing behind.

The tests use each way to end a kernel, during each kind of work. Within seconds none
of its processes runs, nothing listens on its ports, and its folders are removed. A
kernel that restarts on the same ports works at once.
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from jupyter_client import BlockingKernelClient, KernelManager

from kernel import KERNEL_NAME
from leftovers import Traces

PATIENCE = 60


@dataclass(frozen=True)
class Work:
    """A cell that runs for minutes, and how to detect that it has started."""

    code: str
    begun: Callable[[BlockingKernelClient, Traces], None]


def until(condition: Callable[[], object], what: str) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, f"no {what} after {PATIENCE} s"
        time.sleep(0.05)


def prints(client: BlockingKernelClient, _: Traces) -> None:
    while client.get_iopub_msg(timeout=PATIENCE)["msg_type"] != "stream":
        pass


def asks(client: BlockingKernelClient, _: Traces) -> None:
    client.get_stdin_msg(timeout=PATIENCE)


def compiles(_: BlockingKernelClient, traces: Traces) -> None:
    until(lambda: traces.named("bin/rustc ", "--crate-name"), "rustc")


WORK = {
    "prints without end": Work('loop { println!("a line of an endless cell"); }', prints),
    "computes on every core": Work(
        'println!("started");\nArray::random((400_000, 1_000), (2_000, 1_000), 1).map(|v: f64| (0..200).fold(v, |s, _| s.sin())).sum().compute()?',
        prints,
    ),
    "reaches no boundary": Work(
        'println!("started");\nstd::thread::scope(|scope| { for _ in 0..4 { scope.spawn(|| loop { std::hint::black_box(0); }); } });', prints
    ),
    "compiles a :dep": Work(':dep syn = { version = "2", features = ["full", "visit", "visit-mut", "fold", "extra-traits"] }\n1', compiles),
    "is compiled": Work(
        "#[allow(long_running_const_eval)]\nconst SLOW: u64 = { let mut n = 0u64; while n < 4_000_000_000 { n += 1; } n };\nSLOW", compiles
    ),
    "waits for input": Work('input("who? ")?', asks),
    "does nothing": Work("", lambda *_: None),
}


class Started:
    """A kernel in the middle of some work."""

    def __init__(self, manager: KernelManager, client: BlockingKernelClient, traces: Traces, work: Work):
        self.manager, self.client, self.traces = manager, client, traces
        client.wait_for_ready(timeout=PATIENCE)
        client.execute("let old_life = 1;")
        client.get_shell_msg(timeout=PATIENCE)
        self.request = client.execute(work.code, allow_stdin=True) if work.code else None
        work.begun(client, traces)
        assert traces.named("swath-runtime"), "there is no runtime process that could be left"

    @property
    def pid(self) -> int:
        return self.manager.provisioner.pid


@pytest.fixture
def traces(kernelspec) -> Traces:
    return Traces()


@pytest.fixture(params=WORK)
def started(request, traces, tmp_path):
    manager = KernelManager(kernel_name=KERNEL_NAME)
    manager.start_kernel(cwd=str(tmp_path), env=traces.environment)
    traces.watch(manager)
    client = manager.client()
    client.start_channels()
    try:
        yield Started(manager, client, traces, WORK[request.param])
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
        # Processes that a failed test has found must not keep running.
        traces.clear()


def by_control(started: Started) -> None:
    message = started.client.session.msg("shutdown_request", {"restart": False})
    started.client.control_channel.send(message)
    reply = started.client.get_control_msg(timeout=PATIENCE)
    assert (reply["msg_type"], reply["content"]["restart"]) == ("shutdown_reply", False)


def by_shell(started: Started) -> None:
    message = started.client.session.msg("shutdown_request", {"restart": False})
    started.client.shell_channel.send(message)
    until(lambda: not started.manager.is_alive(), "end")


def by_sigterm(started: Started) -> None:
    os.kill(started.pid, signal.SIGTERM)


def by_sigkill(started: Started) -> None:
    os.kill(started.pid, signal.SIGKILL)


def as_vs_code_does(started: Started) -> None:
    """VS Code's kernelProcess.node.ts sends SIGTERM to every process below the kernel, then to the kernel."""
    below = [pid for pid in started.traces.processes() if pid != started.pid]
    for pid in [*below, started.pid]:
        try:
            os.kill(pid, signal.SIGTERM)
        except ProcessLookupError:
            pass


@pytest.mark.parametrize("end", [by_control, by_shell, by_sigterm, by_sigkill, as_vs_code_does], ids=lambda end: end.__name__)
def test_nothing_is_left(started, end):
    end(started)
    assert not started.traces.left_after()


def test_a_kernel_that_ends_at_once_says_nothing(traces, tmp_path):
    """The kernel may be loading its libraries, connecting, or waiting."""
    for number in range(12):
        log = tmp_path / f"stderr-{number}"
        with log.open("w") as stderr:
            manager = KernelManager(kernel_name=KERNEL_NAME)
            manager.start_kernel(cwd=str(tmp_path), env=traces.environment, stderr=stderr)
            traces.watch(manager)
            time.sleep(number * 0.02)
            os.kill(manager.provisioner.pid, signal.SIGTERM)
            until(lambda: not manager.is_alive(), "end")
        manager.cleanup_resources()
        # A kernel may have no time to remove its folders; the next kernel removes them.
        traces.clear()
        assert log.read_text() == "", f"after {number * 20} ms"


# Acts like a notebook server: starts a kernel, prints a line when it has, and is then killed.
PARENT = """
import sys, time
from jupyter_client import KernelManager
manager = KernelManager(kernel_name=sys.argv[1], connection_file=sys.argv[2])
manager.start_kernel(cwd=sys.argv[3])
print("started", flush=True)
time.sleep(600)
"""


@pytest.mark.parametrize("work", WORK)
def test_a_kernel_whose_parent_dies(traces, tmp_path, work):
    connection_file = tmp_path / "connection.json"
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT, KERNEL_NAME, str(connection_file), str(tmp_path)], env=traces.environment, stdout=subprocess.PIPE, text=True
    )
    client = BlockingKernelClient()
    try:
        assert parent.stdout.readline() == "started\n"
        client.load_connection_file(str(connection_file))
        client.start_channels()
        Started(None, client, traces, WORK[work])
        parent.kill()
        parent.wait()
        assert not traces.left_after()
    finally:
        client.stop_channels()
        parent.kill()
        parent.wait()
        traces.clear()


@pytest.mark.parametrize("at_once", [False, True], ids=["asked to end", "killed"])
def test_a_restarted_kernel_works_at_once(started, at_once):
    """The new process uses the old one's ports."""
    old = started.traces.processes()
    started.manager.restart_kernel(now=at_once, env=started.traces.environment)
    begun = time.monotonic()
    started.client.wait_for_ready(timeout=PATIENCE)
    request = started.client.execute("1 + 1")
    while (reply := started.client.get_shell_msg(timeout=PATIENCE))["parent_header"]["msg_id"] != request:
        pass  # The old process's last messages.
    assert reply["content"]["status"] == "ok"
    assert reply["content"]["execution_count"] == 1
    assert time.monotonic() - begun < 20
    deadline = time.monotonic() + 5
    while (left := set(old) & set(started.traces.processes())) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not left, [old[pid] for pid in left]
    folders = [Path(name).parts[0] for name in started.traces.files()]
    assert len({name for name in folders if not name.startswith("swath-analyzer-")}) == 1, f"the old kernel's folder is still there: {folders}"
