"""Workbooks in OpenDocument (ods), looked at before they are read: how many cells their repeats would make."""

from xml.parsers import expat

from stadthub_ingest.decoded import DecodeError
from stadthub_ingest.packed import Packed

#: More cells than this, empty ones between others included, are no table of a city but a trap.
MOST_CELLS = 20_000_000

_TYPE = b"application/vnd.oasis.opendocument.spreadsheet"


def is_open_document(packed: Packed) -> bool:
    """Whether the archive is a workbook in OpenDocument."""
    return "mimetype" in packed.names and "content.xml" in packed.names and packed.read("mimetype").strip().startswith(_TYPE)


class _Cells:
    """How far the cells of each table reach, repeats included; what is empty at the end of a row or of a table doesn't count."""

    def __init__(self) -> None:
        self._columns = self._rows = self._repeat = 0
        self._filled = self._down = self._across = 0

    def start(self, name: str, attributes: dict[str, str]) -> None:
        local = name.rpartition(":")[2]
        if local == "table":
            self._rows = self._down = self._across = 0
        elif local == "table-row":
            self._columns = self._filled = 0
            self._repeat = _number(attributes.get("table:number-rows-repeated"))
        elif local in ("table-cell", "covered-table-cell"):
            self._columns += _number(attributes.get("table:number-columns-repeated"))
            if "office:value-type" in attributes:
                self._filled = self._columns
        elif local == "p":
            self._filled = self._columns

    def end(self, name: str) -> None:
        if name.rpartition(":")[2] != "table-row":
            return
        self._rows += self._repeat
        if self._filled:
            self._down, self._across = self._rows, max(self._across, self._filled)
        if self._down * self._across > MOST_CELLS:
            raise DecodeError(f"content.xml: it reaches over more than {MOST_CELLS} cells")


def refuse_repeats(packed: Packed) -> None:
    """DecodeError for a workbook that unpacks to too many cells, or declares a DOCTYPE."""
    cells = _Cells()
    parser = expat.ParserCreate()
    parser.StartElementHandler, parser.EndElementHandler = cells.start, cells.end
    parser.StartDoctypeDeclHandler = parser.EntityDeclHandler = _refuse
    try:
        for chunk in packed.chunks("content.xml"):
            parser.Parse(chunk, False)
        parser.Parse(b"", True)
    except expat.ExpatError as error:
        raise DecodeError(f"content.xml: it is not XML: {error}") from error


def _refuse(*_: object) -> None:
    raise DecodeError("content.xml: it declares a DOCTYPE, which could hold harmful entities: it is not read")


def _number(said: str | None) -> int:
    return int(said) if said is not None and said.isascii() and said.isdigit() and len(said) < 9 else 1
