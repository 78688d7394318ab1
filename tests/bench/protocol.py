"""Measures the cost of the protocol: answers while every core is busy, and the overhead of a cell beyond compiling and running.

    python tests/bench/protocol.py [--only busy|overhead] [--markdown FILE]

busy: kernel_info round trips, one every few milliseconds, on control and on shell,
while a cell computes on every core; compared with ipykernel's control channel
while its cell multiplies matrices on every core. (ipykernel answers on shell when
the cell has ended.)

overhead: trivial cells, one after the other. A program in place of rustc records
when rustc started and ended, which separates the compiler's own time. The rest of
the round trip is the kernel's, including the loading and running of the cell, and
the client's. A blank cell shows the cost of the messages alone. For comparison, the
round trips of ipykernel's cells.

This is a benchmark, not a test: it always exits with 0. Its last table lists
which goals were reached.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from jupyter_client import KernelManager  # noqa: E402

import machine  # noqa: E402
from kernel import KERNEL_NAME, Kernel  # noqa: E402
from results import Goal, Samples, Table, goals_table, median, publish  # noqa: E402
from rustc import find  # noqa: E402
from timing import progress  # noqa: E402

SECTIONS = ("busy", "overhead")
ANSWER_LIMIT, OVERHEAD_LIMIT = 0.010, 0.005
CELL_TIMEOUT = 120
# The pause between two round trips. A client's requests come one by one, and a thousand
# without a pause would be over before the scheduler switches to another process.
PAUSE = 0.005

BUSY = {
    "ours": 'println!("started");\nArray::random((4_000_000, 1_000), (2_000, 1_000), 1).map(|v: f64| (0..50).fold(v, |s, _| s.sin())).sum().compute()?',
    "ipykernel": """
import os, threading, numpy
matrix = numpy.random.default_rng(1).random((500, 500))
def multiply():
    while True: matrix @ matrix
for _ in range(os.cpu_count() - 1): threading.Thread(target=multiply, daemon=True).start()
print("started", flush=True)
multiply()
""",
}
TRIVIAL = {
    "ours": {"blank": " ", "1 + 1": "1 + 1", "let": "let n = 1;", "println!": 'println!("a line");', "a variable": "n"},
    "ipykernel": {"blank": " ", "1 + 1": "1 + 1", "let": "n = 1", "println!": 'print("a line")', "a variable": "n"},
}

STAND_IN = r"""
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static long long now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000000LL + t.tv_nsec;
}

int main(int count, char **arguments) {
    long long started = now();
    int status;
    pid_t child = vfork();
    if (child == 0) {
        execv(RUSTC, arguments);
        _exit(127);
    }
    waitpid(child, &status, 0);
    FILE *log = fopen(LOG, "a");
    fprintf(log, "%lld %lld\n", started, now());
    fclose(log);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}
"""


class StandIn:
    """A program that is found before rustc, and records when rustc ran."""

    def __init__(self, folder: Path):
        self.folder, self.log = folder, folder / "rustc.log"
        source, program = folder / "rustc.c", folder / "rustc"
        source.write_text(STAND_IN)
        subprocess.run(["cc", "-O1", f'-DRUSTC="{find()}"', f'-DLOG="{self.log}"', "-o", str(program), str(source)], check=True)
        # The kernel first asks rustup for the path of rustc.
        rustup = folder / "rustup"
        rustup.write_text(f"#!/bin/sh\necho {program}\n")
        rustup.chmod(0o755)
        self.read = 0

    @property
    def environment(self) -> dict[str, str]:
        return os.environ | {"PATH": f"{self.folder}{os.pathsep}{os.environ['PATH']}"}

    def runs(self) -> list[tuple[float, float]]:
        """Returns the runs since the last call: start and end, by `time.monotonic`."""
        text = self.log.read_text()[self.read :] if self.log.exists() else ""
        self.read += len(text)
        return [tuple(int(part) / 1e9 for part in line.split()) for line in text.splitlines()]


@dataclass
class Parts:
    """The round trips of one kind of cell, and their parts."""

    whole: Samples = field(default_factory=Samples)
    compiler: Samples = field(default_factory=Samples)
    before: Samples = field(default_factory=Samples)
    after: Samples = field(default_factory=Samples)
    rest: Samples = field(default_factory=Samples)


def round_trip(kernel: Kernel, code: str) -> tuple[float, float]:
    """Runs a cell. Returns the times of the request and of the kernel's idle, by `time.monotonic`."""
    started = time.monotonic()
    request = kernel.send(code)
    while True:
        message = kernel.iopub(timeout=CELL_TIMEOUT)
        if message["parent_header"].get("msg_id") == request and message["content"].get("execution_state") == "idle":
            break
    ended = time.monotonic()
    reply = kernel.reply(request, CELL_TIMEOUT)
    if reply["status"] != "ok":
        raise RuntimeError(f"a cell has failed: {reply['evalue']}\n{code}")
    return started, ended


