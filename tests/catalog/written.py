"""Datasets for tests as they are written through CKAN's API, many at once."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from stadthub_catalog import Catalog
from stadthub_catalog.datasets import Written
from stadthub_catalog.entry import Organization, State


def document(given: dict[str, Any]) -> dict[str, Any]:
    """A document in its normal form; what isn't given is empty."""
    extras = given.get("extras", {})
    return {
        "title": given.get("title", given["name"]),
        "notes": given.get("notes", ""),
        "author": given.get("author"),
        "author_email": None,
        "creator_user_id": None,
        "license_id": given.get("license_id", "dl-de-by-2.0"),
        "maintainer": None,
        "maintainer_email": None,
        "private": given.get("private", False),
        "type": "dataset",
        "url": None,
        "version": None,
        "extras": [{"key": key, "value": value} for key, value in extras.items()],
        "groups": given.get("groups", []),
        "tags": [{"name": name, "vocabulary_id": None} for name in given.get("tags", ())],
        "resources": [],
    }


def bulk(catalog: Catalog, *given: dict[str, Any]) -> None:
    """Write datasets of one organisation, `given` by name and whatever else of `document`, and `state`."""
    catalog.write(*written(catalog, given))


def written(catalog: Catalog, given: Iterable[dict[str, Any]]) -> list[Written]:
    """The same, not written yet: those that are there keep their ids."""
    owner = next((one for one in catalog.teams("organization") if one.name == "stadt"), None)
    if owner is None:
        owner = Organization(uuid4(), "stadt", "Stadt Musterstadt", "", datetime.now(UTC))
        catalog.write_teams("organization", owner)
    there = {entry.name: entry for entry in catalog.entries()}
    now = datetime.now(UTC)
    made = []
    for one in given:
        old = there.get(one["name"])
        key, created = (old.id, old.created) if old else (uuid4(), now)
        made.append(Written(key, one["name"], owner.id, one.get("state", State.ACTIVE), document(one), created, now))
    return made
