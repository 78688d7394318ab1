"""A kernel under test, and the outcome of a cell."""

import os
import queue
import re
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from html.parser import HTMLParser

import psutil
from jupyter_client import KernelManager

# The kernelspec under test: another build can be installed under a different name.
KERNEL_NAME = os.environ.get("SWATH_TEST_KERNEL", "swath")
ANSI = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
# Generous: a cell takes a fifth of a second on an idle machine.
CELL_TIMEOUT = 60


@dataclass
class Result:
    """The outcome of a cell: its outputs in the order of arrival, then its reply."""

    reply: dict
    outputs: list[dict] = field(default_factory=list)
    seconds: float = 0.0
    # The notices about a long compilation. On a busy machine any compilation can be long.
    notices: list[dict] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        return self.reply["status"] == "ok"

    def of_type(self, *types: str) -> list[dict]:
        return [output for output in self.outputs if output["type"] in types]

    def stream(self, name: str) -> str:
        return "".join(output["text"] for output in self.of_type("stream") if output["name"] == name)

    @property
    def stdout(self) -> str:
        return self.stream("stdout")

    @property
    def stderr(self) -> str:
        return self.stream("stderr")

    @property
    def result(self) -> str | None:
        """The last expression's plain text."""
        results = self.of_type("execute_result")
        assert len(results) <= 1, f"a cell has one result, not {len(results)}"
        return results[0]["data"]["text/plain"] if results else None

    @property
    def displays(self) -> list[dict]:
        return [output["data"] for output in self.of_type("display_data")]

    @property
    def error(self) -> str:
        """All of the error's text, as a user sees it, without colours."""
        errors = self.of_type("error")
        if not errors:
            return ""
        assert len(errors) == 1, f"a failed cell has one error, not {len(errors)}"
        shown = errors[0]
        for part in ("ename", "evalue", "traceback"):
            assert shown[part] == self.reply[part], f"{part}: the reply says something else than the output"
        return ANSI.sub("", "\n".join([f"{shown['ename']}: {shown['evalue']}", *shown["traceback"]]))

    def __str__(self) -> str:
        lines = [f"status: {self.reply['status']}"]
        lines += [f"{output['type']}: {ANSI.sub('', str(output))[:2000]}" for output in self.outputs]
        return "\n".join(lines)


