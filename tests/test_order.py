"""The scheduler's order holds no more bytes than Dask's, on graphs of many shapes.

`order` is the program `runtime/scheduler/examples/order`, which documents its
input and its replies. Dask does not know sizes. Orders are compared with Dask's
for values of one size, for outputs that are stored and take no memory, and for
random sizes.
"""

import os
import random
import subprocess
from graphlib import TopologicalSorter
from pathlib import Path
from typing import NamedTuple

import dask.array as da
import numpy as np
import pytest
from dask.base import collections_to_expr
from dask.core import get_deps
from dask.order import order as dask_order
from order_graphs import SHAPES


PROJECT = Path(__file__).resolve().parent.parent
TARGET = PROJECT / "target" / "order"


class Numbered(NamedTuple):
    """A graph whose tasks are numbers: inputs have smaller numbers than the tasks that depend on them."""

    inputs: list[list[int]]
    outputs: list[int]
    dask: list[int]
    """Dask's order."""


def numbered(graph: dict[object, tuple]) -> Numbered:
    keys = list(TopologicalSorter(graph).static_order())
    number = {key: i for i, key in enumerate(keys)}
    inputs = [[number[key] for key in graph[at]] for at in keys]
    # Dask breaks ties by the text of keys and by the order of sets. With these
    # numbers as keys its order is always the same.
    key = len(keys) * 10
    place = dask_order({key + at: (sum, [key + i for i in taken]) for at, taken in enumerate(inputs)})
    dask = sorted(range(len(keys)), key=lambda at: place[key + at])
    taken = {at for taken in inputs for at in taken}
    return Numbered(inputs, [at for at in range(len(keys)) if at not in taken], dask)


def from_array(*arrays, optimize: bool = True) -> dict[object, tuple]:
    """Returns the graph that Dask builds for arrays."""
    graph = collections_to_expr(arrays, optimize_graph=optimize).optimize().__dask_graph__()
    dependencies, _ = get_deps(graph)
    # The order of its parts and sets varies between runs.
    keys = sorted(graph, key=lambda key: [str(part).rjust(4) for part in (key if isinstance(key, tuple) else (key,))])
    place = {key: at for at, key in enumerate(keys)}
    return {key: tuple(sorted(dependencies[key], key=place.__getitem__)) for key in keys}


def array_graphs() -> dict[str, dict[object, tuple]]:
    x = da.ones((40, 40), chunks=(10, 10))
    y = da.zeros((40, 40), chunks=(10, 10))
    long = da.ones((200, 10), chunks=(10, 5))
    tall = da.ones((200, 5), chunks=(10, 5))
    collections = {
        "x + x.T": [(x + x.T).mean()],
        "x - mean": [x - x.mean()],
        "standardised": [(x - x.mean(axis=0)) / x.std(axis=0)],
        "x @ y": [x @ y],
        "(x @ y) @ x": [(x @ y) @ x],
        "overlap": [x.map_overlap(np.negative, depth=1, boundary="none")],
        "overlap, max": [long.map_overlap(np.negative, depth=1, boundary="none").max(axis=0)],
        "rechunk": [x.rechunk((40, 5))],
        "rechunk, sum": [x.rechunk((40, 4)).sum(axis=0)],
        "cumsum": [x.cumsum(axis=0)],
        "cumsum, sum": [x.cumsum(axis=0).sum(axis=1)],
        "stack": [da.stack([x + i for i in range(6)]).mean(axis=0)],
        "three reductions": [x.sum(), x.mean(), x.max(axis=0)],
        "moments": [x.var(axis=0), (x**3).mean(axis=0)],
        "qr": list(da.linalg.qr(tall)),
        "svd": list(da.linalg.svd(tall)),
        "difference": [da.diff(da.diff(x, axis=0), axis=1)],
        "roll": [x - da.roll(x, 1, axis=0)],
        "covariance": [da.cov(x)],
    }
    graphs = {}
    for name, arrays in collections.items():
        for optimize in (True, False):
            graphs[f"da: {name}{'' if optimize else ', not optimised'}"] = from_array(*arrays, optimize=optimize)
    return graphs


GRAPHS = {name: numbered(graph) for name, graph in (SHAPES | array_graphs()).items()}


def sizes(name: str, weights: str) -> list[int]:
    graph = GRAPHS[name]
    tasks = range(len(graph.inputs))
    outputs = set(graph.outputs)
    chance = random.Random(f"{name} {weights}")
    match weights:
        case "one size":
            return [1 for _ in tasks]
        case "stored":
            return [int(at not in outputs) for at in tasks]
        case "random, stored":
            return [chance.randint(1, 1000) * (at not in outputs) for at in tasks]
        case _:
            return [chance.choice([1, chance.randint(1, 100), chance.randint(1, 1000)]) for _ in tasks]


