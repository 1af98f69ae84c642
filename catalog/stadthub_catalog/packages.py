"""Entries of the catalogue in CKAN's words: packages, resources, tags, organizations, groups and licences as its API gives them.

The order of the keys is CKAN's. Time stamps have no zone there; they are UTC.
"""

from datetime import datetime
from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid5

import orjson

from stadthub_catalog.datasets import tag_id
from stadthub_catalog.entry import Distribution, Entry, Organization
from stadthub_catalog.site import Site
from stadthub_schemas.dataset import AccessClass
from stadthub_schemas.vocabularies import FORMATS, FREQUENCY_IRI, LICENSES, THEME_IRI, THEMES, License


def package(entry: Entry, site: Site) -> dict[str, Any]:
    """A dataset as `package_show` gives it."""
    meta = entry.dataset.metadata
    license_ = LICENSES[meta.license]
    return {
        "author": meta.publisher.title,
        "author_email": meta.publisher.contact.email if meta.publisher.contact else None,
        "creator_user_id": None,
        "id": str(entry.id),
        "isopen": license_.is_open,
        "license_id": license_.id,
        "license_title": license_.title,
        "license_url": license_.url,
        "maintainer": meta.contact.name,
        "maintainer_email": meta.contact.email,
        "metadata_created": stamp(entry.created),
        "metadata_modified": stamp(entry.modified),
        "name": entry.name,
        "notes": meta.description,
        "num_resources": len(entry.distributions),
        "num_tags": len(set(meta.keywords)),
        "organization": _owner(entry.organization),
        "owner_org": str(entry.organization.id),
        "private": meta.access is not AccessClass.PUBLIC,
        "state": "active",
        "title": meta.title,
        "type": "dataset",
        "url": str(meta.source_url) if meta.source_url else site.absolute(f"/datasets/{entry.name}"),
        "version": None,
        "extras": extras(entry),
        "groups": [_group(theme) for theme in sorted(set(meta.themes))],
        "resources": [resource(entry, one, place, site) for place, one in enumerate(entry.distributions)],
        "tags": [{**tag(name), "state": "active", "vocabulary_id": None} for name in sorted(set(meta.keywords))],
        "relationships_as_subject": [],
        "relationships_as_object": [],
    }


def extras(entry: Entry) -> list[dict[str, str]]:
    """What CKAN has no key for, under the names that its DCAT extension reads; what is not known is left out."""
    meta, extent = entry.dataset.metadata, entry.extent
    values = {
        "access_rights": meta.access.value,
        "attribution": meta.attribution,
        "contact_email": meta.contact.email,
        "contact_name": meta.contact.name,
        "frequency": FREQUENCY_IRI + meta.update_frequency,
        "identifier": str(entry.id),
        "issued": entry.created.isoformat(),
        "kind": entry.dataset.kind.value,
        "license_iri": LICENSES[meta.license].iri,
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
    known = FORMATS.get(one.format)
    return {
        "cache_last_updated": None,
        "cache_url": None,
        "created": stamp(one.created),
        "datastore_active": False,
        "description": None,
        "format": known.title if known else one.format,
        "hash": one.sha256,
        "id": str(one.id),
        "last_modified": stamp(one.modified),
        "metadata_modified": stamp(one.modified),
        "mimetype": known.media_type.partition(";")[0] if known else None,
        "mimetype_inner": None,
        "name": one.title or (known.title if known else one.format),
        "package_id": str(entry.id),
        "position": place,
        "resource_type": None,
        "size": one.size,
        "state": "active",
        "url": site.absolute(one.url),
        "url_type": None,
    }


def tag(name: str) -> dict[str, Any]:
    """A keyword in a package."""
    return {"display_name": name, "id": str(tag_id(name)), "name": name}


def organization(one: Organization, count: int) -> dict[str, Any]:
    """A publisher as `organization_list` and `organization_show` give it."""
    return {
        "approval_status": "approved",
        "created": stamp(one.created),
        "description": one.description,
        "display_name": one.title,
        "id": str(one.id),
        "image_display_url": "",
        "image_url": "",
        "is_organization": True,
        "name": one.name,
        "num_followers": 0,
        "package_count": count,
        "state": "active",
        "title": one.title,
        "type": "organization",
    }


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
        "image_url": "",
        "created": stamp(one.created),
        "is_organization": True,
        "approval_status": "approved",
        "state": "active",
    }


def _polygon(bbox: tuple[float, float, float, float] | None) -> str | None:
    if bbox is None:
        return None
    west, south, east, north = bbox
    ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
    return orjson.dumps({"type": "Polygon", "coordinates": [ring]}).decode()
