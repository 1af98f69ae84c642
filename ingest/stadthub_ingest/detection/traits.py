"""What the cells of one column are: numbers and in which notation, times, geometry, how many differ, what marks a missing value."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

from stadthub_ingest.detection.dates import Written, enough, is_clock, written
from stadthub_ingest.mapping import MISSING

#: Further marks that tables use for a missing value, beside the decoders' own.
MARKS = (
    *MISSING,
    "–",
    "—",
    ".",
    "..",
    "...",
    "x",
    "/",
    "NaN",
    "nan",
    "NULL",
    "None",
    "N/A",
    "k.A.",
    "k. A.",
    "keine Angabe",
    "-999",
    "-9999",
    "-999.0",
)

_NUMBERS: tuple[tuple[re.Pattern[str], str, str | None], ...] = tuple(
    (re.compile(shape, re.ASCII), decimal, thousands)
    for shape, decimal, thousands in (
        (r"[+-]?\d+\Z", "", None),
        (r"[+-]?(\d+\.\d*|\.\d+)([eE][+-]?\d+)?\Z|[+-]?\d+[eE][+-]?\d+\Z", ".", None),
        (r"[+-]?(\d+,\d*|,\d+)\Z", ",", None),
        (r"[+-]?\d{1,3}(\.\d{3})+,\d+\Z|[+-]?\d{1,3}(\.\d{3}){2,}\Z", ",", "."),
        (r"[+-]?\d{1,3}(,\d{3})+\.\d+\Z|[+-]?\d{1,3}(,\d{3}){2,}\Z", ".", ","),
        (r"[+-]?\d{1,3}([ \u00a0]\d{3})+(,\d+)?\Z", ",", " "),
        (r"[+-]?\d{1,3}('\d{3})+(\.\d+)?\Z", ".", "'"),
    )
)
_WKT = re.compile(r"(?:SRID=\d+;)?\s*(?:MULTI)?(?:POINT|LINESTRING|POLYGON)\s*Z?M?\s*\(", re.IGNORECASE)
_GEOJSON = re.compile(r'\s*\{\s*"(?:type|coordinates)"')


@dataclass(frozen=True)
class Traits:
    """A column of the sample: its place, its header, and its cells as text."""

    place: str
    header: str
    cells: Sequence[str] = field(repr=False)

    @cached_property
    def there(self) -> list[str]:
        """The cells that hold something."""
        return [cell for cell in (cell.strip() for cell in self.cells) if cell and cell not in MARKS]

    @cached_property
    def marks(self) -> set[str]:
        """The marks for missing values that this column uses, if the rest are numbers or times."""
        found = {cell.strip() for cell in self.cells} & set(MARKS) - {""}
        return found if found and (self.is_number or self.time is not None) else set()

    @cached_property
    def notations(self) -> set[tuple[str, str | None]]:
        """The notations of its numbers; empty if not nearly all cells are numbers."""
        found: set[tuple[str, str | None]] = set()
        wrong = 0
        for cell in self.there:
            notation = next(((decimal, thousands) for shape, decimal, thousands in _NUMBERS if shape.match(cell)), None)
            if notation is None:
                wrong += 1
                if wrong > 0.05 * len(self.there) and wrong > 10:
                    return set()
            else:
                found.add(notation)
        return found if enough(len(self.there) - wrong, len(self.there)) else set()

    @cached_property
    def is_number(self) -> bool:
        """Whether it holds numbers; a leading zero makes keys."""
        if not self.notations:
            return False
        padded = sum(cell[0] == "0" and len(cell) > 1 and cell.isdigit() for cell in self.there)
        return padded <= 0.02 * len(self.there)

    @cached_property
    def is_whole(self) -> bool:
        """Whether all its numbers are whole."""
        return self.is_number and all(decimal == "" for decimal, _ in self.notations)

    @cached_property
    def time(self) -> Written | None:
        """How its times are written; None if they are none."""
        return written(self.there)

    @cached_property
    def is_clock(self) -> bool:
        """Whether it holds times of day."""
        return is_clock(self.there)

    @cached_property
    def is_geometry(self) -> bool:
        """Whether it holds WKT or GeoJSON."""
        return bool(self.there) and all(_WKT.match(cell) or _GEOJSON.match(cell) for cell in self.there[:50])

    @cached_property
    def distinct(self) -> int:
        """How many different cells there are."""
        return len(set(self.there))

    @property
    def is_unique(self) -> bool:
        """Whether nearly every row has a cell of its own, and none has another's."""
        return len(self.there) >= max(1, 0.9 * len(self.cells)) and self.distinct == len(self.there)

    def numbers(self, notation: tuple[str, str | None]) -> list[float]:
        """Its numbers in the table's notation; what is none is left out."""
        decimal, thousands = notation
        found = []
        for cell in self.there:
            try:
                found.append(float((cell.replace(thousands, "") if thousands else cell).replace("\u00a0", "").replace(decimal, ".")))
            except ValueError:
                continue
        return found


def notation_of(columns: Sequence[Traits]) -> tuple[tuple[str, str | None], float]:
    """The decimal and thousands signs of a table, and how sure that is: what most of its number columns need."""
    votes: dict[tuple[str, str | None], int] = {}
    for column in columns:
        if column.time is not None and column.time.pattern.startswith("%d"):
            continue  # 01.02.2024 is no number
        for decimal, thousands in column.notations:
            if decimal:
                votes[(decimal, thousands)] = votes.get((decimal, thousands), 0) + 1
    comma = sum(count for (decimal, _), count in votes.items() if decimal == ",")
    point = sum(count for (decimal, _), count in votes.items() if decimal == ".")
    decimal = "," if comma > point else "."
    thousands = next((sign for (one, sign), _ in sorted(votes.items(), key=lambda vote: -vote[1]) if one == decimal and sign), None)
    sure = 1.0 if not comma or not point else max(comma, point) / (comma + point)
    return (decimal, thousands), sure
