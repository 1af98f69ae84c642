"""A foreign dataset becomes one of this catalogue: cleaned, in our spellings, with a word on where it comes from."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit
from uuid import NAMESPACE_URL, UUID, uuid5

import orjson

from stadthub_catalog.foreign.item import LONGEST, Item, Said, from_html, text
from stadthub_catalog.foreign.licenses import license_named
from stadthub_catalog.foreign.normal import day_of, format_of, frequency_of, keyword_of, moment_of, plain_texts, slug, theme_of
from stadthub_catalog.wording import TAKEN_KEYS, Wrong, email
from stadthub_schemas.vocabularies import FREQUENCY_IRI

#: Grows when the same words would become another dataset: then all of them are written anew.
VERSION = 1

#: The extras that say where a dataset comes from, as CKAN's harvester names them.
SOURCE_ID, SOURCE_TITLE, SOURCE_URL, OBJECT_ID = "harvest_source_id", "harvest_source_title", "harvest_source_url", "harvest_object_id"
#: Where it came from before it came to the catalogue that it comes from; when it last came in another form; its page there.
ORIGIN_TITLE, ORIGIN_URL, TAKEN_TIME, PAGE = "harvest_origin_title", "harvest_origin_url", "harvest_time", "harvest_url"
#: What a dataset says that a Stadthub has brought to a foreign CKAN: that hub's address, and its own id of the dataset.
HUB, HUB_ID = "stadthub_url", "stadthub_id"

_OURS = frozenset({SOURCE_ID, SOURCE_TITLE, SOURCE_URL, OBJECT_ID, TAKEN_TIME, PAGE})
#: What CKANs say of the act of harvesting, of their own upkeep, or what is worked out here anew.
_NOISE = frozenset(
    {"harvest_object_id", "harvest_source_id", "harvest_source_title", "metadata_harvested_portal", "guid", "kind", "rows", "modified"}
)
_LONGEST_EXTRA, _MOST_EXTRAS, _MOST_FILES, _MOST_TAGS = 20_000, 200, 1000, 100
_SCHEMES = ("http", "https", "ftp", "ftps")


@dataclass(frozen=True, slots=True)
class Origin:
    """The catalogue that is harvested: id and title of its harvest, its address, what it leaves out; `site`: this hub's own address."""

    id: str
    title: str
    url: str
    site: str
    license: str | None = None
    private: bool = False


@dataclass(frozen=True, slots=True)
class Adopted:
    """A dataset that is ready to be kept: `said` is a package in our spellings, `digest` changes when the source says something else."""

    key: str
    id: UUID
    name: str
    said: Mapping[str, Any]
    digest: str
    modified: datetime | None

    @property
    def title(self) -> str:
        """Its title."""
        return str(self.said["title"])


class Unfit(ValueError):
    """It can't become a dataset of this catalogue; the message says why."""


class Ours(ValueError):
    """It comes from this hub."""


def adopt(item: Item, origin: Origin) -> Adopted:
    """The dataset as it is kept here. Unfit, or Ours where it went out from here."""
    if item.wrong is not None:
        raise Unfit(item.wrong)
    said = item.said
    extras = _given_extras(said)
    if any(extras.get(key, "").rstrip("/") == origin.site for key in (HUB, SOURCE_URL, ORIGIN_URL)):
        raise Ours("it comes from this hub")
    title = from_html(text(said.get("title")) or text(said.get("name")))[:1000]
    if not title:
        raise Unfit("it has no title")
    if text(said.get("state")).casefold() in ("deleted", "draft"):
        raise Unfit(f"its state is {text(said.get('state'))}")
    key = uuid5(NAMESPACE_URL, f"urn:stadthub:harvest:{origin.id}:{item.key}")
    page = _page(said, origin)
    made: dict[str, Any] = {
        "title": title,
        "notes": _notes(said),
        "license_id": _license(said, extras) or origin.license,
        "author": text(said.get("author"))[:500] or None,
        "author_email": _email(said.get("author_email")),
        "maintainer": text(said.get("maintainer"))[:500] or None,
        "maintainer_email": _email(said.get("maintainer_email")),
        "url": page or None,
        "version": text(said.get("version"))[:100] or None,
        "private": origin.private,
        "type": "dataset",
    }
    themes, words = _themes(said, extras)
    made["groups"] = [{"name": theme.lower()} for theme in themes]
    made["tags"] = [{"name": word} for word in words]
    made["resources"] = _resources(said, key)
    made["extras"] = _extras(extras, item, origin, said, page)
    digest = hashlib.sha256(orjson.dumps([VERSION, made], option=orjson.OPT_SORT_KEYS)).hexdigest()
    modified = moment_of(text(said.get("metadata_modified")) or extras.get("modified", ""))
    return Adopted(item.key, key, _name(said, title), made, digest, modified)


