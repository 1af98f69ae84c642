"""Rows of features and tables: typed attributes beside an id and a place."""

import re
from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from stadthub_ingest.crs import Crs
from stadthub_ingest.decoded import Row, Unreadable
from stadthub_ingest.mapping import number
from stadthub_ingest.numerals import plain_number
from stadthub_ingest.times import TimeReader

_WHOLE = re.compile(r"-?(0|[1-9]\d{0,17})\Z", re.ASCII)
_FRACTION = re.compile(r"-?(0|[1-9]\d*)?\.\d+([eE][+-]?\d+)?\Z", re.ASCII)
_EXACT = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)\Z", re.ASCII)
_DATE = re.compile(r"\d{4}-\d\d-\d\d\Z", re.ASCII)
_BOOLEANS = {"true": True, "false": False, "True": True, "False": False, "TRUE": True, "FALSE": False}


def typed(cells: Sequence[str | None], notation: tuple[str, str | None]) -> list[Any]:
    """The cells of a text column as whole numbers, numbers, booleans or dates if all of them are; else as text.

    A leading zero or plus makes text: such cells are keys and telephone numbers.
    """
    plain = [None if cell is None else _plain(cell, notation) for cell in cells]
    there = [cell for cell in plain if cell is not None]
    if there and all(_WHOLE.match(cell) for cell in there):
        return [None if cell is None else int(cell) for cell in plain]
    if there and all(_WHOLE.match(cell) or _FRACTION.match(cell) for cell in there):
        return [None if cell is None else float(cell) for cell in plain]
    if there and all(cell in _BOOLEANS for cell in there):
        return [None if cell is None else _BOOLEANS[cell] for cell in plain]
    if there and all(_DATE.match(cell) for cell in there):
        try:
            return [None if cell is None else date.fromisoformat(cell) for cell in plain]
        except ValueError:
            pass
    return list(cells)


def _plain(cell: str, notation: tuple[str, str | None]) -> str:
    """The cell with a decimal point and without thousands; unchanged if it is no number in the notation."""
    if notation == (".", None):
        return cell
    decimal, thousands = notation
    read = number(cell, notation, 1.0)
    if not isinstance(read, float):
        return f"!{cell}" if isinstance(read, Unreadable) else cell
    return (cell if thousands is None else cell.replace(thousands, "")).replace(decimal, ".")


def exact(value: Any, notation: tuple[str, str | None]) -> Any:
    """The amount to its last digit; Unreadable if it is none. Whole numbers and text can be exact, a float is taken as it is written."""
    if value is None or isinstance(value, Decimal | Unreadable):
        return value
    text = _plain(value, notation) if isinstance(value, str) else str(value)
    if isinstance(value, bool) or not _EXACT.match(text):
        return Unreadable(str(value)[:100], f"{str(value)[:100]!r} is not an amount")
    return Decimal(text)


def without_amounts(value: Any) -> Any:
    """The value with its exact numbers as floats."""
    if isinstance(value, dict):
        return {key: without_amounts(child) for key, child in value.items()}
    if isinstance(value, list):
        return [without_amounts(child) for child in value]
    return float(value) if isinstance(value, Decimal) else value


def moment(cell: Any, column: str, reader: TimeReader) -> Any:
    """The time in a cell, or the day where the formats have no time."""
    return reader.read_day(cell) if isinstance(cell, str) and reader.days_only else reader.read(cell, column)


def point(longitude: Any, latitude: Any, notation: tuple[str, str | None]) -> Any:
    """A GeoJSON point, None where both are missing, or why it is none."""
    if longitude is None and latitude is None:
        return None
    position: list[float] = []
    for name, value in (("longitude", longitude), ("latitude", latitude)):
        if value is None:
            return Unreadable("", f"{name} is missing")
        found = plain_number(number(value, notation, 1.0))
        if found is None:
            return Unreadable(str(value)[:100], f"{name} {str(value)[:100]!r} is not a number")
        position.append(found)
    return {"type": "Point", "coordinates": position}


def feature(given: Mapping[str, Any], properties: Row, notation: tuple[str, str | None], crs: Crs | None) -> Row:
    """One feature row out of the fields id, geometry or longitude and latitude in their CRS, and its properties."""
    geometry = given["geometry"] if "geometry" in given else point(given.get("longitude"), given.get("latitude"), notation)
    return {"id": given.get("id"), "geometry": geometry, "properties": properties, "crs": crs}
