"""A sheet of a workbook (xlsx, ods) as a header and records of text. The one door to calamine, which reads and never computes."""

import difflib
import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from python_calamine import CalamineError, CalamineWorkbook, load_workbook

from stadthub_ingest.decoded import DecodeError, Unreadable
from stadthub_ingest.opendocument import MOST_CELLS, is_open_document, refuse_repeats
from stadthub_ingest.packed import Packed

BROKEN = "it is not a workbook (xlsx, ods), a broken one, or one with a password"

_PLACE = re.compile(rb"""<(?:\w+:)?(?:c|row)\s[^>]*?\br=["']([A-Z]{0,3})(\d{1,7})["']""")
_OVERLAP = 300


@dataclass(frozen=True, slots=True)
class Grid:
    """The records of a sheet below its header."""

    header: tuple[str, ...]
    rows: Sequence[Sequence[Any]]
    first_row: int
    decimal: str
    time_format: str | None

    def column(self, name: str) -> int:
        """The number of the column with this header; DecodeError with the nearest one."""
        if name.strip() in self.header:
            return self.header.index(name.strip())
        near = difflib.get_close_matches(name, self.header, n=1)
        hint = f"did you mean {near[0]!r}?" if near else "it has " + ", ".join(map(repr, self.header[:20]))
        raise DecodeError(f"row {self.first_row - 1}: there is no column {name!r}: {hint}")

    def records(self) -> Iterator[list[str] | Unreadable]:
        """The records in order as text; empty rows are none."""
        width = len(self.header)
        for row in self.rows:
            record = [self._text(cell) for cell in row[:width]]
            if any(record):
                yield record + [""] * (width - len(record))

    def _text(self, cell: Any) -> str:
        """The cell as somebody would have typed it in the notation of the options."""
        if isinstance(cell, str):
            return cell.strip()
        if isinstance(cell, bool):
            return "true" if cell else "false"
        if isinstance(cell, float):
            return str(int(cell)) if cell.is_integer() and abs(cell) < 1e15 else repr(cell).replace(".", self.decimal)
        if isinstance(cell, datetime) and self.time_format is not None:
            return cell.strftime(self.time_format)
        if isinstance(cell, date | time):
            return cell.strftime(self.time_format) if self.time_format is not None else cell.isoformat()
        return str(cell / timedelta(hours=1)) if isinstance(cell, timedelta) else str(cell)


def open_grid(payload: bytes, sheet: str | int, skip_rows: int, notation: tuple[str, str | None]) -> Grid:
    """The sheet with this name or number (from 1); its header is the first row that is not empty behind `skip_rows`.
    `notation` is the decimal sign and the way in which times are to be written; None: ISO 8601."""
    _refuse_traps(payload)
    try:
        workbook = load_workbook(io.BytesIO(payload))
        rows = workbook.get_sheet_by_index(_find(workbook, sheet)).to_python(skip_empty_area=False)
    except DecodeError:
        raise
    except (CalamineError, ValueError, OSError) as error:
        raise DecodeError(BROKEN) from error
    for number, row in enumerate(rows[skip_rows:], skip_rows + 1):
        if any(cell != "" for cell in row):
            header = tuple(str(cell).strip() for cell in row)
            while header and not header[-1]:
                header = header[:-1]
            return Grid(header, rows[number:], number + 1, *notation)
    raise DecodeError(f"sheet {sheet!r}: it holds no table: not even a header")


def sheet_names(payload: bytes) -> list[str]:
    """The names of the sheets that hold something; DecodeError if it is no workbook or none does."""
    _refuse_traps(payload)
    try:
        workbook = load_workbook(io.BytesIO(payload))
        names = [name for name in workbook.sheet_names if workbook.get_sheet_by_name(name).height]
    except (CalamineError, ValueError, OSError) as error:
        raise DecodeError(BROKEN) from error
    if not names:
        raise DecodeError("all of its sheets are empty")
    return names


def _find(workbook: CalamineWorkbook, sheet: str | int) -> int:
    names = workbook.sheet_names
    if isinstance(sheet, int):
        if not 1 <= sheet <= len(names):
            raise DecodeError(f"there is no sheet {sheet}: the workbook has {len(names)}")
        return sheet - 1
    if sheet not in names:
        near = difflib.get_close_matches(sheet, names, n=1)
        raise DecodeError(f"there is no sheet {sheet!r}: " + (f"did you mean {near[0]!r}?" if near else f"it has {', '.join(names)}"))
    return names.index(sheet)


def _refuse_traps(payload: bytes) -> None:
    """DecodeError for what unpacks to too much, declares a DOCTYPE, or has a cell so far out that the space between fills the memory."""
    packed = Packed(payload)
    if is_open_document(packed):
        refuse_repeats(packed)
        return
    if packed.find("workbook.xml") is None:
        raise DecodeError("it is not a workbook (xlsx, ods)")
    for name in packed.names:
        if not name.endswith((".xml", ".rels")):
            continue
        across = down = 0
        before = b""
        for chunk in packed.chunks(name):
            text = before + chunk
            if b"<!DOCTYPE" in text or b"<!ENTITY" in text:
                raise DecodeError(f"{name}: it declares a DOCTYPE, which could hold harmful entities: it is not read")
            if "/worksheets/" in name:
                for column, row in _PLACE.findall(text):
                    across, down = max(across, _number(column)), max(down, int(row))
            if max(across, 1) * down > MOST_CELLS:
                raise DecodeError(f"{name}: it reaches over more than {MOST_CELLS} cells")
            before = text[-_OVERLAP:]


def _number(letters: bytes) -> int:
    found = 0
    for letter in letters:
        found = found * 26 + letter - 64
    return found
