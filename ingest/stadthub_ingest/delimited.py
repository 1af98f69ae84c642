"""Delimited text as a header and records: where the table starts and ends, and which columns it has."""

import _csv
import csv
import difflib
import io
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Annotated

from pydantic import StringConstraints

from stadthub_ingest.decoded import DecodeError, Unreadable
from stadthub_ingest.expressions import search

csv.field_size_limit(16_000_000)

#: The character between fields. Other texts of a feed file lose blanks at their ends; a tab is all there is of this one.
Delimiter = Annotated[str, StringConstraints(strip_whitespace=False, min_length=1, max_length=1)]


@dataclass(frozen=True, slots=True)
class Layout:
    """How the text is laid out. `header_row` counts lines from 1 after `skip_rows`; 0: there is no header."""

    delimiter: str
    quote: str | None
    skip_rows: int
    header: bool
    skip_footer: int
    stop_at: str | None


@dataclass(frozen=True, slots=True)
class Sheet:
    """A table in text: its header without blanks around the names, and from where to where its records stand."""

    header: tuple[str, ...]
    text: str
    start: int
    end: int
    first_line: int
    layout: Layout

    @property
    def body(self) -> str:
        """The text of the records."""
        return self.text[self.start : self.end]

    def holds(self, sign: str) -> bool:
        """Whether the sign stands anywhere in the records."""
        return self.text.find(sign, self.start, self.end) >= 0

    def column(self, name: str) -> int:
        """The number of the column with this header; DecodeError with the nearest one."""
        if name.strip() in self.header:
            return self.header.index(name.strip())
        near = difflib.get_close_matches(name, self.header, n=1)
        hint = f"did you mean {near[0]!r}?" if near else "it has " + ", ".join(map(repr, self.header[:20]))
        raise DecodeError(f"line {self.first_line - 1}: there is no column {name!r}: {hint}")

    def records(self) -> Iterator[list[str] | Unreadable]:
        """The records in order; one with another number of fields than the header is Unreadable. Empty lines are none."""
        reader = _reader(io.StringIO(self.body, newline=""), self.layout)
        width = len(self.header)
        while True:
            try:
                record = next(reader, None)
            except csv.Error as error:
                raise DecodeError(f"line {self.first_line + reader.line_num - 1}: {error}") from error
            if record is None:
                return
            if len(record) == width or (len(record) > width and not any(record[width:])):
                yield record[:width]  # some writers end a line with empty fields too many
            elif record:
                line = self.first_line + reader.line_num - 1
                text = self.layout.delimiter.join(record)
                yield Unreadable(text, f"line {line}: {len(record)} fields where the header has {width}")


def open_sheet(text: str, layout: Layout) -> Sheet:
    """The table in this text, without what stands before and after it; DecodeError if there is none."""
    lines = _LINE.finditer(text)
    start = 0
    for _ in range(layout.skip_rows):
        line = next(lines, None)
        if line is None:
            raise DecodeError(f"it has fewer than {layout.skip_rows} lines: see options.skip_rows")
        start = line.end()
    end = _end(text, start, layout)
    reader = _reader(_lines(text, start, end), layout)
    try:
        first = next((record for record in reader if record), None)
    except csv.Error as error:
        raise DecodeError(f"line {layout.skip_rows + 1}: {error}") from error
    if first is None:
        raise DecodeError("it holds no table: not even a header")
    if not layout.header:
        return Sheet(tuple(str(number) for number in range(1, len(first) + 1)), text, start, end, layout.skip_rows + 1, layout)
    body = start
    for _ in range(reader.line_num):
        line = _LINE.match(text, body)
        body = end if line is None else line.end()
    header = tuple(name.strip().removeprefix("\ufeff").strip('"') for name in first)
    return Sheet(header, text, min(body, end), end, layout.skip_rows + reader.line_num + 1, layout)


_LINE = re.compile(r"[^\r\n]*(?:\r\n|\n|\r|\Z)")


def _end(text: str, start: int, layout: Layout) -> int:
    """Where the footer begins."""
    end = len(text)
    if layout.stop_at is not None:
        found = search(layout.stop_at, text, start)
        end = end if found is None else text.rfind("\n", start, found.start()) + 1 or start
    for _ in range(layout.skip_footer):
        end = text.rfind("\n", start, len(text[start:end].rstrip()) + start) + 1 or start
    return end


def _lines(text: str, start: int, end: int) -> Iterator[str]:
    """The lines one by one, without a copy of the whole text: of a large file only the header is wanted."""
    return (line[0] for line in _LINE.finditer(text, start, end) if line[0])


def _reader(lines: Iterable[str], layout: Layout) -> _csv.Reader:
    if layout.quote is None:
        return csv.reader(lines, delimiter=layout.delimiter, quoting=csv.QUOTE_NONE)
    return csv.reader(lines, delimiter=layout.delimiter, quotechar=layout.quote)


def narrowed(text: str, layout: Layout, keeps: Callable[[str], bool]) -> str:
    """The same table in the same layout, with the cells of the kept columns only; a record that fits no header loses all of them."""
    sheet = open_sheet(text, layout)
    kept = [keeps(header) for header in sheet.header]
    out = io.StringIO(newline="")
    writer = csv.writer(out, delimiter=layout.delimiter, quotechar=layout.quote or '"', lineterminator="\n")
    out.write("\n" * layout.skip_rows)
    if layout.header:
        writer.writerow(sheet.header)
    for record in sheet.records():
        if isinstance(record, Unreadable):
            out.write(f"-{layout.delimiter * len(kept)}-\n")  # still of another length, and nothing of it is left
        else:
            writer.writerow([cell if keep else "" for cell, keep in zip(record, kept, strict=True)])
    out.write("-\n" * layout.skip_footer)
    return out.getvalue()
