"""Fixtures: kernels as the installed kernelspec starts them."""

import json
import sys
from pathlib import Path

import pytest
from jupyter_client.kernelspec import KernelSpecManager, NoSuchKernel

sys.path.insert(0, str(Path(__file__).parent))

from kernel import KERNEL_NAME, running_kernel  # noqa: E402

PROJECT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def kernelspec() -> Path:
    """The folder of the kernelspec that install/run installed."""
    try:
        return Path(KernelSpecManager().get_kernel_spec(KERNEL_NAME).resource_dir)
    except NoSuchKernel:
        pytest.exit("the kernel isn't installed here: run the tests by tests/run, or install/run first", returncode=2)


@pytest.fixture(scope="session")
def swath(kernelspec) -> str:
    """The `swath` program that the installed spec starts."""
    return json.loads((kernelspec / "kernel.json").read_text())["argv"][0]


@pytest.fixture(scope="session")
def movielens() -> Path:
    """The folder that holds ml-100k."""
    folder = PROJECT / "notebooks" / "data"
    assert (folder / "ml-100k" / "u.data").is_file(), "MovieLens is missing: run install/movielens"
    return folder


@pytest.fixture(scope="module")
def kernel(kernelspec, tmp_path_factory):
    """A kernel that a module's tests share; its folder is empty at first."""
    with running_kernel(str(tmp_path_factory.mktemp("cells"))) as kernel:
        yield kernel


@pytest.fixture
def own_kernel(kernelspec, tmp_path):
    """A kernel for a single test, which may do anything with it."""
    with running_kernel(str(tmp_path)) as kernel:
        yield kernel


# Files of a few long tests. They run first, so that no worker is left with one at the end.
LONG = ("browser", "pages", "notebooks", "endurance", "crates", "shutdown", "recovery")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Sorts by file: long ones first, the others in alphabetical order."""

    def rank(item: pytest.Item) -> tuple[int, str]:
        name = item.path.stem.removeprefix("test_")
        return (LONG.index(name) if name in LONG else len(LONG), name)

    items.sort(key=rank)
