"""What an error may show: the user's own lines, at their places, and no generated code."""

import re

# Text that the user didn't write and mustn't see in an error.
GENERATED = ("evcxr_variable_store", "evcxr_internal", "run_user_code", "no_mangle", "/tmp/", "user_code", ".cargo/registry")


def position(line: int, column: int | None = None) -> str:
    """Matches a place in the cell, as `line 2, column 14` or as `2:14`."""
    if column is None:
        return rf"(line\s+{line}\b|:{line}:\d+)"
    return rf"(line\s+{line},?\s+column\s+{column}\b|\b{line}:{column}\b)"


def assert_only_the_users_code(error: str, cell: str) -> None:
    """Checks that an error quotes only source of the cell, and no generated code."""
    for word in GENERATED:
        assert word not in error, f"{word} in\n{error}"
    cell_lines = [line.strip() for line in cell.splitlines()]
    suggestion = False  # A help shows changed code, in the same form.
    for line in error.splitlines():
        if re.match(r"\s*(= )?help:", line):
            suggestion = True
        elif not line.strip() or re.match(r"\s*(error|warning|note|-->)", line):
            suggestion = False
        quoted = re.match(r"\s*(\d+)\s*[|│]\s?(.*)$", line)
        if quoted and not suggestion:
            assert quoted[2].strip() in cell_lines, f"line {quoted[1]} is not the user's:\n{error}"
