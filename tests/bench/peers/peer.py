"""What the programs of the Python peers share: they print a line of JSON a measurement, as ours does."""

import json
import re
import signal
import sys
import time
from collections.abc import Callable
from itertools import count
from pathlib import Path

import shapes

#: When a run is cancelled, in parts of its whole time.
MOMENTS = (0.1, 0.3, 0.5, 0.7, 0.9)


def peak() -> int:
    """The most resident memory so far, in bytes."""
    status = Path("/proc/self/status").read_text()
    return 1024 * int(re.search(r"^VmHWM:\s*(\d+) kB", status, re.MULTILINE)[1])


class Peer:
    """Measures graphs with a `get` as Dask's schedulers have it: `get(graph, keys)`."""

    def __init__(self, get: Callable):
        self.get = get
        self.start = peak()
        # Each graph has keys of its own: a scheduler may remember those of the last.
        self.prefixes = (f"task{at}-" for at in count())

    def measured(self, **figures) -> None:
        print(json.dumps(figures | {"start": self.start, "peak": peak()}), flush=True)

    def graph(self, kind: str, about: int, repeats: int) -> None:
        for _ in range(repeats):
            begin = time.perf_counter()
            graph, keys = shapes.graph(kind, about, next(self.prefixes))
            build = time.perf_counter() - begin
            begin = time.perf_counter()
            self.get(graph, keys)
            self.measured(tasks=len(graph), build=build, run=time.perf_counter() - begin)

    def cancel(self, kind: str, about: int) -> None:
        """Ctrl-C at several moments of a run, and a trivial computation after it."""
        whole, pressed = 0.0, None
        # The first run in a process is slower than those that are cancelled.
        for _ in range(2):
            graph, keys = shapes.graph(kind, about, next(self.prefixes))
            begin = time.perf_counter()
            self.get(graph, keys)
            whole = time.perf_counter() - begin

        def press(*_) -> None:
            nonlocal pressed
            pressed = time.perf_counter()
            raise KeyboardInterrupt

        signal.signal(signal.SIGALRM, press)
        for at in MOMENTS:
            graph, keys = shapes.graph(kind, about, next(self.prefixes))
            cancelled, pressed = False, None
            try:
                signal.setitimer(signal.ITIMER_REAL, at * whole)
                self.get(graph, keys)
                signal.setitimer(signal.ITIMER_REAL, 0)
            except KeyboardInterrupt:
                cancelled = True
            if not cancelled:
                continue
            returned = time.perf_counter()
            trivial, key = shapes.graph("independent", 1, next(self.prefixes))
            self.get(trivial, key)
            done = time.perf_counter()
            self.measured(tasks=len(graph), whole=whole, at=at, cancelled=True, returned=returned - pressed, done=done - pressed)


def words() -> list[str]:
    return sys.argv[1:]
