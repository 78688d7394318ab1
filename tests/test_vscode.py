"""Checks the kernel against the rules by which VS Code's Jupyter extension talks to kernels.

The extension itself needs a desktop. This file lists the rules that it relies on,
each with its source file (microsoft/vscode-jupyter, below src/; @jupyterlab/services
is jupyterlab/jupyterlab, packages/services/src). The extension speaks ZeroMQ itself,
without a server in between, and leaves the bookkeeping of requests to
@jupyterlab/services.
"""

import json
import os
import signal
import time
import uuid
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path

import pytest
import zmq
from jupyter_client import KernelManager
from jupyter_client.session import Session

from kernel import KERNEL_NAME
from leftovers import Traces

PATIENCE = 60
# kernels/raw/session/rawKernelConnection.node.ts, postStartKernel: the wait between two kernel_info_requests.
RETRY = 0.5
# package.json, jupyter.jupyterInterruptTimeout: after this it offers to restart the kernel.
INTERRUPT_TIMEOUT = 10
# standalone/intellisense/kernelCompletionProvider.ts waits Settings.IntellisenseTimeout; generous for a busy machine.
COMPLETION_TIMEOUT = 5

# kernels/raw/session/rawSocket.node.ts, HEADER_FIELDS and IOPUB_CONTENT_FIELDS: messages without these are repaired or dropped.
HEADER_FIELDS = ("username", "version", "session", "msg_id", "msg_type")
CONTENT_FIELDS: dict[str, dict[str, type | tuple]] = {
    "stream": {"name": str, "text": str},
    "display_data": {"data": dict, "metadata": dict},
    "update_display_data": {"data": dict, "metadata": dict, "transient": dict},
    "execute_input": {"code": str, "execution_count": int},
    "execute_result": {"execution_count": int, "data": dict, "metadata": dict},
    "error": {"ename": str, "evalue": str, "traceback": list},
    "status": {"execution_state": ("starting", "idle", "busy", "restarting", "dead")},
    "clear_output": {"wait": bool},
    "shutdown_reply": {"restart": bool},
}


