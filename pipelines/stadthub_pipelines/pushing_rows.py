"""The rows of a dataset in the DataStore of a foreign CKAN: its table there is written anew when the data have changed here."""

from collections.abc import Iterator
from typing import Any

import orjson

from stadthub_catalog.ckan_client import ForeignCkan
from stadthub_catalog.entry import Entry
from stadthub_catalog.site import Site
from stadthub_lake.lake import Lake
from stadthub_schemas.access import ANYBODY, Action, may, visible
from stadthub_schemas.dataset import Column, ColumnType, Kind
from stadthub_schemas.errors import PublishError
from stadthub_schemas.exchange import DataStore
from stadthub_schemas.query import RowsQuery

#: How many rows are sent at once.
AT_ONCE = 2000

#: The types of columns as the DataStore calls them; every other one is text there.
_TYPES = {
    ColumnType.INTEGER: "int8",
    ColumnType.NUMBER: "float8",
    ColumnType.DECIMAL: "numeric",
    ColumnType.BOOLEAN: "bool",
    ColumnType.DATE: "date",
    ColumnType.TIME: "timestamp",
}


def marker(entry: Entry) -> str:
    """What changes when the rows may have changed."""
    return entry.modified.isoformat()


def is_wanted(entry: Entry, said: DataStore) -> bool:
    """Whether its rows are to be there: it has some, and not too many."""
    return entry.dataset.kind is not Kind.FILES and 0 < entry.extent.rows <= said.most_rows


def send_rows(entry: Entry, foreign: str, remote: ForeignCkan, lake: Lake, site: Site) -> int:
    """Write the table of the dataset's CSV file there anew; answer how many rows it has. PublishError, SourceError."""
    resource = _resource(entry, remote.package(foreign) or {}, site)
    decision = may(ANYBODY, Action.READ, entry.dataset)
    columns = visible(decision, entry.columns)
    query = RowsQuery(
        entry.name,
        columns=tuple(column.name for column in columns),
        limit=AT_ONCE,
        hidden=decision.hidden,
        suppression=decision.suppression,
    )
    remote.make_table(resource, [_field(column) for column in columns])
    sent = 0
    for rows in _pages(query, lake):
        remote.add_rows(resource, [{key: _value(value) for key, value in row.items()} for row in rows])
        sent += len(rows)
    return sent


def _pages(query: RowsQuery, lake: Lake) -> Iterator[list[dict[str, Any]]]:
    cursor: str | None = None
    while True:
        body, cursor = lake.json(RowsQuery(**{**_fields(query), "cursor": cursor}))
        rows = orjson.loads(body)
        if rows:
            yield rows
        if cursor is None:
            return


def _fields(query: RowsQuery) -> dict[str, Any]:
    return {name: getattr(query, name) for name in RowsQuery.__dataclass_fields__}


def _resource(entry: Entry, package: dict[str, Any], site: Site) -> str:
    """The id there of the dataset's CSV file."""
    urls = {site.absolute(one.url) for one in entry.distributions if one.format == "csv"}
    found = next((one["id"] for one in package.get("resources") or () if one.get("url") in urls), None)
    if found is None:
        raise PublishError(f"{entry.name}: it has no CSV file there that could have rows")
    return str(found)


def _field(column: Column) -> dict[str, Any]:
    info = {"label": column.title, "notes": column.description, "unit": column.unit}
    told = {key: value for key, value in info.items() if value}
    return {"id": column.name, "type": _TYPES.get(column.type, "text"), **({"info": told} if told else {})}


def _value(value: Any) -> Any:
    return orjson.dumps(value).decode() if isinstance(value, dict | list) else value
