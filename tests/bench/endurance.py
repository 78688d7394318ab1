"""Measures what a long session and many short ones leave behind: memory, time, files, processes.

    python tests/bench/endurance.py [--only cells|starts] [--cells N] [--starts N] [--markdown FILE]

cells: small cells, no two alike, in one session. They bind few distinct names, so
the session's own state doesn't grow. Only code grows, which is never unloaded, and
anything that should not. A cell's code is the mapped segments of its library;
memory beyond that is reported separately.

starts: a kernel is started, runs a cell and is shut down, again and again. After
each time the benchmark looks for leftovers: processes, listening ports, files.

This is a benchmark, not a test: it always exits with 0. Its last table lists
which goals were reached.
"""

import argparse
import itertools
import os
import re
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from jupyter_client import KernelManager  # noqa: E402

import machine  # noqa: E402
import timing  # noqa: E402
from kernel import KERNEL_NAME, Kernel, running_kernel  # noqa: E402
from leftovers import Traces  # noqa: E402
from results import Goal, Samples, Table, goals_table, median, publish, times  # noqa: E402
from rustc import EmptyLibrary, find  # noqa: E402
from timing import progress  # noqa: E402

SECTIONS = ("cells", "starts")
KILOBYTE = 1e3
# The yardstick is measured every so many cells, and every so many starts.
YARDSTICK_EVERY, YARDSTICK_STARTS = 25, 5

# For late cells compared with early ones, and late starts with early ones.
SLOWDOWN_LIMIT = 1.25
# For the cell's text, its entry in the history, and the loader's records of a library.
KERNEL_KILOBYTES, RUNTIME_KILOBYTES = 2, 4


def cell_texts():
    """Yields small cells, no two alike, as people write them. Names repeat after some rounds."""
    for n in itertools.count():
        name, number = f"value_{n % 25}", 1000 + n
        yield f"let {name} = {number};"
        yield f"{name} * 2 + {number}"
        yield f'println!("cell {number}");'
        yield f"fn work_{n % 25}(x: u64) -> u64 {{ x + {number} }}"
        yield f"work_{n % 25}({number})"
        yield f'let text = format!("text {{}}", {number}); text.len()'
        yield f"let mut list = vec![{number}, 2, 3]; list.push(4);"
        yield f"list[0] == {number} && list.len() == 4"


@dataclass(frozen=True)
class Memory:
    """A process's memory in bytes: mappings of cells' libraries, and the rest."""

    resident: int
    #: Cells' libraries: address space, resident memory, number.
    code: int
    resident_code: int
    libraries: int
    mappings: int
    descriptors: int

    @property
    def beyond(self) -> int:
        """Resident memory without the code of cells."""
        return self.resident - self.resident_code


_MAPPING = re.compile(r"^[0-9a-f]+-[0-9a-f]+ \S+ \S+ \S+ \d+ *(.*)$")
_CELL_LIBRARY = re.compile(r"/libcell_\d+\.so")


def memory_of(pid: int) -> Memory:
    """Reads a process's mappings, one by one."""
    totals, libraries, mappings, is_cell = Counter(), set(), 0, False
    for line in Path(f"/proc/{pid}/smaps").read_text().splitlines():
        if mapping := _MAPPING.match(line):
            found = _CELL_LIBRARY.search(mapping[1])
            # A library's zeroed data is the unnamed mapping after it.
            is_cell = bool(found) or (is_cell and not mapping[1])
            mappings += 1
            if found:
                libraries.add(found[0])
        elif line.startswith(("Size:", "Rss:")):
            field, kilobytes, _ = line.split()
            totals[field, is_cell] += int(kilobytes) * 1024
    return Memory(
        resident=totals["Rss:", True] + totals["Rss:", False],
        code=totals["Size:", True],
        resident_code=totals["Rss:", True],
        libraries=len(libraries),
        mappings=mappings,
        descriptors=len(os.listdir(f"/proc/{pid}/fd")),
    )


@dataclass(frozen=True)
class Mark:
    """The state after a number of cells."""

    cells: int
    kernel: Memory
    runtime: Memory
    analyzer: int
    #: Files in the kernel's folder, and their bytes.
    files: int
    file_bytes: int
    #: Medians of the cells since the previous mark, and of the compiler on an empty library between them.
    milliseconds: float
    empty: float


def look(kernel: Kernel, traces: Traces, cells: int, taken: Samples, yardstick: Samples) -> Mark:
    files = [path.stat().st_size for path in traces.temporary.rglob("*") if path.is_file()]
    processes = {machine.name(pid): pid for pid in machine.descendants(kernel.manager.provisioner.pid)}
    analyzer = processes.get("swath analyze")
    return Mark(
        cells=cells,
        kernel=memory_of(kernel.manager.provisioner.pid),
        runtime=memory_of(processes["swath-runtime"]),
        analyzer=memory_of(analyzer).resident if analyzer else 0,
        files=len(files),
        file_bytes=sum(files),
        milliseconds=1000 * median(taken.values) if taken else float("nan"),
        empty=1000 * median(yardstick.values) if yardstick else float("nan"),
    )


