"""Two JupyterLab pages and a terminal on one kernel.

A notebook in JupyterLab shows only the outputs of cells that its own page has
run. Consoles show the cells of others, if "all kernel activity" is on. The status
bar reflects all of them. A client that connects while a cell runs gets the rest of
its output; test_clients.py tests that, because a page drops that output.
"""

import json
import os
import urllib.request
import uuid

import psutil
import pytest
from playwright.sync_api import expect, sync_playwright

from kernel import KERNEL_NAME
from test_browser import CHROMIUM_FLAGS, TOKEN, choose, chromium, jupyterlab  # noqa: F401
from test_clients import console

pytestmark = pytest.mark.timeout(420)

# In milliseconds, as Playwright expects.
PATIENCE = 60_000
# Prints every half second until the test has seen enough.
TALKS = """let mut spoken = 0;
while !std::path::Path::new("enough").exists() {
    spoken += 1;
    println!("line {spoken}");
    std::thread::sleep(std::time::Duration::from_millis(500));
}
println!("the end");"""
CELLS = ['let treasure = 42; println!("from the first cell");', "treasure + 1", TALKS]
STATUS = "#jp-bottom-panel >> text=/Rust \\(Swath\\) \\| %s/"


def call(address: str, method: str, path: str, content: dict | None = None):
    """Calls JupyterLab's server through its REST interface."""
    body = None if content is None else json.dumps(content).encode()
    request = urllib.request.Request(f"{address}/api/{path}", data=body, method=method, headers={"Authorization": f"token {TOKEN}"})
    with urllib.request.urlopen(request, timeout=30) as answer:
        text = answer.read()
    return json.loads(text) if text else None


@pytest.fixture(scope="module")
def browser():
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=CHROMIUM_FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def notebook(jupyterlab, request) -> str:  # noqa: F811
    """Creates a separate notebook for each test, and returns its name."""
    name = f"{request.node.name}.ipynb"
    cells = [{"cell_type": "code", "id": f"cell-{n}", "metadata": {}, "execution_count": None, "outputs": [], "source": text} for n, text in enumerate(CELLS)]
    metadata = {"kernelspec": {"name": KERNEL_NAME, "display_name": "Rust (Swath)", "language": "rust"}}
    content = {"cells": cells, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}
    call(jupyterlab, "PUT", f"contents/{name}", {"type": "notebook", "content": content})
    yield name
    for session in call(jupyterlab, "GET", "sessions"):
        call(jupyterlab, "DELETE", f"sessions/{session['id']}")


class Page:
    """A separate page, like another browser window."""

    def __init__(self, browser, address: str, notebook: str, workspace: str):
        self.context = browser.new_context(viewport={"width": 1200, "height": 900})
        self.page = self.context.new_page()
        self.page.set_default_timeout(PATIENCE)
        self.page.goto(f"{address}/lab/workspaces/{workspace}/tree/{notebook}?token={TOKEN}")
        self.page.wait_for_selector(".jp-NotebookPanel .jp-Cell")

    def status(self, state: str) -> None:
        """Waits until the status bar shows this state."""
        self.page.wait_for_selector(STATUS % state)

    def run(self, number: int) -> None:
        self.page.locator(".jp-NotebookPanel .jp-Cell .jp-InputArea-editor").nth(number).click()
        self.page.keyboard.press("Control+Enter")

    def output(self, number: int):
        return self.page.locator(".jp-NotebookPanel .jp-Cell").nth(number).locator(".jp-Cell-outputArea")

    def sees(self, number: int, text: str) -> None:
        expect(self.output(number)).to_contain_text(text, timeout=PATIENCE)

    def stays(self, state: str, milliseconds: int = 1500) -> None:
        """Checks that the status bar shows this state now, and continues to."""
        self.status(state)
        other = "Busy" if state == "Idle" else "Idle"
        self.page.wait_for_timeout(milliseconds)
        assert not self.page.locator(STATUS % other).count(), f"the status is not {state} any more"

    def open_console(self):
        """Opens a console on the notebook's kernel, which shows what others run."""
        choose(self.page, "File", "New Console for Notebook")
        shown = self.page.locator(".jp-CodeConsole")
        shown.wait_for()
        self.page.locator(".jp-CodeConsole-promptCell").wait_for()
        return shown

    def close(self) -> None:
        self.context.close()


