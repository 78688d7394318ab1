"""Crates that notebooks ask for, as data: cases/crates.json.

An entry is a crate (`dep`, the lines that add it), cells that use it alone, and cells that use it together with the
crates of Swath's process. Expected outcomes are written as in cases/cells.json. Entries of one `group` run in one
kernel, which between them forgets everything except what cargo built; other entries have their own kernel. `slow`
entries, for which cargo compiles, are run by hand with bench/crates.py, whose table is docs/crates.md.
"""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from kernel import Kernel, running_kernel
from test_cases import check

CRATES = json.loads((Path(__file__).parent / "cases" / "crates.json").read_text())
# On an idle machine these compilations take seconds.
COMPILATION_TIMEOUT = 600


def group_of(crate: dict) -> str:
    return crate.get("group", crate["name"])


# Sorted by group, because a kernel ends when the next group's starts.
QUICK = sorted((crate for crate in CRATES if not crate["slow"]), key=group_of)


def steps(crate: dict) -> Iterator[tuple[str, int, str, object]]:
    """Yields the cells of an entry in order: part and number, code, expected outcome."""
    if crate["dep"]:
        yield "dep", 1, crate["dep"], crate.get("expect_dep")
    for part, expected in (("alone", "expect"), ("with", "expect_with")):
        for number, (cell, expect) in enumerate(zip(crate[part], crate[expected], strict=True), 1):
            yield part, number, cell, expect


def run(kernel: Kernel, crate: dict) -> None:
    for part, number, cell, expect in steps(crate):
        result = kernel.run(cell, timeout=COMPILATION_TIMEOUT)
        try:
            check(result, expect)
        except AssertionError as error:
            raise AssertionError(f"{crate['name']}, {part}, cell {number}:\n{cell}\n\n{error}") from None


@pytest.fixture(scope="module")
def kernel_of_group(request, kernelspec, tmp_path_factory):
    """One kernel for the tests of a group, which run one after another."""
    with running_kernel(str(tmp_path_factory.mktemp("crates"))) as kernel:
        yield kernel


@pytest.mark.parametrize(
    ("kernel_of_group", "crate"),
    [pytest.param(group_of(crate), crate, id=crate["name"]) for crate in QUICK],
    indirect=["kernel_of_group"],
)
def test_crates_that_notebooks_ask_for(kernel_of_group, crate):
    kernel_of_group.ok(":clear")
    run(kernel_of_group, crate)


def test_names_are_unique():
    names = [crate["name"] for crate in CRATES]
    assert len(names) == len(set(names))


def test_every_crate_is_used():
    for crate in CRATES:
        assert len(crate["alone"]) == len(crate["expect"]) and len(crate["with"]) == len(crate["expect_with"]), crate["name"]
        assert crate["alone"], crate["name"]
