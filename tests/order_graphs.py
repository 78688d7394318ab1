"""Graphs to be ordered, named after the source of their shape.

Each is a dict: a task's key, and the keys of the tasks that it depends on.
Outputs are the tasks that no task depends on. Graphs from Dask's test suite and
from its issues have the structure that is described there, written from scratch.
"""

from itertools import product

Graph = dict[object, tuple]


def groups_apart() -> Graph:
    """test_ordering_keeps_groups_together: pairs of loads, interleaved by number."""
    return {**{("a", i): () for i in range(4)}, ("b", 0): (("a", 0), ("a", 2)), ("b", 1): (("a", 1), ("a", 3))}


def broker() -> Graph:
    """test_avoid_broker_nodes.

    b0   b1  b2
    |     \\ /
    a0    a1
    """
    return {"a0": (), "a1": (), "b0": ("a0",), "b1": ("a1",), "b2": ("a1",)}


def staircase(steps: int = 4) -> Graph:
    """test_base_of_reduce_preferred: one load, its parts, and a chain that uses them in turn."""
    graph: Graph = {"c": (), **{("b", i): ("c",) for i in range(steps)}, ("a", 0): (("b", 0),)}
    graph |= {("a", i): (("a", i - 1), ("b", i)) for i in range(1, steps)}
    return graph


def side_branch() -> Graph:
    """test_avoid_upwards_branching.

    a1 ← a2 ← a3 ← b1 ← b2
               ↖ c1 ← c2 ← c3
           d1 ←┘
    """
    return chain("b", 2) | chain("c", 3) | {"a3": ("b1", "c1"), "a2": ("a3",), "a1": ("a2",), "d1": ("c1",)}


def side_branches() -> Graph:
    """test_avoid_upwards_branching_complex: both branches have outputs besides the shared one."""
    graph = side_branch() | {"e1": ("b1",), "e2": ("e1",)}
    return graph | {"d2": ("d1",), "d3": ("d1",)}


def deep_bases() -> Graph:
    """test_deep_bases_win_over_dependents: a depends on b(d, e), c(d) and d."""
    return {"d": (), "e": (), "b": ("d", "e"), "c": ("d",), "a": ("b", "c", "d")}


def smaller_sections() -> Graph:
    """test_run_smaller_sections.

          aa
         / |
     b  d  bb dd
    / \\/ \\ | /
    a  c  e cc
    """
    leaves = {key: () for key in ("a", "c", "e", "cc")}
    return leaves | {"b": ("a", "c"), "d": ("c", "e"), "bb": ("cc",), "aa": ("d", "bb"), "dd": ("cc",)}


def local_parents() -> Graph:
    """test_local_parents_of_reduction: three short chains, each using a part of the one before."""
    graph = {"a3": (), "a2": ("a3",), "a1": ("a2",), "b3": (), "b2": ("b3", "a2"), "b1": ("b2",)}
    return graph | {"c3": (), "c2": ("c3", "b2"), "c1": ("c2",)}


def nearest_neighbour(groups: int = 4) -> Graph:
    """test_nearest_neighbor: each load has outputs of its own, and one with the next load."""
    graph: Graph = {}
    for i in range(groups):
        graph[("b", i)] = ()
        graph[("own", i)] = (("b", i),)
        if i:
            graph[("both", i)] = (("b", i - 1), ("b", i))
    return graph | {"first": (("b", 0),), "last": (("b", groups - 1),)}


def short_ancestor(shared: bool) -> Graph:
    """test_prefer_short_ancestor: a fold over pairs of parts, which come from one load (dask-ml #206) or from none."""
    graph: Graph = {"ab": (), "c0": ()}
    source = ("ab",) if shared else ()
    for i in range(2):
        graph |= {f"a{i}": source, f"b{i}": source, f"c{i + 1}": (f"c{i}", f"a{i}", f"b{i}")}
    if not shared:
        del graph["ab"]
    return graph