def _given_extras(said: Said) -> dict[str, str]:
    rows = said.get("extras")
    if not isinstance(rows, list):
        return {}
    return {str(one["key"]): text(one.get("value")) for one in rows if isinstance(one, dict) and one.get("key")}


def _notes(said: Said) -> str:
    notes = text(said.get("notes"))
    return from_html(notes) if "</" in notes or "<br" in notes or "<p>" in notes else notes


def _email(said: Any) -> str | None:
    try:
        return email(text(said).removeprefix("mailto:")) or None
    except Wrong:
        return None


def _license(said: Said, extras: Mapping[str, str]) -> str | None:
    """The dataset's licence; else the one that all of its files share."""
    told = plain_texts(said, "license_id", "license_url", "license_title")
    own = license_named(*told, extras.get("license_iri", ""))
    if own is not None:
        return own
    files = {license_named(*plain_texts(one, "license", "license_id", "license_url")) for one in _files(said)}
    return next(iter(files)) if len(files) == 1 else None


def _files(said: Said) -> list[Said]:
    rows = said.get("resources")
    return _rows(rows)[:_MOST_FILES]


def _themes(said: Said, extras: Mapping[str, str]) -> tuple[list[str], list[str]]:
    """Europe's themes, and the keywords; a group that is no theme becomes a keyword."""
    groups = [[text(one.get(key)) for key in ("name", "id", "title")] for one in _rows(said.get("groups"))]
    groups += [[iri] for iri in _listed(extras.get("theme", ""))]
    themes, words = [], [text(one.get("name")) for one in _rows(said.get("tags"))]
    for names in groups:
        found = next((theme for name in names if name and (theme := theme_of(name))), None)
        if found:
            themes.append(found)
        else:
            words.append(next((name for name in reversed(names) if name and not name.startswith("http")), ""))
    themes += [found for word in words if (found := theme_of(word))]
    cleaned = dict.fromkeys(word for one in words if (word := keyword_of(one)))
    return sorted(set(themes)), sorted(cleaned)[:_MOST_TAGS]


def _rows(said: Any) -> list[Said]:
    return [one for one in said if isinstance(one, dict)] if isinstance(said, list) else []


def _listed(said: str) -> list[str]:
    """A list that an extra holds as JSON, or one value."""
    if not said:
        return []
    try:
        found = orjson.loads(said)
    except orjson.JSONDecodeError:
        return [said]
    return [str(one) for one in found] if isinstance(found, list) else [said]


