"""Compares the functions on array elements with NumPy: every row of the table in runtime/src/array/elementwise/functions.rs."""

import math
import re
from pathlib import Path

import arrays
import numpy as np
import pytest

TABLE = (Path(__file__).resolve().parent.parent / "runtime/src/array/elementwise/functions.rs").read_text()

# NumPy's name, where it differs.
NUMPY = {"ln": "log", "ceil": "ceil", "round": "rint", "is_nan": "isnan", "abs": "absolute", "lt": "less", "le": "less_equal", "gt": "greater",
         "ge": "greater_equal", "eq": "equal", "ne": "not_equal"}  # fmt: skip


def rows(macro: str, kinds: list[str]) -> list[tuple[str, str]]:
    """Returns the names in a table, with the kind of elements that have the function."""
    table = re.search(rf"^{macro}! \{{\n(.*?)^\}}", TABLE, re.MULTILINE | re.DOTALL)[1]
    found = []
    for kind in kinds:
        section = re.search(rf"^    {kind} \{{\n(.*?)^    \}}", table, re.MULTILINE | re.DOTALL)[1]
        found += [(name, kind) for name in re.findall(r"^        [A-Z]\w* (\w+)", section, re.MULTILINE)]
    return found


UNARY = rows("unary", ["float", "test", "signed"])
BINARY = rows("binary", ["float", "method", "any", "compare"])

# The permitted error in units in the last place, where it is more than one. The C library's values are off by as much.
# The functions' documentation says so.
UNITS = {"sinh": 2, "tanh": 2}

EDGES = [0.0, -0.0, np.inf, -np.inf, np.nan, 5e-324, -5e-324, 2.2250738585072014e-308, 1.7976931348623157e308, -1.7976931348623157e308]
PLAIN = [1.0, -1.0, 0.5, -0.5, 1.5, 2.5, -2.5, 3.5, 1e-8, -1e-8, 1e-300, np.pi, -np.pi / 2, 0.99999999, 20.0, -20.0, 709.5, -740.0, 1e5, 1e15]
RANDOM = [*np.random.default_rng(7).normal(size=20), *np.random.default_rng(8).uniform(-100, 100, size=20)]
VALUES = np.array(EDGES + PLAIN + RANDOM)


def numpy(name: str):
    return getattr(np, NUMPY.get(name, name))


def literal(values: np.ndarray) -> str:
    """Returns the source of an array in memory of exactly these values, in chunks of 7."""
    return arrays.literal(values, "7")


def computed(kernel, expression: str, dtype: str) -> np.ndarray:
    """Returns the exact values of an array."""
    [[found]] = arrays.computed(kernel, [expression], dtype, ["()"])
    return found


def check(found: np.ndarray, exact: np.ndarray, beside: np.ndarray, limit: float) -> None:
    """Compares with `exact`, which has more digits than the type, and with `beside`, NumPy's values."""
    assert found.dtype == beside.dtype
    special = ~np.isfinite(beside) | (beside == 0)
    np.testing.assert_array_equal(found[special], beside[special])
    nulls = beside == 0
    np.testing.assert_array_equal(np.signbit(found[nulls]), np.signbit(beside[nulls]))
    rest = ~special
    with np.errstate(over="ignore"):
        unit = np.nextafter(np.abs(beside[rest]), 0)
    unit = (np.abs(beside[rest]) - unit).astype(exact.dtype)
    wrong = np.abs(found[rest].astype(exact.dtype) - exact[rest]) / unit
    assert wrong.size == 0 or wrong.max() <= limit, f"{wrong.max()} units in the last place"


def test_every_row_is_found():
    assert len(UNARY) >= 27 and len(BINARY) >= 14
    for name, _ in UNARY + BINARY:
        assert callable(numpy(name)), name


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("name, kind", UNARY)
def test_a_function_of_one_element(kernel, name, kind, dtype):
    with np.errstate(all="ignore"):
        values = VALUES.astype(dtype)
        beside = numpy(name)(values)
        exact = numpy(name)(values.astype("longdouble" if dtype == "float64" else "float64"))
    found = computed(kernel, f"{literal(values)}.{name}()", beside.dtype.name)
    if kind == "test":
        np.testing.assert_array_equal(found, beside)
    else:
        check(found, exact, beside, UNITS.get(name, 1))


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("name, kind", BINARY)
def test_a_function_of_two_elements(kernel, name, kind, dtype):
    few = np.array(EDGES[:5] + [1.0, -1.0, 2.5, -2.5, 7.0, -7.0, 1e-8, 1e15, 0.1])
    left, right = (side.ravel().astype(dtype) for side in np.meshgrid(few, few))
    with np.errstate(all="ignore"):
        beside = numpy(name)(left, right)
        wide = "longdouble" if dtype == "float64" else "float64"
        exact = numpy(name)(left.astype(wide), right.astype(wide))
    found = computed(kernel, f"{literal(left)}.{name}({literal(right)})", beside.dtype.name)
    if kind == "float":
        check(found, exact, beside, UNITS.get(name, 1))
        return
    # Which of two zeros `minimum` returns is not specified.
    np.testing.assert_array_equal(found, beside)
    if kind == "method":
        np.testing.assert_array_equal(np.signbit(found[beside == 0]), np.signbit(beside[beside == 0]))


@pytest.mark.parametrize("name", [name for name, kind in UNARY if kind == "signed"])
def test_functions_of_integers(kernel, name):
    values = np.array([0, 1, -1, 7, -7, 2**62, -(2**62)])
    np.testing.assert_array_equal(computed(kernel, f"{literal(values)}.{name}()", "int64"), numpy(name)(values))


def test_integers_are_divided_down(kernel):
    left, right = (side.ravel() for side in np.meshgrid([7, -7, 6, -6, 0, 2**62], [2, -2, 3, -3, 1, -1]))
    found = computed(kernel, f"{literal(left)}.floor_divide({literal(right)})", "int64")
    np.testing.assert_array_equal(found, np.floor_divide(left, right))
    kernel.fails(f"{literal(left)}.floor_divide(0).compute()?", "divided by zero")


def test_values_are_clipped(kernel):
    found = computed(kernel, f"{literal(VALUES)}.clip(-1.0, 2.5)", "float64")
    np.testing.assert_array_equal(found, np.clip(VALUES, -1.0, 2.5))
    found = computed(kernel, f"{literal(np.arange(20))}.clip(3, 7)", "int64")
    np.testing.assert_array_equal(found, np.clip(np.arange(20), 3, 7))


def test_scalars_have_them_too(kernel):
    kernel.ok("let x = Array::from_ndarray(vec![1.0, 2.0, 4.0], 2);")
    assert kernel.ok("x.sum().arctan2(x.mean()).compute()?").result == repr(float(np.arctan2(7.0, 7.0 / 3)))
    assert kernel.ok("x.max().gt(x.mean()).compute()?").result == "true"
    assert kernel.ok("x.min().clip(2.0, 3.0).sinh().compute()?").result == repr(math.sinh(2.0))


@pytest.mark.parametrize("shape", ["0", "(3, 0)"])
def test_arrays_without_elements(kernel, shape):
    assert kernel.ok(f"Array::<f64>::zeros({shape}, 2).sinh().hypot(1.0).compute()?.len()").result == "0"
