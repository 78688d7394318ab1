"""Repeated measurements, goals, and the tables that show both."""

import statistics
from dataclasses import dataclass, field
from pathlib import Path


@dataclass
class Samples:
    """Repeated measurements of one thing, in seconds (or another unit)."""

    values: list[float] = field(default_factory=list)

    def add(self, value: float) -> None:
        self.values.append(value)

    @property
    def median(self) -> float:
        return statistics.median(self.values)

    @property
    def best(self) -> float | None:
        """The fastest, which is least affected by other work on the machine."""
        return min(self.values, default=None)

    def __bool__(self) -> bool:
        return bool(self.values)

    def spread(self, unit: float = 1, digits: int = 2) -> str:
        """Formats the least and the greatest, divided by `unit`: `0.37–0.44`, or `0.37` for one."""
        if not self.values:
            return "–"
        ends = sorted({min(self.values), max(self.values)})
        return "–".join(f"{end / unit:.{digits}f}" for end in ends)

    def milliseconds(self) -> str:
        """Formats the median and the range: `182 (175–240)`."""
        if not self.values:
            return "–"
        low, high = min(self.values), max(self.values)
        return f"{1000 * self.median:.0f} ({1000 * low:.0f}–{1000 * high:.0f})"

    def over(self, other: "Samples | float") -> float | None:
        """Returns the ratio of the medians to `other`."""
        if not self:
            return None
        other = other if isinstance(other, float) else other.median if other else 0.0
        return self.median / other if other else None


def times(ratio: float | None, digits: int = 1) -> str:
    return "–" if ratio is None else f"{ratio:.{digits}f} ×"


def median(values) -> float | None:
    values = [value for value in values if value is not None]
    return statistics.median(values) if values else None


@dataclass
class Goal:
    """A goal, and the measured figure."""

    what: str
    figure: str
    reached: bool | None

    @classmethod
    def at_most(cls, what: str, figure: float | None, limit: float, show) -> "Goal":
        if figure is None:
            return cls(what, "not measured", None)
        return cls(what, show(figure), figure <= limit)

    @classmethod
    def at_least(cls, what: str, figure: float | None, limit: float, show) -> "Goal":
        if figure is None:
            return cls(what, "not measured", None)
        return cls(what, show(figure), figure >= limit)

    @property
    def verdict(self) -> str:
        return {True: "reached", False: "NOT REACHED", None: "–"}[self.reached]


@dataclass
class Table:
    title: str
    heads: list[str]
    rows: list[list[str]]
    notes: list[str] = field(default_factory=list)

    def text(self) -> str:
        """Formats the table for a terminal: the first column aligned left, figures right."""
        widths = [max(len(row[at]) for row in [self.heads, *self.rows]) for at in range(len(self.heads))]
        lines = [
            "  ".join(cell.ljust(width) if at == 0 else cell.rjust(width) for at, (cell, width) in enumerate(zip(row, widths)))
            for row in [self.heads, *self.rows]
        ]
        return "\n".join([f"── {self.title}", *lines, *self.notes, ""])

    def markdown(self) -> str:
        def row(cells: list[str]) -> str:
            return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"

        rule = "|---|" + "---:|" * (len(self.heads) - 1)
        notes = [line for note in self.notes for line in ("", note)]
        return "\n".join([f"## {self.title}", "", row(self.heads), rule, *map(row, self.rows), *notes, ""])


def goals_table(goals: list[Goal]) -> Table:
    return Table("Goals", ["goal", "figure", "verdict"], [[goal.what, goal.figure, goal.verdict] for goal in goals])


def publish(title: str, lines: list[str], tables: list[Table], file: Path | None) -> None:
    """Prints the results, and also writes them to a file if one is given."""
    print("\n".join([*lines, "", *(table.text() for table in tables)]))
    if file:
        file.parent.mkdir(parents=True, exist_ok=True)
        text = "\n".join([f"# {title}", "", *(f"- {line}" for line in lines), "", *(table.markdown() for table in tables)])
        file.write_text(text.rstrip() + "\n")
