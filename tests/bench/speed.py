"""Measures the speed of the user's own code: the same text in cells, and built by `cargo build --release`."""

import re
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from kernel import Kernel
from results import Samples
from timing import progress, timed

XORSHIFT = """fn xorshift(state: &mut u64) -> f64 {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    (*state >> 11) as f64 / (1u64 << 53) as f64
}
"""
PI_LOOP = """let mut state = 88_172_645_463_325_252u64;
let mut inside = 0u64;
for _ in 0..50_000_000u64 {
    let x = xorshift(&mut state);
    let y = xorshift(&mut state);
    if x * x + y * y < 1.0 { inside += 1; }
}
let answer = 4.0 * inside as f64 / 50_000_000.0;
"""
WORDS = """let mut text = String::new();
let mut state = 1u64;
for _ in 0..3_000_000 {
    state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
    let n = (state >> 33) % 5000;
    text.push_str("word");
    text.push_str(&(n * n % 5000).to_string());
    text.push(' ');
}
"""
COUNT_LOOP = """let mut counts: std::collections::HashMap<&str, u32> = std::collections::HashMap::new();
for word in text.split_whitespace() {
    *counts.entry(word).or_insert(0) += 1;
}
let answer = counts.len() as u64 + counts.values().map(|n| *n as u64).sum::<u64>();
"""
COUNT_FUNCTION = """fn count(text: &str) -> u64 {
    let mut counts: std::collections::HashMap<&str, u32> = std::collections::HashMap::new();
    for word in text.split_whitespace() {
        *counts.entry(word).or_insert(0) += 1;
    }
    counts.len() as u64 + counts.values().map(|n| *n as u64).sum::<u64>()
}
"""
LOGISTIC = "move |x: f64| { let mut x = x; for _ in 0..100 { x = rate * x * (1.0 - x); } x }"
CLOSURE_SETUP = "let rate = std::hint::black_box(3.7f64);\nlet start: Vec<f64> = (0..400_000).map(|n| (n as f64 + 0.5) / 400_000.0).collect();\n"


@dataclass(frozen=True)
class Case:
    """A measurement. If cells and program differ, `cell_body` is the cells' version."""

    name: str
    items: str
    setup: str
    body: str
    #: Whether the items are in a separate cell, before the one that uses them.
    earlier: bool = False
    cell_setup: str = ""
    cell_body: str = ""

    def measured(self, body: str) -> str:
        """Returns the body with code that prints its time and its answer. Printing the answer keeps it from being optimised away."""
        return (
            "let started = std::time::Instant::now();\n"
            f"{body}"
            'println!("seconds {:.6} answer {:?}", started.elapsed().as_secs_f64(), std::hint::black_box(answer));\n'
        )

    def program(self) -> str:
        return f"{self.items}\nfn main() {{\n{self.setup}{self.measured(self.body)}}}\n"

    def cells(self) -> tuple[list[str], str]:
        """Returns the cells to run before, and the one that measures. Its code is in braces, so that no variables are kept, which would take time."""
        before = [self.items] if self.earlier else []
        here = "" if self.earlier else self.items
        setup, body = self.cell_setup or self.setup, self.cell_body or self.body
        return before, f"{here}{{\n{setup}{self.measured(body)}}}"


CASES = [
    Case("Monte-Carlo π, the loop in the cell", XORSHIFT, "", PI_LOOP),
    Case(
        "Monte-Carlo π, a function of an earlier cell",
        XORSHIFT + f"fn pi() -> f64 {{\n{PI_LOOP}answer\n}}\n", "", "let answer = pi();\n", earlier=True,
    ),
    Case("Monte-Carlo π, the loop here, its function of an earlier cell", XORSHIFT, "", PI_LOOP, earlier=True),
    Case("word count, the loop in the cell", "", WORDS, COUNT_LOOP),
    Case("word count, a function of an earlier cell", COUNT_FUNCTION, WORDS, "let answer = count(&text);\n", earlier=True),
    Case(
        "a closure in an iterator chain", "", CLOSURE_SETUP,
        f"let answer: f64 = start.iter().copied().map({LOGISTIC}).filter(|x| *x > 0.5).sum();\n",
    ),
    Case(
        "a closure in Array::map, one chunk", "", CLOSURE_SETUP,
        f"let mapped: Vec<f64> = start.iter().copied().map({LOGISTIC}).collect();\nlet answer: f64 = mapped.iter().sum();\n",
        cell_setup=CLOSURE_SETUP + "let array = Array::from_ndarray(ndarray::Array1::from(start), 400_000);\n",
        cell_body=f"let answer = array.map({LOGISTIC}).sum().compute()?;\n",
    ),
]


def _seconds(output: str) -> float:
    found = re.search(r"seconds ([\d.]+)", output)
    if not found:
        raise RuntimeError(f"no measurement in {output!r}")
    return float(found[1])


def _answer(output: str) -> float:
    return float(re.search(r"answer (\S+)", output)[1])


def _build(folder: Path, cases: list[Case]) -> list[Path]:
    """Builds the cases as programs of a cargo project with default settings."""
    (folder / "src" / "bin").mkdir(parents=True)
    (folder / "Cargo.toml").write_text('[package]\nname = "speed"\nversion = "0.0.0"\nedition = "2024"\n[workspace]\n')
    for number, case in enumerate(cases):
        (folder / "src" / "bin" / f"case{number}.rs").write_text(case.program())
    command = ["cargo", "build", "--release", "--offline", "--quiet", "--target-dir", str(folder / "target")]
    subprocess.run(command, cwd=folder, check=True)
    return [folder / "target" / "release" / f"case{number}" for number in range(len(cases))]


def measure(kernel: Kernel, repeat: int, only: str = "") -> list[tuple[str, Samples, Samples]]:
    """Returns each case's name, and its times in cells and as a program. The two run one right after the other; a first round doesn't count."""
    cases = [case for case in CASES if only in case.name]
    if not cases:
        return []
    taken = [(case.name, Samples(), Samples()) for case in cases]
    with tempfile.TemporaryDirectory() as folder:
        progress("speed: cargo build --release")
        programs = _build(Path(folder), cases)
        for turn in range(repeat + 1):
            progress(f"speed, turn {turn} of {repeat}")
            for case, program, (_, ours, theirs) in zip(cases, programs, taken):
                before, cell = case.cells()
                for code in before:
                    timed(kernel, code)
                printed = timed(kernel, cell)[1].stdout
                native = subprocess.run([program], capture_output=True, text=True, check=True).stdout
                if abs(_answer(printed) - _answer(native)) > 1e-6 * abs(_answer(native)):
                    raise RuntimeError(f"{case.name}: {printed!r} in the cell, {native!r} in the program")
                if turn:
                    ours.add(_seconds(printed))
                    theirs.add(_seconds(native))
    return taken