def run_cells(kernel_name: str, folder: Path, count: int, steps: int = 20) -> list[Mark]:
    """Runs the cells, and inspects the processes `steps` times.

    The compiler on an empty library is measured between the cells, to separate a
    machine that gets slower from cells that do.
    """
    traces, yardstick = Traces(), EmptyLibrary(folder)
    manager = KernelManager(kernel_name=kernel_name)
    every = max(1, count // steps)
    with running_kernel(str(folder), manager, env=traces.environment, stderr=subprocess.DEVNULL) as kernel:
        # Run every kind of cell once, and load the analyzer, before the first measurement.
        texts = cell_texts()
        for code in itertools.islice(texts, 8):
            kernel.ok(code)
        kernel.wait_for_analyzer()
        marks, taken = [look(kernel, traces, 0, Samples(), Samples())], Samples()
        yardstick.dynamic = Samples()
        for done, code in enumerate(itertools.islice(texts, count), start=1):
            seconds, _ = timing.timed(kernel, code)
            taken.add(seconds)
            if done % YARDSTICK_EVERY == 0 or done % every == 0:
                yardstick.measure()
            if done % every == 0:
                marks.append(look(kernel, traces, done, taken, yardstick.dynamic))
                taken, yardstick.dynamic = Samples(), Samples()
                progress(f"{done} cells of {count}, {marks[-1].milliseconds:.0f} ms a cell")
    return marks


def per_cell(marks: list[Mark], of) -> float:
    """Returns the bytes per cell between the second mark and the last. Growth before that belongs to the start."""
    first, last = marks[min(1, len(marks) - 2)], marks[-1]
    return (of(last) - of(first)) / (last.cells - first.cells)


def measure_cells(options: argparse.Namespace, folder: Path) -> tuple[list[Table], list[Goal]]:
    marks = run_cells(options.kernel, folder, options.cells)
    mega = lambda count: f"{count / machine.MEGABYTE:.1f}"  # noqa: E731
    rows = [
        [
            f"{mark.cells}", *([f"{mark.milliseconds:.0f}", f"{mark.empty:.0f}"] if mark.cells else "––"), mega(mark.kernel.resident), mega(mark.runtime.resident),
            mega(mark.runtime.resident_code), mega(mark.runtime.beyond), mega(mark.analyzer), f"{mark.runtime.libraries}",
            f"{mark.runtime.mappings}", f"{mark.kernel.descriptors}", f"{mark.runtime.descriptors}", f"{mark.files}",
        ]
        for mark in marks
    ]
    heads = [
        "cells", "ms a cell", "empty rustc, ms", "kernel, MB", "runtime, MB", "of it cells' code, MB", "the rest, MB", "analyzer, MB", "libraries mapped",
        "runtime's mappings", "kernel's descriptors", "runtime's descriptors", "files in the kernel's folder",
    ]
    kilo = lambda of: per_cell(marks, of) / KILOBYTE  # noqa: E731
    growth = Table(
        "Growth, a cell", ["what", "kB"],
        [
            ["mapped segments of its library", f"{kilo(lambda mark: mark.runtime.code):.1f}"],
            ["of them resident", f"{kilo(lambda mark: mark.runtime.resident_code):.1f}"],
            ["runtime, beyond its code", f"{kilo(lambda mark: mark.runtime.beyond):.2f}"],
            ["kernel", f"{kilo(lambda mark: mark.kernel.resident):.2f}"],
            ["analyzer", f"{kilo(lambda mark: mark.analyzer):.2f}"],
            ["on disk", f"{kilo(lambda mark: mark.file_bytes):.2f}"],
        ],
        ["From the first look after the start to the last. Cells' code is never unloaded: values, threads and functions may point into it."],
    )
    goals = [
        Goal.at_most(
            f"the last cells against the first, each over empty rustc: at most {SLOWDOWN_LIMIT} ×",
            marks[-1].milliseconds / marks[-1].empty / (marks[1].milliseconds / marks[1].empty), SLOWDOWN_LIMIT,
            lambda ratio: times(ratio, 2),
        ),
        Goal.at_most(f"kernel: at most {KERNEL_KILOBYTES} kB a cell", kilo(lambda mark: mark.kernel.resident), KERNEL_KILOBYTES, _kilobytes),
        Goal.at_most(
            f"runtime beyond the cell's code: at most {RUNTIME_KILOBYTES} kB a cell", kilo(lambda mark: mark.runtime.beyond), RUNTIME_KILOBYTES,
            _kilobytes,
        ),
        Goal.at_most("descriptors of the kernel that were not there at first: none", marks[-1].kernel.descriptors - marks[1].kernel.descriptors, 0, str),
        Goal.at_most("descriptors of the runtime that were not there at first: none", marks[-1].runtime.descriptors - marks[1].runtime.descriptors, 0, str),
    ]
    return [Table(f"{options.cells} cells in one session", heads, rows), growth], goals


def start_and_stop(kernel_name: str, folder: Path, traces: Traces) -> tuple[float, float]:
    """Starts and stops a kernel. Returns the seconds to its first cell's idle, and those from there to its end."""
    manager = KernelManager(kernel_name=kernel_name)
    started = time.perf_counter()
    manager.start_kernel(cwd=str(folder), env=traces.environment, stderr=subprocess.DEVNULL)
    client = manager.client()
    try:
        traces.watch(manager)
        client.start_channels(hb=False)
        cell = client.execute("1 + 1")
        while True:
            message = client.get_iopub_msg(timeout=timing.CELL_TIMEOUT)
            if message["parent_header"].get("msg_id") == cell and message["content"].get("execution_state") == "idle":
                break
        ready = time.perf_counter()
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=False)
    return ready - started, time.perf_counter() - ready


