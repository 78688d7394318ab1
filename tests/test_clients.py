"""The clients that people use, as published on PyPI: consoles, headless runs, several clients at once.

Papermill is in test_notebooks.py, JupyterLab in test_browser.py and
test_pages.py, the rules of VS Code in test_vscode.py.
"""

import re
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import nbformat
import pexpect
import pytest
import zmq
from jupyter_client import BlockingKernelClient
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError

from kernel import ANSI, KERNEL_NAME
from leftovers import Traces

# Long enough for a console and a kernel to start on a busy machine.
PATIENCE = 60
# A minute of small tasks, which an interrupt ends quickly.
NAPS = "for _ in 0..1200 { delayed(|n: u64| { std::thread::sleep(std::time::Duration::from_millis(50)); n }).call(1u64).compute()?; }"


@pytest.fixture
def traces() -> Traces:
    return Traces()


def notebook(*cells: str | tuple[str, dict]) -> nbformat.NotebookNode:
    """Returns a notebook of these cells. A cell may come with metadata."""
    made = [nbformat.v4.new_code_cell(*[cell] if isinstance(cell, str) else cell[:1], **({} if isinstance(cell, str) else {"metadata": cell[1]})) for cell in cells]
    metadata = {"kernelspec": {"name": KERNEL_NAME, "display_name": "Rust (Swath)", "language": "rust"}}
    return nbformat.v4.new_notebook(cells=made, metadata=metadata)


def jupyter(folder: Path, *arguments: str, environment: dict | None = None) -> subprocess.CompletedProcess:
    """Runs `python -m …` in a folder, as a user would on a command line."""
    return subprocess.run(
        [sys.executable, "-m", *arguments], cwd=folder, env=environment, capture_output=True, text=True, timeout=170, check=False,
    )


# jupyter console, through a terminal.

# Sequences that move the cursor, colour text or set a title; at the end, an incomplete one.
CONTROLS = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07]*\x07|\x1b[=>78]|\x1b[()].|\x1b[^A-Za-z]*$")


class Console:
    """`jupyter console` behind a pseudo-terminal: its input and its output."""

    def __init__(self, folder: Path, environment: dict, *arguments: str):
        self.process = pexpect.spawn(
            sys.executable,
            # The confirmation would be one more prompt to answer.
            ["-m", "jupyter_console", "--no-confirm-exit", *arguments],
            cwd=str(folder), encoding="utf-8", codec_errors="replace", dimensions=(50, 250),
            # Nothing answers the query for the cursor's position.
            env=environment | {"TERM": "xterm", "PROMPT_TOOLKIT_NO_CPR": "1"},
        )
        self.raw = ""
        # The position up to which the text without control sequences has been read.
        self.seen = 0
        self.number = 0
        self.prompt()

    def see(self, pattern: str) -> str:
        """Waits until the terminal shows a pattern. Returns its text up to there."""
        deadline = time.monotonic() + PATIENCE
        while True:
            text = CONTROLS.sub("", self.raw)
            if found := re.compile(pattern).search(text, self.seen):
                shown, self.seen = text[self.seen : found.end()], found.end()
                return shown
            assert time.monotonic() < deadline, f"no {pattern!r} in the terminal, but\n{text[self.seen:]}"
            try:
                self.raw += self.process.read_nonblocking(4096, timeout=0.2)
            except pexpect.TIMEOUT:
                pass
            except pexpect.EOF:
                raise AssertionError(f"the console has ended:\n{text}") from None

    def prompt(self) -> str:
        """Waits for the next cell's prompt, which has a different number from the last one."""
        number = self.number
        while self.number == number:
            shown = self.see(r"In \[\d+\]: ")
            self.number = int(re.findall(r"In \[(\d+)\]", shown)[-1])
        return shown

    def enter(self, line: str) -> None:
        # prompt_toolkit treats \r as the Enter key.
        self.process.send(f"{line}\r")

    def run(self, line: str, *patterns: str) -> None:
        """Enters a line and waits for the expected output, then for the next prompt."""
        self.enter(line)
        for pattern in patterns:
            self.see(pattern)
        self.prompt()

    def end(self) -> None:
        """Sends Ctrl-D, after which the console must end. It drops keys while it redraws its prompt, hence the retries."""
        for _ in range(6):
            self.process.sendeof()
            if self.process.expect([pexpect.EOF, pexpect.TIMEOUT], timeout=PATIENCE / 6) == 0:
                break
        else:
            raise AssertionError("the console does not end")
        self.process.close()


