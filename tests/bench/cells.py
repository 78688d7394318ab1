"""Measures cells against the compiler's own time, against evcxr's kernel, and against `cargo build --release`.

    python tests/bench/cells.py [--evcxr PATH] [--before KERNEL] [--only WORD] [--markdown FILE]

The yardstick is `rustc` on an empty cdylib, measured between the cells of the
same run. A cell's time is from its request to the kernel's idle, as the median of
several rounds. Sections: start, cells, at-once, polars, walkthrough, speed.

This is a benchmark, not a test: it always exits with 0. Its last table lists
which goals were reached.
"""

import argparse
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import machine  # noqa: E402
import speed  # noqa: E402
import start  # noqa: E402
import timing  # noqa: E402
from evcxr import running_evcxr  # noqa: E402
from kernel import KERNEL_NAME, running_kernel  # noqa: E402
from results import Goal, Samples, Table, goals_table, median, publish, times  # noqa: E402
from rustc import EmptyLibrary  # noqa: E402
from timing import Session, progress  # noqa: E402
from typical import ARRAY_CRATE, POLARS, POLARS_CRATE, TYPICAL, Cell  # noqa: E402

NOTEBOOKS = Path(__file__).resolve().parent.parent.parent / "notebooks"
SECTIONS = ("start", "cells", "at-once", "polars", "walkthrough", "speed")
# Time to compile Polars in evcxr's kernel, on two slow cores.
POLARS_TIMEOUT = 3600

TYPICAL_LIMIT, WALKTHROUGH_LIMIT, ANY_LIMIT = 4, 6, 10
EVCXR_TIMES = 5
START_SECONDS, FIRST_CELL_SECONDS = 0.2, 1.5
RESIDENT_MEGABYTES = 60
SPEED_LIMIT = 1.2
# Two runs of the same cell differ by this much on an idle machine.
NOISE = 1.1
# What a change may cost.
BEFORE_LIMIT = 1.03


