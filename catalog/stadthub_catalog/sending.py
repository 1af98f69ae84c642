"""What of this catalogue is brought to a foreign one, and in which words: packages, their digests, and how they differ from what is there."""

import hashlib
from collections.abc import Mapping
from typing import Any

import orjson

from stadthub_catalog.catalog import Catalog
from stadthub_catalog.entry import Entry
from stadthub_catalog.foreign.adopting import HUB, HUB_ID, SOURCE_ID, TAKEN_TIME
from stadthub_catalog.land_portals import MAPPINGS, mapped_extras, mapped_file, mapped_license
from stadthub_catalog.packages import said_of, theme_name
from stadthub_catalog.site import Site
from stadthub_schemas.access import ANYBODY
from stadthub_schemas.errors import FeedError
from stadthub_schemas.exchange import PublishTarget

#: What of a file another catalogue is told.
_FILE = ("name", "description", "format", "mimetype", "size", "hash", "last_modified", "resource_type", "mimetype_inner")
#: Extras that change without the dataset.
_RESTLESS = ("modified", "temporal_end", "rows", TAKEN_TIME)


def chosen(catalog: Catalog, target: PublishTarget) -> list[Entry]:
    """The datasets that are to be there: what anybody may see, as the file narrows it. FeedError if the file names one that isn't."""
    seen = catalog.shelf.visible(ANYBODY)
    missing = [name for name in target.datasets if name not in seen]
    if missing:
        raise FeedError(f"publish.datasets: there is no public dataset {missing[0]!r}: remove it there, or publish it here")
    named = [seen[name] for name in dict.fromkeys(target.datasets)] or list(seen.values())
    return [one for one in named if _fits(one, target)]


def _fits(entry: Entry, target: PublishTarget) -> bool:
    if target.themes and not {str(theme) for theme in entry.dataset.metadata.themes} & set(target.themes):
        return False
    extras = {one["key"] for one in (entry.document or {}).get("extras", ())}
    return target.harvested or SOURCE_ID not in extras


def package(entry: Entry, target: PublishTarget, site: Site) -> dict[str, Any]:
    """The dataset as it is written there."""
    mapping, said = MAPPINGS[target.mapping], said_of(entry)
    extras = mapped_extras(entry, mapping, site, target.extras) | {HUB: site.url, HUB_ID: str(entry.id)}
    extras |= {key: value for key, value in {"uri": f"{site.url}/dataset/{entry.id}", "guid": str(entry.id)}.items() if key not in extras}
    groups = [theme_name(theme) for theme in sorted(set(entry.dataset.metadata.themes))]
    return {
        "name": f"{target.prefix}{entry.name}"[:100],
        "title": said["title"],
        "notes": said["notes"],
        "owner_org": target.organization,
        "license_id": mapped_license(entry, mapping),
        "author": said["author"],
        "author_email": said["author_email"],
        "maintainer": said["maintainer"],
        "maintainer_email": said["maintainer_email"],
        "url": site.absolute(said["url"]) if said["url"] else f"{site.url}/datasets/{entry.name}",
        "version": said["version"],
        "private": False,
        "state": "active",
        "tags": [{"name": one["name"]} for one in said["tags"]],
        "groups": [{"name": name} for name in groups] if mapping.groups else [],
        "extras": [{"key": key, "value": value} for key, value in sorted(extras.items())],
        "resources": [_file(entry, one, target, site) for one in said["resources"]],
    }


def _file(entry: Entry, said: Mapping[str, Any], target: PublishTarget, site: Site) -> dict[str, Any]:
    told = {key: said[key] for key in _FILE if said.get(key) not in (None, "")}
    return {**told, "url": site.absolute(said["url"]), **mapped_file(entry, MAPPINGS[target.mapping], said)}


def digest(said: Mapping[str, Any]) -> str:
    """What changes when something changed that readers there would miss: not by a time or a count that grows with every value."""
    extras = [one for one in said["extras"] if one["key"] not in _RESTLESS]
    files = [{key: value for key, value in one.items() if key not in ("size", "hash", "last_modified")} for one in said["resources"]]
    return hashlib.sha256(orjson.dumps({**said, "extras": extras, "resources": files}, option=orjson.OPT_SORT_KEYS)).hexdigest()


def differences(new: Mapping[str, Any], there: Mapping[str, Any] | None) -> list[tuple[str, str, str]]:
    """What would change there: (what, before, after)."""
    before, after = _flat(there or {}), _flat(new)
    return [
        (key, before.get(key, ""), after.get(key, ""))
        for key in sorted(before.keys() | after.keys())
        if before.get(key, "") != after.get(key, "")
    ]


def _flat(said: Mapping[str, Any]) -> dict[str, str]:
    """What a package says, as texts by what they are of; only what we write."""
    fields = (
        "name",
        "title",
        "notes",
        "license_id",
        "author",
        "author_email",
        "maintainer",
        "maintainer_email",
        "url",
        "version",
        "private",
    )
    found = {key: str(said[key]) for key in fields if said.get(key) not in (None, "")}
    found["tags"] = ", ".join(sorted(one["name"] for one in said.get("tags") or ()))
    found["groups"] = ", ".join(sorted(one["name"] for one in said.get("groups") or ()))
    found |= {f"extras.{one['key']}": str(one["value"]) for one in said.get("extras") or ()}
    for number, one in enumerate(said.get("resources") or (), start=1):
        found |= {f"resources.{number}.{key}": str(one[key]) for key in ("name", "url", "format", "license", "description") if one.get(key)}
    return {key: value for key, value in found.items() if value}
