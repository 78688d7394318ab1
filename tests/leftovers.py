"""Finds what kernels leave behind: processes, sockets and files. Other kernels on the same machine don't count.

The processes that a kernel starts inherit its environment, so a mark in the
environment identifies them. Files that a kernel writes for itself are in `TMPDIR`.
"""

import os
import shutil
import signal
import tempfile
import time
import uuid
from contextlib import suppress
from pathlib import Path

# Seconds after the end of a kernel. What exists after that counts as left behind.
PATIENCE = 5.0
_LISTENING = "0A"


class Traces:
    """The traces of kernels that are started with `environment`, as opposed to all others."""

    def __init__(self):
        self.mark = f"SWATH_TEST_MARK={uuid.uuid4().hex}"
        # Kernels put sockets there: their paths have to be short.
        self._folder = tempfile.TemporaryDirectory(prefix="st-", ignore_cleanup_errors=True)
        self.temporary = Path(self._folder.name)
        #: Ports that kernels have listened on.
        self.ports: set[int] = set()

    @property
    def environment(self) -> dict[str, str]:
        name, _, value = self.mark.partition("=")
        return os.environ | {name: value, "TMPDIR": str(self.temporary)}

    def watch(self, manager) -> None:
        """Notes the ports of a running kernel."""
        self.ports |= {port for port in manager.ports if port}

    def processes(self) -> dict[int, str]:
        """Returns their running processes, with command lines."""
        found = {}
        for folder in Path("/proc").glob("[0-9]*"):
            with suppress(OSError):  # It has ended, or belongs to another user.
                if self.mark.encode() in (folder / "environ").read_bytes().split(b"\0"):
                    found[int(folder.name)] = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")[:200]
        return found

    def named(self, *words: str) -> dict[int, str]:
        """Returns their processes whose command line has one of the words."""
        return {pid: line for pid, line in self.processes().items() if any(word in line for word in words)}

    def sockets(self) -> set[int]:
        """Returns those of their ports on which a process listens."""
        listening = set()
        for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
            _, address, _, state, *_ = line.split()
            if state == _LISTENING:
                listening.add(int(address.rpartition(":")[2], 16))
        return listening & self.ports

    def files(self) -> list[str]:
        """Returns the contents of their temporary folder, down to two levels."""
        inside = [*self.temporary.glob("*"), *self.temporary.glob("*/*")]
        return sorted(str(path.relative_to(self.temporary)) for path in inside)

    def left(self) -> dict[str, object]:
        """Returns everything that is left, by kind; empty if nothing is."""
        found = {"processes": self.processes(), "sockets": self.sockets(), "files": self.files()}
        return {kind: what for kind, what in found.items() if what}

    def left_after(self, patience: float = PATIENCE) -> dict[str, object]:
        """Returns what is still left after a while, or as soon as nothing is left."""
        deadline = time.monotonic() + patience
        while (found := self.left()) and time.monotonic() < deadline:
            time.sleep(0.05)
        return found

    def clear(self) -> None:
        """Ends and removes everything that is left, so that it is not found again."""
        for pid in self.processes():
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        for path in self.temporary.iterdir():
            shutil.rmtree(path, ignore_errors=True) if path.is_dir() else path.unlink(missing_ok=True)
        self.ports.clear()
