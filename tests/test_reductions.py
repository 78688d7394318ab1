"""Compares the reductions of arrays with NumPy: every row of the table in runtime/src/array/reduce/methods.rs."""

import re
import warnings
from pathlib import Path

import numpy as np
import pytest
from arrays import computed, literal

TABLE = (Path(__file__).resolve().parent.parent / "runtime/src/array/reduce/methods.rs").read_text()
SHAPE = (4, 6, 5)
# The last two have empty chunks, and a single chunk.
CHUNKS = ["(2, 4, 2)", "(1, -1, 5)", "vec![vec![2, 0, 2], vec![0, 6], vec![3, 2]]", "-1"]


def rows() -> list[tuple[str, str]]:
    """Returns each method's name, with the kind of its result."""
    table = re.search(r"^reductions! \{\n(.*?)^\}", TABLE, re.MULTILINE | re.DOTALL)[1]
    sections = re.findall(r"^    (\w+) \{\n(.*?)^    \}", table, re.MULTILINE | re.DOTALL)
    return [(name, kind) for kind, section in sections for name in re.findall(r"^        [A-Z]\w* (\w+) ", section, re.MULTILINE)]


ROWS = rows()
TOTALS = ["Axes::all()", "Axes::all().keepdims()", "Axes::all().split_every(2)"]
ONE = {"0": 0, "-1": -1, "Axis(1)": 1, "Axes::of(1).keepdims()": 1, "Axes::of(-1).split_every(2)": -1}
SEVERAL = {"[0, 1]": (0, 1), "[0, 2]": (0, 2), "(1, -1)": (1, 2), "Axes::of([2, 0]).keepdims().split_every(3)": (0, 2), "vec![0, 1, 2]": (0, 1, 2)}


def axes_of(kind: str) -> dict[str, int | tuple[int, ...] | None]:
    """Returns the axes as written in code, and for NumPy. The position of an element is along one axis, or along all."""
    axes = {**dict.fromkeys(TOTALS), **ONE}
    return axes if kind == "index" else {**axes, **SEVERAL}


def data(of: str) -> np.ndarray:
    random = np.random.default_rng(5)
    if of == "numbers":
        return random.normal(size=SHAPE) * 100
    if of in ("nan", "nan32"):
        values = random.normal(size=SHAPE)
        values[random.uniform(size=SHAPE) < 0.3] = np.nan
        # No lane consists only of NaN.
        values[np.isnan(values).all(axis=0)[None] & (np.arange(4) == 1)[:, None, None]] = 2.0
        values[:, 1, :] = np.arange(5)
        values[1, :, 2] = -np.arange(6)
        for axis in range(3):
            values = np.where(np.isnan(values).all(axis=axis, keepdims=True), 1.5, values)
        return values.astype("float32" if of == "nan32" else "float64")
    if of == "ties":
        return random.integers(-2, 3, size=SHAPE).astype("float64")
    if of == "large":
        return random.integers(-(2**62), 2**62, size=SHAPE) // 64
    if of == "bytes":
        return random.integers(0, 255, size=SHAPE, endpoint=True).astype("uint8")
    return random.uniform(size=SHAPE) < 0.5


def numpy(name: str, values: np.ndarray, axis, keepdims: bool, **more) -> np.ndarray:
    if name in ("count_nonzero", "argmin", "argmax", "nanargmin", "nanargmax", "min", "max", "nanmin", "nanmax", "any", "all"):
        return np.asarray(getattr(np, name)(values, axis=axis, keepdims=keepdims))
    if name in ("mean", "nanmean", "var", "std", "nanvar", "nanstd"):
        # In f64, for all element types.
        values = values.astype("float64")
    return np.asarray(getattr(np, name)(values, axis=axis, keepdims=keepdims, **more))


DATA = ["numbers", "nan", "nan32", "ties", "large", "bytes", "mask"]


