"""Several tables, some compiled and some read as text, list the types. Checks that they agree."""

import re
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent
RUNTIME = PROJECT / "runtime/src"
KERNEL = PROJECT / "kernel/src"


def text(*paths: str) -> str:
    return "\n".join((RUNTIME / path).read_text() for path in paths)


def sources(folder: Path) -> str:
    return "\n".join(file.read_text() for file in sorted(folder.rglob("*.rs")) if "tests" not in file.parts and file.name != "tests.rs")


def collections() -> list[str]:
    """Returns the public types whose values are computed: Array, DataFrame, …"""
    found = set(re.findall(r"^impl.* Collection for (\w+)", sources(RUNTIME), re.MULTILINE))
    public = {name for name in found if re.search(rf"^pub struct {name}\b", sources(RUNTIME), re.MULTILINE)}
    assert {"Array", "Scalar", "DataFrame", "Series", "FrameScalar", "Delayed", "TaskOutput"} <= public
    return sorted(public)


# A TaskOutput comes from a graph that is not kept: after the process has ended, nothing could name it.
NOT_RECOVERED = {"TaskOutput"}
# Its type parameter can be any type. The row of `Delayed` leads to its module.
NO_PATH = {"TaskOutput"}


# Created by methods of other types, which the instances call.
NO_INSTANCE = {"TaskOutput"}


def missing(what: str, pattern: str, where: str, besides: set[str] = frozenset()) -> list[str]:
    return [f"{name} has no {what}" for name in collections() if name not in besides and not re.search(pattern.replace("NAME", name), where)]


def test_every_collection_is_in_every_table():
    wrong = [
        *missing("description (a view.rs)", r"Describe for NAME\b", sources(RUNTIME)),
        *missing("display (a view.rs)", r"Show for NAME\b", sources(RUNTIME)),
        *missing("recovery (a recover.rs)", r"Recover for NAME\b|recover!\([^)]*\bNAME\b", sources(RUNTIME), NOT_RECOVERED),
        *missing("row in session/collections.rs", r"(restored|lost)::<NAME\b", text("session/collections.rs")),
        *missing("ready instance (instances/src)", r"\bNAME\b", sources(PROJECT / "runtime/instances/src"), NO_INSTANCE),
        *missing("name in lib.rs", r"\bNAME\b", re.search(r"pub mod collections \{(.*?)\n\}", text("lib.rs"), re.DOTALL)[1]),
        *missing("row among the handles (channel/src/handles.rs)", r'"NAME"', (PROJECT / "runtime/channel/src/handles.rs").read_text(), {"TaskOutput"}),
    ]
    assert not wrong, "\n".join(wrong)


def test_types_have_the_path_of_their_module():
    """The kernel writes `swath::array::Array` for a type in `array/typed.rs`: `array` must export it."""
    private = set(re.findall(r"^pub struct (\w+)", text("display/probe.rs"), re.MULTILINE))
    wrong = []
    for module in ("array", "frame", "delayed", "io", "cluster", "display", "visualize", "diagnostics"):
        folder = RUNTIME / module
        exports = (folder / "mod.rs").read_text()
        for file in sorted(folder.rglob("*.rs")):
            if file.name in ("mod.rs", "tests.rs") or "tests" in file.parts:
                continue
            for name in re.findall(r"^pub (?:struct|enum) (\w+)", file.read_text(), re.MULTILINE):
                if name not in private and not re.search(rf"pub use [^;]*\b{name}\b", exports):
                    wrong.append(f"swath::{module}::{name} is not exported ({file.relative_to(RUNTIME)})")
    assert not wrong, "\n".join(wrong)


def methods_of_columns() -> set[str]:
    """Returns the methods of frames that take names of columns, by their signatures."""
    found = set()
    for file in ("dataframe.rs", "groupby.rs"):
        for name, parameters in re.findall(r"pub fn (\w+)(?:<[^(]*>)?\(\s*&self,([^)]*)\)", text(f"frame/{file}")):
            if re.search(r"impl Into(Exprs|Expr|Names)|: &str|: Expr\b", parameters):
                found.add(name)
    assert {"select", "filter", "join", "column", "sort", "agg"} <= found
    return found


def test_columns_are_completed_in_every_method_that_takes_them():
    """The kernel has a separate list, because it does not link the runtime."""
    table = re.search(r"^const METHODS: &\[&str\] = &\[\n(.*?)^\];", (KERNEL / "completion/columns.rs").read_text(), re.MULTILINE | re.DOTALL)[1]
    listed = set(re.findall(r'"(\w+)"', table))
    assert methods_of_columns() <= listed, f"not in kernel/src/completion/columns.rs: {sorted(methods_of_columns() - listed)}"
