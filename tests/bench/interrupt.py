"""Measures how soon an interrupted cell ends, and how soon a new process is ready after one has died.

    python tests/bench/interrupt.py [--times N] [--only WORD] [--markdown FILE]

stop: each cell of tests/test_interrupt.py that can stop is run and interrupted.
The time is from the interrupt to the cell's reply. The table also shows the time
of one task, because the kernel waits for the running one. Then the next cell's
round trip is measured: it must run at once, with all variables kept.

death: a cell ends its process. The time is from the cell's error to the reply of
the next cell, which needs the new process, minus an ordinary cell's time.

This is a benchmark, not a test: it always exits with 0. Its last table lists
which goals were reached.
"""

import argparse
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import machine  # noqa: E402
from kernel import running_kernel  # noqa: E402
from results import Goal, Samples, Table, goals_table, publish  # noqa: E402
from rustc import find  # noqa: E402
from test_interrupt import SLOW_TASKS, STOPPABLE  # noqa: E402
from timing import progress, timed  # noqa: E402

STOP_LIMIT, DEATH_LIMIT = 0.2, 1.0
CELLS = {"tasks of 50 ms": SLOW_TASKS, **STOPPABLE}
# The duration of a task, or of a step between two checks, in these cells.
STEP = {"tasks of 50 ms": 0.05, "a query of Polars": 0.05, "a graph of tasks": 0.02, "a loop that prints": 0.02}
DEATHS = {
    "abort": "std::process::abort()",
    "exit": "std::process::exit(3)",
    "segmentation fault": "unsafe { *std::hint::black_box(8 as *mut u8) = 1; }",
    "stack overflow": "#[allow(unconditional_recursion)] fn deep(n: u64) -> u64 { std::hint::black_box(deep(n + 1)) + 1 }\ndeep(0)",
    "kill -9": "unsafe { extern \"C\" { fn raise(signal: i32) -> i32; } raise(9); }",
}


def stop(kernel, code: str) -> tuple[float, float]:
    """Returns the seconds from the interrupt to the reply, and those of the next cell."""
    message_id = kernel.send('println!("started");\n' + code)
    while True:
        message = kernel.iopub(timeout=60)
        if message["parent_header"].get("msg_id") == message_id and message["msg_type"] == "stream":
            break
    time.sleep(0.7)
    asked = time.perf_counter()
    kernel.manager.interrupt_kernel()
    reply = kernel.reply(message_id, 60)
    took = time.perf_counter() - asked
    if reply.get("ename") != "Interrupted":
        raise RuntimeError(f"the cell ended otherwise: {reply}")
    return took, timed(kernel, "treasure.len()")[0]


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--times", type=int, default=10, metavar="N", help="how often each (10)")
    options.add_argument("--only", default="", metavar="WORD", help="those that have the word in their names")
    options.add_argument("--markdown", type=Path, metavar="FILE", help="writes the tables to a file as well")
    options = options.parse_args()
    before = machine.load()
    stops: dict[str, tuple[Samples, Samples]] = {}
    deaths: dict[str, Samples] = {}
    ordinary = Samples()
    with tempfile.TemporaryDirectory() as folder, running_kernel(folder) as kernel:
        timed(kernel, 'let treasure = String::from("gold");')
        kernel.wait_for_analyzer()
        for name, code in CELLS.items():
            if options.only not in name:
                continue
            progress(name)
            stops[name] = (Samples(), Samples())
            for _ in range(options.times):
                for samples, seconds in zip(stops[name], stop(kernel, code)):
                    samples.add(seconds)
        for name, code in DEATHS.items():
            if options.only not in name:
                continue
            progress(name)
            deaths[name] = Samples()
            for _ in range(options.times):
                kernel.run(code)
                deaths[name].add(timed(kernel, "1 + 1")[0])
                ordinary.add(timed(kernel, "1 + 1")[0])
    ms = lambda samples: samples.milliseconds()  # noqa: E731
    tables, goals = [], []
    if stops:
        rows = [[name, f"{1000 * STEP.get(name, 0):.0f}", ms(took), ms(after)] for name, (took, after) in stops.items()]
        tables.append(Table("Interrupt to reply", ["cell", "a step, ms", "reply, ms", "the next cell, ms"], rows))
        worst = max(max(took.values) - STEP.get(name, 0) for name, (took, _) in stops.items())
        goals.append(Goal.at_most("stops within 200 ms of a step's end, the slowest", worst, STOP_LIMIT, lambda s: f"{1000 * s:.0f} ms"))
    if deaths:
        tables.append(Table("Death to the next cell's reply", ["how", "ms"], [[name, ms(took)] for name, took in deaths.items()]))
        worst = max(max(took.values) for took in deaths.values()) - ordinary.median
        goals.append(Goal.at_most("a new process is ready within 1 s, the slowest", worst, DEATH_LIMIT, lambda s: f"{1000 * s:.0f} ms"))
    lines = [*machine.description(find()), f"load average before: {before}; after: {machine.load()}"]
    tables.append(goals_table(goals))
    publish("Interrupts and deaths, measured", lines, tables, options.markdown)


if __name__ == "__main__":
    main()
