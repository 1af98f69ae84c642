"""Entries of the catalogue in CKAN's words: packages, resources, tags, organizations, groups and licences as its API gives them.

The order of the keys is CKAN's. Time stamps have no zone there; they are UTC.
"""

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid5

import orjson

from stadthub_catalog.datasets import tag_id
from stadthub_catalog.entry import Distribution, Entry, Organization, State
from stadthub_catalog.site import Site
from stadthub_schemas.authorities import license_key
from stadthub_schemas.dataset import AccessClass
from stadthub_schemas.vocabularies import FORMATS, FREQUENCY_IRI, THEME_IRI, THEMES, License, license_named

#: A dataset in CKAN's words, without what follows from other things (`documents.py`).
Said = Mapping[str, Any]

#: The hub's own groups by name.
Groups = Mapping[str, Organization]
NO_GROUPS: Groups = MappingProxyType({})


def package(entry: Entry, site: Site, groups: Groups = NO_GROUPS) -> dict[str, Any]:
    """A dataset as `package_show` gives it. `groups` are the hub's own beside the themes, by name."""
    said = said_of(entry)
    license_ = license_named(license_key(said["license_id"]))
    resources = [_placed(one, entry, place, site) for place, one in enumerate(said["resources"])]
    known_url = {"license_url": license_.url} if license_ else {}
    return {
        "author": said["author"],
        "author_email": said["author_email"],
        "creator_user_id": said["creator_user_id"],
        "id": str(entry.id),
        "isopen": license_ is not None and license_.is_open,
        "license_id": said["license_id"],
        "license_title": license_.title if license_ else said["license_id"],
        **known_url,
        "maintainer": said["maintainer"],
        "maintainer_email": said["maintainer_email"],
        "metadata_created": stamp(entry.created),
        "metadata_modified": stamp(entry.modified),
        "name": entry.name,
        "notes": said["notes"],
        "num_resources": len(resources),
        "num_tags": len(said["tags"]),
        "organization": _owner(entry.organization),
        "owner_org": str(entry.organization.id),
        "private": said["private"],
        "state": "deleted" if entry.state is State.WITHDRAWN else entry.state.value,
        "title": said["title"],
        "type": said["type"],
        "url": said["url"] if entry.document is not None else site.absolute(said["url"]),
        "version": said["version"],
        "extras": [*said["extras"]],
        "groups": [found for name in said["groups"] if (found := _group_named(name, groups))],
        "resources": resources,
        "tags": [
            {**tag(one["name"], one["vocabulary_id"]), "state": "active", "vocabulary_id": one["vocabulary_id"]} for one in said["tags"]
        ],
        "relationships_as_subject": [],
        "relationships_as_object": [],
    }


def said_of(entry: Entry) -> Said:
    """What was written of the dataset, or what its feed file says of it, as a document in CKAN's words."""
    if entry.document is not None:
        return entry.document
    meta = entry.dataset.metadata
    return {
        "author": meta.publisher.title,
        "author_email": meta.publisher.contact.email if meta.publisher.contact else None,
        "creator_user_id": None,
        "license_id": meta.license,
        "maintainer": meta.contact.name if meta.contact else None,
        "maintainer_email": meta.contact.email if meta.contact else None,
        "notes": meta.description,
        "private": meta.access is not AccessClass.PUBLIC,
        "title": meta.title,
        "type": "dataset",
        "url": str(meta.source_url) if meta.source_url else f"/datasets/{entry.name}",
        "version": None,
        "extras": extras(entry),
        "groups": sorted({*(theme_name(theme) for theme in meta.themes), *(meta.groups or ())}),
        "resources": [_described(one, entry) for one in entry.distributions],
        "tags": [{"name": name, "vocabulary_id": None} for name in sorted(set(meta.keywords))],
    }


def extras(entry: Entry) -> list[dict[str, str]]:
    """What CKAN has no key for, under the names that its DCAT extension reads; what is not known is left out."""
    meta, extent = entry.dataset.metadata, entry.extent
    license_ = license_named(meta.license)
    values = {
        "access_rights": meta.access.value,
        "attribution": meta.attribution,
        "contact_email": meta.contact.email if meta.contact else None,
        "contact_name": meta.contact.name if meta.contact else None,
        "frequency": FREQUENCY_IRI + meta.update_frequency if meta.update_frequency else None,
        "identifier": str(entry.id),
        "issued": entry.created.isoformat(),
        "kind": entry.dataset.kind.value,
        "license_iri": license_.iri if license_ else None,
        "modified": entry.modified.isoformat(),
        "notes_en": meta.description_en,
        "publisher_name": meta.publisher.title,
        "rows": str(extent.rows),
        "simulated": "true" if meta.simulated else None,
        "spatial": _polygon(extent.bbox),
        "temporal_end": extent.last_time,
        "temporal_start": extent.first_time,
        "theme": orjson.dumps([THEME_IRI + theme for theme in meta.themes]).decode(),
        "title_en": meta.title_en,
    }
    return [{"key": key, "value": value} for key, value in values.items() if value]


def resource(entry: Entry, one: Distribution, place: int, site: Site) -> dict[str, Any]:
    """A distribution as `resource_show` gives it."""
    said = _described(one, entry) if entry.document is None else entry.document["resources"][place]
    return _placed(said, entry, place, site)


