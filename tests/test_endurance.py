"""A long session and many short ones, in small. tests/bench/endurance.py runs the full versions."""

import sys
from pathlib import Path

import pytest

from kernel import KERNEL_NAME

sys.path.insert(0, str(Path(__file__).parent / "bench"))

from endurance import per_cell, run_cells, run_starts  # noqa: E402

CELLS, STARTS = 200, 20


@pytest.fixture(scope="module")
def marks(kernelspec, tmp_path_factory):
    """Measurements of a session's processes over its course."""
    return run_cells(KERNEL_NAME, tmp_path_factory.mktemp("cells"), CELLS, steps=4)


def test_each_cell_adds_one_library(marks):
    first, last = marks[0], marks[-1]
    assert last.cells == CELLS
    assert last.runtime.libraries - first.runtime.libraries == CELLS


def test_descriptors_do_not_add_up(marks):
    """Libraries are mapped and closed; cells leave no pipe and no file open."""
    first, last = marks[1], marks[-1]
    assert last.kernel.descriptors <= first.kernel.descriptors
    assert last.runtime.descriptors <= first.runtime.descriptors


def test_a_cell_costs_little_beyond_its_code(marks):
    """For each cell the kernel keeps the text, and the runtime the loader's records. The limits are generous, because allocators
    take memory in larger steps."""
    assert per_cell(marks, lambda mark: mark.kernel.resident) < 20_000
    assert per_cell(marks, lambda mark: mark.runtime.beyond) < 20_000
    assert per_cell(marks, lambda mark: mark.file_bytes) < 5_000
    assert per_cell(marks, lambda mark: mark.runtime.resident_code) < 200_000


def test_starts_leave_nothing(kernelspec, tmp_path):
    starts, _, stops, left = run_starts(KERNEL_NAME, tmp_path, STARTS)
    assert left == []
    assert len(starts.values) == len(stops.values) == STARTS
