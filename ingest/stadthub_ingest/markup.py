"""XML, read safely: no DOCTYPE and so no entities of its own, bounded depth and size; names without their namespaces."""

import contextlib
from collections.abc import Iterator
from xml.etree.ElementTree import Element, TreeBuilder
from xml.parsers import expat

from stadthub_ingest.decoded import DecodeError

#: No format of a city nests deeper or says more in one payload.
MOST_DEPTH = 100
MOST_ELEMENTS = 3_000_000
MOST_ATTRIBUTES = 1_000

__all__ = ["Element", "first", "read_xml", "root_attributes", "text_of", "texts"]


class _Guard:
    """Builds the tree and refuses what could harm while it is read."""

    def __init__(self, parser: expat.XMLParserType) -> None:
        self._tree = TreeBuilder()
        self._parser = parser
        self._depth = 0
        self._elements = 0
        parser.buffer_text = True
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._tree.data
        parser.StartDoctypeDeclHandler = self._doctype
        parser.EntityDeclHandler = self._doctype

    def close(self) -> Element:
        return self._tree.close()

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self._depth += 1
        self._elements += 1
        if self._depth > MOST_DEPTH:
            raise DecodeError(f"line {self._parser.CurrentLineNumber}: it is nested deeper than {MOST_DEPTH} elements")
        if self._elements > MOST_ELEMENTS:
            raise DecodeError(f"it has more than {MOST_ELEMENTS} elements")
        if len(attributes) > MOST_ATTRIBUTES:
            raise DecodeError(f"line {self._parser.CurrentLineNumber}: an element has more than {MOST_ATTRIBUTES} attributes")
        self._tree.start(_local(name), {_local(key): value for key, value in attributes.items()})

    def _end(self, name: str) -> None:
        self._depth -= 1
        self._tree.end(_local(name))

    def _doctype(self, *_: object) -> None:
        raise DecodeError(
            f"line {self._parser.CurrentLineNumber}: it declares a DOCTYPE, which could hold harmful entities: it is not read"
        )


def _local(name: str) -> str:
    return name.rpartition(" ")[2]


def read_xml(payload: bytes) -> Element:
    """The root of the tree; DecodeError if it is not well-formed or could do harm."""
    parser = expat.ParserCreate(namespace_separator=" ")
    guard = _Guard(parser)
    try:
        parser.Parse(payload, True)
    except expat.ExpatError as error:
        raise DecodeError(f"line {error.lineno}: it is not XML: {expat.ErrorString(error.code)}") from error
    except (LookupError, ValueError) as error:
        if isinstance(error, DecodeError):
            raise
        raise DecodeError(f"it is not XML: {error}") from error
    return guard.close()


def root_attributes(payload: bytes) -> dict[str, str] | None:
    """The attributes of the first element, their names without prefixes; None if it is no XML. What comes behind is not read."""
    if payload.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] != b"<":
        return None
    found: list[dict[str, str]] = []
    parser = expat.ParserCreate(namespace_separator=" ")

    def start(_name: str, attributes: dict[str, str]) -> None:
        found.append({_local(key): value for key, value in attributes.items()})
        raise _EnoughError

    def refuse(*_: object) -> None:
        raise _EnoughError

    parser.StartElementHandler = start
    parser.StartDoctypeDeclHandler = refuse
    with contextlib.suppress(expat.ExpatError, LookupError, ValueError, _EnoughError):
        parser.Parse(payload, True)
    return found[0] if found else None


class _EnoughError(Exception):
    """What was looked for has been seen."""


def first(element: Element, *names: str) -> Element | None:
    """The first element below with one of these names, names in their order."""
    for name in names:
        found = element.find(f".//{name}")
        if found is not None:
            return found
    return None


def text_of(element: Element | None) -> str | None:
    """The text in the element and below it, blanks made one; None if there is none."""
    if element is None:
        return None
    return " ".join("".join(element.itertext()).split()) or None


def texts(element: Element, *names: str) -> Iterator[str]:
    """The texts of the elements of these names below, each that is not empty."""
    for one in element.iter():
        if one.tag in names and (text := text_of(one)):
            yield text
