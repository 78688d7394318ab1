"""The walkthrough in JupyterLab, in a real browser.

One session: the test opens the notebook, chooses Run All Cells from the menu,
waits until the kernel is idle and inspects the page, in the light and in the dark
theme. It measures what a person would check by eye: tables contain their figures,
graphs have a size, labels stay within their nodes, text contrasts with its
background. The screenshots in tests/screenshots are for people.
"""

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest
from playwright.sync_api import sync_playwright

from conftest import PROJECT

pytestmark = pytest.mark.timeout(420)

NOTEBOOK = "scaling-with-swath.ipynb"
SCREENSHOTS = PROJECT / "tests" / "screenshots"
TOKEN = "a-token-for-the-tests"
WIDTH, HEIGHT = 1400, 1000
CHROMIUM_FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]
THEMES = {"light": "JupyterLab Light", "dark": "JupyterLab Dark"}
# Below this contrast, text is hard to read (WCAG requires 4.5 for small text, 3 for large).
LEAST_CONTRAST = 3.0


def chromium() -> str:
    for name in ("chromium", "chromium-browser", "google-chrome"):
        if path := shutil.which(name):
            return path
    pytest.fail("there is no Chromium here: apt-get install chromium, or tests/run, which does it")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture(scope="module")
def jupyterlab(kernelspec, movielens, tmp_path_factory):
    """JupyterLab's address. It works in a separate folder, without any user's settings."""
    home = tmp_path_factory.mktemp("lab")
    folder = home / "notebooks"
    folder.mkdir()
    shutil.copy(PROJECT / "notebooks" / NOTEBOOK, folder)
    (folder / "data").symlink_to(movielens)
    settings = {
        "@jupyterlab/apputils-extension/notification": {"fetchNews": "false", "checkForUpdates": False},
        # All cells stay in the page, so that all can be inspected.
        "@jupyterlab/notebook-extension/tracker": {"windowingMode": "none"},
    }
    for name, value in settings.items():
        path = home / "settings" / f"{name}.jupyterlab-settings"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(value))
    port = free_port()
    environment = os.environ | {
        "JUPYTER_CONFIG_DIR": str(home / "config"),
        "JUPYTER_RUNTIME_DIR": str(home / "runtime"),
        "JUPYTERLAB_SETTINGS_DIR": str(home / "settings"),
        "JUPYTERLAB_WORKSPACES_DIR": str(home / "workspaces"),
    }
    log = home / "jupyterlab.log"
    with log.open("w") as output:
        server = subprocess.Popen(
            [sys.executable, "-m", "jupyterlab", "--no-browser", "--ip=127.0.0.1", f"--port={port}", "--ServerApp.port_retries=0",
             f"--IdentityProvider.token={TOKEN}", f"--ServerApp.root_dir={folder}", "--allow-root"],
            stdout=output, stderr=subprocess.STDOUT, env=environment, cwd=folder,
        )
        try:
            address = f"http://127.0.0.1:{port}"
            deadline = time.monotonic() + 60
            while True:
                try:
                    urllib.request.urlopen(f"{address}/api?token={TOKEN}", timeout=2)
                    break
                except (urllib.error.URLError, OSError):
                    assert server.poll() is None and time.monotonic() < deadline, f"JupyterLab did not start:\n{log.read_text()}"
                    time.sleep(0.3)
            yield address
        finally:
            server.terminate()
            try:
                server.wait(timeout=30)
            except subprocess.TimeoutExpired:
                server.kill()


