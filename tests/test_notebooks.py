"""The notebooks, executed headless: checks every figure that they should show.

The expected figures are computed here from the files, in plain Python, or copied
from the walkthrough that ours follows.
"""

import ast
import csv
import io
import re
import shutil
import struct
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from base64 import b64decode
from collections import Counter
from pathlib import Path

import nbformat
import papermill
import pytest
from nbclient import NotebookClient
from papermill.translators import papermill_translators

from conftest import PROJECT
from kernel import ANSI, KERNEL_NAME, tables

pytestmark = pytest.mark.timeout(420)

WALKTHROUGH = PROJECT / "notebooks" / "scaling-with-swath.ipynb"
COMPATIBILITY = PROJECT / "notebooks" / "evcxr-compat.ipynb"

FANS_OF_49 = [
    13, 43, 87, 89, 94, 130, 152, 174, 256, 283, 291, 299, 336, 393, 416, 435, 450, 472, 477, 487, 500, 577, 642,
    684, 711, 716, 749, 798, 830, 854, 881, 886, 892,
]


class Executed:
    """An executed notebook, with cells by their ids."""

    def __init__(self, notebook):
        self.cells = {cell.id: cell for cell in notebook.cells}

    def outputs(self, cell: str, *types: str) -> list:
        return [output for output in self.cells[cell].outputs if not types or output.output_type in types]

    def shown(self, cell: str, mime: str) -> list[str]:
        """Returns what the cell shows in one MIME type: results and displays."""
        bundles = [output.data for output in self.outputs(cell, "execute_result", "display_data")]
        return [bundle[mime] for bundle in bundles if mime in bundle]

    def text(self, cell: str) -> str:
        shown = self.shown(cell, "text/plain")
        assert shown, f"the cell {cell} shows nothing: {self.outputs(cell)}"
        return shown[-1]

    def number(self, cell: str) -> float:
        return float(re.search(r"-?\d+(\.\d+)?(e-?\d+)?", self.text(cell)).group())

    def table(self, cell: str) -> list[list[str]]:
        """Returns the rows of the cell's longest HTML table, header first."""
        found = tables(self.shown(cell, "text/html")[-1])
        assert found, f"the cell {cell} shows no table"
        return max(found, key=len)

    def graph(self, cell: str) -> ElementTree.Element:
        """Returns the cell's SVG, whether it has its own MIME type or is inside HTML."""
        texts = self.shown(cell, "image/svg+xml") + self.shown(cell, "text/html")
        svg = re.search(r"<svg.*</svg>", texts[0], re.DOTALL)
        assert svg, f"the cell {cell} shows no SVG"
        return ElementTree.fromstring(svg.group())

    def error(self, cell: str) -> str:
        errors = self.outputs(cell, "error")
        assert len(errors) == 1, f"the cell {cell} has {len(errors)} errors"
        return ANSI.sub("", "\n".join([errors[0].ename, errors[0].evalue, *errors[0].traceback]))


def texts_of(svg: ElementTree.Element) -> str:
    return " ".join("".join(element.itertext()) for element in svg.iter() if element.tag.endswith(("}text", "}title")) or element.tag in ("text", "title"))


def rows_with(table: list[list[str]], first: str) -> list[list[str]]:
    return [row for row in table if row and row[0] == first]


def numbers(row: list[str]) -> list[float]:
    return [float(cell.replace(",", "")) for cell in row if re.fullmatch(r"-?[\d,]+(\.\d+)?", cell)]


@pytest.fixture(scope="module")
def folder(tmp_path_factory, movielens):
    """A folder to execute in, with its own out/ and the data of notebooks/."""
    folder = tmp_path_factory.mktemp("notebooks")
    (folder / "data").symlink_to(movielens)
    for path in (WALKTHROUGH, COMPATIBILITY):
        shutil.copy(path, folder)
    return folder


def execute(path: Path) -> Executed:
    notebook = nbformat.read(path, as_version=4)
    client = NotebookClient(
        notebook, timeout=300, startup_timeout=60, kernel_name=KERNEL_NAME,
        resources={"metadata": {"path": str(path.parent)}},
    )
    client.execute()
    return Executed(notebook)


