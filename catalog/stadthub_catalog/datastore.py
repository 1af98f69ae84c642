"""What the catalogue says of a resource that has a table in the DataStore: that it has one, and when that changed."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from stadthub_catalog.catalog import Catalog
from stadthub_catalog.datasets import Written
from stadthub_catalog.packages import stamp

#: Many calls after one another are one change: the time is told again after so long.
SETTLED = timedelta(seconds=15)


def activate(catalog: Catalog, resource: UUID) -> None:
    """Say that the resource has a table, and that it has changed now. NotFound."""
    _say(catalog, resource, {"datastore_active": True})


def deactivate(catalog: Catalog, resource: UUID) -> None:
    """Say that it has none any more. NotFound."""
    _say(catalog, resource, {"datastore_active": False})


def _say(catalog: Catalog, resource: UUID, changes: Mapping[str, Any]) -> None:
    entry, _ = catalog.shelf.any_distribution(str(resource))
    document, now = dict(entry.document or {}), datetime.now(UTC)
    resources = [dict(one) for one in document["resources"]]
    mine = next(one for one in resources if one["id"] == str(resource))
    last = stamp(now - SETTLED) or ""
    if all(mine.get(key) == value for key, value in changes.items()) and (
        mine["url_type"] != "datastore" or (mine["last_modified"] or "") > last
    ):
        return
    mine |= changes
    if mine["url_type"] == "datastore":
        mine |= {"last_modified": stamp(now), "metadata_modified": stamp(now)}
    document["resources"] = resources
    catalog.write(Written(entry.id, entry.name, entry.organization.id, entry.state, document, entry.created, max(now, entry.modified)))