def overlap(chunks: int = 5) -> Graph:
    """test_map_overlap: each result uses a chunk and its neighbours; every other chunk is loaded through another task."""
    graph: Graph = {}
    for i in range(chunks):
        if i % 2 == 0:
            graph[("e", i)] = ()
        graph[("d", i)] = (("e", i),) if i % 2 == 0 else ()
    for i in range(chunks):
        near = range(max(i - 1, 0), min(i + 2, chunks)) if i % 2 else [i]
        graph[("c", i)] = tuple(("d", j) for j in near)
    for i in range(0, chunks, 2):
        graph[("b", i)] = tuple(("c", j) for j in range(max(i - 1, 0), min(i + 2, chunks)))
    return graph


def sliding_windows(width: int = 10) -> Graph:
    """test_use_structure_not_keys (#5584): windows of up to three over loads whose numbers are mixed up."""
    mixed = [(7 * i + 2) % width for i in range(width)]
    graph: Graph = {("a", i): () for i in range(width)}
    for i in range(width):
        graph[("b", (3 * i + 5) % width)] = tuple(("a", mixed[j]) for j in range(max(i - 2, 0), i + 1))
    return graph


def fold_of_parts(depth: int = 10) -> Graph:
    """test_dont_run_all_dependents_too_early (dask-ml #206): a chain that uses two new parts of two loads at each step."""
    graph: Graph = {"a": (), ("b", 0): (), ("c", 0): (), ("d", 0): ("a", ("b", 0), ("c", 0))}
    for i in range(1, depth):
        graph |= {("b", i): (("b", 0),), ("c", i): (("c", 0),), ("d", i): (("d", i - 1), ("b", i), ("c", i))}
    return graph


def many_branches() -> Graph:
    """test_many_branches_use_ndependencies: branches of different depth from one load, and one output that uses all."""
    graph: Graph = {"load": ()}
    tops = []
    for name, depth in [("a", 2), ("b", 2), ("c", 1), ("d", 2), ("dd", 2), ("e", 2), ("ee", 2)]:
        below = "load"
        for i in range(depth):
            graph[(name, i)] = (below,)
            below = (name, i)
        tops.append(below)
    graph |= {"d+": (("d", 1), ("dd", 1)), "e+": (("e", 1), ("ee", 1))}
    return graph | {"all": (*tops[:3], "d+", "e+")}


def maxima_and_argmaxima(arrays: int = 4, tails: int = 2) -> Graph:
    """test_order_with_equal_dependents (#5859): every array is crossed with every other, with two outputs for each pair."""
    graph: Graph = {}
    for x in range(arrays):
        graph |= {("x", x): (), ("y", x): (("x", x),), ("left", x): (("x", x),), ("right", x): (("y", x),)}
    for x, y in product(range(arrays), repeat=2):
        graph |= {("cross", x, y): (("left", x), ("right", y)), ("max", x, y): (("cross", x, y),)}
        for i in range(tails):
            graph |= {("part", x, y, i): (("max", x, y),), ("out", x, y, i): (("part", x, y, i),)}
    return graph


def terminal_node(halves: int = 2) -> Graph:
    """test_terminal_node_backtrack (#6745): halves that share only the last task.

           s
      /  /   \\  \\
    b0  b1   b2  b3
    /\\ /\\   /\\ /\\
    a0 a1 a2 a3 a4 a5
    """
    graph: Graph = {}
    for half in range(halves):
        graph |= {("a", half, i): () for i in range(3)}
        for i in range(2):
            graph[("b", half, i)] = (("a", half, i), ("a", half, i + 1))
            graph[("store", half, i)] = (("b", half, i),)
    return graph | {"s": tuple(key for key in graph if key[0] == "store")}


