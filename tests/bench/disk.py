"""Compares values kept on a disk with `dd` on the same disk."""

import json
import os
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path

from contenders import Program
from results import Samples

BLOCK = 16 << 20
#: Fewer bytes than this are messages, not values.
NOTHING = 1 << 20


@dataclass
class Turns:
    """Our program and dd, one after the other."""

    ours: Program
    folder: Path
    #: Whether to empty the system's cache before each read; becomes false where that is not permitted.
    empty: bool
    written: list[dict] = field(default_factory=list)
    read: list[dict] = field(default_factory=list)
    dd: list[dict] = field(default_factory=list)

    def measure(self, size: int, chunk: int, limit: int) -> None:
        file = self.folder / "dd"
        written = write(file, size)
        self._empty()
        self.dd.append({"write": written, "read": read(file)})
        file.unlink()
        with self.ours.start("persist", size, chunk, limit, self.folder) as process:
            kept = process.stdout.readline()
            self._empty()
            summed, errors = process.communicate("\n")
        if process.returncode:
            raise RuntimeError(f"persist: {errors.strip()}")
        self.written.append(json.loads(kept))
        self.read.append(json.loads(summed))

    def rate(self, what: str, seconds: str) -> Samples:
        """Returns our bytes per second. Values that stayed in memory are not counted."""
        turns = self.written if what == "written" else self.read
        return Samples([turn[what] / turn[seconds] for turn in turns if turn[what] > NOTHING])

    def _empty(self) -> None:
        self.empty = self.empty and empty_cache()


def write(file: Path, size: int) -> float:
    """Writes zeros until they are on the disk, and returns the bytes per second."""
    return _dd(size, "if=/dev/zero", f"of={file}", f"count={size // BLOCK}", "conv=fsync")


def read(file: Path) -> float:
    """Reads a file, and returns the bytes per second."""
    return _dd(file.stat().st_size, f"if={file}", "of=/dev/null")


def _dd(size: int, *words: str) -> float:
    begin = time.perf_counter()
    subprocess.run(["dd", f"bs={BLOCK}", *words], check=True, stderr=subprocess.DEVNULL)
    return size / (time.perf_counter() - begin)


def empty_cache() -> bool:
    """Empties the system's disk cache. Returns whether that is permitted."""
    os.sync()
    try:
        Path("/proc/sys/vm/drop_caches").write_text("3\n")
    except OSError:
        return False
    return True


def kind(folder: Path) -> str:
    """Returns the type of a folder's file system: `ext4`, or `tmpfs`, which is not a disk."""
    found = subprocess.run(["stat", "--file-system", "--format=%T", str(folder)], capture_output=True, text=True, check=True)
    return found.stdout.strip()
