"""Measures how long a kernel takes to start, and its memory at rest."""

import socket
import subprocess
import time

from jupyter_client import KernelManager

import machine
from results import Samples
from timing import CELL_TIMEOUT


def start(manager: KernelManager, folder: str, **options) -> tuple[float, float]:
    """Starts a kernel. Returns the seconds until its kernel_info_reply, and until its first cell is idle.

    A client that connects before the kernel listens retries every 100 ms, which
    would distort the measurement. So this first watches the kernel's port.
    """
    manager.kernel_spec  # Looked up before the measurement starts.
    started = time.perf_counter()
    manager.start_kernel(cwd=folder, **options)
    client = manager.client()
    try:
        while not _listens(manager.shell_port):
            if time.perf_counter() - started > CELL_TIMEOUT:
                raise TimeoutError("the kernel doesn't start")
            time.sleep(0.001)
        client.start_channels(hb=False)
        client.kernel_info()
        client.get_shell_msg(timeout=CELL_TIMEOUT)
        answered = time.perf_counter() - started
        cell = client.execute("1 + 1")
        while True:
            message = client.get_iopub_msg(timeout=CELL_TIMEOUT)
            if message["parent_header"].get("msg_id") == cell and message["content"].get("execution_state") == "idle":
                return answered, time.perf_counter() - started
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=False)


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def starts(kernel_name: str, folder: str, repeat: int) -> tuple[Samples, Samples]:
    """Measures several starts, after one that warms the disk cache."""
    answers, first_cells = Samples(), Samples()
    for turn in range(repeat + 1):
        answered, first_cell = start(KernelManager(kernel_name=kernel_name), folder, stderr=subprocess.DEVNULL)
        if turn:
            answers.add(answered)
            first_cells.add(first_cell)
    return answers, first_cells


def memory(pid: int) -> list[tuple[str, float]]:
    """Returns the kernel process and those that it started, with their resident megabytes, kernel first."""
    found = [(machine.name(pid), machine.resident(pid))]
    for child in machine.descendants(pid):
        try:
            found.append((machine.name(child), machine.resident(child)))
        except (OSError, TypeError):  # The process has ended, or is about to.
            continue
    return found
