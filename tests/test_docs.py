"""Checks that each test that the documents name exists."""

import ast
import re

import pytest

from conftest import PROJECT

TABLE = PROJECT / "docs" / "protocol.md"
NAMED = re.compile(r"\b([\w/]+\.(?:py|rs))::(\w+)")


def rows() -> list[list[str]]:
    """Returns the table's rows, without headers and rules."""
    lines = [line for line in TABLE.read_text().splitlines() if line.startswith("|")]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return [row for at, row in enumerate(cells) if not row[0].startswith("---") and not (at + 1 < len(cells) and cells[at + 1][0].startswith("---"))]


def defined_in(file: str) -> set[str]:
    """Returns the tests that a file defines. The file is read, not run."""
    if file.endswith(".py"):
        tree = ast.parse((PROJECT / "tests" / file).read_text())
        return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")}
    crate = PROJECT / "kernel" / ("wire/src" if file.startswith("wire/") else "src")
    text = (crate / file.removeprefix("wire/")).read_text()
    return set(re.findall(r"#\[(?:tokio::)?test(?:\([^\]]*\))?\]\s*(?:#\[[^\]]*\]\s*)*(?:async )?fn (\w+)", text))


@pytest.mark.parametrize("named", sorted(set(NAMED.findall(TABLE.read_text()))), ids="::".join)
def test_a_named_test_exists(named):
    file, name = named
    assert name in defined_in(file)


def test_every_row_names_its_test():
    """A dash stands for features that don't exist, which have no test."""
    without = [row[0] for row in rows() if row[-1] != "–" and not row[-1].startswith("TODO") and not NAMED.fullmatch(row[-1])]
    assert without == []


def test_nothing_is_left_to_fill_in():
    assert re.findall(r"TODO\([\w.]+\)", TABLE.read_text()) == []


def test_every_message_type_has_a_row():
    """Compares with the message types in the kernel's wire crate, in both directions."""
    source = "".join(path.read_text() for path in sorted((PROJECT / "kernel" / "wire" / "src").rglob("*.rs")))
    known = set(re.findall(r'"((?:\w+_(?:request|reply))|comm_(?:open|msg|close)|stream|display_data|update_display_data|clear_output|execute_(?:input|result))"', source))
    assert len(known) > 20
    listed = " ".join(row[0] for row in rows())
    assert {name for name in known if not re.search(rf"\b{name}\b", listed)} == set()