def two_trees_of_each_load(loads: int = 10) -> Graph:
    """test_eager_to_compute_dependent_to_free_parent (#7929): two tasks per load, in two trees that meet."""
    graph: Graph = {}
    for i in range(loads):
        graph |= {("a", i): (), ("b", i): (("a", i),), ("c1", i): (("b", i),), ("c2", i): (("b", i),)}
    first = tree(graph, "t1", [("c1", i) for i in range(loads)], 2)
    mixed = sorted(range(loads), key=lambda i: (i % 2, i))
    for i in mixed:
        graph[("u", i)] = (("c2", i),)
    second = tree(graph, "t2", [("u", i) for i in mixed], 2)
    return graph | {"top": (second,), "result": ("top", first)}


def windows_of_three(width: int = 5) -> Graph:
    """test_diagnostics: windows of up to three loads, narrower at the end."""
    graph: Graph = {("a", i): () for i in range(width)}
    return graph | {("w", i): tuple(("a", j) for j in range(i, min(i + 3, width))) for i in range(width)}


def xarray_like_reduction(parts: int = 3) -> Graph:
    """test_xarray_like_reduction: outputs that use one task from each of several small overlaps."""
    graph: Graph = {}
    for i in range(parts):
        graph |= {("a", 0, i): (), ("a", 1, i): (), ("b", 0, i): (("a", 0, i),), ("b", 2, i): (("a", 1, i),)}
        graph |= {("b", 1, i): (("a", 0, i), ("a", 1, i)), **{("c", j, i): (("b", j, i),) for j in range(3)}}
    return graph | {("d", i): tuple(("c", i, j) for j in range(parts)) for i in range(parts)}


def velocities(times: int = 40) -> Graph:
    """test_array_vs_dataframe: the means of u², v² and uv, from the same chunks of u and v."""
    graph: Graph = {}
    for t in range(times):
        graph |= {("u", t): (), ("v", t): ()}
    for name, factors in (("uu", "u"), ("uv", "uv"), ("vv", "v")):
        for t in range(times):
            graph[(name, t)] = tuple((factor, t) for factor in factors)
            graph[("chunk", name, t)] = ((name, t),)
        tree(graph, ("mean", name), [("chunk", name, t) for t in range(times)], 4)
    return graph


def anomaly_mean(chunks: int = 5, groups: int = 2) -> Graph:
    """test_anom_mean_raw: the mean of each group is subtracted from its chunks, and the mean of all is computed."""
    graph: Graph = {("a", i): () for i in range(chunks)}
    for group in range(groups):
        members = range(group, chunks, groups)
        for i in members:
            graph |= {("b", i): (("a", i),), ("c", i): (("b", i),)}
        graph |= {("mean", group): tuple(("c", i) for i in members), ("e", group): (("mean", group),)}
    for i in range(chunks):
        graph |= {("sub", i): (("e", i % groups),), ("d", i): (("a", i), ("sub", i)), ("m", i): (("d", i),)}
    tree(graph, "all", [("m", i) for i in range(chunks)], 4)
    return graph


def climatology() -> Graph:
    """The same with more chunks and groups."""
    return anomaly_mean(48, 12)


def three_means_of_two(chunks: int = 5) -> Graph:
    """test_flaky_array_reduction: the means of x, of y and of both, in trees over four."""
    graph: Graph = {}
    for i in range(chunks):
        graph |= {("x", i): (), ("y", i): ()}
    for name, taken in (("both", "xy"), ("x only", "x"), ("y only", "y")):
        for i in range(chunks):
            graph[(name, i)] = tuple((key, i) for key in taken)
        tree(graph, ("mean", name), [(name, i) for i in range(chunks)], 4)
    return graph


def flox_reduction(columns: int = 2) -> Graph:
    """test_flox_reduction: a result uses sums of chunks and the chunks themselves; labels are combined with each."""
    graph: Graph = {"labels": ()}
    for c in range(columns):
        for i in range(2):
            graph |= {("a", i, c): (), ("b", i, c): (("a", i, c),)}
            graph |= {("total", i, c): (("b", i, c),), ("c", i, c): (("total", i, c),)}
            graph[("g", i, c)] = ("labels", ("total", i, c))
        graph[("d", c)] = (("a", 0, c), ("a", 1, c), ("c", 0, c), ("c", 1, c))
        graph |= {("e", c): (("d", c),), ("g", 2, c): ("labels", ("e", c))}
    return graph