@contextmanager
def console(folder: Path, environment: dict, *arguments: str):
    opened = Console(folder, environment, *arguments)
    try:
        yield opened
    finally:
        opened.process.close(force=True)


def test_console(kernelspec, tmp_path, traces):
    """A session in a terminal: results, an error, input, Tab, Ctrl-C, Ctrl-D."""
    with console(tmp_path, traces.environment, f"--kernel={KERNEL_NAME}") as terminal:
        terminal.run("let treasure = 6 * 7;")
        terminal.run("treasure", r"Out\[\d+\]: 42")
        terminal.run('println!("to the terminal");', r"\nto the terminal")
        terminal.run("no_such_name", "cannot find value")
        # Enter in the middle of an expression starts a new line, as is_complete says.
        terminal.enter("vec![treasure,")
        terminal.run("1]", r"Out\[\d+\]: \[42, 1\]")

        terminal.process.send("treas\t")
        terminal.see("treasure")
        terminal.run(" + 1", r"Out\[\d+\]: 43")

        terminal.enter('let name = input("Who is it? ")?; format!("{name}!")')
        terminal.see(r"\nWho is it\? ")
        terminal.process.sendline("Ada")
        terminal.see(r'Out\[\d+\]: "Ada!"')
        terminal.prompt()

        started = time.monotonic()
        terminal.enter(f'println!("sleeping"); {NAPS}')
        terminal.see(r"\nsleeping")
        terminal.process.sendintr()
        terminal.see("(?i)interrupted")
        terminal.prompt()
        assert time.monotonic() - started < 45, "the cell ran to its end"
        terminal.run("treasure", r"Out\[\d+\]: 42")

        assert traces.named("swath"), "the console runs no kernel of ours"
        terminal.end()
    assert not traces.left_after()


def test_a_console_beside_another_client(kernel, tmp_path, traces):
    """`jupyter console --existing` shares the variables, and leaves the kernel running."""
    kernel.ok("let shared_with_console = 5;")
    with console(tmp_path, traces.environment, f"--existing={kernel.manager.connection_file}") as terminal:
        terminal.run("shared_with_console * 2", r"Out\[\d+\]: 10")
        terminal.run("let from_console = 7;")
        assert kernel.ok("from_console").result == "7"
        terminal.end()
    assert kernel.ok("from_console + shared_with_console").result == "12"


# Headless runs.

GOOD = ["let n = 6;", 'println!("n is {n}");', "n * 7"]


def test_nbconvert_executes(kernelspec, tmp_path, traces):
    nbformat.write(notebook(*GOOD), tmp_path / "good.ipynb")
    done = jupyter(tmp_path, "nbconvert", "--to", "notebook", "--execute", "good.ipynb", "--output", "done", environment=traces.environment)
    assert done.returncode == 0, done.stderr
    executed = nbformat.read(tmp_path / "done.ipynb", as_version=4)
    nbformat.validate(executed)
    assert [cell.execution_count for cell in executed.cells] == [1, 2, 3]
    assert executed.cells[1].outputs[0].text == "n is 6\n"
    assert executed.cells[2].outputs[0].data["text/plain"] == "42"
    assert executed.metadata.language_info.name == "rust"
    assert not traces.left_after()


