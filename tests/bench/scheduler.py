"""Measures the cost of the scheduler, compared with Dask's, Frisky's, and bare rayon.

    cargo build --release --workspace --examples
    python -m venv PEERS && PEERS/bin/pip install -r tests/bench/peers/requirements.txt
    python tests/bench/scheduler.py --peers PEERS/bin/python [--quick] [--only SECTION] [--markdown FILE]

`--before PROGRAM` measures the same program of an earlier build instead of the
peers, and prints the ratios.

Sections: graphs, forms, many, array, delayed, speedup, memory, cancel. Ours is
`runtime/examples/scheduler`, the peers are `tests/bench/peers`; without Dask or
Frisky their columns are empty. Every measurement runs in its own process, and
those that are compared take turns. `--markdown` also writes the individual
measurements, as JSON, next to the tables.

This is a benchmark, not a test: it always exits with 0. Its last table lists
which goals were reached.
"""

import argparse
import json
import platform
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import disk
import machine
import rustc
from contenders import Program, Turn, interleaved, peer, progress, samples
from results import Goal, Samples, Table, goals_table, median, times
from units import GIBIBYTE, MEBIBYTE, MICROSECOND, MILLISECOND, mebibytes, microseconds, milliseconds, per_cent, size

PROJECT = Path(__file__).resolve().parent.parent.parent
SECTIONS = ("graphs", "forms", "many", "array", "delayed", "speedup", "memory", "cancel")
SHAPES = {
    "independent": "independent tasks",
    "chain": "chain",
    "tree": "binary tree",
    "layered": "layers of random inputs, 3 a task",
    "fan-in": "fan-in",
}
FORMS = ("listed", "blockwise", "delayed", "keys")
#: The headers of the peers' columns, where a peer has several modes.
DASK, DASK_SYNCHRONOUS, FRISKY = "Dask, 2 threads", "Dask, synchronous", "Frisky"
#: Frisky's modes, measured on independent tasks.
FRISKY_MODES = {
    "threads": "one worker of 2 threads in the process, a graph",
    "threads-map": "one worker of 2 threads in the process, client.map",
    "thread": "one worker of 1 thread in the process, a graph",
    "workers": "2 workers of 1 thread in the process, a graph",
    "processes": "2 workers in processes, a graph",
    "processes-map": "2 workers in processes, client.map",
}

INDEPENDENT_SECONDS, ANY_SECONDS = 0.5e-6, 1e-6
TIMES_DASK = 100
MANY, MANY_TIMES, TASK_BYTES = 10, 11, 200
ARRAY_SECONDS, DELAYED_SECONDS = 25e-3, 20e-3
SPEEDUP = 1.95
MEMORY_OVER = 150 * MEBIBYTE
DISK_PART = 0.6
CANCEL_SECONDS = 20e-3
#: What a change may cost.
BEFORE_LIMIT = 1.03


@dataclass(frozen=True)
class Sizes:
    """The sizes of the measurements."""

    tasks: int = 1_000_000
    #: Peers run fewer tasks; the comparison is per task.
    peer_tasks: int = 50_000
    #: Chunks along each side of the array.
    side: int = 100
    calls: int = 20_000
    spins: int = 1000
    sum: int = 8 * GIBIBYTE
    kept: int = 4 * GIBIBYTE
    chunk: int = 16 * MEBIBYTE
    limit: int = 512 * MEBIBYTE
    rounds: int = 3
    #: Rounds of the slow measurements: peers' graphs, many tasks, the disk.
    slow_rounds: int = 2


QUICK = Sizes(
    tasks=50_000, peer_tasks=2_500, side=30, calls=1_000, spins=100, sum=512 * MEBIBYTE, kept=512 * MEBIBYTE,
    limit=128 * MEBIBYTE, rounds=2, slow_rounds=1,
)  # fmt: skip


