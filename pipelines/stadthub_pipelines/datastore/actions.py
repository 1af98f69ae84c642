"""The DataStore's actions by name, for the table of CKAN's actions."""

import importlib
from collections.abc import Callable, Mapping
from functools import partial, update_wrapper, wraps
from typing import Any

from stadthub_catalog.actions import More
from stadthub_catalog.asked import Asked
from stadthub_pipelines.datastore import asking, metadata, writes
from stadthub_pipelines.datastore.info import info
from stadthub_pipelines.datastore.opened import Rooms
from stadthub_pipelines.datastore.search import search

#: The file that knows PostgreSQL's words. It is read when somebody uses them: its parser takes 28 MB, and of most hubs nobody asks that.
SQL = "stadthub_pipelines.datastore.sql"

Deed = Callable[[Rooms, Asked], bytes]


@wraps(search)
def _search(rooms: Rooms, asked: Asked) -> bytes:
    if asking.resource_id(asked.parameters) == metadata.NAME:
        return metadata.tables(rooms, asked)
    return search(rooms, asked)


def _search_sql(rooms: Rooms, asked: Asked) -> bytes:
    """Rows of one SELECT in PostgreSQL's words.

    sql: the SELECT; each table is named by the id of its resource in double quotes, by an alias, or by the id or name of a dataset that a
    feed brings. At most 32000 rows are answered; where there are more, records_truncated says so.
    """
    answer: bytes = importlib.import_module(SQL).search_sql(rooms, asked)
    return answer


#: What only reads, and what writes, by name.
READING: Mapping[str, Deed] = {"datastore_search": _search, "datastore_search_sql": _search_sql, "datastore_info": info}
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
