"""What kernels leave behind: processes, sockets and files. Kernels of others on the same machine don't count.

What a kernel starts has its environment, so a mark in it tells whose a process
is; and what it writes for itself goes where `TMPDIR` says.
"""

import os
import shutil
import signal
import tempfile
import time
import uuid
from contextlib import suppress
from pathlib import Path

# What is left so long after the end counts as left.
PATIENCE = 5.0
_LISTENING = "0A"


class Traces:
    """Kernels that are started with `environment` are told from all others."""

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
        """Notes the ports of a kernel that runs."""
        self.ports |= {port for port in manager.ports if port}

    def processes(self) -> dict[int, str]:
        """What runs of them: each process, and its command line."""
        found = {}
        for folder in Path("/proc").glob("[0-9]*"):
            with suppress(OSError):  # It has ended, or is somebody else's.
                if self.mark.encode() in (folder / "environ").read_bytes().split(b"\0"):
                    found[int(folder.name)] = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")[:200]
        return found

    def named(self, *words: str) -> dict[int, str]:
        """Those of the processes whose command lines have one of the words."""
        return {pid: line for pid, line in self.processes().items() if any(word in line for word in words)}

    def sockets(self) -> set[int]:
        """Ports of theirs on which somebody listens."""
        listening = set()
        for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
            _, address, _, state, *_ = line.split()
            if state == _LISTENING:
                listening.add(int(address.rpartition(":")[2], 16))
        return listening & self.ports

    def files(self) -> list[str]:
        """What is in their temporary folder, down to two levels."""
        inside = [*self.temporary.glob("*"), *self.temporary.glob("*/*")]
        return sorted(str(path.relative_to(self.temporary)) for path in inside)

    def left(self) -> dict[str, object]:
        """All that is left, by kind; empty where nothing is."""
        found = {"processes": self.processes(), "sockets": self.sockets(), "files": self.files()}
        return {kind: what for kind, what in found.items() if what}

    def left_after(self, patience: float = PATIENCE) -> dict[str, object]:
        """What is still left after a while; returns as soon as nothing is."""
        deadline = time.monotonic() + patience
        while (found := self.left()) and time.monotonic() < deadline:
            time.sleep(0.05)
        return found

    def clear(self) -> None:
        """Ends and removes what is left, so that it is not found again."""
        for pid in self.processes():
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        for path in self.temporary.iterdir():
            shutil.rmtree(path, ignore_errors=True) if path.is_dir() else path.unlink(missing_ok=True)
        self.ports.clear()