WEIGHTS = ["one size", "stored", "random 1", "random 2", "random, stored"]


def held(graph: Numbered, nbytes: list[int], sequence: list[int]) -> list[int]:
    """Returns the bytes held while each task runs, computed by looking at every value each time."""
    place = {at: i for i, at in enumerate(sequence)}
    until = {at: place[at] for at in sequence}
    for at in sequence:
        for taken in graph.inputs[at]:
            until[taken] = max(until[taken], place[at])
    for at in graph.outputs:
        until[at] = len(sequence)
    now = range(len(sequence))
    return [sum(nbytes[at] for at in sequence if place[at] <= i <= until[at]) for i in now]


def lower_bound(graph: Numbered, nbytes: list[int]) -> int:
    widest = max(nbytes[at] + sum(nbytes[i] for i in set(taken)) for at, taken in enumerate(graph.inputs))
    return max(widest, sum(nbytes[at] for at in graph.outputs))


@pytest.fixture(scope="session")
def program() -> Path:
    """The program, built in a separate target folder."""
    command = ["cargo", "build", "--quiet", "--release", "-p", "swath-scheduler", "--example", "order"]
    subprocess.run(command, cwd=PROJECT, check=True, env=os.environ | {"CARGO_TARGET_DIR": str(TARGET)})
    return TARGET / "release" / "examples" / "order"


def asked(program: Path, graphs: list[tuple[str, Numbered, list[int], list[int]]]) -> list[list[int]]:
    """Returns the replies to requests (`order` or `simulate`, graph, sizes, sequence)."""
    lines = []
    for what, graph, nbytes, sequence in graphs:
        lines.append(f"{what} {len(graph.inputs)}")
        lines += [" ".join(map(str, [own, *taken])) for own, taken in zip(nbytes, graph.inputs, strict=True)]
        lines.append(" ".join(map(str, graph.outputs)))
        if what == "simulate":
            lines.append(" ".join(map(str, sequence)))
    text = "\n".join(lines) + "\n"
    replies = subprocess.run([program], input=text, capture_output=True, text=True, check=True).stdout
    return [[int(word) for word in reply.split()] for reply in replies.splitlines()]


class Compared(NamedTuple):
    ours: int
    dask: int
    bound: int


@pytest.fixture(scope="session")
def compared(program) -> dict[tuple[str, str], Compared]:
    """The peaks, and a lower bound, for each graph and each choice of sizes."""
    cases = [(name, weights) for name in GRAPHS for weights in WEIGHTS]
    graphs = [(GRAPHS[name], sizes(name, weights)) for name, weights in cases]
    orders = asked(program, [("order", graph, nbytes, []) for graph, nbytes in graphs])
    result = {}
    for case, (graph, nbytes), (peak, *sequence) in zip(cases, graphs, orders, strict=True):
        assert sorted(sequence) == list(range(len(graph.inputs))), case
        place = {at: i for i, at in enumerate(sequence)}
        assert all(place[i] < place[at] for at in sequence for i in graph.inputs[at]), case
        dask = max(held(graph, nbytes, graph.dask))
        result[case] = Compared(peak, dask, lower_bound(graph, nbytes))
    return result


@pytest.mark.parametrize("name", GRAPHS)
def test_no_more_bytes_than_dask(name, compared):
    peaks = {weights: compared[name, weights] for weights in WEIGHTS}
    assert {weights: peak for weights, peak in peaks.items() if peak.ours > peak.dask} == {}


def test_fewer_bytes_than_dask_on_most(compared):
    improvable = [peaks for peaks in compared.values() if peaks.dask > peaks.bound]
    better = [peaks for peaks in improvable if peaks.ours < peaks.dask]
    print(f"better on {len(better)} of {len(improvable)}")
    assert len(better) > len(improvable) / 2


def test_simulation_agrees_with_looking_at_every_value(program):
    cases = [(GRAPHS[name], sizes(name, "random 1")) for name in GRAPHS]
    replies = asked(program, [("simulate", graph, nbytes, graph.dask) for graph, nbytes in cases])
    for (graph, nbytes), reply in zip(cases, replies, strict=True):
        assert reply == held(graph, nbytes, graph.dask)


def test_a_value_taken_twice_is_held_once(program):
    twice = Numbered([[], [0, 0], [1, 0, 1]], [2], [])
    assert asked(program, [("order", twice, [5, 7, 1], [])]) == [[13, 0, 1, 2]]
