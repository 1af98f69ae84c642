"""The DataStore's actions by name, for the table of CKAN's actions."""

from collections.abc import Callable, Mapping
from functools import partial, update_wrapper, wraps
from typing import Any

from stadthub_catalog.actions import More
from stadthub_catalog.asked import Asked
from stadthub_pipelines.datastore import asking, metadata, writes
from stadthub_pipelines.datastore.info import info
from stadthub_pipelines.datastore.opened import Rooms
from stadthub_pipelines.datastore.search import search
from stadthub_pipelines.datastore.sql import search_sql

Deed = Callable[[Rooms, Asked], bytes]


@wraps(search)
def _search(rooms: Rooms, asked: Asked) -> bytes:
    if asking.resource_id(asked.parameters) == metadata.NAME:
        return metadata.tables(rooms, asked)
    return search(rooms, asked)


#: What only reads, and what writes, by name.
READING: Mapping[str, Deed] = {"datastore_search": _search, "datastore_search_sql": search_sql, "datastore_info": info}
WRITING: Mapping[str, Deed] = {
    "datastore_create": writes.create,
    "datastore_upsert": writes.upsert,
    "datastore_delete": writes.delete,
    "datastore_records_delete": writes.records_delete,
}


def actions_over(rooms: Rooms) -> More:
    """The actions over these rooms."""
    return More(
        {name: _over(rooms, deed) for name, deed in READING.items()},
        {name: _over(rooms, deed) for name, deed in WRITING.items()},
    )


def _over(rooms: Rooms, deed: Deed) -> Callable[[Asked], Any]:
    return update_wrapper(partial(deed, rooms), deed)