class Benchmark:
    """One run of the benchmark: its options and results."""

    def __init__(self, options: argparse.Namespace, folder: Path):
        self.options = options
        self.sizes = QUICK if options.quick else Sizes()
        self.folder = folder
        # The allocator has the setting with which the kernel starts its runtime process.
        settings = (("SWATH_SPILL_FOLDER", str(folder)), ("GLIBC_TUNABLES", "glibc.malloc.hugetlb=1"))
        self.ours = Program((str(options.program),), settings)
        # Frisky writes a file there for each worker that had to be killed.
        environment = {"FRISKY_DEATH_DUMP_DIR": str(folder), "TMPDIR": str(folder)}
        self.dask = peer(options.peers, "dask.array", "dask_peer.py", {})
        self.frisky = peer(options.peers, "frisky.dask", "frisky_peer.py", environment)
        for name, found in (("Dask", self.dask), ("Frisky", self.frisky)):
            if found is None:
                progress(f"no {name} in {options.peers}: see --peers")
        self.tables: list[Table] = []
        self.goals: list[Goal] = []
        self.raw: dict[str, dict[str, list[dict]]] = {}

    def measure(self, label: str, turns: dict[str, Turn | None], rounds: int) -> dict[str, list[dict]]:
        """Returns each contender's measurements, and an empty list for missing contenders."""
        progress(label)
        measured = interleaved({name: turn for name, turn in turns.items() if turn}, rounds)
        self.raw[label] = measured
        return {name: measured.get(name, []) for name in turns}

    def our_turn(self, *words: object) -> Turn:
        return Turn(self.ours, words)

    def dask_turn(self, *words: object) -> Turn | None:
        return Turn(self.dask[0], words) if self.dask else None

    def frisky_turn(self, *words: object) -> Turn | None:
        return Turn(self.frisky[0], words) if self.frisky else None

    # The sections.

    def graphs(self) -> None:
        """Measures a task's time from graph to done, for each shape and contender."""
        sizes, rows = self.sizes, []
        for shape, title in SHAPES.items():
            # The first run in a process is slower for everyone.
            many, few = (sizes.tasks, 3), (sizes.peer_tasks, 2)
            measured = self.measure(
                f"graphs: {title}",
                {
                    "ours": self.our_turn("graph", shape, "listed", *many),
                    "ours, synchronous": self.our_turn("graph", shape, "listed-synchronous", *many),
                    "rayon": self.our_turn("graph", shape, "rayon", *many),
                    DASK: self.dask_turn("graph", shape, "threads", *few),
                    DASK_SYNCHRONOUS: self.dask_turn("graph", shape, "synchronous", *few),
                    FRISKY: self.frisky_turn("graph", shape, "threads", *few),
                },
                sizes.slow_rounds,
            )
            taken = {name: samples(figures, "run", "tasks") for name, figures in measured.items()}
            ours, dask, frisky = taken["ours"].best, taken[DASK].best, taken[FRISKY].best
            columns = [taken[name].spread(MICROSECOND, 2) for name in ("ours", "ours, synchronous", "rayon")]
            columns += [taken[name].spread(MICROSECOND, 0) for name in (DASK, DASK_SYNCHRONOUS, FRISKY)]
            rows.append([title, *columns, _ratio(ours, taken["rayon"].best), _ratio(dask, ours), _ratio(frisky, ours)])
            limit = INDEPENDENT_SECONDS if shape == "independent" else ANY_SECONDS
            what = f"{sizes.tasks:,} tasks, {title}: at most {limit / MICROSECOND:.1f} µs a task from graph to done"
            self.goals.append(Goal.at_most(what, ours, limit, microseconds))
            if shape == "independent":
                what = f"independent tasks: at least {TIMES_DASK} times as fast as Dask's threads"
                self.goals.append(Goal.at_least(what, dask / ours if dask and ours else None, TIMES_DASK, times))
        self.tables.append(
            Table(
                "A task that does nothing, from graph to done: µs, fastest–slowest",
                ["shape", "ours", "ours, synchronous", "rayon alone", DASK, DASK_SYNCHRONOUS, FRISKY, "ours / rayon", "Dask / ours", "Frisky / ours"],
                rows,
                [
                    f"Ours and rayon on {sizes.tasks:,} tasks, Dask and Frisky on {sizes.peer_tasks:,}: what is compared is the time a task, "
                    "which doesn't get less with more tasks. Ours is a layer of tasks told one by one, by number; theirs are dicts. "
                    "Ratios are of the fastest. rayon alone is the same calls written by hand, without graph, priorities and keys; "
                    "for the chain a plain loop.",
                ],
            )
        )
        if self.frisky:
            self._frisky_modes()

    def _frisky_modes(self) -> None:
        tasks = self.sizes.peer_tasks
        modes = {name: self.frisky_turn("graph", "independent", mode, tasks, 2) for mode, name in FRISKY_MODES.items()}
        measured = self.measure("graphs: Frisky's modes", modes, 1)
        rows = [[name, samples(figures, "run", "tasks").spread(MICROSECOND, 0)] for name, figures in measured.items()]
        self.tables.append(Table(f"Frisky: {tasks:,} independent tasks", ["how", "µs a task"], rows))

    def forms(self) -> None:
        """Measures the ways to describe a graph: the cost of building, running and storing it."""
        tasks, rows = self.sizes.tasks, []
        for shape, title in SHAPES.items():
            forms = [form for form in FORMS if form != "blockwise" or shape == "independent"]
            turns = {form: self.our_turn("graph", shape, form, tasks, 1) for form in forms}
            if shape == "independent":
                turns["rayon, a job a task"] = self.our_turn("graph", shape, "rayon-spawn", tasks, 1)
            for form, figures in self.measure(f"forms: {title}", turns, self.sizes.slow_rounds).items():
                build, run = samples(figures, "build", "tasks"), samples(figures, "run", "tasks")
                both = build.best + run.best if run else None
                columns = [build.spread(MICROSECOND), run.spread(MICROSECOND), microseconds(both), _task_bytes(figures)]
                rows.append([f"{title}, {form}", *columns])
        self.tables.append(
            Table(
                f"Ways to tell a graph of {tasks:,} tasks",
                ["shape, form", "building, µs a task", "graph to done, µs a task", "both, fastest", "peak memory, bytes a task"],
                rows,
                [
                    "The first run in a process each time. Listed: a layer of numbered tasks. Blockwise: a layer by rule. "
                    "Delayed: calls. Keys: a custom graph, whose keys are strings."
                ],
            )
        )

    def many(self) -> None:
        """Checks that ten times as many tasks take ten times as long, and little memory."""
        few, many = self.sizes.tasks, MANY * self.sizes.tasks
        rows = []
        for shape, title in SHAPES.items():
            turns = {"few": self.our_turn("graph", shape, "listed", few, 1), "many": self.our_turn("graph", shape, "listed", many, 1)}
            measured = self.measure(f"many: {title}", turns, self.sizes.slow_rounds)
            taken = {name: samples(figures, "run") for name, figures in measured.items()}
            ratio = taken["many"].best / taken["few"].best if taken["many"] and taken["few"] else None
            used = max(map(_bytes, measured["many"]), default=None)
            columns = [taken["few"].spread(), taken["many"].spread(), times(ratio)]
            rows.append([title, *columns, _task_bytes(measured["few"]), _task_bytes(measured["many"])])
            what = f"{many:,} tasks, {title}"
            self.goals += [
                Goal.at_most(f"{what}: at most {MANY_TIMES} × the time of {few:,}", ratio, MANY_TIMES, times),
                Goal.at_most(f"{what}: at most {TASK_BYTES} bytes of memory a task", used, TASK_BYTES, lambda most: f"{most:.0f}"),
            ]
        self.tables.append(
            Table(
                "Many tasks",
                ["shape", f"{few:,} tasks, s", f"{many:,} tasks, s", "ratio", f"{few:,}: bytes a task", f"{many:,}: bytes a task"],
                rows,
                [
                    "From graph to done, listed, the first run in a process. Bytes: the most resident memory of the process, "
                    "less what it had at its start; the graph itself is in it."
                ],
            )
        )

    def array(self) -> None:
        """Measures `(x + x.t()).mean()` on many small chunks."""
        side, rows = self.sizes.side, []
        for elements in ("ones", "random"):
            measured = self.measure(
                f"array: {elements}",
                {
                    "ours": self.our_turn("array", elements, side, 5),
                    DASK: self.dask_turn("array", elements, side, 1),
                    FRISKY: self.frisky_turn("array", elements, side, 1),
                },
                self.sizes.slow_rounds,
            )
            taken = {name: samples(figures, "total") for name, figures in measured.items()}
            rows.append([elements, *self._beside(taken, MILLISECOND)])
            what = f"(x + x.t()).mean() of {elements}, {side * side:,} chunks, building included: at most {1000 * ARRAY_SECONDS:.0f} ms"
            self.goals.append(Goal.at_most(what, taken["ours"].best, ARRAY_SECONDS, milliseconds))
        self.tables.append(
            Table(
                f"(x + x.t()).mean() on {side * side:,} chunks of 2 × 2, building included: ms, fastest–slowest",
                ["elements", "ours", DASK, FRISKY, "Dask / ours", "Frisky / ours"],
                rows,
            )
        )

    def delayed(self) -> None:
        """Measures delayed calls, and one call that depends on all of them."""
        calls, rows = self.sizes.calls, []
        measured = self.measure(
            "delayed",
            {
                "ours": self.our_turn("delayed", calls, 20),
                DASK: self.dask_turn("delayed", calls, 1),
                FRISKY: self.frisky_turn("delayed", calls, 1),
            },
            # In Dask the cost of a call grows with the number of calls: these take it a minute.
            1,
        )
        for what, title in (("build", "building"), ("run", "computing")):
            taken = {name: samples(figures, what) for name, figures in measured.items()}
            rows.append([title, *self._beside(taken, MILLISECOND)])
            if what == "build":
                goal = f"building {calls:,} delayed calls and a fan-in: at most {1000 * DELAYED_SECONDS:.0f} ms"
                self.goals.append(Goal.at_most(goal, taken["ours"].best, DELAYED_SECONDS, milliseconds))
        self.tables.append(
            Table(
                f"{calls:,} delayed calls and a fan-in: ms, fastest–slowest",
                ["", "ours", DASK, FRISKY, "Dask / ours", "Frisky / ours"],
                rows,
                ["Frisky takes what dask.delayed builds."],
            )
        )

    def speedup(self) -> None:
        """Measures tasks that only calculate, on one thread and on two."""
        turns = {"ours": self.our_turn("speedup", self.sizes.spins, self.sizes.rounds)}
        figures = self.measure("speedup", turns, 1)["ours"]
        one, two = samples(figures, "one"), samples(figures, "two")
        plain_one, plain_two = samples(figures, "threads one"), samples(figures, "threads two")
        rows, ratios = [], []
        for name, single, double in (("ours", one, two), ("plain threads", plain_one, plain_two)):
            ratio = single.best / double.best if double else None
            ratios.append(ratio)
            rows.append([name, single.spread(MILLISECOND, 0), double.spread(MILLISECOND, 0), times(ratio, 3)])
        self.tables.append(
            Table(
                f"{self.sizes.spins:,} tasks of 1 ms of calculation: ms, fastest–slowest",
                ["", "one thread", "two threads", "ratio of the fastest"],
                rows,
                ["A task is a number of steps, not a time. Plain threads show what the machine had to give meanwhile."],
            )
        )
        ours, plain = ratios
        self.goals.append(
            Goal.at_least(
                f"two threads on tasks of 1 ms: at least {SPEEDUP} × one thread", ours, SPEEDUP,
                lambda ratio: f"{times(ratio, 3)} (plain threads {times(plain, 3)})",
            )
        )  # fmt: skip

    def memory(self) -> None:
        """Measures sums of more data than the memory limit allows, and values kept on disk."""
        self._sum()
        self._kept()

    def _sum(self) -> None:
        sizes = self.sizes
        measured = self.measure(
            "memory: sum",
            {
                "ours": self.our_turn("sum", sizes.sum, sizes.chunk, sizes.limit),
                DASK: self.dask_turn("sum", sizes.sum, sizes.chunk),
            },
            sizes.slow_rounds,
        )
        rows = []
        for name, figures in measured.items():
            rate = Samples([one["bytes"] / one["run"] for one in figures])
            peak = max((one["peak"] for one in figures), default=None)
            rows.append([name, samples(figures, "run").spread(), rate.spread(GIBIBYTE, 1), mebibytes(peak), _exactly(figures)])
        self.tables.append(
            Table(
                f"The sum of {size(sizes.sum)} of numbers, generated in chunks of {size(sizes.chunk)}",
                ["", "s, fastest–slowest", "GiB/s", "peak resident, MiB", "result"],
                rows,
                [f"Ours under a limit of {size(sizes.limit)}. Dask's threads have no limit."],
            )
        )
        self._memory_goals(f"the sum of {size(sizes.sum)}", measured["ours"])

    def _kept(self) -> None:
        """Measures values kept on a disk, in turn with dd on the same disk."""
        sizes = self.sizes
        progress("memory: kept values")
        turns = disk.Turns(self.ours, self.folder, empty=not self.options.keep_cache)
        for _ in range(sizes.slow_rounds):
            turns.measure(sizes.kept, sizes.chunk, sizes.limit)
        self.raw["memory: kept values"] = {"written": turns.written, "read": turns.read, "dd": turns.dd}
        dd_writes, dd_reads = samples(turns.dd, "write"), samples(turns.dd, "read")
        writes, on_disk, reads = turns.rate("written", "write"), turns.rate("written", "synced"), turns.rate("read", "run")
        parts = [_fastest_of(writes, dd_writes), _fastest_of(on_disk, dd_writes), _fastest_of(reads, dd_reads)]
        rows = [
            ["writing", writes.spread(MEBIBYTE, 0), "–", per_cent(parts[0])],
            ["writing, until it is on the disk", on_disk.spread(MEBIBYTE, 0), dd_writes.spread(MEBIBYTE, 0), per_cent(parts[1])],
            ["reading back, and summing", reads.spread(MEBIBYTE, 0), dd_reads.spread(MEBIBYTE, 0), per_cent(parts[2])],
        ]
        cache = "was emptied before each reading" if turns.empty else "was not emptied before reading, neither for ours nor for dd"
        self.tables.append(
            Table(
                f"{size(sizes.kept)} persisted and summed: MiB/s of what went to the disk, slowest–fastest",
                ["", "ours", "dd bs=16M (conv=fsync)", "ours / dd, fastest"],
                rows,
                [
                    f"Ours under a limit of {size(sizes.limit)}; to compute and keep all took {samples(turns.written, 'write').spread()} s, "
                    f"to sum it {samples(turns.read, 'run').spread()} s. The system's cache {cache}. The folder is on {disk.kind(self.folder)}."
                ],
            )
        )
        what = f"{size(sizes.kept)} persisted and summed"
        self._memory_goals(what, turns.read)
        self.goals += [
            Goal.at_least(f"{what}, writing until it is on the disk: at least {100 * DISK_PART:.0f} % of dd", parts[1], DISK_PART, per_cent),
            Goal.at_least(f"{what}, reading back: at least {100 * DISK_PART:.0f} % of dd", parts[2], DISK_PART, per_cent),
        ]

    def _memory_goals(self, what: str, ours: list[dict]) -> None:
        limit = self.sizes.limit
        peak = max((one["peak"] for one in ours), default=None)
        self.goals += [
            Goal(f"{what}: exact", _exactly(ours), all(one["exact"] for one in ours) if ours else None),
            Goal.at_most(
                f"{what}: at most {size(limit)} + {size(MEMORY_OVER)} resident", peak, limit + MEMORY_OVER,
                lambda most: f"{mebibytes(most)} MiB",
            ),
        ]

    def cancel(self) -> None:
        """Measures the time from the stop button to the end of the next, trivial computation."""
        rows, worst = [], []
        sizes = self.sizes
        for shape in ("independent", "layered"):
            measured = self.measure(
                f"cancel: {shape}",
                {
                    "ours": self.our_turn("cancel", shape, sizes.tasks),
                    DASK: self.dask_turn("cancel", shape, sizes.peer_tasks),
                    FRISKY: self.frisky_turn("cancel", shape, sizes.peer_tasks),
                },
                sizes.slow_rounds,
            )
            for name, figures in measured.items():
                stopped = [one for one in figures if one["cancelled"]]
                done, returned = samples(stopped, "done"), samples(stopped, "returned")
                rows.append([f"{SHAPES[shape]}, {name}", f"{len(stopped)}", returned.spread(MILLISECOND, 1), done.spread(MILLISECOND, 1)])
                if name == "ours":
                    worst += done.values
        self.tables.append(
            Table(
                "Cancelled: ms from the cancel, fastest–slowest",
                ["run", "times", "the run returns", "the next is done"],
                rows,
                [
                    f"Ours in a run of {sizes.tasks:,} tasks, the peers (by Ctrl-C) of {sizes.peer_tasks:,}; "
                    "cancelled after 10, 30, 50, 70 and 90 % of its time."
                ],
            )
        )
        what = f"cancelled in a run of {sizes.tasks:,} tasks: the next is done within {1000 * CANCEL_SECONDS:.0f} ms (slowest)"
        self.goals.append(Goal.at_most(what, max(worst, default=None), CANCEL_SECONDS, milliseconds))

    def before(self) -> None:
        """Measures the program of an earlier build beside ours, in turns."""
        sizes, rows, ratios = self.sizes, [], []
        earlier = Program((str(self.options.before),), self.ours.environment)
        work = [
            (f"{title}, {form}", ("graph", shape, form, sizes.tasks, 4), "run")
            for shape, title in SHAPES.items()
            for form in ("listed", "listed-synchronous")
        ]
        work += [(f"(x + x.t()).mean(), {elements}", ("array", elements, sizes.side, 6), "run") for elements in ("ones", "random")]
        work += [(f"{sizes.calls:,} delayed calls", ("delayed", sizes.calls, 6), "run")]
        for title, words, figure in work:
            turns = {"before": Turn(earlier, words), "ours": Turn(self.ours, words)}
            measured = self.measure(f"before: {title}", turns, 2 * sizes.rounds)
            taken = {name: samples(figures, figure) for name, figures in measured.items()}
            ratios.append(taken["ours"].best / taken["before"].best)
            rows.append([title, taken["before"].spread(MILLISECOND, 1), taken["ours"].spread(MILLISECOND, 1), times(ratios[-1], 2)])
        middle = median(ratios)
        rows.append(["median", "", "", times(middle, 2)])
        self.tables.append(Table("Before and now: ms, fastest–slowest", ["work", "before", "ours", "ratio of the fastest"], rows))
        what = f"median: at most {BEFORE_LIMIT} × the earlier build"
        self.goals.append(Goal.at_most(what, middle, BEFORE_LIMIT, lambda ratio: times(ratio, 2)))

    def _beside(self, taken: dict[str, Samples], unit: float) -> list[str]:
        ours, dask, frisky = taken["ours"], taken[DASK], taken[FRISKY]
        return [ours.spread(unit, 1), dask.spread(unit, 0), frisky.spread(unit, 0), _ratio(dask.best, ours.best), _ratio(frisky.best, ours.best)]

    def run(self) -> None:
        """Runs the sections. If one breaks off, the others still run."""
        for section in ("before",) if self.options.before else SECTIONS:
            if self.options.only not in ("", section):
                continue
            try:
                getattr(self, section)()
            except (OSError, RuntimeError, subprocess.CalledProcessError, json.JSONDecodeError) as error:
                progress(f"{section} broke off: {error}")
                self.goals.append(Goal(f"{section}: measured to the end", "broke off", False))

    def report(self, load_before: str) -> tuple[list[str], list[Table]]:
        """Returns the lines above the tables, and the tables."""
        versions = [f"{name} {found[1]}" for name, found in (("Dask", self.dask), ("Frisky", self.frisky)) if found]
        lines = machine.description(rustc.find())
        lines.append(f"load average before: {load_before}; after: {machine.load()}")
        lines.append(", ".join([*versions, f"Python {platform.python_version()}"]) if versions else "no peers")
        if self.options.quick:
            lines.append("with --quick: small sizes, few turns")
        return lines, [*self.tables, goals_table(self.goals)]