def shared_loads(loads: int = 3, reductions: int = 4) -> Graph:
    """test_order_flox_reduction_2 (#10618): every reduction uses a part of every load."""
    graph: Graph = {("a", i): () for i in range(loads)}
    for r in range(reductions):
        graph |= {("b", r, i): (("a", i),) for i in range(loads)}
        graph |= {("c", r): tuple(("b", r, i) for i in range(loads)), ("d", r): (("c", r),)}
    return graph


def common_dependents(sources: int = 5, rows: int = 4, keep: bool = False) -> Graph:
    """test_reduce_with_many_common_dependents: all cells use the same few values, and each row is summed."""
    graph: Graph = {("k", i): () for i in range(sources)}
    for row in range(rows):
        for column in range(rows):
            graph[("x", row, column)] = tuple(("k", i) for i in range(sources))
            graph[("sum", row, column)] = (("x", row, column),)
            if keep:
                graph[("kept", row, column)] = (("x", row, column),)
        graph[("row", row)] = tuple(("sum", row, column) for column in range(rows))
    return graph


def double_difference(side: int = 3) -> Graph:
    """test_doublediff: differences along both axes, each between parts of neighbouring chunks."""
    graph: Graph = {("a", i, j): () for i, j in product(range(side), repeat=2)}
    for i, j in product(range(side), repeat=2):
        for name, di, dj in (("left", 0, 1), ("down", 1, 0)):
            graph[(name, i, j)] = (("a", min(i + di, side - 1), min(j + dj, side - 1)),)
        graph |= {("d", i, j): (("left", i, j), ("down", i, j)), ("e", i, j): (("d", i, j),)}
    return graph | {"end": tuple(("e", i, j) for i, j in product(range(side), repeat=2))}


def cumulative_products(steps: int = 20) -> Graph:
    """test_gh_3055 (#3055): running sums of values and of products, a running sum of the first, and a sum at each step."""
    graph: Graph = {}
    for i in range(steps):
        graph |= {("x", i): (), ("xx", i): (("x", i),)}
        before = (("s", i - 1),) if i else ()
        graph[("s", i)] = (("x", i), *before)
        graph[("y", i)] = (("xx", i), *((("y", i - 1),) if i else ()))
        graph[("sy", i)] = (("s", i), *((("sy", i - 1),) if i else ()))
        graph |= {("w", i): (("y", i), ("sy", i)), ("out", i): (("w", i),)}
    return graph


def late_loads() -> Graph:
    """test_gh_3055_explicit: loads that are needed only at the end, together with tasks that free others early."""
    graph: Graph = {"root": (), "a0": ("root",), **{f"a{i}": () for i in range(1, 5)}}
    graph |= {"b00": ("a0",), "b01": ("a0",), "c01": ("a0",), "b10": ("a1",), "b12": ("a1",)}
    graph |= {"c00": ("a2", "a1"), "d00": ("c01", "c00"), "d01": ("c01", "c00"), "f11": ("d01",)}
    graph |= {"c10": ("b10", "b12"), "c02": ("b00", "b01"), "e0": ("c10", "c02")}
    return graph | {"g1": ("e0", "a3"), "g2": ("g1", "a4", "d00")}


def map_reduce_with_slices(rows: int = 2) -> Graph:
    """test_xarray_map_reduce_with_slicing: labels shared by all groups, slices of one data set, one output per group."""
    graph: Graph = {"data": (), **{("labels", i): () for i in range(rows)}}
    for x, y in product(range(rows), repeat=2):
        for i in range(rows):
            graph |= {("open", x, y, i): ("data",), ("get", x, y, i): (("open", x, y, i),)}
            graph[("group", x, y, i)] = (("labels", i), ("get", x, y, i))
        graph[("agg", x, y)] = tuple(("group", x, y, i) for i in range(rows))
        graph[("transpose", x, y)] = (("agg", x, y),)
    return graph


