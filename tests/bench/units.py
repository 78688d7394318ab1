"""Units, and the formatting of figures in them."""

MICROSECOND, MILLISECOND = 1e-6, 1e-3
MEBIBYTE, GIBIBYTE = 1 << 20, 1 << 30


def microseconds(seconds: float | None) -> str:
    return "–" if seconds is None else f"{seconds / MICROSECOND:.2f} µs"


def milliseconds(seconds: float) -> str:
    return f"{seconds / MILLISECOND:.1f} ms"


def mebibytes(count: float | None) -> str:
    return "–" if count is None else f"{count / MEBIBYTE:.0f}"


def size(count: int) -> str:
    """Formats a round number of bytes: `4 GiB`."""
    return f"{count // GIBIBYTE} GiB" if count % GIBIBYTE == 0 else f"{count // MEBIBYTE} MiB"


def per_cent(part: float | None) -> str:
    return "–" if part is None else f"{100 * part:.0f} %"
