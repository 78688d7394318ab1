"""Runs the table of tests/test_evcxr_parity.py in evcxr's own kernel.

    python tests/bench/evcxr_parity.py --evcxr PATH [--only WORD]

For each cell it prints where evcxr does something else than the table has
recorded, and what to write there. If there is only the last line, the table
tells the truth.
"""

import argparse
import queue
import re
import sys
import tempfile
import time
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from evcxr import running_evcxr  # noqa: E402
from kernel import Kernel  # noqa: E402
from test_evcxr_parity import OURS_ALONE, ROWS, TIMEOUT, Expected, Fails, Seen, expected  # noqa: E402

# evcxr passes the streams on in a thread of its own, and some of it after the cell's end.
LATE_OUTPUT_SECONDS = 0.3


def run(kernel: Kernel, code: str) -> Seen:
    """Runs a cell, and waits for output that comes after its end."""
    message_id = kernel.send(code)
    result = kernel.finish(message_id, TIMEOUT)
    until = time.monotonic() + LATE_OUTPUT_SECONDS
    while (left := until - time.monotonic()) > 0:
        try:
            message = kernel.iopub(timeout=left)
        except queue.Empty:
            break
        if message["msg_type"] in ("stream", "error", "execute_result", "display_data"):
            result.outputs.append({"type": message["msg_type"], **message["content"]})
    return Seen.of(result)


def pattern(text: str) -> str:
    """A pattern that matches a text, with no more backslashes than it needs."""
    return re.sub(r"([.?*+^$|()\[\]{}\\])", r"\\\1", text)


def as_recorded(seen: Seen) -> str:
    """What the table would have to say, as its source."""
    if not seen.ok:
        lines = [pattern(error.splitlines()[0].split(": ", 1)[-1]) for error in seen.errors]
        words = [repr(line) for line in dict.fromkeys(lines)]
        return f"Fails({', '.join(words + ([f'count={len(lines)}'] if len(lines) != 1 else []))})"
    said = [line for line in seen.stderr.splitlines() if line.strip() and "panicked at" not in line]
    if said:
        return f"Notes({pattern(said[0])!r})"
    if seen.stdout and seen.result is None:
        return f"Prints({seen.stdout!r})"
    return repr(seen.result)


def without_place(outcome: Expected) -> Expected:
    """evcxr's errors all begin with 1:1, and show the place in a drawing: it isn't compared."""
    return Fails(*outcome.patterns, count=outcome.count) if isinstance(outcome, Fails) else outcome


@dataclass
class Difference:
    """A cell that evcxr treats in another way than the table says."""

    number: int
    code: str
    missed: str
    seen: Seen
    record: str

    def __str__(self) -> str:
        return f"{self.code}\n=> {self.missed}\n{self.seen}\nto record: {self.record}"


def differences(kernel: Kernel, cells: list) -> list[Difference]:
    """What evcxr makes of a row's cells, where that isn't what is recorded."""
    found = []
    run(kernel, ":clear")
    for number, (code, ours, *theirs) in enumerate(cells):
        if theirs == [OURS_ALONE]:
            continue
        seen = run(kernel, code)
        same = not without_place(expected(ours)).missed(seen)
        if theirs:
            missed = expected(theirs[0]).missed(seen) or ("it does what we do" if same else "")
        else:
            missed = "" if same else without_place(expected(ours)).missed(seen)
        if missed:
            found.append(Difference(number, code, missed, seen, as_recorded(seen)))
    return found


class Evcxr:
    """evcxr's kernel, started again when it is gone."""

    def __init__(self, program: Path):
        self.program = program
        self.open = ExitStack()
        self.kernel: Kernel | None = None

    def row(self, cells: list) -> list[Difference]:
        """The row's differences. A row that the kernel doesn't outlive is one as well."""
        if self.kernel is None:
            folder = self.open.enter_context(tempfile.TemporaryDirectory())
            self.kernel = self.open.enter_context(running_evcxr(self.program, folder))
        try:
            return differences(self.kernel, cells)
        except (TimeoutError, RuntimeError) as error:
            self.stop()
            return [Difference(-1, "the row", str(error), Seen(False, None, "", "", ()), "the row ends evcxr's kernel")]

    def stop(self) -> None:
        self.open.close()
        self.kernel = None


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--evcxr", required=True, type=Path, metavar="PATH", help="the program evcxr_jupyter")
    options.add_argument("--only", default="", metavar="WORD", help="rows whose name has the word")
    chosen = options.parse_args()
    rows = {name: cells for name, cells in ROWS.items() if chosen.only in name}
    wrong = 0
    evcxr = Evcxr(chosen.evcxr)
    for name, cells in rows.items():
        for difference in evcxr.row(cells):
            wrong += 1
            print(f"── {name}\n{difference}\n", flush=True)
    evcxr.stop()
    cells = sum(len(cells) for cells in rows.values())
    print(f"{len(rows)} rows, {cells} cells: " + (f"{wrong} not as recorded" if wrong else "all as recorded"))


if __name__ == "__main__":
    main()
