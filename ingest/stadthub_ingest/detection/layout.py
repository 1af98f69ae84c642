"""How a text table is laid out: delimiter, quotes, the lines before its header and after its records."""

import csv
import io
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from stadthub_ingest.delimited import Layout

DELIMITERS = (";", ",", "\t", "|", "^")
#: How many lines at the start are looked at for the layout, and how many at the end for a footer.
LINES, TAIL = 400, 12
#: With fewer lines of one width than this share it is prose, not a table; of two columns there must be more.
LEAST, SURE = 0.5, 0.6
_NUMBER = re.compile(r"[+-]?[\d.,' ]*\d[\d.,]*%?\Z|\Z")


@dataclass(frozen=True, slots=True)
class Laid:
    """The layout, how sure it is, and how many columns it makes."""

    layout: Layout
    columns: int
    confidence: float


def laid(text: str, *, cut: bool) -> Laid | None:
    """The layout of the table in this text; None if it is no table. `cut`: the text goes on, so its end is no footer."""
    if text.lstrip().startswith(("#", "---", "{{")) and not text.lstrip("# ").partition("\n")[0].count(";"):
        return None  # Markdown, YAML
    lines = text[:400_000].splitlines()
    head = lines[:LINES] if len(lines) > LINES else lines
    best: tuple[float, str, int, int] | None = None
    for delimiter in DELIMITERS:
        score, width, skip = _score(head, delimiter)
        if width > 1 and (best is None or score > best[0]):
            best = (score, delimiter, width, skip)
    if best is None or best[0] < (LEAST if best[2] > 2 else SURE):
        return None
    score, delimiter, width, skip = best
    footer = 0 if cut else _footer(text, delimiter, width)
    header = _has_header(head[skip : skip + 50], delimiter)
    return Laid(Layout(delimiter, '"', skip, header, footer, None), width, min(0.99, score))


def _score(lines: Sequence[str], delimiter: str) -> tuple[float, int, int]:
    """The share of lines with the most usual number of fields, that number, and how many lines stand before the first such line."""
    widths = [len(record) for record in _records(lines, delimiter)]
    many = Counter(width for width in widths if width > 1)
    if not many:
        return 0.0, 0, 0
    width, count = max(many.items(), key=lambda pair: (pair[1], pair[0]))
    filled = sum(1 for one in widths if one)
    if count < 2 and filled > 2:
        return 0.0, 0, 0
    return count / filled * (1 - 0.3 / width), width, _before(lines, delimiter, width)


def _before(lines: Sequence[str], delimiter: str, width: int) -> int:
    """How many lines stand before the header: the first line with as many fields as the table has."""
    for number, line in enumerate(lines):
        record = next(iter(_records([line], delimiter)), [])
        if len(record) == width and sum(bool(cell.strip()) for cell in record) > width / 2:
            return number
    return 0


def _records(lines: Sequence[str], delimiter: str) -> list[list[str]]:
    try:
        return list(csv.reader(io.StringIO("\n".join(lines)), delimiter=delimiter))
    except csv.Error:
        return []


def _footer(text: str, delimiter: str, width: int) -> int:
    """How many lines at the end are no records; empty ones don't count, as for the decoder."""
    tail = [line for line in text[-20_000:].splitlines() if line.strip()][-TAIL:]
    count = 0
    for line in reversed(tail):
        record = next(iter(_records([line], delimiter)), [])
        if len(record) == width or len(tail) <= count + 1 or (width > 2 and len(record) > width / 2):
            break
        count += 1
    return count if count < len(tail) else 0


def _has_header(lines: Sequence[str], delimiter: str) -> bool:
    """Whether the first record names the columns: it holds no number where the others do, and no cell twice or empty."""
    records = _records(lines, delimiter)
    if len(records) < 2:
        return True
    first, others = records[0], records[1:]
    if any(_is_number(cell) for cell in first):
        numeric = [place for place in range(len(first)) if all(_is_number(one[place]) for one in others if len(one) > place)]
        return not any(_is_number(first[place]) and first[place].strip() for place in numeric)
    return True


def _is_number(cell: str) -> bool:
    return bool(cell.strip()) and bool(_NUMBER.match(cell.strip()[:40]))
