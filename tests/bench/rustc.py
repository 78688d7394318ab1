"""The yardstick: the compiler on an empty library."""

import shutil
import subprocess
import time
from pathlib import Path

from results import Samples


def find() -> str:
    """Returns the path of the compiler itself, because rustup's proxy would add its own time."""
    if shutil.which("rustup"):
        found = subprocess.run(["rustup", "which", "rustc"], capture_output=True, text=True)
        if found.returncode == 0:
            return found.stdout.strip()
    return shutil.which("rustc") or "rustc"


class EmptyLibrary:
    """`rustc` on an empty cdylib, measured between the cells, because the speed of machines varies.

    `dynamic` links std dynamically, as cells do. It takes less time, so ratios
    refer to it. `plain` is without that option.
    """

    def __init__(self, folder: Path):
        self.folder = folder
        self.rustc = find()
        self.source = folder / "empty.rs"
        self.source.write_text("")
        self.plain = Samples()
        self.dynamic = Samples()
        self._compile("-Cprefer-dynamic")  # Fills the disk cache.
        self._compile()

    def _compile(self, *options: str) -> float:
        started = time.perf_counter()
        subprocess.run(
            [self.rustc, "--edition=2024", "--crate-type=cdylib", *options, str(self.source), "-o", str(self.folder / "empty.so")],
            check=True,
        )
        return time.perf_counter() - started

    def measure(self) -> None:
        self.dynamic.add(self._compile("-Cprefer-dynamic"))
        # The plain one is only for the record, so every third time is enough.
        if len(self.dynamic.values) % 3 == 1:
            self.plain.add(self._compile())
