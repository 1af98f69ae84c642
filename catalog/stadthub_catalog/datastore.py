"""What the catalogue says of a resource that has a table in the DataStore: that it has one, and when that changed."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

from stadthub_catalog.catalog import Catalog
from stadthub_catalog.packages import stamp
from stadthub_catalog.saying import Resource, say

#: Many calls after one another are one change: the time is told again after so long.
SETTLED = timedelta(seconds=15)


def activate(catalog: Catalog, resource: UUID) -> None:
    """Say that the resource has a table, and that it has changed now. NotFound."""
    _say(catalog, resource, {"datastore_active": True})


def deactivate(catalog: Catalog, resource: UUID) -> None:
    """Say that it has none any more. NotFound."""
    _say(catalog, resource, {"datastore_active": False})


def _say(catalog: Catalog, resource: UUID, changes: Resource) -> None:
    def said(mine: Resource) -> Resource:
        now = datetime.now(UTC)
        settled = all(mine.get(key) == value for key, value in changes.items())
        if mine["url_type"] != "datastore" or (settled and (mine["last_modified"] or "") > (stamp(now - SETTLED) or "")):
            return changes
        return {**changes, "last_modified": stamp(now), "metadata_modified": stamp(now)}

    say(catalog, resource, said)
