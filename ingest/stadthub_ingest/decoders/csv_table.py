"""Tables in text (CSV): columns to observations, features or a table; wide to long, footers, decimal commas, local times.

[options]
delimiter = ";"
columns = { thing = "Station", phenomenon_time = ["Datum", "Uhrzeit"] }
values = { "PM10" = { observed_property = "pm10", unit = "ug/m3" } }
times = { formats = ["%d.%m.%Y %H:%M"], time_zone = "Europe/Berlin" }
"""

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import BinaryIO

from pydantic import Field, field_validator

from stadthub_ingest.blocks import blocks
from stadthub_ingest.decoded import Block, Decoded, Pieces
from stadthub_ingest.delimited import Delimiter, Layout, Sheet, narrowed, open_sheet
from stadthub_ingest.expressions import expression
from stadthub_ingest.mapping import named_places, names_in
from stadthub_ingest.pieces import of_records
from stadthub_ingest.renames import renamed_header
from stadthub_ingest.sheets import Tabled, plan_of, rows_of
from stadthub_ingest.texts import read_text
from stadthub_ingest.times import TimeReader
from stadthub_schemas.dataset import Kind

#: Within so many bytes the header of a large file must stand.
HEAD = 1_000_000


class Options(Tabled):
    """How a CSV file is read."""

    delimiter: Delimiter = ","
    encoding: str | None = Field(default=None, description="absent: by its mark, else UTF-8, else Windows-1252")
    quote: str | None = Field(default='"', max_length=1, description='"" where nothing is quoted')
    header: bool = Field(default=True, description="false: the columns are named 1, 2, 3 …")
    skip_rows: int = Field(default=0, ge=0, description="lines before the header")
    skip_footer: int = Field(default=0, ge=0, description="lines at the end that are no records; empty ones don't count")
    stop_at: str | None = Field(default=None, description="a regular expression: the table ends before the first line that matches")

    @field_validator("stop_at")
    @classmethod
    def _stop_is_an_expression(cls, value: str | None) -> str | None:
        return value if value is None else expression(value)

    @field_validator("encoding")
    @classmethod
    def _known_encoding(cls, value: str | None) -> str | None:
        try:
            "".encode(value or "utf-8")
        except LookupError as error:
            raise ValueError(f"there is no encoding {value!r}: use a name such as utf-8, cp1252, iso-8859-15") from error
        return value

    @property
    def layout(self) -> Layout:
        """Where the table stands in the text."""
        return Layout(self.delimiter, self.quote or None, self.skip_rows, self.header, self.skip_footer, self.stop_at)


def sheet(payload: bytes, options: Options) -> Sheet:
    """The table in the payload, with the names of columns that the feed knows."""
    found = open_sheet(read_text(payload, options.encoding), options.layout)
    return replace(found, header=renamed_header(found.header, options.renames)) if options.renames else found


def decode(payload: bytes, options: Options, name: str) -> Iterator[Decoded]:
    """The rows of the table, in the order of its records and, within one, of its value columns."""
    yield from rows_of(sheet(payload, options), options, name)


def decode_table(payload: bytes, options: Options, name: str) -> list[Block] | None:
    """The same rows as columns, for bulk; None where only the row path can tell."""
    if options.kind is not Kind.TIMESERIES:
        return None
    found = sheet(payload, options)
    return blocks(found, payload, plan_of(found, options, names_in(options.file_name, name)), TimeReader(options.times))


def split(file: BinaryIO, options: Options, most: int) -> Pieces | None:
    """The table in pieces, each with its header; None if what stands at its end is no record, or a sign is not one byte."""
    start = file.read(HEAD)
    if options.skip_footer or options.stop_at is not None or start[:2] in (b"\xff\xfe", b"\xfe\xff") or _wide(options.encoding):
        return None
    head = open_sheet(start.decode("latin-1"), options.layout).start  # latin-1: one sign for each byte
    quote = None if not options.quote else options.quote.encode(options.encoding or "utf-8")
    return of_records(file, start[:head], quote, most)


def _wide(encoding: str | None) -> bool:
    """Whether a line ends with more than one byte in this encoding."""
    return len("\n".encode(encoding or "utf-8")) > 1


def narrow(payload: bytes, options: Options, _name: str) -> bytes:
    """The table with the cells of those columns only that the options name; the others are empty, and so is what stands around it."""
    patterns = [re.compile(channel.pattern) for channel in options.channels]
    wanted = {place.strip() for place in named_places(options)} | {
        str(value.quality) for value in options.channels if value.quality is not None
    }
    wanted |= {new for new, old in options.renames.items() if old in wanted}
    text = read_text(payload, options.encoding)
    return narrowed(text, options.layout, lambda header: header in wanted or any(one.search(header) for one in patterns)).encode(
        options.encoding or "utf-8"
    )
