"""Checks the `use` lines of both packages against the layers in ARCHITECTURE.md."""

import re
import tomllib
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parent.parent
PACKAGES = ["runtime/src", "kernel/src"]


def layers(package: str) -> dict[str, int]:
    """Returns the line number of each module in the list in ARCHITECTURE.md."""
    text = (PROJECT / "ARCHITECTURE.md").read_text()
    listed = re.search(rf"^`{package}`:\n\n((?: {{4}}.*\n)+)", text, re.MULTILINE)
    assert listed, f"no list of the layers of {package}"
    lines = [line.split() for line in listed[1].splitlines()]
    return {module: number for number, line in enumerate(lines) for module in line}


def code(path: Path) -> str:
    """Returns a file's code without comments and without its tests."""
    text = path.read_text().split("#[cfg(test)]\nmod tests {")[0]
    return "\n".join(line for line in text.splitlines() if not line.lstrip().startswith("//"))


def imports(package: str) -> list[tuple[str, str, str]]:
    """Returns each import: the module, the imported module, and the file."""
    root = PROJECT / package
    found = []
    for path in sorted(root.rglob("*.rs")):
        parts = path.relative_to(root).parts
        if "tests" in parts or parts[-1] == "tests.rs":
            continue
        module = parts[0].removesuffix(".rs")
        text = code(path)
        named = re.findall(r"(?<!\$)\bcrate::(\w+)", text)
        for group in re.findall(r"(?<!\$)\bcrate::\{([^;]*)\}", text):
            named += re.findall(r"(?:^|,|\{)\s*(\w+)", re.sub(r"::\{[^}]*\}", "", group))
        # A path with as many `super` as the file is deep leads to the root.
        depth = len(parts) - (parts[-1] == "mod.rs")
        named += [name for up, name in re.findall(r"((?:super::)+)(\w+)", text) if up.count("super") == depth]
        found += [(module, name, str(path.relative_to(PROJECT))) for name in named]
    return found


@pytest.mark.parametrize("package", PACKAGES)
def test_every_module_has_a_layer(package):
    modules = {path.name.removesuffix(".rs") for path in (PROJECT / package).iterdir() if path.suffix == ".rs" or path.is_dir()}
    assert modules - {"tests"} == set(layers(package))


@pytest.mark.parametrize("package", PACKAGES)
def test_modules_import_what_is_above_them(package):
    rank = layers(package)
    root = {"lib", "main"}
    wrong = [
        f"{module} imports {other} ({file})"
        for module, other, file in imports(package)
        if other in rank and module != other and module not in root and rank[other] >= rank[module]
    ]
    assert not wrong, "\n".join(sorted(set(wrong)))


def test_imports_are_found():
    """Without this, the test above would pass even if it found no imports."""
    found = {(module, other) for package in PACKAGES for module, other, _ in imports(package)}
    for edge in [("compute", "schedule"), ("schedule", "optimize"), ("visualize", "delayed"), ("array", "display"), ("session", "execution"), ("session", "frame")]:
        assert edge in found, edge


def package(folder: str) -> dict:
    return tomllib.loads((PROJECT / folder / "Cargo.toml").read_text())


def test_kernel_and_runtime_share_the_channel_alone():
    ours = {package(folder)["package"]["name"]: set(package(folder)["dependencies"]) for folder in package(".")["workspace"]["members"]}
    of_ours = {name: {other for other in others if other in ours} for name, others in ours.items()}
    assert of_ours["swath-kernel"] == {"swath-channel", "swath-wire"}
    assert of_ours["swath"] == {"swath-channel", "swath-scheduler"}
    assert not any(of_ours[leaf] for leaf in ("swath-channel", "swath-scheduler", "swath-wire"))


def test_there_is_one_profile():
    assert list(package(".")["profile"]) == ["release"]
    commands = re.findall(r"cargo (?:build|test|clippy) [^\n]*", (PROJECT / "tests/run").read_text() + (PROJECT / "install/steps.sh").read_text())
    assert len(commands) >= 4
    assert [command for command in commands if "--release" not in command] == []


def test_every_invariant_names_tests_that_exist():
    section = (PROJECT / "ARCHITECTURE.md").read_text().split("## Invariants")[1].split("\n## ")[0]
    invariants = re.findall(r"^- .*?(?=^- |\Z)", section, re.MULTILINE | re.DOTALL)
    assert len(invariants) >= 14
    files = [file for folder in ("runtime", "kernel", "tests") for file in (PROJECT / folder).rglob("*") if file.suffix in (".rs", ".py")]
    defined = set(re.findall(r"^ *(?:fn|def) (\w+)\(", "\n".join(file.read_text() for file in files if "target" not in file.parts), re.MULTILINE))
    for invariant in invariants:
        _, found, shown = invariant.partition("*Shown by*")
        assert found, f"not shown: {invariant}"
        names = re.findall(r"`(\w+)`", shown)
        assert names and set(names) <= defined, set(names) - defined
