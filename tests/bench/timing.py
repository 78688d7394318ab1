"""Kernels to measure, and the time of a cell: from its request to the kernel's idle."""

import queue
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import nbformat
from jupyter_client import KernelManager

from kernel import Kernel, Result
from results import Samples
from rustc import EmptyLibrary
from typical import Cell

CELL_TIMEOUT = 300
# A kernel may keep working after a cell, to prepare completion for the next one.
# That would slow down the next measurement.
SETTLE_SECONDS = 0.2


def progress(text: str) -> None:
    print(f"· {text}", file=sys.stderr, flush=True)


def manager(kernel_name: str) -> KernelManager:
    return KernelManager(kernel_name=kernel_name)


def timed(kernel: Kernel, code: str, timeout: float = CELL_TIMEOUT) -> tuple[float, Result]:
    """Runs a cell. Returns the seconds until it is idle, and its result. A failing cell ends the measurement, because its time
    means nothing."""
    started = time.perf_counter()
    result = kernel.run(code, timeout=timeout)
    seconds = time.perf_counter() - started
    if not result.ok:
        said = "; ".join(error["evalue"] for error in result.of_type("error"))
        raise RuntimeError(f"a cell has failed: {said}\n{code}")
    return seconds, result


@dataclass
class Session:
    """A kernel, and the `:dep` lines that its cells need."""

    kernel: Kernel
    dep: str = ""

    def begin(self, timeout: float = CELL_TIMEOUT) -> float:
        """Clears the session, as for a notebook that is run again, and warms it up with one cell. Returns the seconds that this took."""
        return sum(timed(self.kernel, code, timeout)[0] for code in (":clear", self.dep, "let warm = 1;\nwarm") if code)


def alone(
    cells: list[Cell], sessions: dict[str, Session], yardstick: EmptyLibrary, repeat: int, only: str = ""
) -> dict[str, dict[str, Samples]]:
    """Returns each cell's times in each kernel, by the kernel's and the cell's name.

    All cells run in turn, `repeat` times after a first round that doesn't count. The
    compiler on the empty library is measured before each cell, and the kernels run
    one right after the other, so that all of them see the same machine.
    """
    taken = {name: {cell.name: Samples() for cell in cells} for name in sessions}
    for turn in range(repeat + 1):
        progress(f"cells, turn {turn} of {repeat}" + ("" if turn else ", which doesn't count"))
        for session in sessions.values():
            session.begin()
        for cell in cells:
            counts = turn > 0 and only in cell.name
            if counts:
                yardstick.measure()
            for name, session in sessions.items():
                seconds, _ = timed(session.kernel, cell.code)
                if counts:
                    time.sleep(SETTLE_SECONDS)
                    taken[name][cell.name].add(seconds)
    return taken


def all_at_once(cells: list[Cell], session: Session, repeat: int) -> dict[str, Samples]:
    """Returns each cell's time when all are sent together: from the previous cell's idle to its own."""
    taken = {cell.name: Samples() for cell in cells}
    kernel = session.kernel
    for turn in range(repeat):
        progress(f"all cells at once, turn {turn + 1} of {repeat}")
        session.begin()
        before = time.perf_counter()
        waiting = {kernel.send(cell.code): cell.name for cell in cells}
        ids = list(waiting)
        while waiting:
            try:
                message = kernel.iopub(timeout=CELL_TIMEOUT)
            except queue.Empty:
                raise RuntimeError(f"no end of {', '.join(waiting.values())}") from None
            parent = message["parent_header"].get("msg_id")
            if message["msg_type"] == "error" and parent in waiting:
                raise RuntimeError(f"{waiting[parent]} failed: {message['content']['evalue']}")
            if message["msg_type"] == "status" and message["content"]["execution_state"] == "idle" and parent in waiting:
                now = time.perf_counter()
                taken[waiting.pop(parent)].add(now - before)
                before = now
        for message_id in ids:
            kernel.reply(message_id, CELL_TIMEOUT)
    return taken


def notebook_cells(path: Path) -> list[Cell]:
    """Returns a notebook's code cells, named by their ids."""
    notebook = nbformat.read(path, as_version=4)
    return [Cell(cell.id, "notebook", cell.source) for cell in notebook.cells if cell.cell_type == "code"]