class Benchmark:
    """One run of the benchmark: its options and results."""

    def __init__(self, options: argparse.Namespace, folder: Path):
        self.options = options
        self.folder = folder
        self.open = ExitStack()
        self.yardstick = EmptyLibrary(folder)
        self.tables: list[Table] = []
        self.goals: list[Goal] = []
        self.evcxr_version = "(not started)"

    def wants(self, section: str) -> bool:
        only = self.options.only
        return not only or only == section or (only not in SECTIONS and section in ("cells", "polars", "walkthrough", "speed"))

    @property
    def word(self) -> str:
        """The word that the names of cells must contain."""
        return "" if self.options.only in SECTIONS else self.options.only

    def ours(self, kernel: str = "") -> Session:
        folder = tempfile.mkdtemp(dir=self.folder)
        manager = timing.manager(kernel or self.options.kernel)
        return Session(self.open.enter_context(running_kernel(folder, manager, stderr=subprocess.DEVNULL)))

    def sessions(self) -> dict[str, Session]:
        """Starts our kernel, and the one that it is compared with."""
        sessions = {"ours": self.ours()}
        if self.options.before:
            sessions["before"] = self.ours(self.options.before)
        return sessions

    def theirs(self, dep: str) -> Session:
        """Starts evcxr's kernel and adds crates."""
        folder = tempfile.mkdtemp(dir=self.folder)
        session = Session(self.open.enter_context(running_evcxr(self.options.evcxr, folder, self.options.evcxr_folder)), dep)
        info = session.kernel.reply(session.kernel.client.kernel_info(), timing.CELL_TIMEOUT)
        self.evcxr_version = info["implementation_version"]
        progress(f"evcxr {self.evcxr_version}: {dep}" + (" (a quarter of an hour the first time)" if "polars" in dep else ""))
        progress(f"evcxr: ready after {session.begin(POLARS_TIMEOUT):.0f} s")
        return session

    # The sections.

    def start(self) -> None:
        repeat = self.options.repeat
        progress(f"start, {repeat + 1} times")
        answers, first = start.starts(self.options.kernel, str(self.folder), repeat)
        self.tables.append(
            Table(
                "Start",
                ["from the start of the process", "ms (fastest–slowest)"],
                [["kernel_info_reply", answers.milliseconds()], ["the first cell's idle", first.milliseconds()]],
            )
        )
        self.goals += [
            Goal.at_most("kernel start to kernel_info_reply: at most 200 ms", answers.median, START_SECONDS, _milliseconds),
            Goal.at_most("start to the first cell's idle: at most 1500 ms", first.median, FIRST_CELL_SECONDS, _milliseconds),
        ]

    def cells(self) -> None:
        """Measures the typical cells alone, in our kernel and in evcxr's, then all at once in ours."""
        sessions = self.sessions()
        pid = sessions["ours"].kernel.manager.provisioner.pid
        sessions["ours"].begin()
        at_first = start.memory(pid)
        if self.options.evcxr:
            dep = f"{POLARS_CRATE}\n{ARRAY_CRATE}" if self.options.evcxr_polars else ARRAY_CRATE
            sessions["evcxr"] = self.theirs(dep)
        taken = timing.alone(TYPICAL, sessions, self.yardstick, self.options.repeat, self.word)
        cells = [cell for cell in TYPICAL if self.word in cell.name]
        if cells:
            self._cells_table("Typical cells", cells, taken)
        if not self.word:
            self._typical_goals(taken)
            self._memory(at_first, start.memory(pid))
            self._at_once(timing.all_at_once(TYPICAL, sessions["ours"], self.options.repeat), taken["ours"])

    def _typical_goals(self, taken: dict[str, dict[str, Samples]]) -> None:
        empty, ours = self.yardstick.dynamic, taken["ours"]
        lets = median(ours[cell.name].median for cell in TYPICAL if cell.kind == "let")
        expressions = median(ours[cell.name].median for cell in TYPICAL if cell.kind == "expression")
        ratios = [samples.over(empty) for samples in ours.values()]
        with_polars = "with :dep polars" if self.options.evcxr_polars else "without :dep polars"
        compared = median(taken["evcxr"][name].over(samples) for name, samples in ours.items()) if "evcxr" in taken else None
        self.goals += [
            Goal.at_most(f"typical cells, median: at most {TYPICAL_LIMIT} × empty rustc", median(ratios), TYPICAL_LIMIT, times),
            Goal.at_most(f"typical cells, slowest: at most {ANY_LIMIT} × empty rustc", max(ratios), ANY_LIMIT, times),
            Goal.at_most("`let` cells no slower than expressions (medians)", lets / expressions, NOISE, _twice),
            Goal.at_least(f"evcxr_jupyter {with_polars}, median: at least {EVCXR_TIMES} × ours", compared, EVCXR_TIMES, times),
        ]

    def _memory(self, at_first: list, later: list) -> None:
        rows = [
            [when + ("" if at == 0 else ", beside it"), name, f"{megabytes:.0f}"]
            for when, found in (("after the first cell", at_first), (f"after {len(TYPICAL)} cells, several times", later))
            for at, (name, megabytes) in enumerate(found)
        ]
        self.tables.append(Table("Memory at rest", ["when", "process", "MB resident"], rows))
        self.goals.append(
            Goal.at_most("kernel process at rest: at most 60 MB resident", max(at_first[0][1], later[0][1]), RESIDENT_MEGABYTES, lambda mb: f"{mb:.0f} MB")
        )

    def _at_once(self, together: dict[str, Samples], alone: dict[str, Samples]) -> None:
        ratios = {name: samples.over(alone[name]) for name, samples in together.items()}
        rows = [[name, alone[name].milliseconds(), samples.milliseconds(), times(ratios[name], 2)] for name, samples in together.items()]
        self.tables.append(Table("Run all: the same cells, sent together", ["cell", "alone, ms", "run-all, ms", "ratio"], rows))
        worst = max(ratios, key=ratios.get)
        self.goals.append(
            Goal.at_most(
                "run-all: each cell as fast as alone (median of the ratios)", median(ratios.values()), NOISE,
                lambda ratio: f"{ratio:.2f} ×, at most {ratios[worst]:.2f} × ({worst})",
            )
        )

    def polars(self) -> None:
        """Measures Polars as in its own guide, in both kernels."""
        sessions = self.sessions()
        if self.options.evcxr and self.options.evcxr_polars:
            sessions["evcxr"] = self.theirs(POLARS_CRATE)
        cells = [cell for cell in POLARS if self.word in cell.name]
        if not cells:
            return
        taken = timing.alone(POLARS, sessions, self.yardstick, self.options.repeat, self.word)
        self._cells_table("Polars cells", cells, taken)
        if self.word:
            return
        ratios = [samples.over(self.yardstick.dynamic) for samples in taken["ours"].values()]
        compared = median(taken["evcxr"][name].over(samples) for name, samples in taken["ours"].items()) if "evcxr" in taken else None
        self.goals += [
            Goal.at_most(f"Polars cells, slowest: at most {ANY_LIMIT} × empty rustc", max(ratios), ANY_LIMIT, times),
            Goal.at_least(f"evcxr_jupyter, Polars cells, median: at least {EVCXR_TIMES} × ours", compared, EVCXR_TIMES, times),
        ]

    def walkthrough(self) -> None:
        """Measures the walkthrough notebook, including its computations."""
        cells = timing.notebook_cells(NOTEBOOKS / "scaling-with-swath.ipynb")
        shown = [cell for cell in cells if self.word in cell.name]
        if not shown:
            return
        data = self.options.data
        if not (data / "ml-100k" / "u.data").is_file():
            progress(f"no MovieLens in {data}: no walkthrough (run install/movielens, or say --data)")
            return
        sessions = self.sessions()
        for session in sessions.values():
            (Path(session.kernel.folder) / "data").symlink_to(data.resolve())
        taken = timing.alone(cells, sessions, self.yardstick, self.options.repeat, self.word)
        self._cells_table("The walkthrough's cells, compiling and computing", shown, taken)
        if self.word:
            return
        ratios = {name: samples.over(self.yardstick.dynamic) for name, samples in taken["ours"].items()}
        slowest = max(ratios, key=ratios.get)
        self.goals += [
            Goal.at_most(f"walkthrough, median: at most {WALKTHROUGH_LIMIT} × empty rustc", median(ratios.values()), WALKTHROUGH_LIMIT, times),
            Goal.at_most(
                f"walkthrough, slowest: at most {ANY_LIMIT} × empty rustc", ratios[slowest], ANY_LIMIT,
                lambda ratio: f"{times(ratio)} ({slowest})",
            ),
        ]

    def speed(self) -> None:
        """Compares the user's own code with the same code in a program."""
        taken = speed.measure(self.ours().kernel, self.options.repeat, self.word)
        if not taken:
            return
        rows = [[name, ours.milliseconds(), native.milliseconds(), times(ours.over(native), 2)] for name, ours, native in taken]
        self.tables.append(Table("Speed of the user's own code", ["code", "cell, ms", "cargo --release, ms", "ratio"], rows))
        for name, ours, native in taken:
            self.goals.append(Goal.at_most(f"{name}: at most {SPEED_LIMIT} × cargo build --release", ours.over(native), SPEED_LIMIT, _twice))

    def _cells_table(self, title: str, cells: list[Cell], taken: dict[str, dict[str, Samples]]) -> None:
        """Adds a table with one row per cell: ours and its ratio to the yardstick, evcxr's and its ratio to ours."""
        empty, compared = self.yardstick.dynamic, "evcxr" in taken
        heads = ["cell", "ours, ms", "/ empty rustc"] + (["evcxr_jupyter, ms", "/ empty rustc", "/ ours"] if compared else [])
        ratios = {}
        if "before" in taken:
            heads += ["before, ms", "ours / before"]
            ratios = {cell.name: taken["ours"][cell.name].over(taken["before"][cell.name]) for cell in cells}
            middle_ratio = median(ratios.values())
            what = f"{title}, median: at most {BEFORE_LIMIT} × the earlier build"
            self.goals.append(Goal.at_most(what, middle_ratio, BEFORE_LIMIT, _twice))
        rows = []
        for cell in cells:
            ours = taken["ours"][cell.name]
            row = [cell.name, ours.milliseconds(), times(ours.over(empty))]
            if compared:
                theirs = taken["evcxr"][cell.name]
                row += [theirs.milliseconds(), times(theirs.over(empty)), times(theirs.over(ours))]
            if ratios:
                row += [taken["before"][cell.name].milliseconds(), _twice(ratios[cell.name])]
            rows.append(row)
        middle = ["median"]
        ours = [taken["ours"][cell.name].median for cell in cells]
        middle += [f"{1000 * median(ours):.0f}", times(median(ours) / empty.median)]
        if compared:
            theirs = [taken["evcxr"][cell.name] for cell in cells]
            middle += [
                f"{1000 * median(samples.median for samples in theirs):.0f}",
                times(median(samples.over(empty) for samples in theirs)),
                times(median(samples.over(taken["ours"][cell.name]) for cell, samples in zip(cells, theirs))),
            ]
        if ratios:
            before = [taken["before"][cell.name].median for cell in cells]
            middle += [f"{1000 * median(before):.0f}", _twice(middle_ratio)]
        notes = []
        if compared and not self.options.evcxr_polars:
            notes = ["evcxr_jupyter ran without `:dep polars` here (`--evcxr-polars` adds it), and with `:dep ndarray`."]
        self.tables.append(Table(title, heads, [*rows, middle], notes))

    def run(self) -> None:
        """Runs the sections, each with its own kernels. If one breaks off, the others still run."""
        # One kernel measures the typical cells both alone and at once.
        for section in ("start", "cells", "polars", "walkthrough", "speed"):
            if not (self.wants(section) or section == "cells" and self.wants("at-once")):
                continue
            try:
                with ExitStack() as self.open:
                    getattr(self, section)()
            except (OSError, RuntimeError, subprocess.CalledProcessError) as error:
                progress(f"{section} broke off: {error}")
                self.goals.append(Goal(f"{section}: measured to the end", "broke off", False))

    def report(self, load_before: str) -> tuple[list[str], list[Table]]:
        """Returns the lines above the tables, and the tables."""
        lines = machine.description(self.yardstick.rustc)
        lines.append(f"load average before: {load_before}; after: {machine.load()}")
        if self.options.evcxr:
            lines.append(f"evcxr_jupyter {self.evcxr_version}")
        lines.append(f"{self.options.repeat} turns after one that doesn't count; ms: median (fastest–slowest)")
        if self.yardstick.dynamic:
            lines.append(
                f"rustc on an empty cdylib: {self.yardstick.dynamic.milliseconds()} ms with -Cprefer-dynamic, as cells are compiled: "
                f"ratios are to this; {self.yardstick.plain.milliseconds()} ms without"
            )
        return lines, [*self.tables, goals_table(self.goals)]