class Kernel:
    """A running kernel and a client connected to it."""

    def __init__(self, manager: KernelManager, folder: str):
        self.manager = manager
        self.folder = folder
        self.client = manager.client()
        self.client.start_channels()
        self.client.wait_for_ready(timeout=CELL_TIMEOUT)

    def send(self, code: str, **options) -> str:
        """Sends a cell without waiting."""
        return self.client.execute(code, **options)

    def iopub(self, timeout: float) -> dict:
        return self.client.get_iopub_msg(timeout=timeout)

    def finish(self, message_id: str, timeout: float = CELL_TIMEOUT, answers: list[str] | None = None) -> Result:
        """Waits for a cell that was sent; `answers` answer its requests for input."""
        started = time.monotonic()
        deadline = started + timeout
        answers = list(answers or [])
        outputs: list[dict] = []
        notices: list[dict] = []
        while True:
            left = deadline - time.monotonic()
            if left <= 0:
                raise TimeoutError(f"the cell was not done after {timeout} s; until then: {outputs!r:.2000}")
            if answers:
                try:
                    request = self.client.get_stdin_msg(timeout=0.05)
                except queue.Empty:
                    pass
                else:
                    outputs.append({"type": "input_request", **request["content"]})
                    self.client.input(answers.pop(0))
            try:
                message = self.iopub(timeout=min(left, 0.1 if answers else 1.0))
            except queue.Empty:
                if not self.manager.is_alive():
                    raise RuntimeError(f"the kernel died; until then: {outputs!r:.2000}") from None
                continue
            if message["parent_header"].get("msg_id") != message_id:
                continue
            kind, content = message["msg_type"], message["content"]
            if kind == "status":
                if content["execution_state"] == "idle":
                    break
            elif kind != "execute_input":
                output = {"type": kind, **content}
                is_notice = (content.get("transient", {}).get("display_id") or "").startswith("swath-compiling")
                # If nothing else was shown, the notice is cleared.
                ends_notice = kind == "clear_output" and notices and not outputs
                (notices if is_notice or ends_notice else outputs).append(output)
        reply = self.reply(message_id, max(1.0, deadline - time.monotonic()))
        return Result(reply, outputs, time.monotonic() - started, notices)

    def reply(self, message_id: str, timeout: float) -> dict:
        deadline = time.monotonic() + timeout
        while True:
            message = self.client.get_shell_msg(timeout=max(0.1, deadline - time.monotonic()))
            if message["parent_header"].get("msg_id") == message_id:
                return message["content"]

    def run(self, code: str, timeout: float = CELL_TIMEOUT, answers: list[str] | None = None, **options) -> Result:
        """Runs a cell to its end."""
        return self.finish(self.send(code, allow_stdin=answers is not None, **options), timeout, answers)

    def ok(self, code: str, **options) -> Result:
        """Runs a cell and requires that it succeeds."""
        result = self.run(code, **options)
        assert result.ok, f"the cell failed:\n{code}\n{result}\n{result.error}"
        return result

    def fails(self, code: str, *patterns: str, **options) -> Result:
        """Runs a cell and requires that it fails, with an error that matches all of `patterns`."""
        result = self.run(code, **options)
        assert not result.ok, f"the cell should have failed:\n{code}\n{result}"
        for pattern in patterns:
            assert re.search(pattern, result.error, re.IGNORECASE), f"no {pattern!r} in the error of\n{code}\n\n{result.error}"
        return result

    def complete(self, code: str) -> list[str]:
        """Returns the completions at the end of `code`."""
        return self.reply(self.client.complete(code, len(code)), CELL_TIMEOUT)["matches"]

    def inspect(self, code: str) -> str:
        """Returns the inspection, as plain text, at the end of `code`."""
        return self.reply(self.client.inspect(code, len(code)), CELL_TIMEOUT)["data"].get("text/plain", "")

    def wait_for_analyzer(self, timeout: float = 150) -> None:
        """Waits until completion knows more than names. The analyzer takes some seconds to load."""
        deadline = time.monotonic() + timeout
        while "exit" not in self.complete("std::process::exi"):
            if time.monotonic() > deadline:
                raise TimeoutError(f"no analyzer after {timeout} s")
            time.sleep(0.2)

    def stop(self) -> None:
        self.client.stop_channels()
        self.manager.shutdown_kernel(now=False)


@contextmanager
def running_kernel(folder: str, manager: KernelManager | None = None, **options):
    """Runs a kernel in `folder`: the one under test, or the one that `manager` starts. `options` are passed to the start."""
    manager = manager or KernelManager(kernel_name=KERNEL_NAME)
    manager.start_kernel(cwd=folder, **options)
    kernel = None
    try:
        kernel = Kernel(manager, folder)
        yield kernel
    finally:
        if kernel is not None:
            kernel.stop()
        else:
            manager.shutdown_kernel(now=True)


def runtime_of(kernel: Kernel) -> psutil.Process:
    """Returns the process that holds the values."""
    children = psutil.Process(kernel.manager.provisioner.process.pid).children(recursive=True)
    return next(child for child in children if child.name() == "swath-runtime")


class _Tables(HTMLParser):
    def __init__(self):
        super().__init__()
        self.tables: list[list[list[str]]] = []
        self.cell: list[str] | None = None
        self.hidden = 0

    def handle_starttag(self, tag, attributes):
        if tag == "table":
            self.tables.append([])
        elif tag == "tr" and self.tables:
            self.tables[-1].append([])
        elif tag in ("td", "th") and self.tables and self.tables[-1]:
            self.cell = []
        elif tag == "style":
            self.hidden += 1
        elif tag in ("br", "div", "small", "span") and self.cell is not None:
            self.cell.append(" ")  # A dtype below a name is a separate word.

    def handle_endtag(self, tag):
        if tag in ("td", "th") and self.cell is not None:
            self.tables[-1][-1].append(" ".join("".join(self.cell).split()))
            self.cell = None
        elif tag == "style":
            self.hidden -= 1

    def handle_data(self, data):
        if self.cell is not None and not self.hidden:
            self.cell.append(data)


def tables(html: str) -> list[list[list[str]]]:
    """Returns the tables in a piece of HTML, as rows of the cells' text."""
    parser = _Tables()
    parser.feed(html)
    return parser.tables
