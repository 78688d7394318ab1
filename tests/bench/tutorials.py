"""Runs other people's notebooks in Swath and in evcxr's kernel, and lists the cells that differ.

    python tests/bench/tutorials.py NOTEBOOK --evcxr PATH
    python tests/bench/tutorials.py NAME --git-dir DIR --evcxr PATH       # as a repository's newest commit has it

Each kernel runs a notebook's code cells in order, in a fresh session, and a failing cell does not stop it. The
table lists the cells that fail in either kernel, and those whose outputs differ. Files that cells need are in
the folder where the kernels start, and a listener waits on the port that cells connect to. Cells that consist
only of `!commands` are left out, because they install things.

    --replace OLD NEW    changes the notebook's text before the run
    --without TEXT       leaves out the lines that contain this text
    --kernel NAME        runs only one kernel (swath or evcxr)
    --record FOLDER      saves the outcomes, and reads those of a kernel that is not run
"""

import argparse
import json
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import nbformat  # noqa: E402
from evcxr import NAME as EVCXR  # noqa: E402
from evcxr import running_evcxr  # noqa: E402
from evcxr_parity import LATE_OUTPUT_SECONDS  # noqa: E402
from kernel import ANSI, KERNEL_NAME, Kernel, Result, running_kernel  # noqa: E402
from timing import progress  # noqa: E402

OURS = "swath"
KERNELS = (OURS, EVCXR)
CELL_TIMEOUT = 120
# A cell with `:dep` may compile Polars, on two slow and busy cores.
DEP_TIMEOUT = 3600
# The port that the cells of evcxr's tour connect to.
PORT = 6543
# The files that cells read. The rows are invented; the columns are those of the US Department of Transportation.
FILES = {
    "dataset/Flight_on_time_HIX.csv": (
        "Airline,Origin_Airport,Destination_Airport,Departure_Delay_Minutes,Arrival_Delay_Minutes\n"
        "HA,HNL,OGG,-3,-1\nHA,OGG,HNL,5,8\nUA,SFO,HNL,12,-4\nDL,LAX,HNL,0,3\nUA,HNL,SFO,41,30\nAA,DFW,OGG,7,16\n"
    ),
}
SHOWN_CHARACTERS = 160


@dataclass
class Seen:
    """The outcome of a cell, as the user sees it."""

    outcome: str
    stdout: str = ""
    stderr: str = ""
    # Results and displays: the text of each MIME type.
    shown: list[dict] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    seconds: float = 0.0

    @classmethod
    def of(cls, result: Result) -> "Seen":
        return cls(
            "ok" if result.ok else "error",
            ANSI.sub("", result.stdout),
            ANSI.sub("", result.stderr),
            [{kind: str(text) for kind, text in output["data"].items()} for output in result.of_type("execute_result", "display_data")],
            [
                ANSI.sub("", "\n".join([f"{error['ename']}: {error['evalue']}", *error["traceback"]]))
                for error in result.of_type("error")
            ],
            round(result.seconds, 2),
        )

    @property
    def ok(self) -> bool:
        return self.outcome == "ok"

    @property
    def plain(self) -> str:
        return "\n".join(shown.get("text/plain", "") for shown in self.shown)

    @property
    def kinds(self) -> list[str]:
        return sorted({kind for shown in self.shown for kind in shown})

    @property
    def reason(self) -> str:
        """The first line of the reason why a cell failed."""
        said = self.errors[0] if self.errors else self.stderr
        lines = [line.strip() for line in said.splitlines() if line.strip()]
        return lines[0] if lines else self.outcome


def run(kernel: Kernel, code: str, timeout: float) -> Seen:
    """Runs a cell, and waits for output that comes after its end, as evcxr's does."""
    message_id = kernel.send(code)
    result = kernel.finish(message_id, timeout)
    until = time.monotonic() + LATE_OUTPUT_SECONDS
    while (left := until - time.monotonic()) > 0:
        try:
            message = kernel.iopub(timeout=left)
        except Exception:  # noqa: BLE001 - jupyter_client's own Empty, by whatever name
            break
        if message["msg_type"] in ("stream", "error", "execute_result", "display_data"):
            result.outputs.append({"type": message["msg_type"], **message["content"]})
    return Seen.of(result)


def is_command(code: str) -> bool:
    """Returns whether a cell consists only of `!commands` and comments."""
    lines = [line.strip() for line in code.splitlines() if line.strip()]
    return any(line.startswith("!") for line in lines) and all(line.startswith(("!", "#", "//")) for line in lines)


