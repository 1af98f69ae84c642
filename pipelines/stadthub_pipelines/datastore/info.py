"""`datastore_info`: fields, data dictionary and size of a table."""

from typing import Any

import orjson

from stadthub_catalog.asked import Asked
from stadthub_catalog.parameters import flag
from stadthub_pipelines.datastore import asking
from stadthub_pipelines.datastore.fields import Field
from stadthub_pipelines.datastore.opened import Opened, Rooms, opened
from stadthub_schemas.query import NumberedQuery

#: PostgreSQL's own names of the types.
_NATIVE = {
    "int2": "smallint",
    "int4": "integer",
    "int8": "bigint",
    "float4": "real",
    "float8": "double precision",
    "bool": "boolean",
    "timestamp": "timestamp without time zone",
    "timestamptz": "timestamp with time zone",
    "time": "time without time zone",
    "varchar": "character varying",
    "bpchar": "character",
}


def info(rooms: Rooms, asked: Asked) -> bytes:
    """Fields, data dictionary, number of rows and size of a table of the DataStore.

    resource_id: the id of its resource, an alias, or the id or name of a dataset that a feed brings; include_meta; include_fields_schema.
    """
    said = asked.parameters
    wanted = asking.resource_id(said)
    asking.allow(said, ("resource_id", "id", "include_meta", "include_fields_schema"))
    table = opened(rooms, asked, wanted, 'Not found: Resource/Alias "{0}" was not found.')
    fields = [one.told() for one in table.fields]
    if flag(said, "include_fields_schema", "true"):
        fields = [{**one.told(), "schema": _schema(one, table)} for one in table.fields]
    meta = {"meta": _meta(rooms, table)} if flag(said, "include_meta", "true") else {}
    return orjson.dumps({"fields": fields, **meta})


def _meta(rooms: Rooms, table: Opened) -> dict[str, Any]:
    snapshot = table.snapshot
    size = rooms.lake.size(snapshot)
    return {
        "id": table.key,
        "count": rooms.lake.numbered_count(NumberedQuery(table.table, hidden=table.hidden)),
        "table_type": "BASE TABLE" if table.layout is not None else "VIEW",
        "size": size,
        "db_size": size,
        "idx_size": 0,
        "aliases": list(table.layout.aliases) if table.layout is not None else [table.entry.name, str(table.entry.id)],
    }


def _schema(field: Field, table: Opened) -> dict[str, Any]:
    layout = table.layout
    unique = layout is not None and field.id in layout.key
    indexed = unique or (layout is not None and any(field.id in one for one in layout.indexes))
    native = f"{_NATIVE.get(field.type[1:], field.type[1:])}[]" if field.type.startswith("_") else _NATIVE.get(field.type, field.type)
    return {
        "native_type": native,
        "notnull": False,
        "index_name": f"{field.id}_idx" if indexed else None,
        "is_index": indexed,
        "uniquekey": unique,
    }
