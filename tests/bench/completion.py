#!/usr/bin/env python3
"""How long completion and inspection take in an installed kernel.

Prints a table: the first completion once the analyzer is warm, later ones at
rest and while a cell keeps every core busy, inspection, and the cost for the
analyzer (processor time per request, memory). Wall time is how long a user
waits; processor time is what that would be on an idle machine.
"""

import argparse
import os
import statistics
import time
from contextlib import suppress
from pathlib import Path

from jupyter_client import KernelManager

SETUP = """\
let numbers: Vec<i64> = (0..1000).collect();
let mut words = std::collections::BTreeMap::from([("a".to_owned(), 1.5)]);
let df = polars::df!("x" => [1i64, 2, 3], "y" => [0.5, 1.5, 2.5]).unwrap();
let frame = DataFrame::from_polars(df.clone(), 1);
fn relevance(x: f64) -> f64 { x.sqrt() }
"""

# The requests, each with an answer that must be among the results.
COMPLETIONS = {
    "method of a Vec": ("numbers.", "len"),
    "method, begun": ("numbers.iter().ma", "map"),
    "chain": ("numbers.iter().filter(|x| **x > 3).map(|x| x * 2).", "sum"),
    "path": ("std::col", "collections"),
    "variable": ("num", "numbers"),
    "own function": ("relev", "relevance"),
    "Swath's frame": ("frame.", "filter"),
    "Polars' frame": ("df.", "shape"),
    "Polars' prelude": ("polars::prelude::", "DataFrame"),
    "local of the cell": ("let local_one = words.clone();\nlocal_one.", "entry"),
    "type": ("let a: HashM", None),
    "nothing begun": ("", None),
}
INSPECTIONS = {
    "function": ("Vec::with_capacity", "with_capacity"),
    "method": ("numbers.iter", "iter"),
    "Swath's function": ("read_csv", "read_csv"),
}
BUSY = """\
let until = std::time::Instant::now() + std::time::Duration::from_secs({seconds});
std::thread::scope(|scope| {{
    for _ in 0..std::thread::available_parallelism().unwrap().get() {{
        scope.spawn(|| while std::time::Instant::now() < until {{ std::hint::black_box(0); }});
    }}
}});
"""


class Kernel:
    def __init__(self, name: str):
        self.manager = KernelManager(kernel_name=name)
        self.manager.start_kernel()
        self.client = self.manager.client()
        self.client.start_channels()
        self.client.wait_for_ready(timeout=60)

    def run(self, code: str) -> None:
        reply = self.client.execute(code, reply=True, timeout=120)["content"]
        if reply["status"] != "ok":
            raise SystemExit("\n".join(reply["traceback"]))

    def complete(self, code: str) -> list[str]:
        return self.client.complete(code, len(code), reply=True, timeout=60)["content"]["matches"]

    def inspect(self, code: str) -> list[str]:
        content = self.client.inspect(code, len(code), reply=True, timeout=60)["content"]
        return [content.get("data", {}).get("text/plain", "")]

    def analyzer(self) -> Path | None:
        """Returns the analyzer process's folder in /proc."""
        kernel = self.manager.provisioner.pid
        for folder in Path("/proc").glob("[0-9]*"):
            with suppress(OSError):
                arguments = (folder / "cmdline").read_bytes().split(b"\0")
                parent = int((folder / "stat").read_text().rsplit(")", 1)[1].split()[1])
                if parent == kernel and b"analyze" in arguments:
                    return folder
        return None

    def cpu_seconds(self) -> float:
        """Returns the processor time that all threads of the analyzer have used so far."""
        folder = self.analyzer()
        if folder is None:
            return 0.0
        fields = (folder / "stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def memory(self) -> tuple[float, float]:
        """Returns the analyzer's resident memory and its peak, in MB."""
        folder = self.analyzer()
        if folder is None:
            return 0.0, 0.0
        lines = dict(line.split(":", 1) for line in (folder / "status").read_text().splitlines())
        return tuple(int(lines[name].split()[0]) / 1024 for name in ("VmRSS", "VmHWM"))

    def until_warm(self, limit: float) -> float:
        """Waits until the analyzer has used no processor time for a second. Returns how long that took."""
        started = time.monotonic()
        seen, since = -1.0, started
        while time.monotonic() - started < limit:
            used = self.cpu_seconds()
            if used != seen:
                seen, since = used, time.monotonic()
            elif used > 0 and time.monotonic() - since > 1:
                return since - started
            time.sleep(0.1)
        raise SystemExit(f"the analyzer is not at rest after {limit} s")


def milliseconds(seconds: float) -> str:
    return f"{seconds * 1000:8.0f} ms"


def row(label: str, *columns: str) -> None:
    print(f"{label:38}" + "".join(f"{column:>13}" for column in columns), flush=True)


def measure(kernel: Kernel, label: str, questions: dict, ask, rounds: int, details: bool) -> None:
    walls: dict[str, list[float]] = {name: [] for name in questions}
    wrong = set()
    used = kernel.cpu_seconds()
    for turn in range(rounds):
        for name, (code, expected) in questions.items():
            # The text in front varies a little, as it does while a user types.
            code = f"let turn = {turn};\n{code}"
            started = time.monotonic()
            found = ask(code)
            walls[name].append(time.monotonic() - started)
            if expected is not None and not any(expected in text for text in found):
                wrong.add(name)
    used = kernel.cpu_seconds() - used
    every = sorted(wall for several in walls.values() for wall in several)
    p95 = every[min(len(every) - 1, int(len(every) * 0.95))]
    row(
        label,
        milliseconds(statistics.median(every)),
        milliseconds(p95),
        milliseconds(every[-1]),
        milliseconds(used / len(every)),
    )
    if details:
        for name, several in walls.items():
            row(f"  {name}", milliseconds(statistics.median(several)), "", milliseconds(max(several)))
    if wrong:
        print(f"  not answered: {', '.join(sorted(wrong))}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kernel", default="swath", metavar="NAME")
    parser.add_argument("--rounds", type=int, default=10, metavar="N")
    parser.add_argument("--details", action="store_true", help="a line for each question")
    options = parser.parse_args()

    kernel = Kernel(options.kernel)
    try:
        kernel.run(SETUP)
        warm = kernel.until_warm(180)
        print(f"analyzer warm {warm:.1f} s after the first cell, with {kernel.cpu_seconds():.1f} s of processor time")
        row("", "median", "p95", "worst", "processor")
        first = dict([next(iter(COMPLETIONS.items()))])
        measure(kernel, "first completion", first, kernel.complete, 1, False)
        measure(kernel, "each for the first time", COMPLETIONS, kernel.complete, 1, options.details)
        measure(kernel, "completion, at rest", COMPLETIONS, kernel.complete, options.rounds, options.details)
        measure(kernel, "inspection, at rest", INSPECTIONS, kernel.inspect, options.rounds, options.details)
        kernel.client.execute(BUSY.format(seconds=3600))
        time.sleep(2)
        measure(kernel, "completion, all cores busy", COMPLETIONS, kernel.complete, options.rounds, options.details)
        measure(kernel, "inspection, all cores busy", INSPECTIONS, kernel.inspect, options.rounds, options.details)
        resident, most = kernel.memory()
        print(f"analyzer's memory: {resident:.0f} MB, at most {most:.0f} MB")
    finally:
        kernel.client.stop_channels()
        kernel.manager.shutdown_kernel(now=True)


if __name__ == "__main__":
    main()