class Extension:
    """A connection like the extension's: four sockets, one session, a status."""

    def __init__(self, connection: dict, iopub: bool = True):
        self.session = Session(key=connection["key"].encode(), session=uuid.uuid4().hex, username=uuid.uuid4().hex)
        self.connection = connection
        self.sockets: dict[str, zmq.Socket] = {}
        # rawSocket.node.ts: shell, control and stdin share a routing id.
        identity = uuid.uuid4().bytes
        for channel in ("shell", "control", "stdin"):
            self.open(channel, zmq.DEALER, identity)
        if iopub:
            self.subscribe()
        self.messages: list[dict] = []
        # services/kernel/default.ts, _updateStatus: the last status received, whichever request it belongs to.
        self.status = "unknown"

    def open(self, channel: str, kind: int, identity: bytes = b"") -> None:
        socket = zmq.Context.instance().socket(kind)
        socket.linger = 0
        socket.set_hwm(0)
        if kind == zmq.SUB:
            socket.subscribe(b"")
        else:
            socket.identity = identity
        socket.connect(f"tcp://{self.connection['ip']}:{self.connection[f'{channel}_port']}")
        self.sockets[channel] = socket

    def subscribe(self) -> None:
        self.open("iopub", zmq.SUB)

    def close(self) -> None:
        for socket in self.sockets.values():
            socket.close()

    def send(self, channel: str, message_type: str, content: dict, metadata: dict | None = None) -> str:
        message = self.session.msg(message_type, content, metadata=metadata)
        self.session.send(self.sockets[channel], message)
        return message["header"]["msg_id"]

    def receive(self, timeout: float) -> None:
        """Receives messages on any channel, and checks them as the extension does."""
        poller = zmq.Poller()
        for socket in self.sockets.values():
            poller.register(socket, zmq.POLLIN)
        for socket, _ in poller.poll(1000 * timeout):
            channel = next(name for name, known in self.sockets.items() if known is socket)
            _, frames = self.session.feed_identities(socket.recv_multipart())
            message = self.session.deserialize(frames)
            message["channel"] = channel
            for field in HEADER_FIELDS:
                assert isinstance(message["header"].get(field), str), f"{field} of {message['header']}"
            assert isinstance(message["header"]["date"], datetime), "a date that is no ISO 8601"
            for field, wanted in CONTENT_FIELDS.get(message["msg_type"], {}).items():
                found = message["content"].get(field)
                assert found in wanted if isinstance(wanted, tuple) else isinstance(found, wanted), f"{field} of {message['content']}"
            self.messages.append(message)
            if message["msg_type"] == "status":
                self.status = message["content"]["execution_state"]

    def until(self, condition: Callable[[], object], timeout: float = PATIENCE):
        deadline = time.monotonic() + timeout
        while not (found := condition()):
            left = deadline - time.monotonic()
            assert left > 0, f"not within {timeout} s; the last messages: {[(m['channel'], m['msg_type'], m['content']) for m in self.messages[-5:]]!r:.2000}"
            self.receive(min(left, 0.1))
        return found

    def children(self, request: str, *types: str) -> list[dict]:
        """Returns the messages for a request, in order of arrival."""
        return [message for message in self.messages if message["parent_header"].get("msg_id") == request and (not types or message["msg_type"] in types)]

    def is_done(self, request: str) -> bool:
        """services/kernel/future.ts, handleMsg: a request is done when its reply and its idle have come."""
        replies = [message for message in self.children(request) if message["channel"] in ("shell", "control")]
        return bool(replies) and "idle" in [message["content"]["execution_state"] for message in self.children(request, "status")]

    def done(self, request: str, timeout: float = PATIENCE) -> dict:
        """Returns the reply's content, once the request is done."""
        self.until(lambda: self.is_done(request), timeout)
        return next(message["content"] for message in self.children(request) if message["channel"] in ("shell", "control"))

    def execute(self, code: str, **changes) -> str:
        """kernels/execution/cellExecution.ts, execute: these options, and the cell's address as metadata."""
        content = {"code": code, "silent": False, "stop_on_error": False, "allow_stdin": True, "store_history": True} | changes
        return self.send("shell", "execute_request", content, {"cellId": "vscode-notebook-cell:/home/ada/n.ipynb#W0sZmlsZQ"})

    def start(self) -> int:
        """rawKernelConnection.node.ts, postStartKernel: returns how many attempts the start took."""
        attempts, asked = 0, []
        while True:
            attempts += 1
            asked += [self.send("control", "kernel_info_request", {}), self.send("shell", "kernel_info_request", {})]
            until = time.monotonic() + RETRY
            while time.monotonic() < until:
                self.receive(0.02)
                # One request is done, which needs an idle for it, so something has arrived on iopub.
                if any(map(self.is_done, asked)):
                    # kernels/common/helpers.ts, waitForIdleOnSession: after this it sends cells.
                    self.until(lambda: self.status == "idle")
                    return attempts
            assert attempts * RETRY < PATIENCE, "the kernel doesn't answer"


@pytest.fixture
def launched(kernelspec, tmp_path) -> Iterator[tuple[KernelManager, dict, Traces]]:
    """A kernel process started as the extension does it, without waiting for it to be ready."""
    traces = Traces()
    manager = KernelManager(kernel_name=KERNEL_NAME)
    manager.start_kernel(cwd=str(tmp_path), env=traces.environment)
    connection = json.loads(Path(manager.connection_file).read_text())
    try:
        yield manager, connection, traces
    finally:
        manager.shutdown_kernel(now=True)


@pytest.fixture
def extension(launched) -> Iterator[Extension]:
    made = Extension(launched[1])
    try:
        made.start()
        yield made
    finally:
        made.close()


def test_start(launched):
    """The extension sends requests on both channels at once, before the kernel listens, and starts when one is done."""
    extension = Extension(launched[1])
    try:
        # Generous: an attempt takes half a second.
        assert extension.start() <= 20
        sessions = {message["header"]["session"] for message in extension.messages}
        assert len(sessions) == 1, "services/kernel/default.ts, _assertCurrentMessage: a message of another session is dropped"
        assert extension.session.session not in sessions
    finally:
        extension.close()


def test_start_with_a_subscription_that_comes_late(launched):
    """Requests arrive before the subscription. The idle that the extension waits for must come all the same."""
    extension = Extension(launched[1], iopub=False)
    try:
        request = extension.send("shell", "kernel_info_request", {})
        extension.until(lambda: extension.children(request))
        extension.subscribe()
        assert extension.start() <= 20
        assert extension.status == "idle"
    finally:
        extension.close()