def _placed(said: Mapping[str, Any], entry: Entry, place: int, site: Site) -> dict[str, Any]:
    """A resource with what follows from its place in its package."""
    return {**said, "package_id": str(entry.id), "position": place, "url": site.absolute(said["url"])}


def datastore_resource(entry: Entry) -> UUID | None:
    """Which distribution of a dataset that a feed brings is its table in the DataStore: the first one in CSV; None if there is none."""
    return next((one.id for one in entry.distributions if one.format == "csv"), None) if entry.document is None else None


def _described(one: Distribution, entry: Entry) -> dict[str, Any]:
    """What the hub knows of a distribution of its own, as a resource."""
    known = FORMATS.get(one.format)
    return {
        "cache_last_updated": None,
        "cache_url": None,
        "created": stamp(one.created),
        "datastore_active": one.id is not None and one.id == datastore_resource(entry),
        "description": None,
        "format": known.title if known else one.format,
        "hash": one.sha256,
        "id": str(one.id),
        "last_modified": stamp(one.modified),
        "metadata_modified": stamp(one.modified),
        "mimetype": known.media_type.partition(";")[0] if known else None,
        "mimetype_inner": None,
        "name": one.title or (known.title if known else one.format),
        "package_id": None,
        "position": 0,
        "resource_type": None,
        "size": one.size,
        "state": "active",
        "url": one.url,
        "url_type": None,
    }


def tag(name: str, vocabulary: str | None = None) -> dict[str, Any]:
    """A keyword in a package."""
    return {"display_name": name, "id": str(tag_id(name, vocabulary)), "name": name}


def team(one: Organization, sort: str, count: int) -> dict[str, Any]:
    """An organisation or one of the hub's own groups as its list and its page give it."""
    return {
        "approval_status": "approved",
        "created": stamp(one.created),
        "description": one.description,
        "display_name": one.title or one.name,
        "id": str(one.id),
        "image_display_url": one.image_url,
        "image_url": one.image_url,
        "is_organization": sort == "organization",
        "name": one.name,
        "num_followers": 0,
        "package_count": count,
        "state": one.state.value,
        "title": one.title,
        "type": sort,
    }


def team_extras(one: Organization) -> list[dict[str, str]]:
    """The extras of an organisation or group."""
    return [{"key": key, "value": value} for key, value in one.extras]


def group(theme: str, count: int, created: datetime) -> dict[str, Any]:
    """A theme as `group_list` and `group_show` give it."""
    named = _group(theme)
    return {
        "approval_status": "approved",
        "created": stamp(created),
        "description": named["description"],
        "display_name": named["display_name"],
        "id": named["id"],
        "image_display_url": "",
        "image_url": "",
        "is_organization": False,
        "name": named["name"],
        "num_followers": 0,
        "package_count": count,
        "state": "active",
        "title": named["title"],
        "type": "group",
    }


def license_(one: License) -> dict[str, Any]:
    """A licence as `license_list` gives it; its truths are texts there."""
    is_open = "approved" if one.is_open else "not reviewed"
    return {
        "domain_content": "False",
        "id": one.id,
        "domain_data": "True" if one.is_open else "False",
        "domain_software": "False",
        "family": "",
        "is_generic": "False" if one.is_open else "True",
        "od_conformance": is_open,
        "osd_conformance": "not reviewed",
        "maintainer": "",
        "status": "active",
        "url": one.url,
        "title": one.title,
    }


def theme_name(theme: str) -> str:
    """The name of a theme as a group."""
    return theme.lower()


def theme_id(theme: str) -> UUID:
    """The id of a theme as a group: the same in every hub."""
    return uuid5(NAMESPACE_URL, THEME_IRI + theme)


def stamp(time: datetime | None) -> str | None:
    """A time as CKAN writes it: UTC, microseconds, no zone."""
    return None if time is None else time.replace(tzinfo=None).isoformat(timespec="microseconds")


def _group_named(name: str, groups: Groups) -> dict[str, Any] | None:
    """A group as it stands in a package: a theme, or one of the hub's own; None if it is gone."""
    if name.upper() in THEMES:
        return _group(name.upper())
    own = groups.get(name)
    if own is None or own.state is not State.ACTIVE:
        return None
    return {
        "description": own.description,
        "display_name": own.title or own.name,
        "id": str(own.id),
        "image_display_url": own.image_url,
        "name": own.name,
        "title": own.title,
    }


def _group(theme: str) -> dict[str, Any]:
    title, title_en = THEMES[theme]
    return {
        "description": title_en,
        "display_name": title,
        "id": str(theme_id(theme)),
        "image_display_url": "",
        "name": theme_name(theme),
        "title": title,
    }


def _owner(one: Organization) -> dict[str, Any]:
    """The publisher as it stands in a package."""
    return {
        "id": str(one.id),
        "name": one.name,
        "title": one.title,
        "type": "organization",
        "description": one.description,
        "image_url": one.image_url,
        "created": stamp(one.created),
        "is_organization": True,
        "approval_status": "approved",
        "state": one.state.value,
    }


def _polygon(bbox: tuple[float, float, float, float] | None) -> str | None:
    if bbox is None:
        return None
    west, south, east, north = bbox
    ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
    return orjson.dumps({"type": "Polygon", "coordinates": [ring]}).decode()
