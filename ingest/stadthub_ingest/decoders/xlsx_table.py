"""Tables in workbooks (xlsx, ods): the same mapping as csv_table, out of one sheet.

[options]
sheet = "Daten"
columns = { id = "ID", longitude = "Längengrad", latitude = "Breitengrad" }
"""

from collections.abc import Iterator
from dataclasses import replace

from pydantic import Field, field_validator

from stadthub_ingest.decoded import Decoded
from stadthub_ingest.renames import renamed_header
from stadthub_ingest.sheets import Tabled, rows_of
from stadthub_ingest.times import WORDS
from stadthub_ingest.workbook import Grid, open_grid


class Options(Tabled):
    """How a workbook is read."""

    sheet: str | int = Field(default=1, description="the sheet's name, or its number from 1")
    skip_rows: int = Field(default=0, ge=0, description="rows before the header")

    @field_validator("keep")
    @classmethod
    def _whole(cls, value: str) -> str:
        if value == "named":
            raise ValueError("a workbook is stored whole: take csv_table, where columns can be left out before anything is stored")
        return value


def sheet(payload: bytes, options: Options) -> Grid:
    """The sheet, with the names of columns that the feed knows. Dates that Excel knows as such are read whatever `times` says."""
    formats = options.times.formats
    written = None if any(one in WORDS for one in formats) else formats[0]
    found = open_grid(payload, options.sheet, options.skip_rows, (options.decimal, written))
    return replace(found, header=renamed_header(found.header, options.renames))


def decode(payload: bytes, options: Options, name: str) -> Iterator[Decoded]:
    """The rows of the sheet."""
    yield from rows_of(sheet(payload, options), options, name)
