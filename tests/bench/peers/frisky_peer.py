"""Frisky's side of `scheduler.py`: a scheduler in Rust behind Dask's interface.

    python frisky_peer.py graph SHAPE MODE TASKS REPEATS
    python frisky_peer.py array ones|random SIDE REPEATS
    python frisky_peer.py delayed CALLS REPEATS
    python frisky_peer.py cancel SHAPE TASKS

It has clusters only. MODE says which one, and after a dash that independent tasks
are not a graph but the futures of `client.map`, which is its shorter way:

- `threads`: one worker with two threads in this process, reached through
  channels. The fastest of them where tasks do nothing, and what `array`,
  `delayed` and `cancel` use.
- `thread`: one worker with one thread in this process.
- `workers`: two workers with a thread each in this process.
- `processes`: two workers in processes of their own, reached through sockets.
"""

import os

# A worker's thread frees a chain by recursion: with the usual stack, a chain of
# a few thousand tasks ends the process.
os.environ.setdefault("RUST_MIN_STACK", str(1 << 30))

import sys  # noqa: E402
import time  # noqa: E402
from functools import partial  # noqa: E402

import frisky  # noqa: E402
from frisky.dask import get  # noqa: E402

from peer import Peer, words  # noqa: E402
from functions import noop  # noqa: E402

MODES = {
    "threads": {"n_workers": 1, "threads_per_worker": 2},
    "thread": {"n_workers": 1, "threads_per_worker": 1},
    "workers": {"n_workers": 2, "threads_per_worker": 1},
    "processes": {"n_workers": 2, "threads_per_worker": 1, "processes": True},
}


def mapped(client: frisky.Client, peer: Peer, tasks: int, repeats: int) -> None:
    for turn in range(repeats):
        # Other arguments, other tasks: the same call again would not run.
        begin = time.perf_counter()
        futures = client.map(noop, range(turn * tasks, (turn + 1) * tasks))
        client.gather(futures)
        peer.measured(tasks=tasks, build=0.0, run=time.perf_counter() - begin)
        del futures


def main() -> None:
    arguments = words()
    mode, _, way = arguments[2].partition("-") if arguments[:1] == ["graph"] else ("threads", "", "")
    cluster = frisky.LocalCluster(silence_summary=True, **MODES[mode])
    client = cluster.get_client()
    peer = Peer(partial(get, client))
    match arguments:
        case ["graph", "independent", _, tasks, repeats] if way == "map":
            mapped(client, peer, int(tasks), int(repeats))
        case ["graph", kind, _, tasks, repeats]:
            peer.graph(kind, int(tasks), int(repeats))
        case ["array", elements, side, repeats]:
            import dask_peer

            # A client makes itself the scheduler of Dask's collections.
            dask_peer.array(peer, elements, int(side), int(repeats))
        case ["delayed", calls, repeats]:
            import dask_peer

            dask_peer.delayed(peer, int(calls), int(repeats))
        case ["cancel", kind, tasks]:
            peer.cancel(kind, int(tasks))
        case _:
            raise SystemExit(__doc__)
    if mode == "processes":
        cluster.close()
    # Without it, threads that are being freed may end the process by a signal.
    sys.stdout.flush()
    os._exit(0)


if __name__ == "__main__":
    main()
