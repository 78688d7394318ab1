"""The graphs of `scheduler.py` for the Python peers; `runtime/examples/scheduler/shape.rs` has the same in Rust.

A graph is a dict as Dask takes it: each key has a task, a function and the keys
that it takes. Keys start with a prefix, so that no two graphs share one.
"""

from math import isqrt

from functions import noop

MASK = (1 << 64) - 1


def graph(kind: str, about: int, prefix: str = "") -> tuple[dict, list[str]]:
    """About so many tasks that do nothing, and the keys that are asked for."""
    names = [f"{prefix}{at}" for at in range(tasks(kind, about))]
    count = len(names)
    if kind == "independent":
        return {name: (noop,) for name in names}, names
    if kind == "chain":
        later = {name: (noop, before) for before, name in zip(names, names[1:])}
        return {names[0]: (noop,), **later}, names[-1:]
    if kind == "tree":
        leaves = (count + 1) // 2
        inner = {names[leaves + at]: (noop, names[2 * at], names[2 * at + 1]) for at in range(count - leaves)}
        return {**{name: (noop,) for name in names[:leaves]}, **inner}, names[-1:]
    if kind == "layered":
        width = isqrt(count)
        later = {}
        for task in range(width, count):
            own = task - width
            before = own - own % width
            taken = (own, *(before + scatter(2 * task + salt) % width for salt in (0, 1)))
            later[names[task]] = (noop, *(names[at] for at in taken))
        return {**{name: (noop,) for name in names[:width]}, **later}, names[-width:]
    if kind == "fan-in":
        return {**{name: (noop,) for name in names[:-1]}, names[-1]: (noop, names[:-1])}, names[-1:]
    raise ValueError(f"no shape {kind!r}")


def tasks(kind: str, about: int) -> int:
    """How many tasks the graph has."""
    if kind == "tree":
        return max(about, 1) - (about + 1) % 2
    return isqrt(about) ** 2 if kind == "layered" else about


def scatter(number: int) -> int:
    """A number as good as random that follows from another one (the finish of SplitMix64)."""
    bits = (number + 0x9E3779B97F4A7C15) & MASK
    bits = ((bits ^ (bits >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    bits = ((bits ^ (bits >> 27)) * 0x94D049BB133111EB) & MASK
    return (bits ^ (bits >> 31)) >> 1