def run_starts(kernel_name: str, folder: Path, count: int) -> tuple[Samples, Samples, Samples, list[dict]]:
    """Returns the times of the starts, their ratios to the compiler on an empty library, the times of the stops, and the leftovers."""
    traces, yardstick = Traces(), EmptyLibrary(folder)
    starts, ratios, stops, left = Samples(), Samples(), Samples(), []
    for done in range(1, count + 1):
        started, stopped = start_and_stop(kernel_name, folder, traces)
        starts.add(started)
        stops.add(stopped)
        if done % YARDSTICK_STARTS == 1:
            yardstick.measure()
        ratios.add(started / yardstick.dynamic.values[-1])
        for kind, what in traces.left_after().items():
            for one in what:
                progress(f"left by start {done}, {kind}: {one}")
                left.append({"start": done, "kind": kind, "what": str(one)})
        # Leftovers of one kernel must not count for the next, and a later kernel of another program may get its ports.
        traces.clear()
        if done % 50 == 0:
            progress(f"{done} starts of {count}, {1000 * starts.values[-1]:.0f} ms; left behind: {len(left)}")
    return starts, ratios, stops, left


def measure_starts(options: argparse.Namespace, folder: Path) -> tuple[list[Table], list[Goal]]:
    with tempfile.TemporaryDirectory(dir=folder) as runtime:
        os.environ["JUPYTER_RUNTIME_DIR"] = runtime
        starts, ratios, stops, left = run_starts(options.kernel, folder, options.starts)
        connection_files = len(os.listdir(runtime))
    tenth = max(1, options.starts // 10)
    early, late = Samples(starts.values[:tenth]), Samples(starts.values[-tenth:])
    slower = Samples(ratios.values[-tenth:]).over(Samples(ratios.values[:tenth]))
    kinds = Counter(one["kind"] for one in left)
    rows = [
        ["start to the first cell's idle, ms", starts.milliseconds()],
        ["the first tenth, ms", early.milliseconds()],
        ["the last tenth, ms", late.milliseconds()],
        ["stop, ms", stops.milliseconds()],
        *[[f"{kind} left", f"{kinds[kind]}"] for kind in ("processes", "sockets", "files")],
        ["connection files left", f"{connection_files}"],
    ]
    notes = [f"Left by start {one['start']}, {one['kind']}: {one['what']}" for one in left[:10]]
    goals = [
        Goal.at_most("left by all starts: nothing", len(left) + connection_files, 0, str),
        Goal.at_most(f"the last starts against the first, each over empty rustc: at most {SLOWDOWN_LIMIT} ×", slower, SLOWDOWN_LIMIT, lambda ratio: times(ratio, 2)),
    ]
    return [Table(f"{options.starts} starts and stops", ["what", "median (least–most)"], rows, notes)], goals


def _kilobytes(count: float) -> str:
    return f"{count:.2f} kB"


def parse() -> argparse.Namespace:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--kernel", default=KERNEL_NAME, metavar="NAME", help="the kernelspec to measure (swath)")
    options.add_argument("--only", choices=SECTIONS, help="one section")
    options.add_argument("--cells", type=int, default=10_000, metavar="N", help="how many cells (10000: half an hour)")
    options.add_argument("--starts", type=int, default=1_000, metavar="N", help="how many starts (1000: ten minutes)")
    options.add_argument("--markdown", type=Path, metavar="FILE", help="writes the tables to a file as well")
    return options.parse_args()


def main() -> None:
    options = parse()
    load_before = machine.load()
    tables, goals = [], []
    for section in SECTIONS:
        if options.only in (None, section):
            with tempfile.TemporaryDirectory() as folder:
                try:
                    measured, reached = {"cells": measure_cells, "starts": measure_starts}[section](options, Path(folder))
                except (OSError, RuntimeError) as error:
                    progress(f"{section} broke off: {error}")
                    goals.append(Goal(f"{section}: measured to the end", "broke off", False))
                    continue
                tables += measured
                goals += reached
    lines = [*machine.description(find()), f"load average before: {load_before}; after: {machine.load()}"]
    tables.append(goals_table(goals))
    publish("Endurance, measured", lines, tables, options.markdown)


if __name__ == "__main__":
    main()