def rechunked_cohorts(times: int = 16, cohorts: int = 2) -> Graph:
    """test_xarray_rechunk_map_reduce_cohorts (#11292): chunks are split, merged with an offset of one, and grouped across time."""
    graph: Graph = {}
    for column in range(2):
        key = [(column, t) for t in range(times)]
        graph |= {("open", *k): () for k in key} | {("get", *k): (("open", *k),) for k in key}
        for t in range(times):
            graph |= {("low", column, t): (("get", column, t),), ("high", column, t): (("get", column, t),)}
        for t in range(times - 1):
            graph[("merge", column, t)] = (("high", column, t), ("low", column, t + 1))
        for cohort in range(cohorts):
            taken = range(cohort, times - 1, cohorts * 3)
            for t in taken:
                graph[("chunk", column, cohort, t)] = (("merge", column, t),)
            graph[("concat", column, cohort)] = tuple(("chunk", column, cohort, t) for t in taken)
    return graph


def shared_factor(chunks: int = 8) -> Graph:
    """test_xarray_8414: every chunk is multiplied twice by the same value."""
    graph: Graph = {"b": ()}
    for i in range(chunks):
        graph |= {("a", i): (), ("ab", i): (("a", i), "b"), ("abb", i): (("ab", i), "b")}
        graph |= {("sum", i): (("abb", i),), ("out", i): (("sum", i),)}
    return graph


def stack_of_rasters(rasters: int = 4) -> Graph:
    """test_stackstac (#11363): rasters from one table, each sliced for two results."""
    graph: Graph = {"data": (), "table": ("data",)}
    for r in range(rasters):
        graph |= {("fetch", r): ("table",), ("sub", r): (("fetch", r),), ("concat", r): (("sub", r),)}
        graph |= {("get", r): (("fetch", r),), ("split", r, 0): (("get", r),), ("split", r, 1): (("concat", r),)}
        graph |= {("cut", r, 0): (("concat", r),), ("cut", r, 1): (("split", r, 0), ("split", r, 1))}
        graph |= {("slice", r, i): (("cut", r, i),) for i in range(2)}
    for i in range(2):
        graph |= {("merge", i): tuple(("slice", r, i) for r in range(rasters)), ("out", i): (("merge", i),)}
    return graph


def grouped_with_counts(chunks: int = 12) -> Graph:
    """Sums and counts of each chunk in two trees, and their quotient."""
    graph: Graph = {("load", i): () for i in range(chunks)}
    tops = []
    for name in ("sum", "count"):
        for i in range(chunks):
            graph[(name, i)] = (("load", i),)
        tops.append(tree(graph, ("tree", name), [(name, i) for i in range(chunks)], 4))
    return graph | {"quotient": tuple(tops)}


def split_and_stored(chunks: int = 12, parts: int = 3) -> Graph:
    """Each load is split, each part is changed and stored, and one task depends on all stores."""
    graph: Graph = {}
    for i in range(chunks):
        graph[("load", i)] = ()
        for p in range(parts):
            graph |= {("part", i, p): (("load", i),), ("changed", i, p): (("part", i, p),)}
            graph[("store", i, p)] = (("changed", i, p),)
    return graph | {"stored": tuple(key for key in graph if key[0] == "store")}


def vorticity(times: int = 8, columns: int = 3) -> Graph:
    """Differences of two fields along different axes, multiplied and summed over time."""
    graph: Graph = {(name, t, c): () for name in "uv" for t in range(times) for c in range(columns)}
    for c in range(columns):
        for t in range(times):
            graph[("du", t, c)] = (("u", t, c), ("u", t, (c + 1) % columns))
            graph[("dv", t, c)] = (("v", t, c), ("v", (t + 1) % times, c))
            graph[("product", t, c)] = (("du", t, c), ("dv", t, c))
        tree(graph, ("sum", c), [("product", t, c) for t in range(times)], 4)
    return graph


