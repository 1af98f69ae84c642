"""Datasets that were written, as they stand in the database: read, and changed as they stand in the moment of the change."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, bindparam, select

from stadthub_catalog.database import Database
from stadthub_catalog.datasets import Beside, Written, count, locked, nothing, put
from stadthub_catalog.entry import State
from stadthub_catalog.refusals import Outdated
from stadthub_catalog.tables import dataset
from stadthub_schemas.errors import NotFound

_COLUMNS = (
    dataset.c.id,
    dataset.c.name,
    dataset.c.organization_id,
    dataset.c.state,
    dataset.c.document,
    dataset.c.created,
    dataset.c.modified,
)
_STANDING = select(*_COLUMNS).where(dataset.c.id.in_(bindparam("keys", expanding=True)), dataset.c.document.is_not(None))

#: So many are asked for at once.
_AT_ONCE = 500


def standing(database: Database, keys: Sequence[UUID]) -> Iterator[Written]:
    """Those of the datasets with these ids that somebody has written, whatever their state."""
    for start in range(0, len(keys), _AT_ONCE):
        with database.reading() as connection:
            rows = connection.execute(_STANDING, {"keys": list(keys[start : start + _AT_ONCE])}).all()
        for row in rows:
            yield _written(row)


#: What becomes of a dataset as it stands; None: it stays so.
Change = Callable[[Written], Written | None]


def amend(database: Database, key: UUID, change: Change, beside: Beside = nothing) -> None:
    """Change the dataset as it stands now: nobody else writes one until that is done, so that nobody's change is lost. NotFound."""
    with database.keeping() as connection:
        number = locked(connection) + 1
        there = _there(connection, key)
        if there is None:
            raise NotFound(f"there is no dataset {key}")
        made = change(there)
        if made is not None:
            put(connection, made, number)
            count(connection, number)
        beside(connection)


def unchanged(connection: Connection, read: Written) -> None:
    """Outdated, unless the dataset still stands as it was read; within the transaction that writes it."""
    if _there(connection, read.id) != read:
        raise Outdated(f"{read.name}: somebody else changes this dataset again and again: try it later")


def _there(connection: Connection, key: UUID) -> Written | None:
    row = connection.execute(_STANDING, {"keys": [key]}).one_or_none()
    return None if row is None else _written(row)


def _written(row: Any) -> Written:
    return Written(row.id, row.name, row.organization_id, State(row.state), row.document, row.created, row.modified)
