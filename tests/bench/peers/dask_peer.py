"""Dask's side of `scheduler.py`: the same measurements, by its local schedulers.

    python dask_peer.py graph SHAPE threads|synchronous TASKS REPEATS
    python dask_peer.py array ones|random SIDE REPEATS
    python dask_peer.py delayed CALLS REPEATS
    python dask_peer.py sum BYTES CHUNK
    python dask_peer.py cancel SHAPE TASKS
"""

import time
from functools import partial

import dask
import dask.array as da
from dask.local import get_sync
from dask.threaded import get as get_threaded

from peer import Peer, words
from functions import number, total

THREADS = 2


def array(peer: Peer, elements: str, side: int, repeats: int) -> None:
    """`(x + x.T).mean()` on side × side chunks of 2 × 2, from nothing to its value."""
    make = {"ones": da.ones, "random": da.random.random}[elements]
    for _ in range(repeats):
        begin = time.perf_counter()
        x = make((2 * side, 2 * side), chunks=(2, 2))
        mean = (x + x.T).mean()
        build = time.perf_counter() - begin
        value = mean.compute()
        whole = time.perf_counter() - begin
        assert abs(value - (2 if elements == "ones" else 1)) < 0.1
        peer.measured(chunks=side * side, build=build, run=whole - build, total=whole)


def delayed(peer: Peer, calls: int, repeats: int) -> None:
    for _ in range(repeats):
        begin = time.perf_counter()
        one, every = dask.delayed(number), dask.delayed(total)
        result = every([one(at) for at in range(calls)])
        build = time.perf_counter() - begin
        assert result.compute() == sum(range(calls))
        peer.measured(tasks=calls + 1, build=build, run=time.perf_counter() - begin - build)


def generated_sum(peer: Peer, size: int, chunk: int) -> None:
    count = size // 8
    begin = time.perf_counter()
    result = int(da.arange(count, chunks=chunk // 8, dtype="i8").sum().compute())
    peer.measured(bytes=size, exact=result == count * (count - 1) // 2, run=time.perf_counter() - begin)


def main() -> None:
    dask.config.set(num_workers=THREADS, scheduler="threads")
    threads = partial(get_threaded, num_workers=THREADS)
    match words():
        case ["graph", kind, form, tasks, repeats]:
            Peer({"threads": threads, "synchronous": get_sync}[form]).graph(kind, int(tasks), int(repeats))
        case ["array", elements, side, repeats]:
            array(Peer(threads), elements, int(side), int(repeats))
        case ["delayed", calls, repeats]:
            delayed(Peer(threads), int(calls), int(repeats))
        case ["sum", size, chunk]:
            generated_sum(Peer(threads), int(size), int(chunk))
        case ["cancel", kind, tasks]:
            Peer(threads).cancel(kind, int(tasks))
        case _:
            raise SystemExit(__doc__)


if __name__ == "__main__":
    main()
