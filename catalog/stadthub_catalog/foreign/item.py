"""What a foreign catalogue says, page by page, before it is normalised: datasets in CKAN's words, whoever said them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html.parser import HTMLParser
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import orjson

from stadthub_schemas.errors import SourceError

Said = Mapping[str, Any]

#: No text of a foreign catalogue is longer.
LONGEST = 100_000

#: Tags after which a text goes on in a new line.
_BREAKS = frozenset({"p", "br", "li", "div", "tr", "h1", "h2", "h3", "h4", "ul", "ol", "pre"})


@dataclass(frozen=True, slots=True)
class Item:
    """One dataset there: `key` is its identifier there, `said` a package in CKAN's words; `wrong`: why it can't be read."""

    key: str
    said: Said
    wrong: str | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """One answer: its datasets, and the address of the next one if there is one."""

    items: tuple[Item, ...]
    following: str | None = None


@dataclass(frozen=True, slots=True)
class Asking:
    """What is asked: the portal's address, parameters beside the paging, and how many datasets a page has."""

    url: str
    parameters: Mapping[str, str]
    page_size: int = 100


def as_json(body: bytes, url: str) -> Any:
    """The answer as JSON; SourceError names the address."""
    try:
        return orjson.loads(body.removeprefix(b"\xef\xbb\xbf"))
    except orjson.JSONDecodeError as error:
        raise SourceError(f"{_bare(url)}: the answer is no JSON: mend harvest.url or harvest.protocol") from error


def listed(said: Any, url: str, what: str) -> list[Any]:
    """A list out of an answer; SourceError if it is none."""
    if not isinstance(said, list):
        raise SourceError(f"{_bare(url)}: the answer has no list {what}: mend harvest.url or harvest.protocol")
    return said


def at(said: Any, *path: str) -> Any:
    """What stands under these keys; None if nothing does."""
    for key in path:
        said = said.get(key) if isinstance(said, Mapping) else None
    return said


def text(said: Any) -> str:
    """A text, out of one in several languages the German one; empty if there is none."""
    if isinstance(said, Mapping):
        said = next((said[key] for key in ("de", "deu", "en", "@value", "value", "label", "name", "title") if said.get(key)), "")
    if isinstance(said, list):
        said = next((one for one in said if one), "")
        return text(said)
    return str(said).strip()[:LONGEST] if isinstance(said, str | int | float) and not isinstance(said, bool) else ""


def texts(said: Any) -> list[str]:
    """Texts out of a list, or out of one text."""
    return [found for one in (said if isinstance(said, list) else [said]) if (found := text(one))]


def english(said: Any) -> str:
    """The English text among several; empty if there is none."""
    return text(said.get("en")) if isinstance(said, Mapping) else ""


def with_parameters(url: str, **parameters: object) -> str:
    """The address with these parameters in place of those of the same name."""
    parts = urlsplit(url)
    kept = [(key, value) for key, value in parse_qsl(parts.query, keep_blank_values=True) if key not in parameters]
    told = [(key, str(value)) for key, value in parameters.items()]
    return urlunsplit(parts._replace(query=urlencode([*kept, *told]), fragment=""))


def parameter(url: str, name: str) -> int:
    """A number that an address asks with; 0 if it doesn't."""
    found = dict(parse_qsl(urlsplit(url).query)).get(name, "")
    return int(found) if found.isdigit() and len(found) < 12 else 0


def below(url: str, path: str) -> str:
    """An address of the portal's interface: the path behind the portal's own address, unless that leads into it already."""
    parts = urlsplit(url)
    root = path.split("/")[1]
    base = parts.path.partition(f"/{root}/")[0].rstrip("/")
    return urlunsplit((parts.scheme, parts.netloc, base + path, "", ""))


def extras(**said: Any) -> list[dict[str, str]]:
    """Extras of what is known."""
    return [
        {"key": key, "value": value if isinstance(value, str) else orjson.dumps(value).decode()} for key, value in said.items() if value
    ]


def from_html(said: Any) -> str:
    """A text without marks of HTML, if it has some."""
    plain = text(said)
    if "<" not in plain and "&" not in plain:
        return plain
    reading = _Plain()
    reading.feed(plain)
    reading.close()
    lines = ("".join(reading.pieces)).replace("\xa0", " ").splitlines()
    return "\n".join(line for number, line in enumerate(map(str.strip, lines)) if line or (number and lines[number - 1].strip())).strip()


class _Plain(HTMLParser):
    """Gathers what a reader would see."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.pieces: list[str] = []
        self._hidden = 0

    def handle_starttag(self, tag: str, attrs: Sequence[tuple[str, str | None]]) -> None:  # noqa: ARG002 (the library's signature)
        self._hidden += tag in ("script", "style")
        if tag in _BREAKS:
            self.pieces.append("\n")

    def handle_endtag(self, tag: str) -> None:
        self._hidden -= tag in ("script", "style") and self._hidden > 0
        if tag in _BREAKS:
            self.pieces.append("\n")

    def handle_data(self, data: str) -> None:
        if not self._hidden:
            self.pieces.append(data)


def _bare(url: str) -> str:
    parts = urlsplit(url)
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))
