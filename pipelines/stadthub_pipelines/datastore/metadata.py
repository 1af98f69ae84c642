"""`_table_metadata`: the tables of the DataStore that the caller may see, as rows of a table of their own."""

from typing import Any

import orjson

from stadthub_catalog.asked import Asked
from stadthub_catalog.packages import datastore_resource
from stadthub_pipelines.datastore import aliases, asking
from stadthub_pipelines.datastore.opened import Rooms
from stadthub_schemas.access import Action, may
from stadthub_schemas.dataset import Kind

NAME = "_table_metadata"

_FIELDS = [{"id": "_id", "type": "text"}, {"id": "name", "type": "name"}, {"id": "oid", "type": "oid"}, {"id": "alias_of", "type": "name"}]


def tables(rooms: Rooms, asked: Asked) -> bytes:
    """One page of all tables and their other names."""
    limit = asking.bound(asked.parameters)
    offset = max(0, int(asked.parameters.get("offset") or 0))
    rows = _rows(rooms, asked)
    page = [{"_id": name, "name": name, "oid": None, "alias_of": other} for name, other in rows[offset : offset + limit]]
    head: dict[str, Any] = {"include_total": True, "limit": limit, "records_format": "objects", "resource_id": NAME}
    return orjson.dumps({**head, "records": page, "fields": _FIELDS, "total": len(rows)})


def _rows(rooms: Rooms, asked: Asked) -> list[tuple[str, str | None]]:
    known = aliases.all_of(rooms.root)
    found: list[tuple[str, str | None]] = []
    for entry in asked.visible():
        if not may(asked.principal, Action.READ, entry.dataset).allowed:
            continue
        if entry.dataset.kind is not Kind.FILES:
            key = str(datastore_resource(entry) or entry.id)
            found += [(key, None), (entry.name, key)]
        for one in (entry.document or {}).get("resources", ()):
            if one.get("datastore_active"):
                found.append((one["id"], None))
                found += [(alias, one["id"]) for alias, resource in known.items() if resource == one["id"]]
    return found