def minus_mean(chunks: int = 16, chunk_wise: int = 1) -> Graph:
    """x − mean(x): a tree over all chunks, whose result changes every chunk."""
    graph: Graph = {("x", i): () for i in range(chunks)} | {("m", i): (("x", i),) for i in range(chunks)}
    mean = tree(graph, "mean", [("m", i) for i in range(chunks)], 4)
    for i in range(chunks):
        graph[("minus", i)] = (("x", i), mean)
        for step in range(chunk_wise):
            graph[("step", i, step)] = (("step", i, step - 1) if step else ("minus", i),)
    return graph


def standardised_sum(chunks: int = 16) -> Graph:
    """sum((x − mean(x))²): the changed chunks are reduced again."""
    graph = minus_mean(chunks)
    tree(graph, "sum", [("step", i, 0) for i in range(chunks)], 4)
    return graph


def several_stores(chunks: int = 9) -> Graph:
    """Two results of the same chunks, each stored, one of them with a sum over all chunks."""
    graph: Graph = {("x", i): () for i in range(chunks)}
    total = tree(graph, "total", [("x", i) for i in range(chunks)], 3)
    for i in range(chunks):
        graph |= {("y", i): (("x", i),), ("z", i): (("x", i), total)}
        graph |= {("store", name, i): ((name, i),) for name in ("y", "z")}
    return graph | {"stored": tuple(key for key in graph if key[0] == "store")}


def stacked(arrays: int = 6, chunks: int = 6) -> Graph:
    """The mean of a stack of arrays that are derived from one array."""
    graph: Graph = {("x", i): () for i in range(chunks)}
    for a, i in product(range(arrays), range(chunks)):
        graph |= {("y", a, i): (("x", i),), ("stack", a, i): (("y", a, i),)}
    for i in range(chunks):
        tree(graph, ("mean", i), [("stack", a, i) for a in range(arrays)], 4)
    return graph


def running_sums(rows: int = 6, columns: int = 4) -> Graph:
    """cumsum along one axis, then a sum along the other."""
    graph: Graph = {("x", r, c): () for r, c in product(range(rows), range(columns))}
    for r, c in product(range(rows), range(columns)):
        graph[("sum", r, c)] = (("x", r, c),)
        if r:
            graph[("last", r, c)] = (("last", r - 1, c) if r > 1 else ("sum", 0, c), ("sum", r, c))
        graph[("out", r, c)] = (("sum", r, c), *((("last", r, c),) if r else ()))
    for r in range(rows):
        graph[("row", r)] = tuple(("out", r, c) for c in range(columns))
    return graph


def shuffle(parts: int = 6) -> Graph:
    """Every part sends a piece to every output."""
    graph: Graph = {("in", i): () for i in range(parts)}
    graph |= {("piece", i, j): (("in", i),) for i, j in product(range(parts), repeat=2)}
    return graph | {("out", j): tuple(("piece", i, j) for i in range(parts)) for j in range(parts)}


def grid_overlap(rows: int = 4, columns: int = 10) -> Graph:
    """map_overlap in two dimensions: each result uses up to nine chunks."""
    graph: Graph = {("x", r, c): () for r, c in product(range(rows), range(columns))}
    for r, c in product(range(rows), range(columns)):
        near = product(range(max(r - 1, 0), min(r + 2, rows)), range(max(c - 1, 0), min(c + 2, columns)))
        graph[("y", r, c)] = tuple(("x", *at) for at in near)
    for r in range(rows):
        tree(graph, ("max", r), [("y", r, c) for c in range(columns)], 4)
    return graph


def tree_reduction(leaves: int = 37, every: int = 4) -> Graph:
    """A sum over a tree that isn't full."""
    graph: Graph = {}
    for i in range(leaves):
        graph |= {("x", i): (), ("sum", i): (("x", i),)}
    tree(graph, "tree", [("sum", i) for i in range(leaves)], every)
    return graph


