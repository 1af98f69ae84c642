"""A list of datasets as an Atom feed (RFC 4287): for feed readers, and for catalogues that look what is new."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode
from xml.etree.ElementTree import Element, SubElement, tostring

from stadthub_catalog.site import Site

MEDIA_TYPE = "application/atom+xml; charset=utf-8"
SIZE = 20

_NAMESPACE = "http://www.w3.org/2005/Atom"
#: What XML 1.0 can't hold (section 2.2).
_NEVER = dict.fromkeys([*range(9), 11, 12, *range(14, 32), *range(0xD800, 0xE000), 0xFFFE, 0xFFFF])


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a search: its address without the page's number, its packages, how many there are on all pages."""

    title: str
    path: str
    query: Mapping[str, str]
    number: int
    total: int
    packages: Sequence[Mapping[str, Any]]

    @property
    def last(self) -> int:
        """The number of the last page; 1 also where nothing was found."""
        return max(1, -(-self.total // SIZE))

    def address(self, number: int) -> str:
        """The path of another page of the same search."""
        query = {**self.query, **({"page": str(number)} if number > 1 else {})}
        return self.path + (f"?{urlencode(query)}" if query else "")


def feed(page: Page, site: Site) -> bytes:
    """The page as XML. It changes only when what it tells does."""
    root = Element("feed", {"xmlns": _NAMESPACE, "xml:lang": "de"})
    _text(root, "id", site.absolute(page.address(1)))
    _text(root, "title", page.title)
    _text(root, "updated", max((_time(one["metadata_modified"]) for one in page.packages), default="1970-01-01T00:00:00Z"))
    _text(SubElement(root, "author"), "name", site.title)
    _text(root, "generator", "Stadthub")
    turns = {
        "self": page.number,
        "first": 1,
        "last": page.last,
        "previous": page.number - 1 if page.number > 1 else None,
        "next": page.number + 1 if page.number < page.last else None,
    }
    for relation, number in turns.items():
        if number is not None:
            _link(root, relation, site.absolute(page.address(number)))
    _link(root, "alternate", site.absolute("/datasets"))
    for package in page.packages:
        _entry(root, package, site)
    written: str = tostring(root, encoding="unicode")
    return f'<?xml version="1.0" encoding="utf-8"?>\n{written}'.encode()


def _entry(root: Element, package: Mapping[str, Any], site: Site) -> None:
    entry = SubElement(root, "entry")
    _text(entry, "id", site.absolute(f"/dataset/{package['id']}"))
    _text(entry, "title", package["title"] or package["name"])
    _text(entry, "updated", _time(package["metadata_modified"]))
    _text(entry, "published", _time(package["metadata_created"]))
    _text(entry, "summary", package["notes"] or "")
    if package["organization"]:
        _text(SubElement(entry, "author"), "name", package["organization"]["title"])
    _link(entry, "alternate", site.absolute(f"/datasets/{package['name']}"))
    SubElement(
        entry,
        "link",
        {"rel": "via", "type": "application/json", "href": site.absolute(f"/api/3/action/package_show?id={package['name']}")},
    )
    for tag in package["tags"]:
        SubElement(entry, "category", {"term": str(tag["name"]).translate(_NEVER)})


def _text(parent: Element, name: str, words: str) -> None:
    SubElement(parent, name).text = words.translate(_NEVER)


def _link(parent: Element, relation: str, address: str) -> None:
    SubElement(parent, "link", {"rel": relation, "href": address})


def _time(stamp: str) -> str:
    """CKAN's time without a zone, which is UTC, as Atom wants it."""
    return datetime.fromisoformat(stamp).replace(tzinfo=UTC).isoformat().replace("+00:00", "Z")