@pytest.fixture(scope="module")
def walkthrough(folder, kernelspec):
    return execute(folder / WALKTHROUGH.name)


@pytest.fixture(scope="module")
def compatibility(folder, kernelspec):
    return execute(folder / COMPATIBILITY.name)


# The files as committed.


@pytest.mark.parametrize("path", sorted((PROJECT / "notebooks").glob("*.ipynb")), ids=lambda path: path.stem)
def test_a_committed_notebook_is_clean(path):
    notebook = nbformat.read(path, as_version=nbformat.NO_CONVERT)
    nbformat.validate(notebook)
    assert (notebook.nbformat, notebook.nbformat_minor) == (4, 5)
    assert notebook.metadata.kernelspec.name == KERNEL_NAME
    for cell in notebook.cells:
        if cell.cell_type == "code":
            assert (cell.outputs, cell.execution_count) == ([], None), cell.id


# Arrays.


def test_walkthrough_mean_in_chunks_is_the_mean(walkthrough):
    whole, chunked = walkthrough.number("ndarray-mean"), walkthrough.number("chunked-mean")
    assert whole == pytest.approx(0.5, abs=0.001)
    assert chunked == pytest.approx(whole, abs=1e-12)


GRAPHS = {
    "mean-graph": 10, "ones-graph": 9, "transpose-graph": 9, "product-graph": 20, "delayed-graph": 7, "pipeline-graph": 8,
    "liked-graph": 2,
}


@pytest.mark.parametrize("cell", GRAPHS)
def test_walkthrough_graph(walkthrough, cell):
    svg = walkthrough.graph(cell)
    assert svg.get("viewBox") or (svg.get("width") and svg.get("height"))
    shapes = [element for element in svg.iter() if element.tag.split("}")[-1] in ("rect", "circle", "ellipse", "path", "polygon")]
    assert len(shapes) >= GRAPHS[cell], f"{len(shapes)} shapes"
    assert texts_of(svg).strip()
    assert walkthrough.text(cell).strip(), "there is no plain text beside it"


def test_walkthrough_graph_is_saved(walkthrough, folder):
    saved = ElementTree.parse(folder / "out" / "mean.svg").getroot()
    assert saved.tag.endswith("svg")
    assert texts_of(saved) == texts_of(walkthrough.graph("mean-graph"))


def test_walkthrough_array_is_described(walkthrough):
    rows = walkthrough.table("ones")
    text = " ".join(cell for row in rows for cell in row)
    for expected in ("(15, 15)", "(5, 5)", "f64", "1800|1.76 KiB|1.8 kB"):
        assert re.search(expected if "|" in expected else re.escape(expected), text), f"no {expected} in {text}"
    assert walkthrough.graph("ones") is not None


def test_walkthrough_closed_forms(walkthrough):
    assert walkthrough.number("transpose-sum") == 450.0
    mean, deviation = ast.literal_eval(walkthrough.text("product-values"))
    assert mean == pytest.approx(29.0, abs=1e-12)
    assert deviation == pytest.approx(0.0, abs=1e-12)


# Frames.


@pytest.mark.parametrize("cell", ["polars-mean", "swath-mean"])
def test_walkthrough_group_means(walkthrough, cell):
    table = walkthrough.table(cell)
    for sex, mean_id, mean_age in (("F", 481.406593, 33.813187), ("M", 468.167164, 34.149254)):
        (row,) = rows_with(table, sex)
        assert sorted(numbers(row)) == pytest.approx([mean_age, mean_id], abs=5e-7)
    header = " ".join(table[0])
    for name in ("sex", "user_id", "age"):
        assert name in header
    assert re.search("f64", " ".join(table[0] + table[1])), "no dtypes"


# Delayed, and a custom graph.


def test_walkthrough_delayed(walkthrough):
    assert walkthrough.number("delayed-compute") == 500500.0
    labels = texts_of(walkthrough.graph("delayed-graph"))
    for name in ("load", "process", "summarize"):
        assert name in labels