def matrix_product(side: int = 4) -> Graph:
    """x·y, in chunks."""
    graph: Graph = {(name, i, j): () for name in "xy" for i, j in product(range(side), repeat=2)}
    for i, j in product(range(side), repeat=2):
        for k in range(side):
            graph[("product", i, j, k)] = (("x", i, k), ("y", k, j))
        graph[("sum", i, j)] = tuple(("product", i, j, k) for k in range(side))
    return graph


def plus_transposed(side: int = 6) -> Graph:
    """mean(x + x.T)."""
    graph: Graph = {}
    for i, j in product(range(side), repeat=2):
        graph |= {("x", i, j): (), ("t", i, j): (("x", j, i),), ("sum", i, j): (("x", i, j), ("t", i, j))}
        graph[("chunk", i, j)] = (("sum", i, j),)
    tree(graph, "mean", [("chunk", i, j) for i, j in product(range(side), repeat=2)], 4)
    return graph


def chain(name: str, length: int) -> Graph:
    """name1 ← name2 ← … : the last one is the load."""
    return {f"{name}{i}": (f"{name}{i + 1}",) if i < length else () for i in range(1, length + 1)}


def tree(graph: Graph, name: object, leaves: list, every: int) -> object:
    """Adds a reduction of `leaves`, `every` at a time, and returns the key of its result."""
    level = 0
    while len(leaves) > 1 or level == 0:
        taken = [tuple(leaves[i : i + every]) for i in range(0, len(leaves), every)]
        leaves = [(name, level, i) for i in range(len(taken))]
        graph.update(zip(leaves, taken, strict=True))
        level += 1
    return leaves[0]


SHAPES = {
    "groups apart": groups_apart(),
    "broker": broker(),
    "staircase": staircase(),
    "side branch": side_branch(),
    "side branches": side_branches(),
    "deep bases": deep_bases(),
    "smaller sections": smaller_sections(),
    "local parents": local_parents(),
    "nearest neighbour": nearest_neighbour(),
    "short ancestor, shared": short_ancestor(shared=True),
    "short ancestor, not shared": short_ancestor(shared=False),
    "overlap": overlap(),
    "overlap, longer": overlap(21),
    "sliding windows": sliding_windows(),
    "fold of parts": fold_of_parts(),
    "many branches": many_branches(),
    "maxima and argmaxima": maxima_and_argmaxima(),
    "maxima and argmaxima, one tail": maxima_and_argmaxima(tails=1),
    "terminal node": terminal_node(),
    "terminal node, more": terminal_node(5),
    "two trees of each load": two_trees_of_each_load(),
    "windows of three": windows_of_three(),
    "xarray-like reduction": xarray_like_reduction(),
    "velocities": velocities(),
    "anomaly mean": anomaly_mean(),
    "climatology": climatology(),
    "three means of two": three_means_of_two(),
    "three means of two, longer": three_means_of_two(21),
    "flox reduction": flox_reduction(),
    "shared loads": shared_loads(),
    "shared loads, more": shared_loads(12, 5),
    "common dependents": common_dependents(),
    "common dependents, kept": common_dependents(2, 7, keep=True),
    "double difference": double_difference(),
    "cumulative products": cumulative_products(),
    "late loads": late_loads(),
    "map-reduce with slices": map_reduce_with_slices(),
    "rechunked cohorts": rechunked_cohorts(),
    "shared factor": shared_factor(),
    "stack of rasters": stack_of_rasters(),
    "grouped with counts": grouped_with_counts(),
    "split and stored": split_and_stored(),
    "vorticity": vorticity(),
    "minus mean": minus_mean(),
    "standardised sum": standardised_sum(),
    "several stores": several_stores(),
    "stacked": stacked(),
    "running sums": running_sums(),
    "shuffle": shuffle(),
    "grid overlap": grid_overlap(),
    "grid overlap, long": grid_overlap(12, 3),
    "tree reduction": tree_reduction(),
    "matrix product": matrix_product(),
    "plus transposed": plus_transposed(),
}
