"""Datasets that were written, as they stand in the database: for those who write many and don't need the catalogue in memory."""

from collections.abc import Iterator, Sequence
from uuid import UUID

from sqlalchemy import bindparam, select

from stadthub_catalog.database import Database
from stadthub_catalog.datasets import Written
from stadthub_catalog.entry import State
from stadthub_catalog.tables import dataset

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
            yield Written(row.id, row.name, row.organization_id, State(row.state), row.document, row.created, row.modified)
