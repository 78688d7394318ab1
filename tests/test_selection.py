"""Compares the selection of elements by their values with NumPy. The resulting sizes are unknown until they are computed."""

import re

import numpy as np
import pytest
from arrays import computed, literal

CHUNKS = ["(2, 4)", "(4, 6)", "(1, -1)", "vec![vec![2, 0, 2], vec![1, 5]]"]


@pytest.fixture(scope="module")
def values() -> np.ndarray:
    return np.random.default_rng(3).integers(-5, 6, size=(4, 6))


@pytest.fixture(scope="module", params=CHUNKS)
def x(request, kernel, values):
    """A kernel in which `x` has the values, and `mask` selects those above 0."""
    kernel.ok(f"let x = {literal(values, request.param)};\nlet mask = x.gt(0);\nlet rows = x.sum_axis(1).gt(0);")
    return kernel


def check(kernel, expression: str, expected: np.ndarray) -> None:
    [[found]] = computed(kernel, [expression], expected.dtype.name)
    np.testing.assert_array_equal(found, expected, err_msg=expression)


def test_masks(x, values):
    rows = values.sum(axis=1) > 0
    check(x, "x.get(&mask)", values[values > 0])
    check(x, "x.get(&rows)", values[rows])
    check(x, "x.get(x.gt(100))", values[values > 100])
    check(x, "x.get(&rows).get(x.get(&rows).slice_axis(Axis(1), 2..3).index_axis(Axis(1), 0).gt(0))", values[rows][values[rows][:, 2] > 0])


def test_what_can_follow(x, values):
    rows = values.sum(axis=1) > 0
    positive = values[values > 0]
    check(x, "x.get(&mask) * 2 + 1", positive * 2 + 1)
    check(x, "x.get(&mask) + (x * x).get(&mask)", positive + positive**2)
    check(x, "x.get(&rows).t()", values[rows].T)
    check(x, "x.get(&rows).sum_axis(0)", values[rows].sum(axis=0))
    check(x, "x.get(&rows).max_axis(1)", values[rows].max(axis=1))
    check(x, "x.get(&rows).argmax_axis(-1)", values[rows].argmax(axis=1))
    check(x, "x.get(&rows).slice_axis(Axis(1), 1..4)", values[rows][:, 1:4])
    check(x, "x.get(&rows).flip([0, 1])", np.flip(values[rows]))
    check(x, "x.get(&rows).roll(2, 1)", np.roll(values[rows], 2, axis=1))
    check(x, "concatenate(Axis(0), &[x.get(&rows), x.get(&rows)])", np.concatenate([values[rows], values[rows]]))
    check(x, "x.get(&mask).persist()?.unique()", np.unique(positive))
    for name in ("mean", "std", "nanmean"):
        found = x.ok(f"x.get(&mask).{name}().compute()?").result
        np.testing.assert_allclose(float(found), getattr(np, name)(positive), rtol=1e-12)
    found = x.ok("(x.get(&mask).min().compute()?, x.get(&mask).max().compute()?, x.get(&mask).count_nonzero().compute()?)").result
    assert found == f"({positive.min()}, {positive.max()}, {positive.size})"


def test_places(x, values):
    check(x, "x.argwhere()", np.argwhere(values))
    check(x, "mask.argwhere()", np.argwhere(values > 0))
    for axis, expected in enumerate(np.nonzero(values > 0)):
        check(x, f"mask.nonzero()[{axis}]", expected)
    check(x, "x.argwhere().index_axis(Axis(1), 0) - &x.nonzero()[1]", np.argwhere(values)[:, 0] - np.nonzero(values)[1])


def test_unique(x, values):
    check(x, "x.unique()", np.unique(values))
    check(x, "mask.unique()", np.unique(values > 0))


@pytest.mark.parametrize("chunks", ["1", "3", "-1"])
def test_unique_floats(kernel, chunks):
    values = np.array([np.nan, 2.5, -np.inf, np.nan, 2.5, np.inf, -1.0, np.nan])
    kernel.ok(f"let floats = {literal(values, chunks)};")
    check(kernel, "floats.unique()", np.unique(values))


def test_sizes_become_known(x, values):
    x.ok("let some = x.get(&mask).compute_chunk_sizes()?;")
    assert x.ok("some.shape()").result == f"[{(values > 0).sum()}]"
    check(x, "some.slice_axis(Axis(0), 1..3)", values[values > 0][1:3])
    check(x, "some.argmax_axis(0)", np.asarray(values[values > 0].argmax()))
    check(x, "some.rechunk(3)", values[values > 0])


@pytest.mark.parametrize(
    "expression",
    ["some.shape()", "some.len()", "some.nbytes()", "some.slice_axis(Axis(0), 0..1)", "some.index_axis(Axis(0), 0)", "some.rechunk(2)",
     "some.argmax()", "some.argwhere()", "some.roll(1, 0)", "some.chunks().sizes(0)"],
)  # fmt: skip
def test_what_needs_sizes_says_so(x, expression):
    x.ok("let some = x.get(&mask);")
    x.fails(expression, re.escape("of an array of shape (?,) depend on the data and are not known yet"), r"\.compute_chunk_sizes\(\)\?")


def test_sizes_that_do_not_meet(x):
    x.ok("let some = x.get(&mask); let others = x.get(x.lt(0));")
    x.fails("some + others", re.escape("cannot add shapes (?,) and (?,)"), r"compute_chunk_sizes")
    x.fails("x.get(others.gt(0))", "does not fit an array of shape", r"compute_chunk_sizes")
    x.fails("x.get(Array::from_ndarray(vec![true, false], 1))", re.escape("a mask of shape (2,) does not fit an array of shape (4, 6)"))
    assert x.ok("(some.sum().compute()? > 0, others.sum().compute()? < 0)").result == "(true, true)"


def test_nothing_is_chosen(x):
    x.ok("let none = x.get(x.gt(100));")
    assert x.ok("(none.sum().compute()?, none.compute()?.len())").result == "(0, 0)"
    x.fails("none.max().compute()?", "there is no element")
    x.fails("none.argmax_axis(0).compute()?", "not known yet")
    x.fails("none.compute_chunk_sizes()?.argmax()", "there is no element")


def test_unknown_sizes_are_shown(x):
    shown = x.run("x.get(&mask)")
    assert re.search(r"shape \(\?,\), \? \(", shown.result) and "(?,)" in shown.displays[-1]["text/html"] if shown.displays else True
    assert "Array<i64>" in x.ok('format!("{:?}", x.get(&mask))').result and "(?,)" in x.ok('format!("{:?}", x.get(&mask))').result
    x.ok("let some = x.get(&mask);")
    assert "(?,)" in x.ok(":vars").result