@pytest.fixture(scope="module")
def page(jupyterlab):
    """The walkthrough in the page, after all cells have run."""
    (SCREENSHOTS / "failed.png").unlink(missing_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=CHROMIUM_FLAGS)
        page = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT})
        page.set_default_timeout(60_000)
        errors = []
        page.on("pageerror", lambda error: errors.append(str(error)))
        try:
            page.goto(f"{jupyterlab}/lab/tree/{NOTEBOOK}?token={TOKEN}")
            page.wait_for_selector(".jp-NotebookPanel .jp-Cell")
            wait_for_idle(page)
            page.get_by_role("menuitem", name="View", exact=True).wait_for()
            hide_sidebar(page)
            choose(page, "Run", "Run All Cells")
            page.wait_for_function("() => document.querySelector('.jp-CodeCell .jp-InputPrompt').textContent.trim() !== '[ ]:'")
            page.wait_for_function(
                """() => [...document.querySelectorAll('.jp-NotebookPanel .jp-CodeCell')].every(
                    cell => /^\\[\\d+\\]:$/.test(cell.querySelector('.jp-InputPrompt').textContent.trim()))
                    || document.querySelector('.jp-NotebookPanel .jp-RenderedText[data-mime-type="application/vnd.jupyter.error"], .jp-NotebookPanel .jp-OutputArea-output[data-mime-type="application/vnd.jupyter.stderr"] .ansi-red-fg')""",
                timeout=240_000,
            )
            wait_for_idle(page)
            page.lab_errors = errors
            yield page
        except Exception:
            SCREENSHOTS.mkdir(exist_ok=True)
            page.screenshot(path=SCREENSHOTS / "failed.png")
            raise
        finally:
            browser.close()


def choose(page, *path: str) -> None:
    """Picks an entry from the menu bar."""
    page.locator(f".lm-MenuBar-itemLabel >> text=/^{path[0]}$/").click()
    for entry in path[1:-1]:
        page.locator(f".lm-Menu-itemLabel >> text=/^{re.escape(entry)}$/").hover()
    page.locator(f".lm-Menu-itemLabel >> text=/^{re.escape(path[-1])}$/").last.click()


def hide_sidebar(page) -> None:
    if page.locator(".jp-DirListing").is_visible():
        page.keyboard.press("Control+b")


def wait_for_idle(page) -> None:
    # The status bar, because the toolbar's circle says idle before a kernel exists. Running
    # cells at that point opens the dialog for choosing one.
    page.wait_for_selector("#jp-bottom-panel >> text=/Rust \\(Swath\\) \\| Idle/", timeout=120_000)


@pytest.fixture(params=THEMES)
def theme(page, request):
    """The page in a theme, with the pointer out of the way."""
    wanted = THEMES[request.param]
    dark = request.param == "dark"
    if (page.evaluate("document.body.dataset.jpThemeLight") != "true") != dark:
        choose(page, "Settings", "Theme", wanted)
        page.wait_for_function("dark => (document.body.dataset.jpThemeLight !== 'true') === dark", arg=dark)
        page.wait_for_timeout(1500)
    page.mouse.move(0, 0)
    return request.param


def cell(page, identity: str) -> int:
    """Returns a cell's place in the page, by its id in the file."""
    cells = json.loads((PROJECT / "notebooks" / NOTEBOOK).read_text())["cells"]
    return next(index for index, cell in enumerate(cells) if cell["id"] == identity)


def output(page, identity: str):
    return page.locator(".jp-NotebookPanel .jp-Cell").nth(cell(page, identity)).locator(".jp-OutputArea")


def test_no_cell_failed(page):
    errors = page.locator('.jp-OutputArea-output[data-mime-type="application/vnd.jupyter.error"]').all_inner_texts()
    assert errors == []
    stderr = page.locator('.jp-OutputArea-output[data-mime-type="application/vnd.jupyter.stderr"]').all_inner_texts()
    assert stderr == []
    assert page.lab_errors == []


def test_the_table_is_a_table(page):
    shown = output(page, "swath-mean")
    table = shown.locator("table").first
    box = table.bounding_box()
    assert box["width"] > 150 and box["height"] > 60
    rows = [row.locator("td, th").all_inner_texts() for row in table.locator("tr").all()]
    female = next(row for row in rows if row[0].strip() == "F")
    assert {"481.406593", "33.813187"} <= {text.strip() for text in female}


def test_the_recommendation_is_a_table(page):
    text = output(page, "recommendation").locator("table").first.inner_text()
    for expected in ("I.Q. (1994)", "Star Wars (1977)", "Return of the Jedi (1983)", "Back to the Future (1985)"):
        assert expected in text