def test_nbconvert_makes_a_page(kernelspec, tmp_path, traces):
    """Runs the notebook first, because nbconvert colours a page by the language_info that the notebook already has."""
    nbformat.write(notebook(*GOOD, 'display(&Html("<b>bold</b>"));'), tmp_path / "good.ipynb")
    for options in (["--to", "notebook", "--inplace", "--execute"], ["--to", "html"]):
        done = jupyter(tmp_path, "nbconvert", *options, "good.ipynb", environment=traces.environment)
        assert done.returncode == 0, done.stderr
    page = (tmp_path / "good.html").read_text()
    assert "<b>bold</b>" in page and "n is 6" in page
    assert '<span class="kd">let</span>' in page, "Rust's keywords are not marked"


@pytest.mark.parametrize("allowed", [False, True], ids=["not allowed", "allowed"])
def test_nbconvert_and_a_cell_that_fails(kernelspec, tmp_path, traces, allowed):
    nbformat.write(notebook("let n = 1;", 'panic!("as it should")', "n + 1"), tmp_path / "bad.ipynb")
    options = ["--allow-errors"] if allowed else []
    done = jupyter(tmp_path, "nbconvert", "--to", "notebook", "--execute", *options, "bad.ipynb", "--output", "done", environment=traces.environment)
    if allowed:
        assert done.returncode == 0, done.stderr
        cells = nbformat.read(tmp_path / "done.ipynb", as_version=4).cells
        assert [output.output_type for output in cells[1].outputs if output.output_type != "stream"] == ["error"]
        assert cells[2].outputs[0].data["text/plain"] == "2", "the cell after the failed one didn't run"
    else:
        assert done.returncode != 0
        assert "as it should" in done.stderr
        assert not (tmp_path / "done.ipynb").exists()
    assert not traces.left_after()


def test_nbmake(kernelspec, tmp_path, traces):
    """`pytest --nbmake`: a notebook is a test."""
    nbformat.write(notebook(*GOOD), tmp_path / "good.ipynb")
    nbformat.write(notebook("let n = 1;", "assert_eq!(n, 2);", "n"), tmp_path / "bad.ipynb")
    options = ["pytest", "--nbmake", "-p", "no:cacheprovider", "--color=no"]
    good = jupyter(tmp_path, *options, "good.ipynb", environment=traces.environment)
    assert good.returncode == 0 and "1 passed" in good.stdout, good.stdout
    bad = jupyter(tmp_path, *options, "bad.ipynb", "good.ipynb", environment=traces.environment)
    assert bad.returncode == 1 and "1 failed, 1 passed" in bad.stdout, bad.stdout
    assert re.search(r"left: 1[\s\S]*right: 2", ANSI.sub("", bad.stdout)), bad.stdout
    assert not traces.left_after()


def test_jupyter_execute(kernelspec, tmp_path, traces):
    nbformat.write(notebook(*GOOD), tmp_path / "good.ipynb")
    done = jupyter(tmp_path, "jupyter", "execute", "--inplace", "good.ipynb", environment=traces.environment)
    assert done.returncode == 0, done.stderr
    assert nbformat.read(tmp_path / "good.ipynb", as_version=4).cells[2].outputs[0].data["text/plain"] == "42"
    assert not traces.left_after()


def test_jupyter_run(kernelspec, tmp_path, traces):
    (tmp_path / "script.rs").write_text('fn double(n: u64) -> u64 { 2 * n }\nprintln!("twice is {}", double(21));\n')
    done = jupyter(tmp_path, "jupyter", "run", f"--kernel={KERNEL_NAME}", "script.rs", environment=traces.environment)
    assert done.returncode == 0, done.stderr
    assert "twice is 42" in done.stdout
    assert not traces.left_after()


# nbclient, as a library.


def client(tmp_path: Path, *cells: str | tuple[str, dict], **options) -> NotebookClient:
    return NotebookClient(notebook(*cells), kernel_name=KERNEL_NAME, resources={"metadata": {"path": str(tmp_path)}}, **options)