def run_all(kernel: Kernel, cells: list[str], name: str) -> list[Seen]:
    """Returns the outcome of each cell. After a cell that ends the kernel, no further cell runs."""
    seen: list[Seen] = []
    for number, code in enumerate(cells, 1):
        if not code.strip():
            seen.append(Seen("empty"))
            continue
        if is_command(code):
            seen.append(Seen("not run", errors=["a command that fetches and installs things"]))
            continue
        try:
            seen.append(run(kernel, code, DEP_TIMEOUT if ":dep" in code else CELL_TIMEOUT))
        except (TimeoutError, RuntimeError) as error:
            seen.append(Seen("no end", errors=[str(error)]))
            return seen + [Seen("not run", errors=["the kernel is gone"]) for _ in cells[number:]]
        progress(f"{name} {number}/{len(cells)}: {seen[-1].outcome} ({seen[-1].seconds:.1f} s) {'' if seen[-1].ok else short(seen[-1].reason)}")
    return seen


@contextmanager
def listening(port: int):
    """Listens on a port for data from cells, like `nc -l`, unless another program already does."""
    with socket.socket() as server:
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            server.bind(("127.0.0.1", port))
        except OSError:
            yield
            return
        server.listen()
        connections = []

        def accept():
            while True:
                try:
                    connections.append(server.accept()[0])
                except OSError:
                    return

        threading.Thread(target=accept, daemon=True).start()
        try:
            yield
        finally:
            server.shutdown(socket.SHUT_RDWR)
            for connection in connections:
                connection.close()