def _ratio(figure: float | None, other: float | None) -> str:
    return times(figure / other if figure and other else None)


def _fastest_of(ours: Samples, other: Samples) -> float | None:
    """Returns the ratio of our fastest rate to the other fastest rate."""
    return max(ours.values) / max(other.values) if ours and other else None


def _bytes(figures: dict) -> float:
    return (figures["peak"] - figures["start"]) / figures["tasks"]


def _task_bytes(figures: list[dict]) -> str:
    return f"{max(map(_bytes, figures)):.0f}" if figures else "–"


def _exactly(figures: list[dict]) -> str:
    return "–" if not figures else "exact" if all(one["exact"] for one in figures) else "WRONG"


def parse() -> argparse.Namespace:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument(
        "--program", type=Path, default=PROJECT / "target" / "release" / "examples" / "scheduler", metavar="PATH",
        help="our side (target/release/examples/scheduler)",
    )
    options.add_argument("--before", type=Path, metavar="PATH", help="the same program of an earlier build")
    options.add_argument("--peers", default=sys.executable, metavar="PATH", help="a Python that has peers/requirements.txt (this one)")
    options.add_argument("--quick", action="store_true", help="small sizes, to see that everything works: the goals are for the large ones")
    options.add_argument("--only", default="", choices=SECTIONS, metavar="SECTION", help=", ".join(SECTIONS))
    options.add_argument("--folder", type=Path, default=Path("/var/tmp"), metavar="DIR", help="where large files go: on a disk (/var/tmp)")
    options.add_argument(
        "--keep-cache", action="store_true",
        help="leave the system's cache as it is, for ours and dd: to empty it takes root, and slows down everybody else",
    )
    options.add_argument("--markdown", type=Path, metavar="FILE", help="writes the tables to a file as well, and the measurements beside it as JSON")
    return options.parse_args()


def write(file: Path, lines: list[str], tables: list[Table], benchmark: Benchmark) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    text = "\n".join(["# The scheduler, measured", "", *(f"- {line}" for line in lines), "", *(table.markdown() for table in tables)])
    file.write_text(text.rstrip() + "\n")
    goals = [{"what": goal.what, "figure": goal.figure, "reached": goal.reached} for goal in benchmark.goals]
    content = {"about": lines, "goals": goals, "measurements": benchmark.raw}
    file.with_suffix(".json").write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n")


def main() -> None:
    options = parse()
    if not options.program.is_file():
        raise SystemExit(f"no {options.program}: cargo build --release --workspace --examples")
    load_before = machine.load()
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        benchmark = Benchmark(options, Path(folder))
        benchmark.run()
        lines, tables = benchmark.report(load_before)
    print("\n".join([*lines, "", *(table.text() for table in tables)]))
    if options.markdown:
        write(options.markdown, lines, tables, benchmark)


if __name__ == "__main__":
    main()