def _resources(said: Said, package: UUID) -> list[dict[str, Any]]:
    """The files that have an address; each keeps its id as long as it keeps its identifier, or else its address."""
    made: list[dict[str, Any]] = []
    taken: set[UUID] = set()
    for one in _files(said):
        url = _address(one.get("url"))
        if not url:
            continue
        key = uuid5(package, text(one.get("id")) or url)
        while key in taken:
            key = uuid5(key, url)
        taken.add(key)
        size = one.get("size")
        modified = moment_of(text(one.get("last_modified")))
        row = {
            "id": str(key),
            "url": url,
            "name": from_html(text(one.get("name")))[:1000] or None,
            "description": text(one.get("description")) or None,
            "format": format_of(plain_texts(one, "format", "mimetype"), url),
            "mimetype": _media_type(text(one.get("mimetype"))),
            "size": int(size) if isinstance(size, int | str) and str(size).isdigit() and len(str(size)) < 16 else None,
            "hash": text(one.get("hash"))[:128],
            "last_modified": modified.replace(tzinfo=None).isoformat() if modified else None,
            "license": license_named(*plain_texts(one, "license", "license_id")),
            "attribution": text(one.get("attribution") or one.get("licenseAttributionByText")) or None,
        }
        made.append({name: value for name, value in row.items() if value is not None})
    return made


def _media_type(said: str) -> str | None:
    plain = (said.partition("media-types/")[2] or said).partition(";")[0].strip()
    return plain[:100] if "/" in plain and not plain.startswith("http") else None


def _address(said: Any) -> str:
    """An address that can be followed; empty for anything else."""
    url = "".join(text(said).split())
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    return url if parts.scheme.lower() in _SCHEMES and parts.netloc and len(url) <= 4000 else ""


def _page(said: Said, origin: Origin) -> str:
    """The page of the dataset there."""
    url = _address(said.get("url"))
    if url or not said.get("name") or "organization" not in said:
        return url
    return f"{origin.url.partition('/api/')[0].rstrip('/')}/dataset/{text(said['name'])}"


def _extras(given: Mapping[str, str], item: Item, origin: Origin, said: Said, page: str) -> list[dict[str, str]]:
    """What is kept of the extras, what is worked out, and where it all comes from."""
    made = {key: value[:_LONGEST_EXTRA] for key, value in list(given.items())[:_MOST_EXTRAS] if value and _is_kept(key)}
    for key in ("temporal_start", "temporal_end"):
        if key in made:
            made[key] = day_of(made[key])
    frequency = frequency_of(given.get("frequency", ""))
    if frequency:
        made["frequency"] = FREQUENCY_IRI + frequency
    owner = said.get("organization")
    if "publisher_name" not in made and isinstance(owner, dict):
        made["publisher_name"] = text(owner.get("title")) or text(owner.get("name"))
    told = plain_texts(said, "license_url")
    if told:
        made["license_url"] = told[0][:1000]
    if given.get(SOURCE_URL) or given.get(ORIGIN_URL):
        made[ORIGIN_URL] = given.get(ORIGIN_URL) or given[SOURCE_URL]
        made[ORIGIN_TITLE] = given.get(ORIGIN_TITLE) or given.get(SOURCE_TITLE, "")
    made |= {
        "identifier": given.get("identifier") or given.get("guid") or item.key,
        SOURCE_ID: origin.id,
        SOURCE_TITLE: origin.title,
        SOURCE_URL: origin.url,
        OBJECT_ID: item.key[:LONGEST],
        PAGE: page,
    }
    return [{"key": key, "value": value} for key, value in sorted(made.items()) if value]


def _is_kept(key: str) -> bool:
    return len(key) <= 200 and key not in _OURS | _NOISE | TAKEN_KEYS and not key.startswith(("dcat_", "ckan_"))


def _name(said: Said, title: str) -> str:
    """The name that it would like to have."""
    named = slug(text(said.get("name")) or title)[:80].strip("-")
    return named if len(named) >= 2 else "dataset"


def candidates(adopted: Adopted, origin: Origin) -> Iterable[str]:
    """The names that it may have here, the best first; the last is its own in any case."""
    yield adopted.name
    yield f"{adopted.name[:60].strip('-')}-{origin.id[:30].strip('-')}"
    yield f"{adopted.name[:60].strip('-')}-{adopted.id.hex[:12]}"