def test_walkthrough_pipeline(walkthrough, folder):
    labels = texts_of(walkthrough.graph("pipeline-graph"))
    for key in ("load", "clean", "analyze", "store"):
        assert key in labels
    report = "6 numbers, their sum is 25"
    assert walkthrough.text("pipeline-get") == f'"{report}"'
    assert (folder / "out" / "numbers" / "report.txt").read_text() == report


# The recommendation.


def test_walkthrough_cluster(walkthrough):
    for cell in ("cluster", "client"):
        html = walkthrough.shown(cell, "text/html")[-1]
        assert re.search("thread", html, re.IGNORECASE) and re.search("memory", html, re.IGNORECASE)
        assert re.search("thread", walkthrough.text(cell), re.IGNORECASE)


def test_walkthrough_frame_is_described(walkthrough):
    html = walkthrough.shown("read", "text/html")[-1]
    for name in ("user_id", "movie_id", "rating", "timestamp", "i64"):
        assert name in html


def test_walkthrough_progress_ends_complete(walkthrough):
    """Three bars in one display, which the updates have completed."""
    html = "".join(walkthrough.shown("persist", "text/html"))
    bars = re.findall(r'role="progressbar"[^>]*', html)
    assert len(bars) == 3
    for bar in bars:
        now, most = re.search(r'aria-valuenow="(\d+)"', bar).group(1), re.search(r'aria-valuemax="(\d+)"', bar).group(1)
        assert now == most
    assert "8" in walkthrough.text("persist"), "the plain text doesn't count the tasks"


def test_walkthrough_mean_rating(walkthrough):
    assert walkthrough.number("mean-value") == pytest.approx(3.52986, abs=1e-12)
    lazy = walkthrough.text("mean-lazy")
    assert "f64" in lazy and "3.5" not in lazy


def test_walkthrough_film(walkthrough):
    rows = walkthrough.table("candidates")
    titles = {row[-2]: row[-1] for row in rows if len(row) >= 2}
    assert titles["50"] == "Star Wars (1977)"
    assert walkthrough.number("movie-id") == 49


def test_walkthrough_fans(walkthrough):
    assert [int(n) for n in re.findall(r"\d+", walkthrough.text("fans"))] == FANS_OF_49


def test_walkthrough_what_they_liked(walkthrough):
    assert "4968 ratings" in "".join(output.text for output in walkthrough.outputs("liked-head", "stream"))
    rows = [numbers(row)[-4:] for row in walkthrough.table("liked-head")]
    pairs = [(int(row[0]), int(row[1])) for row in rows if len(row) == 4]
    assert pairs == [(291, 1042), (299, 144), (87, 384), (291, 144), (87, 1016)]


def recommended(walkthrough, cell: str) -> list[tuple[int, str, int, float]]:
    """Returns the rows of a recommendation (film, title, count, mean) in the table's order."""
    table = walkthrough.table(cell)
    header = [re.match(r"\w+", name).group() if re.match(r"\w+", name) else "" for name in table[0]]
    at = {name: header.index(name) for name in ("movie_id", "title", "count", "mean")}
    rows = [row for row in table[1:] if len(row) == len(table[0]) and re.fullmatch(r"[\d,]+", row[at["movie_id"]])]
    return [(int(row[at["movie_id"]].replace(",", "")), row[at["title"]], int(row[at["count"]]), float(row[at["mean"]])) for row in rows]


def expected_recommendation(folder: Path, film: int, least: int) -> list[tuple[int, str, int, float]]:
    """Computes, in plain Python, all films that the fans of one film liked, sorted by count."""
    data = folder / "data" / "ml-100k"
    ratings = [tuple(map(int, line.split("\t"))) for line in (data / "u.data").read_text().splitlines()]
    items = csv.reader(io.StringIO((data / "u.item").read_text("latin-1")), delimiter="|", quoting=csv.QUOTE_NONE)
    titles = {int(row[0]): row[1] for row in items}
    fans = {user for user, movie, rating, _ in ratings if movie == film and rating >= least}
    count, total = Counter(), Counter()
    for user, movie, rating, _ in ratings:
        if user in fans and rating >= least:
            count[movie] += 1
            total[movie] += rating
    return [(movie, titles[movie], n, total[movie] / n) for movie, n in count.most_common()]


