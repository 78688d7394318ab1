"""Cells that people write, as data: cases/cells.json.

A case lists the cells of one fresh session, in order, and the expected outcome of each: null (it succeeds), a regular
expression that its text and result match, {"error": …} (it fails with a matching error), {"either": …} (a matching
answer or a matching error). For each feature a second case must fail without losing anything.
"""

import json
import re
from pathlib import Path

import pytest

from kernel import Kernel, Result, running_kernel

CASES = json.loads((Path(__file__).parent / "cases" / "cells.json").read_text())


def texts_of(result: Result) -> list[str]:
    """Returns the text that a cell showed: without the notes about it, and with them."""
    own = [result.stdout, result.stderr, result.result or ""]
    displays = [display.get("text/plain", "") for display in result.displays]
    return ["\n".join(part for part in parts if part) for parts in (own, displays + own)]


def check(result: Result, expect) -> None:
    if expect is None or isinstance(expect, str):
        assert result.ok, f"it failed:\n{result.error}"
        if expect is not None:
            texts = texts_of(result)
            assert any(re.search(expect, text) for text in texts), f"no {expect!r} in\n{texts[-1]}"
    elif "error" in expect:
        assert not result.ok, f"it should have failed:\n{result}"
        assert re.search(expect["error"], result.error), f"no {expect['error']!r} in\n{result.error}"
    else:
        text = texts_of(result)[-1] if result.ok else result.error
        assert re.search(expect["either"], text), f"no {expect['either']!r} in\n{text}"


def run(kernel: Kernel, case: dict) -> None:
    for number, (cell, expect) in enumerate(zip(case["cells"], case["expect"], strict=True), 1):
        result = kernel.run(cell, timeout=300)
        try:
            check(result, expect)
        except AssertionError as error:
            raise AssertionError(f"cell {number} of {case['id']}:\n{cell}\n\n{error}") from None


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["id"])
def test_cells_that_people_write(case, kernelspec, tmp_path):
    with running_kernel(str(tmp_path)) as kernel:
        run(kernel, case)


def test_names_are_unique():
    names = [case["id"] for case in CASES]
    assert len(names) == len(set(names))
