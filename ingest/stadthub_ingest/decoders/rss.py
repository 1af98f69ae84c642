"""RSS 2.0, RSS 1.0 and Atom: news as a table. HTML becomes text; authors, who are persons, are left out."""

import email.utils
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from xml.etree.ElementTree import SubElement, tostring

from pydantic import Field, field_validator

from stadthub_ingest.decoded import Decoded, DecodeError, Row, Unreadable
from stadthub_ingest.markup import Element, read_xml
from stadthub_ingest.prose import plain
from stadthub_ingest.times import ISO, TimeReader
from stadthub_schemas.dataset import Kind
from stadthub_schemas.model import Strict

_TIMES = TimeReader(ISO)

ROOTS = ("rss", "RDF", "feed")
ITEMS = ("item", "entry")

#: The text of each column stands in the first of these that is there.
TITLES, SUMMARIES = ("title",), ("description", "summary", "encoded", "content")
PUBLISHED, UPDATED = ("pubDate", "published", "date", "issued"), ("updated", "modified")

#: What of an item may be stored, with the attributes that are read: no author, creator, contributor or sender.
KEPT = {
    **dict.fromkeys((*TITLES, *SUMMARIES, *PUBLISHED, *UPDATED, "id"), ()),
    "link": ("href", "rel"),
    "guid": ("isPermaLink",),
    "category": ("label", "term"),
}


class Options(Strict):
    """How a news feed is read."""

    kind: Kind = Field(default=Kind.TABLE, description="set from the feed's own kind")
    keep_html: bool = Field(default=False, description="leave HTML in summaries as it is")

    @field_validator("kind")
    @classmethod
    def _only_table(cls, value: Kind) -> Kind:
        if value is not Kind.TABLE:
            raise ValueError(f'rss makes a table, not {value}: write kind = "table" and key = ["id"]')
        return value


def reduce(payload: bytes, options: Options, _name: str, _key: bytes) -> bytes | None:  # noqa: ARG001 - the door's signature
    """The items with the elements that the hub reads."""
    root = read_xml(payload.lstrip())
    if root.tag not in ROOTS:
        return None
    whole = Element(root.tag)
    for item in root.iter():
        if item.tag in ITEMS:
            public = SubElement(whole, item.tag)
            for child in item:
                if child.tag in KEPT:
                    attributes = {name: value for name, value in child.attrib.items() if name in KEPT[child.tag]}
                    SubElement(public, child.tag, attributes).text = "".join(child.itertext())
    return bytes(tostring(whole, "utf-8"))


def decode(payload: bytes, options: Options, _name: str) -> Iterator[Decoded]:
    """One row for each item, in the order of the feed."""
    root = read_xml(payload.lstrip())
    if root.tag not in ROOTS:
        raise DecodeError(f"it is neither RSS nor Atom: it begins with {root.tag!r}")
    for item in root.iter():
        if item.tag in ITEMS:
            yield _row(item, options)


def _row(item: Element, options: Options) -> Row | Unreadable:
    title, url = plain(_text(item, TITLES)), _url(item)
    if title is None and url is None:
        return Unreadable("".join(item.itertext())[:1000], "title: missing, and there is no link either")
    summary = _text(item, SUMMARIES)
    categories = [word for one in item.iter("category") if (word := one.get("label") or one.get("term") or (one.text or "").strip())]
    published = _time(_text(item, PUBLISHED))
    return {
        "id": _text(item, ("guid", "id")) or url or title,
        "title": title,
        "summary": summary if options.keep_html else plain(summary),
        "url": url,
        "published_time": published,
        "updated_time": _time(_text(item, UPDATED)),
        "categories": categories or None,
    }


def _text(item: Element, names: tuple[str, ...]) -> str | None:
    """The text of the item's own child with one of these names."""
    for name in names:
        child = item.find(name)
        text = "".join(child.itertext()).strip() if child is not None else ""
        if text:
            return text
    return None


def _url(item: Element) -> str | None:
    """Where the item is read in full: the link for readers."""
    links = item.findall("link")
    atom = [one.get("href") for one in links if one.get("href") and one.get("rel", "alternate") == "alternate"]
    found = next((one.text.strip() for one in links if one.text and one.text.strip()), None) or next(iter(atom), None)
    guid = item.find("guid")
    if found is None and guid is not None and guid.get("isPermaLink", "true") == "true" and (guid.text or "").strip().startswith("http"):
        return (guid.text or "").strip()
    return found


def _time(text: str | None) -> Any:
    """The time in the form of e-mails (RSS) or ISO 8601 (Atom)."""
    if text is None:
        return None
    try:
        found: datetime | None = email.utils.parsedate_to_datetime(text)
    except (ValueError, TypeError):
        found = None
    if found is not None:
        return found.replace(tzinfo=found.tzinfo or UTC).astimezone(UTC)
    read = _TIMES.read(text)
    return Unreadable(text, f"{text[:100]!r} is not a time") if isinstance(read, Unreadable) else read