def test_nbclient_interrupts_a_cell_that_takes_too_long(kernelspec, tmp_path):
    """The cell is interrupted, and the next one has the variables of the earlier cells."""
    run = client(tmp_path, "let kept = 8;", NAPS, "kept + 1", timeout=4, interrupt_on_timeout=True, allow_errors=True)
    started = time.monotonic()
    run.execute()
    assert time.monotonic() - started < 45, "the cell ran to its end"
    first, slow, after = run.nb.cells
    (error,) = [output for output in slow.outputs if output.output_type == "error"]
    assert "interrupt" in error.ename.lower() + error.evalue.lower()
    assert after.outputs[0].data["text/plain"] == "9"


def test_nbclient_gives_up_a_cell_that_takes_too_long(kernelspec, tmp_path, traces):
    run = client(tmp_path, "1", NAPS, timeout=4)
    with pytest.raises(CellTimeoutError):
        run.execute(env=traces.environment)
    assert not traces.left_after()


def test_nbclient_and_errors_that_are_expected(kernelspec, tmp_path):
    expected = {"tags": ["raises-exception"]}
    run = client(tmp_path, "let n = 3;", ('panic!("foreseen")', expected), ("let x: i32 = \"text\";", expected), "n")
    run.execute()
    errors = [output.ename for cell in run.nb.cells for output in cell.outputs if output.output_type == "error"]
    assert len(errors) == 2
    assert run.nb.cells[3].outputs[0].data["text/plain"] == "3"


def test_nbclient_stops_at_an_error(kernelspec, tmp_path):
    run = client(tmp_path, "let n = 3;", 'panic!("unforeseen")', "n")
    with pytest.raises(CellExecutionError, match="unforeseen"):
        run.execute()
    assert run.nb.cells[2].execution_count is None


# Several clients of one kernel.


@contextmanager
def further_clients(kernel, count: int):
    """Clients with separate sessions, like those of other pages and programs."""
    clients = []
    try:
        for _ in range(count):
            client = BlockingKernelClient()
            client.load_connection_info(kernel.manager.get_connection_info())
            client.start_channels()
            clients.append(client)
            client.wait_for_ready(timeout=PATIENCE)
        yield clients
    finally:
        for client in clients:
            client.stop_channels()


def outputs_of(client: BlockingKernelClient, wanted: set[str]) -> dict[str, str]:
    """Returns what each of these requests printed, as one client sees it, up to its idle."""
    printed, waiting = dict.fromkeys(wanted, ""), set(wanted)
    while waiting:
        message = client.get_iopub_msg(timeout=PATIENCE)
        parent = message["parent_header"].get("msg_id")
        if parent not in wanted:
            continue
        if message["msg_type"] == "stream":
            assert parent in waiting, "output after idle"
            printed[parent] += message["content"]["text"]
        elif message["content"].get("execution_state") == "idle":
            waiting.discard(parent)
    return printed


def test_three_clients_at_once(kernel):
    """Each reply goes to the client that sent the request, and each client sees the outputs of all."""
    lines = 200
    with further_clients(kernel, 3) as clients:
        sent = {}
        for turn in range(4):
            for number, client in enumerate(clients):
                name = f"client {number} turn {turn}"
                sent[client.execute(f'for n in 0..{lines} {{ println!("{name} line {{n}}"); }}')] = (client, name)
        expected = {request: "".join(f"{name} line {n}\n" for n in range(lines)) for request, (_, name) in sent.items()}
        for client in clients:
            assert outputs_of(client, set(sent)) == expected
            own = [request for request, (sender, _) in sent.items() if sender is client]
            replies = [client.get_shell_msg(timeout=PATIENCE) for _ in own]
            assert [reply["parent_header"]["msg_id"] for reply in replies] == own, "a reply is lost, or somebody else's"
            assert {reply["content"]["status"] for reply in replies} == {"ok"}
            assert not client.shell_channel.msg_ready()


