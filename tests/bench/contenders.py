"""The programs that are compared: ours, and those of the peers.

Each prints one line of JSON per measurement. `interleaved` runs them in turn, so
that all of them see the same machine.
"""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from results import Samples

PEERS = Path(__file__).resolve().parent / "peers"
#: In seconds, far more than the longest measurement takes.
TIMEOUT = 1800


@dataclass(frozen=True)
class Program:
    """A program, with the command in front of its arguments."""

    command: tuple[str, ...]
    environment: tuple[tuple[str, str], ...] = ()

    def start(self, *words: object) -> subprocess.Popen:
        return subprocess.Popen(
            [*self.command, *map(str, words)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=os.environ | dict(self.environment),
        )

    def measure(self, *words: object) -> list[dict]:
        """Runs a new process, and returns its measurements."""
        with self.start(*words) as process:
            try:
                output, errors = process.communicate(timeout=TIMEOUT)
            except subprocess.TimeoutExpired:
                process.kill()
                raise RuntimeError(f"{self.name} {' '.join(map(str, words))}: no end after {TIMEOUT} s") from None
        if process.returncode:
            said = errors.strip().splitlines()[-1:] or [f"ended with {process.returncode}"]
            raise RuntimeError(f"{self.name} {' '.join(map(str, words))}: {said[0]}")
        return [json.loads(line) for line in output.splitlines()]

    @property
    def name(self) -> str:
        return Path(self.command[-1]).name


def peer(python: str, module: str, script: str, environment: dict[str, str]) -> tuple[Program, str] | None:
    """Returns a peer and its version, if the interpreter has it."""
    ask = f"import {module}, importlib.metadata as m; print(m.version('{module.partition('.')[0]}'))"
    found = subprocess.run([python, "-c", ask], capture_output=True, text=True)
    if found.returncode:
        return None
    return Program((python, str(PEERS / script)), tuple(environment.items())), found.stdout.strip()


@dataclass(frozen=True)
class Turn:
    """The work of a contender in one turn."""

    program: Program
    words: tuple[object, ...]


def interleaved(turns: dict[str, Turn], rounds: int) -> dict[str, list[dict]]:
    """Returns all measurements of each contender, taken in turn. A contender that fails is skipped from then on; the others continue."""
    measured: dict[str, list[dict]] = {name: [] for name in turns}
    failed = set()
    for _ in range(rounds):
        for name, turn in turns.items():
            if name in failed:
                continue
            try:
                measured[name] += turn.program.measure(*turn.words)
            except RuntimeError as error:
                progress(str(error))
                failed.add(name)
    return measured


def samples(measured: list[dict], what: str, per: str = "") -> Samples:
    """Returns one figure of each measurement, divided by the figure `per` if that is given."""
    return Samples([figures[what] / (figures[per] if per else 1) for figures in measured])


def progress(text: str) -> None:
    print(f"· {text}", file=sys.stderr, flush=True)