def _milliseconds(seconds: float) -> str:
    return f"{1000 * seconds:.0f} ms"


def _twice(ratio: float) -> str:
    return times(ratio, 2)


def parse() -> argparse.Namespace:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--kernel", default=KERNEL_NAME, metavar="NAME", help="the kernelspec to measure (swath)")
    options.add_argument("--before", default="", metavar="NAME", help="another kernelspec, of an earlier build: each cell runs in both in turns")
    options.add_argument("--evcxr", type=Path, metavar="PATH", help="the program evcxr_jupyter, to run the same cells in")
    options.add_argument("--evcxr-polars", action="store_true", help="with `:dep polars` there; compiling it takes a quarter of an hour the first time")
    options.add_argument(
        "--evcxr-folder", type=Path, metavar="DIR", default=Path.home() / ".cache" / "swath-bench" / "evcxr",
        help="where evcxr's compiled crates are kept for the next run",
    )
    options.add_argument("--repeat", type=int, default=5, metavar="N", help="how often each cell is measured (5)")
    options.add_argument("--only", default="", metavar="WORD", help=f"a section ({', '.join(SECTIONS)}), or cells with the word in their names")
    options.add_argument("--data", type=Path, default=NOTEBOOKS / "data", metavar="DIR", help="the folder that holds ml-100k")
    options.add_argument("--markdown", type=Path, metavar="FILE", help="writes the tables to a file as well")
    return options.parse_args()


def main() -> None:
    options = parse()
    load_before = machine.load()
    with tempfile.TemporaryDirectory() as folder:
        benchmark = Benchmark(options, Path(folder))
        benchmark.run()
        lines, tables = benchmark.report(load_before)
    publish("Cells, measured", lines, tables, options.markdown)


if __name__ == "__main__":
    main()