def ask(kernel: Kernel, channel: str) -> float:
    """Returns the seconds of one kernel_info round trip."""
    socket = getattr(kernel.client, f"{channel}_channel")
    message = kernel.client.session.msg("kernel_info_request", {})
    started = time.perf_counter()
    socket.send(message)
    while socket.get_msg(timeout=CELL_TIMEOUT)["parent_header"].get("msg_id") != message["header"]["msg_id"]:
        pass
    return time.perf_counter() - started


def asked(kernel: Kernel, channel: str, count: int) -> Samples:
    samples = Samples()
    for _ in range(count):
        samples.add(ask(kernel, channel))
        time.sleep(PAUSE)
    return samples


def at(samples: Samples, share: float) -> float:
    """Returns the sample below which the share `share` lies."""
    ordered = sorted(samples.values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


@contextmanager
def busy(kernel: Kernel, code: str):
    """Keeps every core busy with a cell of the kernel. The kernel is killed afterwards, not shut down."""
    request = kernel.send(code)
    while kernel.iopub(timeout=CELL_TIMEOUT)["msg_type"] != "stream":
        pass
    time.sleep(1)
    yield
    while kernel.client.shell_channel.msg_ready():
        reply = kernel.client.get_shell_msg(timeout=1)
        if reply["parent_header"].get("msg_id") == request:
            raise RuntimeError(f"the cell had ended before the measurement: {reply['content']['status']}")


def ms(seconds: float) -> str:
    return f"{1000 * seconds:.2f}"


class Benchmark:
    def __init__(self, options: argparse.Namespace, folder: Path):
        self.options, self.folder = options, folder
        self.tables: list[Table] = []
        self.goals: list[Goal] = []

    @contextmanager
    def kernel(self, name: str, environment: dict[str, str] | None = None):
        """Runs our kernel or ipykernel. It is killed at the end, whatever it is doing."""
        manager = KernelManager(kernel_name=self.options.kernel if name == "ours" else "python3")
        manager.start_kernel(cwd=str(self.folder), env=environment or dict(os.environ), stderr=subprocess.DEVNULL)
        try:
            kernel = Kernel(manager, str(self.folder))
            yield kernel
            kernel.client.stop_channels()
        finally:
            manager.shutdown_kernel(now=True)

    def busy(self) -> None:
        rows = []
        for name, code in BUSY.items():
            with self.kernel(name) as kernel:
                round_trip(kernel, "1 + 1")
                # Completion loads in the background after the first cell.
                time.sleep(self.options.settle)
                rests = {channel: asked(kernel, channel, self.options.answers) for channel in ("control", "shell")}
                progress(f"{name}: busy")
                with busy(kernel, code):
                    channels = ("control", "shell") if name == "ours" else ("control",)
                    works = {channel: asked(kernel, channel, self.options.answers) for channel in channels}
            for when, measured in (("at rest", rests), ("every core busy", works)):
                for channel, samples in measured.items():
                    rows.append([f"{name}, {channel}, {when}", ms(samples.median), ms(at(samples, 0.99)), ms(max(samples.values))])
                    if name == "ours" and measured is works:
                        goal = f"kernel_info on {channel} while every core is busy, 99 of 100: at most {1000 * ANSWER_LIMIT:.0f} ms"
                        self.goals.append(Goal.at_most(goal, at(samples, 0.99), ANSWER_LIMIT, lambda seconds: f"{ms(seconds)} ms"))
        title = f"kernel_info, {self.options.answers} round trips each"
        self.tables.append(Table(title, ["kernel, channel, when", "median, ms", "99 of 100, ms", "slowest, ms"], rows, ["The client is Python's; its part is in all of them."]))

    def overhead(self) -> None:
        stand_in = StandIn(self.folder)
        measured = {
            "ours": self.cells("ours", stand_in.environment, stand_in),
            "ipykernel": self.cells("ipykernel", dict(os.environ), None),
        }
        rows = []
        for cell, parts in measured["ours"].items():
            theirs = measured["ipykernel"][cell].whole
            told = [ms(samples.median) if samples else "–" for samples in (parts.whole, parts.compiler, parts.before, parts.after, parts.rest)]
            rows.append([cell, *told, ms(theirs.median)])
        heads = ["cell", "round trip, ms", "rustc, ms", "before it, ms", "after it, ms", "all but rustc, ms", "ipykernel's round trip, ms"]
        notes = [f"Medians of {self.options.cells}. After rustc: the library is loaded and run, what it shows is sent."]
        self.tables.append(Table("Trivial cells, taken apart", heads, rows, notes))
        worst = median(parts.rest.median for parts in measured["ours"].values() if parts.compiler)
        self.goals.append(
            Goal.at_most(f"a trivial cell beyond rustc, median: at most {1000 * OVERHEAD_LIMIT:.0f} ms", worst, OVERHEAD_LIMIT, lambda seconds: f"{ms(seconds)} ms")
        )

    def cells(self, name: str, environment: dict[str, str], stand_in: StandIn | None) -> dict[str, Parts]:
        taken = {cell: Parts() for cell in TRIVIAL[name]}
        with self.kernel(name, environment) as kernel:
            for code in TRIVIAL[name].values():
                round_trip(kernel, code)
            time.sleep(self.options.settle)
            if stand_in and not stand_in.runs():
                raise RuntimeError("the kernel took another rustc than the one that tells its time")
            for turn in range(self.options.cells):
                for cell, code in TRIVIAL[name].items():
                    started, ended = round_trip(kernel, code)
                    parts = taken[cell]
                    parts.whole.add(ended - started)
                    runs = stand_in.runs() if stand_in else []
                    if runs:
                        parts.compiler.add(sum(end - begin for begin, end in runs))
                        parts.before.add(runs[0][0] - started)
                        parts.after.add(ended - runs[-1][1])
                    parts.rest.add(ended - started - sum(end - begin for begin, end in runs))
                if turn % 20 == 19:
                    progress(f"{name}: {turn + 1} of {self.options.cells} turns")
        return taken

    def run(self) -> None:
        for section in SECTIONS:
            if self.options.only in (None, section):
                try:
                    getattr(self, section)()
                except (OSError, RuntimeError, TimeoutError, subprocess.CalledProcessError) as error:
                    progress(f"{section} broke off: {error}")
                    self.goals.append(Goal(f"{section}: measured to the end", "broke off", False))


def parse() -> argparse.Namespace:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--kernel", default=KERNEL_NAME, metavar="NAME", help="the kernelspec to measure (swath)")
    options.add_argument("--only", choices=SECTIONS, help="one section")
    options.add_argument("--answers", type=int, default=1000, metavar="N", help="how many round trips (1000)")
    options.add_argument("--cells", type=int, default=60, metavar="N", help="how often each trivial cell is run (60)")
    options.add_argument("--settle", type=float, default=20, metavar="SECONDS", help="how long completion gets to load (20)")
    options.add_argument("--markdown", type=Path, metavar="FILE", help="writes the tables to a file as well")
    return options.parse_args()


def main() -> None:
    options = parse()
    load_before = machine.load()
    with tempfile.TemporaryDirectory() as folder:
        benchmark = Benchmark(options, Path(folder))
        benchmark.run()
    lines = [*machine.description(find()), f"load average before: {load_before}; after: {machine.load()}"]
    tables = [*benchmark.tables, goals_table(benchmark.goals)]
    publish("The protocol, measured", lines, tables, options.markdown)


if __name__ == "__main__":
    main()