@pytest.fixture(scope="module")
def arrays(kernel):
    """A kernel with all data in all chunkings, in variables such as `large_2`."""
    for of in DATA:
        kernel.ok("".join(f"let {of}_{number} = {literal(data(of), chunks)};\n" for number, chunks in enumerate(CHUNKS)))
    return kernel


def check(kernel, name: str, kind: str, kinds_of_data: list[str]) -> None:
    expressions, arrays, expected = [], [], []
    for said in axes_of(kind):
        for ddof in [", 0.0", ", 1.5"] if kind == "spread" else [""]:
            expressions.append(f"x.{name}_axis({said}{ddof})")
    for of in kinds_of_data:
        values = data(of)
        for number in range(len(CHUNKS)):
            arrays.append(f"&{of}_{number}")
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                expected.append(
                    [
                        numpy(name, values, axis, "keepdims" in said, **more)
                        for said, axis in axes_of(kind).items()
                        for more in ([{"ddof": 0}, {"ddof": 1.5}] if kind == "spread" else [{}])
                    ]
                )
    found = computed(kernel, expressions, expected[0][0].dtype.name, arrays)
    assert len(found) == len(expected)
    for array, of_array, beside in zip(arrays, found, expected, strict=True):
        for said, ours, theirs in zip(expressions, of_array, beside, strict=True):
            precision = {"float64": 1e-12, "float32": 1e-5}.get(theirs.dtype.name, 0)
            np.testing.assert_allclose(ours, theirs, rtol=precision, atol=precision, err_msg=f"{said} of {array}")


def test_every_row_is_found():
    assert len(ROWS) >= 21
    for name, _ in ROWS:
        assert callable(getattr(np, name))


@pytest.mark.parametrize("name, kind", [row for row in ROWS if row[1] != "mask"])
def test_floats_beside_numpy(arrays, name, kind):
    check(arrays, name, kind, ["numbers", "nan", "ties"])
    check(arrays, name, kind, ["nan32"])


# The product of all large values exceeds every type, so it has a separate test.
@pytest.mark.parametrize("name, kind", [row for row in ROWS if row[1] != "mask" and not row[0].endswith("prod")])
def test_integers_beside_numpy(arrays, name, kind):
    check(arrays, name, kind, ["large"])
    check(arrays, name, kind, ["bytes"])


@pytest.mark.parametrize("name, kind", [row for row in ROWS if not row[0].startswith("nan")])
def test_masks_beside_numpy(arrays, name, kind):
    check(arrays, name, kind, ["mask"])


def test_products_of_integers(kernel):
    values = data("bytes") % 3 + 1
    kernel.ok(f"let x = {literal(values, '(2, 4, 2)')};")
    [[found]] = computed(kernel, ["x.prod_axis([0, 2])"], "uint64")
    np.testing.assert_array_equal(found, np.prod(values, axis=(0, 2)))
    kernel.fails("(x.astype::<i64>() * 1000).prod().compute()?", "the product of elements is beyond what i64 holds")


def test_no_axis_is_each_element(kernel):
    values = data("bytes")
    kernel.ok(f"let x = {literal(values, '(2, 4, 2)')};")
    [[found]] = computed(kernel, ["x.sum_axis([0; 0])"], "uint64")
    np.testing.assert_array_equal(found, values)


@pytest.mark.parametrize("name, kind", ROWS)
def test_without_elements(kernel, name, kind):
    of_type = "bool" if kind == "mask" else "f64"
    kernel.ok(f"let x = Array::<{of_type}>::zeros((3, 0), (2, 1));")
    ddof = ", 0.0" if kind == "spread" else ""
    if (kind == "index" and name != "count_nonzero") or name in ("min", "max", "nanmin", "nanmax"):
        kernel.fails(f"x.{name}()", re.escape(f"{name} of an array of shape (3, 0): there is no element"))
        kernel.fails(f"x.{name}_axis(1{ddof})", "there is no element")
        assert kernel.ok(f"x.{name}_axis(0{ddof}).compute()?.len()").result == "0"
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        expected = numpy(name, np.zeros((3, 0), dtype="bool" if kind == "mask" else "float64"), 1, False)
    [[found]] = computed(kernel, [f"x.{name}_axis(1{ddof})"], expected.dtype.name)
    np.testing.assert_array_equal(found, expected)