def kernel_of(address: str, notebook: str) -> dict:
    (session,) = [session for session in call(address, "GET", "sessions") if session["path"] == notebook]
    return session["kernel"]


def connection_file(kernel: str) -> str:
    """Returns the connection file of one of the server's kernels, from the kernel's command line."""
    arguments = [argument for process in psutil.process_iter(["cmdline"]) for argument in process.info["cmdline"] or []]
    return next(argument for argument in arguments if argument.endswith(f"kernel-{kernel}.json"))


def enough(address: str) -> None:
    """Lets the talking cell end, by a file beside the notebook."""
    call(address, "PUT", "contents/enough", {"type": "file", "format": "text", "content": ""})


@pytest.fixture(autouse=True)
def no_file(jupyterlab):  # noqa: F811
    yield
    if any(entry["name"] == "enough" for entry in call(jupyterlab, "GET", "contents")["content"]):
        call(jupyterlab, "DELETE", "contents/enough")


@pytest.fixture
def open_page(browser, jupyterlab, notebook):  # noqa: F811
    """Opens pages on the notebook, and closes them at the end."""
    pages = []

    def opened() -> Page:
        # A new workspace, because an existing one brings its tabs along.
        pages.append(Page(browser, jupyterlab, notebook, uuid.uuid4().hex))
        return pages[-1]

    yield opened
    for page in pages:
        page.close()


def test_pages_and_a_terminal_share_a_kernel(jupyterlab, notebook, open_page, tmp_path):  # noqa: F811
    """Each client runs cells. All share the variables, and each sees the outputs of the others."""
    setting = {"raw": json.dumps({"showAllKernelActivity": True})}
    settings = urllib.request.Request(
        f"{jupyterlab}/lab/api/settings/@jupyterlab/console-extension:tracker", data=json.dumps(setting).encode(), method="PUT",
        headers={"Authorization": f"token {TOKEN}"},
    )
    urllib.request.urlopen(settings, timeout=30).close()
    first = open_page()
    first.status("Idle")
    first.run(0)
    first.sees(0, "from the first cell")
    second = open_page()
    second.status("Idle")
    second.run(1)
    second.sees(1, "43")
    kernel = kernel_of(jupyterlab, notebook)
    assert kernel["connections"] == 2, "the pages have kernels of their own"

    beside = second.open_console()
    first.run(0)
    expect(beside).to_contain_text("from the first cell", timeout=PATIENCE)

    options = (f"--existing={connection_file(kernel['id'])}", "--ZMQTerminalInteractiveShell.include_other_output=True")
    with console(tmp_path, dict(os.environ), *options) as terminal:
        terminal.run("let from_the_terminal = treasure + 8;")
        terminal.run('println!("{from_the_terminal} from the terminal");', r"\n50 from the terminal")
        expect(beside).to_contain_text("50 from the terminal", timeout=PATIENCE)
        first.run(0)
        terminal.see(r"\n[^\n]*from the first cell")
        terminal.end()
    for page in (first, second):
        page.stays("Idle")
    second.run(1)
    second.sees(1, "43")


def test_a_page_that_is_closed_while_its_cell_runs(jupyterlab, notebook, open_page):  # noqa: F811
    """The cell keeps running. The other page and a page opened later show that, exactly until it ends."""
    first, second = open_page(), open_page()
    for page in (first, second):
        page.status("Idle")
    first.run(2)
    first.sees(2, "line 2")
    second.stays("Busy")
    first.close()
    second.stays("Busy")
    again = open_page()
    again.stays("Busy")
    # Other answers of the kernel must not look like the cell's end.
    again.page.locator(".jp-NotebookPanel .jp-Cell .jp-InputArea-editor").nth(1).click()
    again.page.keyboard.press("Control+End")
    again.page.keyboard.type("\nspo")
    again.page.keyboard.press("Tab")
    for page in (second, again):
        page.stays("Busy")
    enough(jupyterlab)
    for page in (second, again):
        page.stays("Idle")
    again.page.keyboard.press("Escape")
    again.run(0)
    again.sees(0, "from the first cell")
    assert kernel_of(jupyterlab, notebook)["execution_state"] == "idle"