def test_progress_ended_complete(page):
    bars = output(page, "persist").locator('[role="progressbar"]')
    assert bars.count() == 3
    for bar in bars.all():
        assert bar.get_attribute("aria-valuenow") == bar.get_attribute("aria-valuemax")
        box = bar.bounding_box()
        assert box["width"] > 50 and box["height"] > 2
        filled = bar.evaluate(
            """bar => {
                if (bar.tagName === 'PROGRESS') return bar.value / bar.max;
                const whole = bar.getBoundingClientRect().width;
                return Math.max(0, ...[...bar.querySelectorAll('*')].map(part => part.getBoundingClientRect().width)) / whole;
            }"""
        )
        assert filled > 0.95, "the bar is not filled"


GRAPHS = ["mean-graph", "ones-graph", "transpose-graph", "product-graph", "delayed-graph", "pipeline-graph", "liked-graph"]

# Measures the graphs of an output: in the page, or inside an image. Sizes are in the SVG's own units.
MEASURE = """async area => {
    const inline = [...area.querySelectorAll('svg')].filter(svg => !svg.closest('button'));
    const images = [...area.querySelectorAll('img')].filter(image => image.src.startsWith('data:image/svg+xml') || image.src.startsWith('blob:'));
    const found = [];
    for (const svg of inline) found.push([svg, svg.getBoundingClientRect()]);
    for (const image of images) {
        const text = await (await fetch(image.src)).text();
        const holder = document.createElement('div');
        holder.style.cssText = 'position:absolute;left:-10000px;top:0';
        holder.innerHTML = text.slice(text.indexOf('<svg'));
        document.body.append(holder);
        found.push([holder.querySelector('svg'), image.getBoundingClientRect()]);
    }
    const area_box = area.getBoundingClientRect();
    return found.map(([svg, box]) => {
        const nodes = [];
        for (const text of svg.querySelectorAll('text')) {
            let group = text.parentElement;
            const shape = [...group.querySelectorAll('circle, ellipse, rect, polygon, path')].find(
                shape => shape.parentElement === group || shape.closest('g') === group);
            if (!shape || group === svg) continue;
            const inner = text.getBoundingClientRect(), outer = shape.getBoundingClientRect();
            nodes.push({label: text.textContent.trim(), overflow: Math.max(
                outer.left - inner.left, inner.right - outer.right, outer.top - inner.top, inner.bottom - outer.bottom)});
        }
        const scale = svg.viewBox?.baseVal?.width ? box.width / svg.viewBox.baseVal.width : 1;
        const sizes = [...svg.querySelectorAll('text')].map(text => parseFloat(getComputedStyle(text).fontSize) * scale);
        // A graph that would have to shrink too far scrolls instead, in a box of its own.
        let scroller = images.length ? null : svg.parentElement;
        while (scroller && scroller !== area && !(scroller.scrollWidth > scroller.clientWidth
                && ['auto', 'scroll'].includes(getComputedStyle(scroller).overflowX))) scroller = scroller.parentElement;
        const hidden = scroller && scroller !== area
            ? box.width - scroller.scrollWidth : box.right - area_box.right;
        return {width: box.width, height: box.height, right: hidden, nodes, smallest: Math.min(...sizes)};
    });
}"""


@pytest.mark.parametrize("identity", GRAPHS)
def test_a_graph_is_readable(page, identity):
    shown = output(page, identity)
    shown.scroll_into_view_if_needed()
    measured = shown.evaluate(MEASURE)
    assert measured, "no SVG in the page"
    graph = measured[0]
    assert graph["width"] > 60 and graph["height"] > 60
    assert graph["right"] <= 1, "the graph is cut off at the right"
    assert graph["nodes"], "no node has a label"
    for node in graph["nodes"]:
        assert node["overflow"] <= 1.5, f"the label {node['label']!r} sticks out by {node['overflow']:.1f} px"
    assert graph["smallest"] >= 6, f"the smallest text is {graph['smallest']:.1f} px high"