def test_a_cell(extension):
    """One execute_input, the outputs and one reply. All of its messages on iopub are between one busy and one idle."""
    request = extension.execute('println!("out"); eprintln!("err"); display(&Html("<b>shown</b>")); 6 * 7')
    reply = extension.done(request)
    assert (reply["status"], reply["execution_count"]) == ("ok", 1)
    kinds = [message["msg_type"] for message in extension.children(request) if message["channel"] == "iopub"]
    assert kinds[:2] == ["status", "execute_input"] and kinds[-1] == "status"
    assert kinds.count("status") == 2 and kinds.count("execute_input") == 1
    assert set(kinds) == {"status", "execute_input", "stream", "display_data", "execute_result"}
    extension.receive(0.3)
    assert len(extension.children(request)) == len(kinds) + 1, "something came after the idle"
    assert extension.status == "idle"


def test_every_request_has_one_reply_and_one_idle(extension):
    requests = [
        ("shell", "kernel_info_request", {}),
        ("control", "kernel_info_request", {}),
        ("shell", "complete_request", {"code": "printl", "cursor_pos": 6}),
        ("shell", "inspect_request", {"code": "println", "cursor_pos": 7, "detail_level": 0}),
        ("shell", "is_complete_request", {"code": "1"}),
        ("control", "is_complete_request", {"code": "1"}),
        ("control", "complete_request", {"code": "printl", "cursor_pos": 6}),
        ("shell", "history_request", {"hist_access_type": "tail", "n": 1, "raw": True, "output": False}),
        ("shell", "comm_info_request", {}),
        ("control", "comm_info_request", {}),
        ("shell", "execute_request", {"code": "1", "silent": False, "store_history": True, "user_expressions": {}, "allow_stdin": False, "stop_on_error": True}),
    ]
    sent = [extension.send(*request) for request in requests]
    for request, (channel, kind, _) in zip(sent, requests):
        extension.done(request)
        seen = extension.children(request)
        assert [message["msg_type"] for message in seen if message["channel"] == channel] == [kind.replace("_request", "_reply")]
        states = [message["content"]["execution_state"] for message in seen if message["msg_type"] == "status"]
        # Busy is sent again for the cell after each answer that is given while it runs.
        assert set(states[:-1]) == {"busy"} and states[-1] == "idle", kind


def test_a_failing_cell_and_the_next(extension):
    """cellExecution.ts: stop_on_error is false, and the next cell is sent when this one is done."""
    first = extension.execute('let n = 1; panic!("as it should")')
    second = extension.execute("2 + 2")
    reply = extension.done(first)
    assert (reply["status"], reply["evalue"]) == ("error", extension.children(first, "error")[0]["content"]["evalue"])
    assert all(isinstance(line, str) for line in reply["traceback"])
    assert extension.done(second)["status"] == "ok"


def test_code_that_the_user_does_not_see(extension):
    """kernels/helpers.ts, executeSilently: the outputs are read, and the cell is neither counted nor stored in the history."""
    before = extension.done(extension.execute("1"))["execution_count"]
    request = extension.execute('println!("for the extension"); 5', store_history=False)
    extension.done(request)
    assert [message["content"]["text"] for message in extension.children(request, "stream")] == ["for the extension\n"]
    assert extension.children(request, "execute_result")[0]["content"]["data"]["text/plain"] == "5"
    assert extension.done(extension.execute("1"))["execution_count"] == before + 1


def test_expressions_of_a_silent_cell(extension):
    """A variable view evaluates expressions without a cell: nothing is shown, the values are in the reply."""
    extension.done(extension.execute("let seen = vec![1, 2];"))
    request = extension.execute("", silent=True, store_history=False, user_expressions={"seen": "seen.len()", "gone": "no_such_name"})
    values = extension.done(request)["user_expressions"]
    assert values["seen"]["data"]["text/plain"] == "2" and values["gone"]["status"] == "error"
    assert not extension.children(request, "execute_input", "execute_result", "error", "stream")


def test_the_status_while_a_cell_runs(extension):
    """services/kernel/default.ts treats the last status as the kernel's: other answers must not look like the cell's end."""
    extension.done(extension.execute("1"))
    cell = extension.execute('println!("started"); std::thread::sleep(std::time::Duration::from_secs(4));')
    extension.until(lambda: extension.children(cell, "stream"))
    for request in (
        extension.send("shell", "complete_request", {"code": "printl", "cursor_pos": 6}),
        extension.send("control", "kernel_info_request", {}),
        extension.send("shell", "is_complete_request", {"code": "1"}),
    ):
        extension.done(request, COMPLETION_TIMEOUT)
        extension.receive(0.2)
        assert not extension.is_done(cell), "the answer waited for the cell"
        assert extension.status == "busy"
    extension.done(cell)
    assert extension.status == "idle"