def test_lanes_of_nan_alone(kernel):
    kernel.ok("let x = Array::full((2, 3), f64::NAN, (1, 2));")
    assert kernel.ok("x.nanmin_axis(1).compute()?.iter().all(|v| v.is_nan())").result == "true"
    assert kernel.ok("x.nanmean().compute()?.is_nan() && x.nanstd().compute()?.is_nan()").result == "true"
    assert kernel.ok("(x.nansum().compute()?, x.nanprod().compute()?)").result == "(0.0, 1.0)"
    kernel.fails("x.nanargmax_axis(1).compute()?", "elements that are all NaN")
    assert kernel.ok("x.argmax().compute()?").result == "0"


@pytest.mark.parametrize(
    "axes, message",
    [
        ("2", "axis 2 is out of range for an array of shape (4, 6)"),
        ("-3", "axis -3 is out of range"),
        ("[0, -2]", "axis 0 of an array of shape (4, 6) is named twice"),
        ("Axes::of(0).split_every(1)", "split_every(1): expected at least 2"),
    ],
)
def test_wrong_axes(kernel, axes, message):
    kernel.ok("let x = Array::<f64>::ones((4, 6), 2);")
    kernel.fails(f"x.sum_axis({axes})", re.escape(message))
    assert kernel.ok("x.sum().compute()?").result == "24.0"


def test_places_have_one_axis_or_all(kernel):
    kernel.ok("let x = Array::<f64>::ones((4, 6, 2), 2);")
    kernel.fails("x.argmax_axis([0, 1])", re.escape("argmax along 2 axes of an array of shape (4, 6, 2)"))


@pytest.mark.parametrize(
    "axes, tasks",
    [
        # 256 chunks and their contributions, then a tree.
        ("Axes::all().split_every(4)", 512 + 64 + 16 + 4 + 1),
        ("Axes::all().split_every(16)", 512 + 16 + 1),
        ("Axes::all().split_every(1000)", 512 + 1),
        ("Axes::of(0).split_every(4)", 512 + 64 + 16),
    ],
)
def test_split_every_bounds_what_a_task_takes(kernel, axes, tasks):
    kernel.ok("let x = Array::<f64>::ones((64, 64), 4);")
    assert kernel.ok(f"x.sum_axis({axes}).explain()?.rules[0].tasks.1").result == str(tasks)


@pytest.mark.parametrize("chunks", CHUNKS)
def test_flip_and_roll(kernel, chunks):
    values = data("large")
    kernel.ok(f"let x = {literal(values, chunks)};")
    said = ["x.flip(0)", "x.flip([1, -1])", "x.flip(Axes::all())", "x.flip(1).flip(1)", "x.roll(2, 0)", "x.roll(-7, 1)", "x.roll(3, [0, 2])", "x.roll(6, 1)"]
    expected = [
        np.flip(values, 0), np.flip(values, (1, 2)), np.flip(values), values,
        np.roll(values, 2, 0), np.roll(values, -7, 1), np.roll(values, (3, 3), (0, 2)), values,
    ]  # fmt: skip
    [found] = computed(kernel, said, "int64")
    for one, ours, theirs in zip(said, found, expected, strict=True):
        np.testing.assert_array_equal(ours, theirs, err_msg=one)
    # In the middle of other steps, which are fused into one task with it.
    [[found]] = computed(kernel, ["(x.flip(0) + x).flip([0, 1]).max_axis(1)"], "int64")
    np.testing.assert_array_equal(found, np.flip(np.flip(values, 0) + values, (0, 1)).max(axis=1))