def assert_is_the_top_of(shown: list, expected: list, rows: int = 10) -> None:
    """Films of equal count may come in any order, and the choice among them at the end of the list may differ."""
    assert len(shown) == rows
    assert [row[2] for row in shown] == [row[2] for row in expected[:rows]]
    by_film = {row[0]: row for row in expected}
    for film, title, count, mean in shown:
        assert (title, count) == by_film[film][1:3]
        assert mean == pytest.approx(by_film[film][3], abs=5e-7)
    assert len({row[0] for row in shown}) == rows


def test_walkthrough_recommendation(walkthrough, folder):
    shown = recommended(walkthrough, "recommendation")
    assert [(row[0], row[1], row[2]) for row in shown[:4]] == [
        (49, "I.Q. (1994)", 33), (50, "Star Wars (1977)", 29), (181, "Return of the Jedi (1983)", 25), (204, "Back to the Future (1985)", 24),
    ]
    assert_is_the_top_of(shown, expected_recommendation(folder, 49, 4))


def test_walkthrough_puts_the_film_right(walkthrough, folder):
    shown = recommended(walkthrough, "star-wars")
    assert [row[:3] for row in shown[:2]] == [(181, "Return of the Jedi (1983)", 349), (174, "Raiders of the Lost Ark (1981)", 293)]
    assert_is_the_top_of(shown, [row for row in expected_recommendation(folder, 50, 4) if row[0] != 50])


def test_walkthrough_with_parameters(folder, kernelspec):
    """Runs with papermill: another film and another limit give another list."""
    out = folder / "godfather.ipynb"
    papermill.execute_notebook(
        str(folder / WALKTHROUGH.name), str(out), parameters={"movie_name": "Godfather", "min_rating": 5},
        kernel_name=KERNEL_NAME, cwd=str(folder), progress_bar=False, execution_timeout=300,
    )
    notebook = nbformat.read(out, as_version=4)
    injected = [cell for cell in notebook.cells if "injected-parameters" in cell.metadata.get("tags", [])]
    assert [cell.source for cell in injected] == ['// Parameters\nlet movie_name = "Godfather";\nlet min_rating = 5;\n']
    executed = Executed(notebook)
    assert executed.number("movie-id") == 126
    assert_is_the_top_of(recommended(executed, "recommendation"), expected_recommendation(folder, 126, 5))


def test_papermill_from_the_command_line_knows_the_parameters(folder):
    """The package's entry point is enough; nothing has to be imported first."""
    command = [sys.executable, "-m", "papermill", "--help-notebook", str(folder / WALKTHROUGH.name)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert 'movie_name: Unknown type (default "Star")' in done.stdout, done.stdout + done.stderr
    assert "min_rating: Unknown type (default 4)" in done.stdout


@pytest.mark.parametrize(
    ("value", "rust"),
    [
        (5, "5"), (-5, "-5"), (2**40, "1099511627776_i64"), (True, "true"), (2.5, "2.5_f64"), (float("-inf"), "f64::NEG_INFINITY"),
        ('a "b" \\ \n é \x07', r'"a \"b\" \\ \n é \u{7}"'), ([1, 2], "vec![1, 2]"), (None, "None::<()>"),
        ({"k": "v"}, 'std::collections::BTreeMap::from([("k", "v")])'),
    ],
)
def test_papermill_writes_rust(value, rust):
    translator = papermill_translators.find_translator(KERNEL_NAME, "rust")
    assert translator.codify({"name": value}, comment="Given") == f"// Given\nlet name = {rust};\n"


def test_the_installer_leaves_notebook_and_page(folder, kernelspec):
    """The last step of install/run."""
    notebook = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_markdown_cell("# A page of one cell"), nbformat.v4.new_code_cell("6 * 7")],
        metadata={"kernelspec": {"name": KERNEL_NAME, "display_name": "Rust (Swath)", "language": "rust"}},
    )
    nbformat.write(notebook, folder / "small.ipynb")
    done = subprocess.run(
        [sys.executable, PROJECT / "install" / "execute", "small.ipynb"], cwd=folder, capture_output=True, text=True, timeout=120, check=False,
    )
    assert done.returncode == 0, done.stderr
    assert nbformat.read(folder / "out" / "small.ipynb", as_version=4).cells[1].outputs[0].data["text/plain"] == "42"
    page = (folder / "out" / "small.html").read_text()
    assert "<title>A page of one cell</title>" in page and "42" in page