def test_completion_counts_code_points(extension):
    """cursor_pos counts code points; JupyterLab converts JavaScript's UTF-16 units (packages/coreutils/src/text.ts, jsIndexToCharIndex)."""
    extension.done(extension.execute("let treasure = 1;"))
    code = '"🗾é"; treas'
    request = extension.send("shell", "complete_request", {"code": code, "cursor_pos": len(code)})
    reply = extension.done(request)
    assert (reply["matches"], reply["cursor_start"], reply["cursor_end"]) == (["treasure"], 6, len(code))


def test_interrupt(extension):
    """kernels/kernel.ts, interruptExecution: interrupt_request on control, then reply, idle and the end of the cell within the limit."""
    extension.done(extension.execute("let kept = 3;"))
    cell = extension.execute(
        'println!("started"); for _ in 0..2400 { delayed(|n: u64| { std::thread::sleep(std::time::Duration::from_millis(50)); n }).call(1u64).compute()?; }'
    )
    extension.until(lambda: extension.children(cell, "stream"))
    asked = time.monotonic()
    request = extension.send("control", "interrupt_request", {})
    assert extension.done(request)["status"] == "ok"
    assert extension.done(cell)["status"] == "error"
    assert time.monotonic() - asked < INTERRUPT_TIMEOUT
    assert extension.status == "idle"
    again = extension.execute("kept")
    assert extension.done(again)["status"] == "ok"
    assert extension.children(again, "execute_result")[0]["content"]["data"]["text/plain"] == "3"


def test_input(extension):
    """The question comes on stdin, with the cell as its parent. The answer needs no reply."""
    cell = extension.execute('let name = input("who? ")?; name.len()')
    (question,) = extension.until(lambda: extension.children(cell, "input_request"))
    assert question["channel"] == "stdin"
    assert question["content"] == {"prompt": "who? ", "password": False}
    extension.send("stdin", "input_reply", {"value": "Ada", "status": "ok"})
    assert extension.done(cell)["status"] == "ok"
    assert extension.children(cell, "execute_result")[0]["content"]["data"]["text/plain"] == "3"


def test_restart(launched, extension, tmp_path):
    """rawKernelConnection.node.ts, restart: signals end the old process, the new one has its own file, ports and session."""
    manager, _, traces = launched
    extension.done(extension.execute("let old_life = 1;"))
    old_session = {message["header"]["session"] for message in extension.messages}
    old = traces.processes()
    # kernelProcess.node.ts, dispose: SIGTERM to the processes below the kernel, then to the kernel.
    for pid in sorted(old, key=lambda pid: pid == manager.provisioner.pid):
        try:
            os.kill(pid, signal.SIGTERM)
        except ProcessLookupError:
            pass
    after = KernelManager(kernel_name=KERNEL_NAME)
    after.start_kernel(cwd=str(tmp_path), env=traces.environment)
    again = Extension(json.loads(Path(after.connection_file).read_text()))
    try:
        assert again.start() <= 20
        assert again.done(again.execute("old_life"))["status"] == "error"
        assert again.done(again.execute("1 + 1"))["execution_count"] == 2
        assert not old_session & {message["header"]["session"] for message in again.messages}
        deadline = time.monotonic() + 5
        while (left := set(old) & set(traces.processes())) and time.monotonic() < deadline:
            time.sleep(0.05)
        assert not left
    finally:
        again.close()
        after.shutdown_kernel(now=True)


def test_a_server_that_restarts_the_kernel(launched, extension):
    """jupyter_server requests a shutdown with `restart`, and starts the kernel again on the same ports. Every client is notified."""
    extension.done(extension.execute("let old_life = 1;"))
    request = extension.send("control", "shutdown_request", {"restart": True})
    reply = extension.until(lambda: [message for message in extension.children(request) if message["channel"] == "control"])
    assert reply[0]["content"] == {"status": "ok", "restart": True}
    told = extension.until(lambda: extension.children(request, "shutdown_reply"))
    assert told[0]["content"]["restart"] is True
    manager, _, traces = launched
    deadline = time.monotonic() + 5
    while manager.is_alive() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not manager.is_alive()
    assert not traces.left_after()