def run_in(name: str, cells: list[str], options: argparse.Namespace) -> list[Seen]:
    """Runs the cells in a fresh kernel, in a new folder that contains the files."""
    with tempfile.TemporaryDirectory() as folder, listening(PORT):
        for file, text in FILES.items():
            path = Path(folder) / file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        if name == EVCXR:
            started = running_evcxr(options.evcxr, folder, options.evcxr_folder)
        else:
            started = running_kernel(folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        with started as kernel:
            return run_all(kernel, cells, KERNEL_NAME if name == OURS else name)


# The text around values in the tables of Swath, Polars and ndarray.
DECORATION = re.compile(
    r"shape: \([^)]*\)|Series: '[^']*'|---|\d+ rows? × \d+ columns?|series of \d+ values?"
    r"|shape \([\d, ]*\), \w+|shape=\[.*?ndim=\d+|[\s,'\"│┆┌┐└┘─═╞╡╪┬┴┼(){}\[\]]+",
    re.DOTALL,
)


def words(text: str) -> list[str]:
    """Returns a text's words in sorted order, because the output of hash maps has no fixed order."""
    return sorted(re.findall(r"[^\s,{}]+", text))


def values(text: str) -> list[str]:
    """Returns the values in a text, without the text around them and regardless of the number of digits."""
    name = "".join(re.findall(r"Series: '([^']*)'", text))
    found = [*DECORATION.sub(" ", text).split(), *name.split()]
    return sorted(f"{float(word):.5g}" if re.fullmatch(r"-?\d+(\.\d*)?(e-?\d+)?", word) else word for word in found)


def short(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= SHOWN_CHARACTERS else text[: SHOWN_CHARACTERS - 1] + "…"


def lines_but(text: str, pattern: str) -> str:
    return "\n".join(line for line in text.splitlines() if not re.match(pattern, line.strip()))


def difference(ours: Seen, theirs: Seen) -> str:
    """Returns what differs, in a few words, or an empty string."""
    if not ours.ok or not theirs.ok:
        return "the outcome" if ours.outcome != theirs.outcome else "both fail" if ours.outcome == "error" else "–"
    found = []
    stdout, stderr = lines_but(ours.stdout, r".* the runtime's own copy, available at once"), lines_but(ours.stderr, "Compiling ")
    if (stdout, stderr) != (ours.stdout.rstrip("\n"), ours.stderr.rstrip("\n")):
        found.append("Swath tells of the crates")
    for what, mine, others in (("stdout", stdout, theirs.stdout), ("stderr", stderr, theirs.stderr)):
        if words(mine) != words(others):
            found.append(f"{what}: {short(mine) or 'nothing'!r} / {short(others) or 'nothing'!r}")
    if not ours.shown and theirs.plain == "()":
        return "; ".join([*found, "`()` is not shown"])
    if words(ours.plain) != words(theirs.plain):
        same = values(ours.plain) == values(theirs.plain)
        found.append("the same values, in another form" if same else f"the result: {short(ours.plain) or 'nothing'!r} / {short(theirs.plain) or 'nothing'!r}")
    if ours.kinds != theirs.kinds:
        found.append(f"as {', '.join(ours.kinds) or 'nothing'} / {', '.join(theirs.kinds) or 'nothing'}")
    for kind in ours.kinds:
        mine, others = ("".join(shown.get(kind, "") for shown in seen.shown) for seen in (ours, theirs))
        if kind in theirs.kinds and kind != "text/plain" and words(mine) != words(others):
            found.append(f"{kind}: another text")
    return "; ".join(found)


def told(seen: Seen) -> str:
    return "ok" if seen.ok else f"{seen.outcome}: {short(seen.reason)}"


def numbers(cells: list[int]) -> str:
    """Formats the numbers of cells, consecutive ones as `3–7`."""
    runs: list[list[int]] = []
    for cell in cells:
        if runs and runs[-1][-1] == cell - 1:
            runs[-1].append(cell)
        else:
            runs.append([cell])
    return ", ".join("–".join(map(str, sorted({run[0], run[-1]}))) for run in runs)


def table(seen: dict[str, list[Seen]]) -> str:
    """Returns, as Markdown, the cells that fail in a kernel or differ. Cells with the same difference share a row."""
    rows: dict[tuple[str, ...], list[int]] = {}
    for number, each in enumerate(zip(*seen.values()), 1):
        if each[0].outcome == "empty":
            continue
        differs = difference(*each) if len(each) == 2 else ("" if each[0].ok else "it fails")
        if differs:
            rows.setdefault((*map(told, each), differs), []).append(number)
    heads = ["cells", *seen, "what differs"]
    lines = [heads, ["---"] * len(heads), *([numbers(cells), *row] for row, cells in rows.items())]
    return "\n".join("| " + " | ".join(part.replace("|", "\\|") for part in line) + " |" for line in lines)


def read(options: argparse.Namespace) -> list[str]:
    """Returns the notebook's code cells, with the requested changes."""
    if options.git_dir:
        shown = ["git", f"--git-dir={options.git_dir}", "show", f"HEAD:{options.notebook}"]
        text = subprocess.run(shown, capture_output=True, text=True, check=True).stdout
    else:
        text = Path(options.notebook).read_text()
    notebook = nbformat.reads(text, as_version=4)
    cells = [cell.source for cell in notebook.cells if cell.cell_type == "code"]
    for old, new in options.replace:
        cells = [cell.replace(old, new) for cell in cells]
    for unwanted in options.without:
        cells = ["\n".join(line for line in cell.splitlines() if unwanted not in line) for cell in cells]
    return cells


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("notebook", help="a file, or its path in the repository")
    options.add_argument("--git-dir", type=Path, metavar="DIR", help="the repository's git directory")
    options.add_argument("--evcxr", type=Path, metavar="PATH", help="the program evcxr_jupyter")
    options.add_argument("--evcxr-folder", type=Path, metavar="FOLDER", help="keeps the crates that evcxr compiles")
    options.add_argument("--kernel", choices=KERNELS, action="append", help="runs this kernel alone")
    options.add_argument("--replace", nargs=2, action="append", default=[], metavar=("OLD", "NEW"))
    options.add_argument("--without", action="append", default=[], metavar="TEXT")
    options.add_argument("--record", type=Path, metavar="FOLDER")
    chosen = options.parse_args()
    kernels = chosen.kernel or [OURS, *([EVCXR] if chosen.evcxr else [])]
    if EVCXR in kernels and not (chosen.evcxr and shutil.which(chosen.evcxr)):
        options.error("there is no evcxr_jupyter: --evcxr PATH, from `cargo install evcxr_jupyter`")
    cells = read(chosen)
    seen: dict[str, list[Seen]] = {}
    for name in KERNELS:
        record = chosen.record / f"{Path(chosen.notebook).stem}.{name}.json" if chosen.record else None
        if name in kernels:
            seen[name] = run_in(name, cells, chosen)
            if record:
                record.parent.mkdir(parents=True, exist_ok=True)
                record.write_text(json.dumps([asdict(each) for each in seen[name]], indent=1))
        elif record and record.exists():
            seen[name] = [Seen(**each) for each in json.loads(record.read_text())]
            if len(seen[name]) != len(cells):
                raise SystemExit(f"{record} is of another notebook: {len(seen[name])} cells, not {len(cells)}")
    counts = ", ".join(f"{sum(each.ok for each in of)} ok in {name}" for name, of in seen.items())
    print(f"{Path(chosen.notebook).name}: {sum(bool(cell.strip()) for cell in cells)} cells, {counts}\n\n{table(seen)}")


if __name__ == "__main__":
    main()
