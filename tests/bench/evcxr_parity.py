"""Runs the table of tests/test_evcxr_parity.py in evcxr's own kernel.

    python tests/bench/evcxr_parity.py --evcxr PATH [--only WORD]

For each cell that behaves differently in evcxr than the table records, it prints
the difference and the correct entry. If it prints only the last line, the table is
correct.
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

# evcxr forwards the streams in a separate thread, and some output comes after the cell's end.
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
    """Returns a pattern that matches a text, with as few backslashes as possible."""
    return re.sub(r"([.?*+^$|()\[\]{}\\])", r"\\\1", text)


def as_recorded(seen: Seen) -> str:
    """Returns the correct entry for the table, as source."""
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
    """Drops the place of an error: evcxr's all begin with 1:1 and show the place in a drawing, so it isn't compared."""
    return Fails(*outcome.patterns, count=outcome.count) if isinstance(outcome, Fails) else outcome


@dataclass
class Difference:
    """A cell that behaves differently in evcxr than the table records."""

    number: int
    code: str
    missed: str
    seen: Seen
    record: str

    def __str__(self) -> str:
        return f"{self.code}\n=> {self.missed}\n{self.seen}\nto record: {self.record}"


def differences(kernel: Kernel, cells: list) -> list[Difference]:
    """Returns the cells of a row whose outcome in evcxr differs from the recorded one."""
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
    """evcxr's kernel, restarted when it has ended."""

    def __init__(self, program: Path):
        self.program = program
        self.open = ExitStack()
        self.kernel: Kernel | None = None

    def row(self, cells: list) -> list[Difference]:
        """Returns the row's differences. A row that ends the kernel counts as one."""
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