def test_questions_go_to_who_runs_the_cell(kernel):
    with further_clients(kernel, 2) as (asked, other):
        request = asked.execute('input("who? ")?', allow_stdin=True)
        question = asked.get_stdin_msg(timeout=PATIENCE)
        assert question["content"]["prompt"] == "who? "
        assert not other.stdin_channel.msg_ready()
        asked.input("the first")
        reply = asked.get_shell_msg(timeout=PATIENCE)
        assert (reply["parent_header"]["msg_id"], reply["content"]["status"]) == (request, "ok")


def test_any_client_may_interrupt(kernel):
    kernel.ok("let kept_for_all = 4;")
    with further_clients(kernel, 2) as (runs, stops):
        request = runs.execute(f'println!("started");\n{NAPS}')
        while runs.get_iopub_msg(timeout=PATIENCE)["msg_type"] != "stream":
            pass
        message = stops.session.msg("interrupt_request", {})
        stops.control_channel.send(message)
        assert stops.get_control_msg(timeout=PATIENCE)["parent_header"]["msg_id"] == message["header"]["msg_id"]
        reply = runs.get_shell_msg(timeout=PATIENCE)
        assert (reply["parent_header"]["msg_id"], reply["content"]["status"]) == (request, "error")
    assert kernel.ok("kept_for_all").result == "4"


def test_an_interrupt_between_two_computations(kernel):
    """An interrupt that comes while nothing is computed ends the cell at the next computation."""
    request = kernel.send(
        'for n in 0..400u64 { delayed(|n: u64| n).call(n).compute()?; if n == 3 { println!("between"); } std::thread::sleep(std::time::Duration::from_millis(50)); }'
    )
    while kernel.iopub(timeout=PATIENCE)["msg_type"] != "stream":
        pass
    kernel.manager.interrupt_kernel()
    assert kernel.finish(request).reply["status"] == "error"


def test_a_client_that_goes_in_the_middle_of_its_cell(kernel):
    """The cell runs to its end, and other clients can use its variables."""
    with further_clients(kernel, 1) as (client,):
        client.execute('println!("started"); std::thread::sleep(std::time::Duration::from_secs(2)); let left_by_the_other = 3;')
        while client.get_iopub_msg(timeout=PATIENCE)["msg_type"] != "stream":
            pass
    assert kernel.ok("left_by_the_other").result == "3"


def test_a_client_that_comes_while_a_cell_runs(kernel):
    """The new client gets the rest of the cell's output, and its end."""
    with further_clients(kernel, 1) as (first,):
        request = first.execute('for n in 0..8 { println!("line {n}"); std::thread::sleep(std::time::Duration::from_millis(500)); }')
        while first.get_iopub_msg(timeout=PATIENCE)["msg_type"] != "stream":
            pass
        with further_clients(kernel, 1) as (second,):
            assert outputs_of(second, {request})[request].endswith("line 6\nline 7\n")


def test_a_client_that_reads_nothing_holds_nobody_up(own_kernel):
    """Like a client that was stopped by Ctrl-Z: its buffers fill up. Other clients lose nothing and don't wait."""
    info = own_kernel.manager.get_connection_info()
    asleep = zmq.Context.instance().socket(zmq.SUB)
    asleep.setsockopt(zmq.RCVHWM, 10)
    asleep.setsockopt(zmq.RCVBUF, 4096)
    asleep.subscribe(b"")
    try:
        asleep.connect(f"tcp://{info['ip']}:{info['iopub_port']}")
        own_kernel.ok("1")
        cell = 'for n in 0..4000 { display(&Html(format!("<i>{n}</i>{}", " ".repeat(2000)))); }'
        result = own_kernel.run(cell, timeout=40)
        assert [data["text/html"].strip() for data in result.displays] == [f"<i>{n}</i>" for n in range(4000)]
    finally:
        asleep.close(linger=0)