# Features used by notebooks written for evcxr.


def test_compat_streams_and_value(compatibility):
    streams = {output.name: output.text for output in compatibility.outputs("print-and-value", "stream")}
    assert streams == {"stdout": "to standard output\n", "stderr": "to standard error\n"}
    assert compatibility.text("print-and-value") == '"text and 42"'


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        ("variable-shown", '"Good morning"'),
        ("shadow-first", "42"),
        ("shadow-second", '["six", "times", "seven"]'),
        ("function-first-called", "[0, 0, 0, 0, 0, 0, 0, 0, 0, 0]"),
        ("function-second-called", "[2, 1, 3, 4, 7, 11, 18, 29, 47, 76]"),
        ("dep-with-version", '"U3dhdGg="'),
        ("dep-renamed", '"scaling_with_swath"'),
        ("panic-survived", '"Good morning"'),
        ("async-received", '"sent from a cell"'),
    ],
)
def test_compat_result(compatibility, cell, text):
    assert compatibility.text(cell) == text


def test_compat_thread(compatibility):
    assert compatibility.number("thread-second-look") > compatibility.number("thread-first-look") > 0


def test_compat_html(compatibility):
    (html,) = compatibility.shown("display-html", "text/html")
    assert tables(html) == [[["2", "7", "6"], ["9", "5", "1"], ["4", "3", "8"]]]
    assert "EVCXR" not in str(compatibility.outputs("display-html"))


def test_compat_several_representations(compatibility):
    assert compatibility.shown("display-plain-and-html", "text/plain") == ["warning: high water"]
    assert compatibility.shown("display-plain-and-html", "text/html") == ["<b>warning:</b> high water"]


def test_compat_image(compatibility):
    (image,) = compatibility.shown("display-image", "image/png")
    content = b64decode(image)
    assert content.startswith(b"\x89PNG\r\n\x1a\n")
    assert struct.unpack(">II", content[16:24]) == (64, 64)


@pytest.mark.parametrize(
    ("cell", "patterns"),
    [
        ("compile-error", ["mismatched types", "expected `?&str`?", r"2:15|line 2,? column 15"]),
        ("panic", ["there is nobody"]),
        ("question-mark", ["invalid digit found in string"]),
        ("async-error", ["invalid port value"]),
    ],
)
def test_compat_error(compatibility, cell, patterns):
    for pattern in patterns:
        assert re.search(pattern, compatibility.error(cell)), f"no {pattern} in\n{compatibility.error(cell)}"


def test_compat_commands(compatibility):
    (html,) = compatibility.shown("command-vars", "text/html")
    rows = {row[0]: row[1] for row in tables(html)[0] if len(row) >= 2}
    assert rows["greeting"] == "String"
    assert re.search("Vec<&('static )?str>", rows["thing"])
    assert "Board<i32>" in rows["board"]
    everything = str(compatibility.outputs("command-type")) + str(compatibility.outputs("command-help"))
    for expected in ("Board<i32>", ":vars", ":dep", ":help"):
        assert expected in everything


def test_compat_nothing_else_failed(compatibility):
    allowed = {"compile-error", "panic", "question-mark", "async-error"}
    failed = {name for name, cell in compatibility.cells.items() if cell.cell_type == "code" and any(o.output_type == "error" for o in cell.outputs)}
    assert failed == allowed
