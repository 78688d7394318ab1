"""Adds every crate of tests/cases/crates.json to a fresh kernel, runs its cells, and prints a table.

    python tests/bench/crates.py [--only WORD] [--markdown FILE]

Each crate is compiled from scratch, so all of them take an hour on two cores;
cargo needs crates.io. `--only` selects the entries whose name contains a word,
`--slow` and `--quick` select those that the tests leave out or run, and `--markdown
docs/crates.md` replaces the results in that file.
"""

import argparse
import re
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import machine  # noqa: E402
from kernel import Kernel, Result, running_kernel  # noqa: E402
from results import Table  # noqa: E402
from test_cases import check  # noqa: E402
from test_crates import CRATES, steps  # noqa: E402
from timing import progress  # noqa: E402

# In seconds: enough for the largest crates on a busy machine.
TIMEOUT = 1800
HEADS = ["crate", "version", "alone", "with the runtime's", "seconds to add", "copy"]
CRATES_TITLE, TWINS_TITLE = "Crates", "What cannot be had"
TWINS_HEADS = ["asked for", "comes to"]
TWIN = "wrong: "
# In a document the tables begin below this line. The text above it is kept.
BEGIN = "<!-- tests/bench/crates.py writes what follows -->"


@dataclass
class Outcome:
    """The outcome of an entry."""

    crate: dict
    version: str = "–"
    copies: set[str] = field(default_factory=set)
    seconds: float | None = None
    # By part (`dep`, `alone`, `with`): the cells with an unexpected outcome.
    missed: dict[str, list[str]] = field(default_factory=dict)

    @property
    def is_twin(self) -> bool:
        return self.crate["name"].startswith(TWIN)

    @property
    def name(self) -> str:
        return self.crate["name"].removeprefix(TWIN)

    @property
    def good(self) -> bool:
        return not self.missed

    def miss(self, part: str, number: int, why: str) -> None:
        self.missed.setdefault(part, []).append(f"cell {number}")
        print(f"{self.crate['name']}, {part}, cell {number}: {why}\n", file=sys.stderr)

    def part(self, name: str) -> str:
        if not self.crate[name]:
            return "–"
        if "dep" in self.missed:
            return "not added"
        return f"fails: {', '.join(self.missed[name])}" if name in self.missed else "works"

    def row(self) -> list[str]:
        seconds = "–" if self.seconds is None else f"{self.seconds:.1f}"
        copies = " and ".join(sorted(self.copies)) or "–"
        return [self.name, self.version, self.part("alone"), self.part("with"), seconds, copies]


def asked_for(dep: str) -> list[str]:
    """Returns the packages that the lines of a `:dep` name."""
    packages = []
    for line in dep.splitlines():
        name = re.match(r":dep\s+([\w-]+)", line)[1]
        other = re.search(r'package\s*=\s*"([\w-]+)"', line)
        packages.append(other[1] if other else name)
    return packages


def learn(outcome: Outcome, result: Result) -> None:
    """Reads versions and copies from the output while a crate was added."""
    outcome.seconds = result.seconds
    said = result.stdout + result.stderr
    for number, package in enumerate(asked_for(outcome.crate["dep"])):
        held = re.search(rf"^{re.escape(package)} (\S+): the runtime's own", said, re.MULTILINE)
        # For a crate that is compiled, this is the only line.
        found = held or re.search(rf"^Compiling {re.escape(package)} v(\S+)", said, re.MULTILINE)
        if found and number == 0:
            # A suffix, as in `1.2.0+spec-1.1.0`, is not part of a version requirement.
            outcome.version = found[1].partition("+")[0]
        outcome.copies.add("the runtime's" if held else "own")


def outcome_of(kernel: Kernel, crate: dict) -> Outcome:
    outcome = Outcome(crate)
    for part, number, cell, expect in steps(crate):
        result = kernel.run(cell, timeout=TIMEOUT)
        if part == "dep":
            learn(outcome, result)
        try:
            check(result, expect)
        except AssertionError as error:
            outcome.miss(part, number, f"\n{cell}\n{error}")
            if part == "dep" and not result.ok:
                break
    return outcome


def measured(crate: dict) -> Outcome:
    """Runs one entry, in a new kernel."""
    with tempfile.TemporaryDirectory() as folder:
        try:
            with running_kernel(folder) as kernel:
                return outcome_of(kernel, crate)
        except (OSError, RuntimeError, TimeoutError) as error:
            outcome = Outcome(crate)
            outcome.miss("alone", 0, f"the kernel did not outlive it: {error}")
            return outcome


def rows_of(text: str, title: str) -> list[list[str]]:
    """Returns the rows of a table in a document."""
    table = text.partition(f"## {title}\n")[2].partition("\n## ")[0]
    lines = [line for line in table.splitlines() if line.startswith("| ")]
    return [line.removeprefix("| ").removesuffix(" |").split(" | ") for line in lines[1:]]


def merged(rows: list[list[str]], before: list[list[str]], order: list[str]) -> list[list[str]]:
    """Returns the new rows, and the previous rows of entries that were not measured this time."""
    found = {row[0]: row for row in [*before, *rows]}
    return [found[name] for name in order if name in found]


def twin_row(outcome: Outcome) -> list[str]:
    return [outcome.name, "one clear error, nothing lost" if outcome.good else outcome.part("alone")]


def tables(outcomes: list[Outcome], before: str) -> list[Table]:
    """Returns both tables. Entries that were not run have their rows from `before`, the document's old text."""
    everything = [Outcome(crate) for crate in CRATES]
    made = []
    for title, heads, twins in ((CRATES_TITLE, HEADS, False), (TWINS_TITLE, TWINS_HEADS, True)):
        rows = [twin_row(one) if twins else one.row() for one in outcomes if one.is_twin == twins]
        order = [one.name for one in everything if one.is_twin == twins]
        made.append(Table(title, heads, merged(rows, rows_of(before, title), order)))
    return [table for table in made if table.rows]


def write(outcomes: list[Outcome], file: Path) -> None:
    """Updates a document's tables."""
    above, _, before = file.read_text().partition(BEGIN) if file.exists() else ("# Crates\n\n", "", "")
    text = "\n".join(table.markdown() for table in tables(outcomes, before))
    file.write_text(f"{above}{BEGIN}\n\n{text.rstrip()}\n")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", default="", metavar="WORD", help="entries whose name contains this")
    parser.add_argument("--slow", action="store_true", help="entries that the tests leave out")
    parser.add_argument("--quick", action="store_true", help="entries that the tests run")
    parser.add_argument("--markdown", type=Path, metavar="FILE", help="a document whose tables are brought up to date")
    options = parser.parse_args()
    outcomes = []
    started = time.monotonic()
    left_out = {True: options.quick, False: options.slow}
    chosen = [crate for crate in CRATES if options.only in crate["name"] and not left_out[crate["slow"]]]
    for number, crate in enumerate(chosen, 1):
        outcome = measured(crate)
        outcomes.append(outcome)
        verdict = "good" if outcome.good else f"not as it should: {outcome.missed}"
        if options.markdown:
            write(outcomes, options.markdown)
        progress(f"{number}/{len(chosen)} {crate['name']}: {verdict}, {outcome.seconds or 0:.1f} s (load {machine.load()})")
    print("\n".join(table.markdown() for table in tables(outcomes, "")))
    print(f"{sum(outcome.good for outcome in outcomes)} of {len(outcomes)} as they should be, in {time.monotonic() - started:.0f} s")


if __name__ == "__main__":
    main()