# Finds text whose colour is too close to what is behind it: for tables and the like the
# background, for labels in graphs the shape below them.
CONTRAST = """least => {
    const canvas = document.createElement('canvas').getContext('2d', {willReadFrequently: true});
    const rgba = colour => {
        canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = '#000'; canvas.fillStyle = colour; canvas.fillRect(0, 0, 1, 1);
        const [r, g, b, a] = canvas.getImageData(0, 0, 1, 1).data; return [r, g, b, a / 255];
    };
    const over = (top, under) => [0, 1, 2].map(i => top[i] * top[3] + under[i] * (1 - top[3])).concat(1);
    const filled = element => { const style = getComputedStyle(element), c = rgba(style.fill);
        return [...c.slice(0, 3), c[3] * parseFloat(style.fillOpacity || 1)]; };
    const luminance = c => { const [r, g, b] = c.slice(0, 3).map(v => { v /= 255; return v <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4; });
        return .2126 * r + .7152 * g + .0722 * b; };
    const behind = element => {
        const layers = [];
        for (let e = element; e; e = e.parentElement) { const c = rgba(getComputedStyle(e).backgroundColor); layers.push(c); if (c[3] === 1) break; }
        return layers.reverse().reduce((under, top) => over(top, under), [255, 255, 255, 1]);
    };
    const poor = [];
    const judge = (what, colour, background) => {
        const [a, b] = [luminance(over(colour, background)), luminance(background)];
        const contrast = (Math.max(a, b) + .05) / (Math.min(a, b) + .05);
        if (contrast < least) poor.push(`${what}: ${contrast.toFixed(1)}`);
    };
    for (const area of document.querySelectorAll('.jp-NotebookPanel .jp-OutputArea-output')) {
        for (const element of area.querySelectorAll('td, th, span, div, p, b, small, pre, code')) {
            if (element.closest('svg')) continue;
            const text = [...element.childNodes].filter(n => n.nodeType === 3).map(n => n.textContent.trim()).join('');
            if (!text || !element.getClientRects().length) continue;
            judge(text.slice(0, 30), rgba(getComputedStyle(element).color), behind(element));
        }
        for (const text of area.querySelectorAll('svg text')) {
            let background = behind(text.closest('svg').parentElement);
            const shape = [...text.parentElement.children].find(e => /^(circle|ellipse|rect|polygon|path)$/.test(e.tagName));
            if (shape && text.parentElement.tagName !== 'svg') 
                if (getComputedStyle(shape).fill !== 'none') background = over(filled(shape), background);
            judge('svg ' + text.textContent.trim().slice(0, 30), filled(text), background);
        }
    }
    return [...new Set(poor)];
}"""


def test_text_is_legible(page, theme):
    assert page.evaluate(CONTRAST, LEAST_CONTRAST) == []


def test_the_page_does_not_scroll_sideways(page):
    """Wide tables and graphs scroll or shrink within their own area."""
    too_wide = page.evaluate(
        """() => [...document.querySelectorAll('.jp-NotebookPanel .jp-OutputArea-child')]
            .filter(e => e.getBoundingClientRect().right > innerWidth + 1).map(e => e.innerText.slice(0, 60))"""
    )
    assert too_wide == []


def test_screenshots(page, theme):
    """The whole notebook, a window's height at a time."""
    SCREENSHOTS.mkdir(exist_ok=True)
    for old in SCREENSHOTS.glob(f"{theme}-*.png"):
        old.unlink()
    scroller = page.evaluate_handle(
        """() => { let e = document.querySelector('.jp-NotebookPanel .jp-Notebook .jp-Cell');
            while (e && !(e.scrollHeight > e.clientHeight + 50 && /auto|scroll/.test(getComputedStyle(e).overflowY))) e = e.parentElement;
            return e; }"""
    )
    assert scroller.as_element(), "the notebook fits into one window"
    height, window = scroller.evaluate("e => [e.scrollHeight, e.clientHeight]")
    step = window - 60
    for number, top in enumerate(range(0, height, step), start=1):
        scroller.evaluate("(e, top) => e.scrollTo(0, top)", top)
        page.wait_for_timeout(200)
        page.screenshot(path=SCREENSHOTS / f"{theme}-{number:02}.png")
    pictures = sorted(SCREENSHOTS.glob(f"{theme}-*.png"))
    assert len(pictures) >= 5
    assert all(path.stat().st_size > 10_000 for path in pictures)
