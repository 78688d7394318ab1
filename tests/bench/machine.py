"""The machine that runs the measurement, and information about its processes."""

import os
import platform
import re
import subprocess
from datetime import datetime
from pathlib import Path

MEGABYTE = 1e6


def description(rustc: str) -> list[str]:
    """Returns lines that say where and when figures were measured."""
    cpu = re.search(r"^model name\s*:\s*(.*)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    version = subprocess.run([rustc, "--version"], capture_output=True, text=True, check=True).stdout.strip()
    return [
        f"{datetime.now():%Y-%m-%d %H:%M}",
        f"{cpu[1] if cpu else platform.machine()}, {os.cpu_count()} cores, Linux {platform.release().split('-')[0]}",
        version,
    ]


def load() -> str:
    """Returns the machine's load: tasks that want a core, over 1, 5 and 15 minutes."""
    return ", ".join(f"{value:.1f}" for value in os.getloadavg())


def resident(pid: int) -> float:
    """Returns a process's resident memory in megabytes."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(re.search(r"^VmRSS:\s*(\d+) kB", status, re.MULTILINE)[1]) * 1024 / MEGABYTE


def name(pid: int) -> str:
    """Returns the program's name, and its first argument if that is a word: `swath analyze`."""
    program, *arguments = Path(f"/proc/{pid}/cmdline").read_text().split("\0")
    words = [argument for argument in arguments[:1] if argument.isalpha()]
    return " ".join([Path(program).name, *words])


def descendants(pid: int) -> list[int]:
    """Returns the processes that a process started, directly or indirectly."""
    below = []
    for thread in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in map(int, thread.read_text().split()):
            below += [child, *descendants(child)]
    return below
