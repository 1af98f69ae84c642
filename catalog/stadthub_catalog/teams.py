"""Organisations and groups in the state database: two tables of one shape."""

from collections.abc import Sequence
from typing import Literal
from uuid import UUID

from sqlalchemy import Connection, Table, insert, select, update

from stadthub_catalog.database import Database
from stadthub_catalog.datasets import Beside, count_teams, counted, nothing, organisation, touch
from stadthub_catalog.entry import Organization, State
from stadthub_catalog.tables import dataset, group, organization
from stadthub_schemas.errors import Conflict, NotFound

TeamSort = Literal["organization", "group"]

TABLES: dict[TeamSort, Table] = {"organization": organization, "group": group}


def teams(database: Database, sort: TeamSort) -> list[Organization]:
    """All organisations or all groups, whatever their state, by name."""
    table = TABLES[sort]
    with database.reading() as connection:
        return [organisation(row) for row in connection.execute(select(table).where(table.c.state != State.PURGED).order_by(table.c.name))]


def write(database: Database, sort: TeamSort, *written: Organization, beside: Beside = nothing) -> None:
    """Make them, or bring them up to date, all or none; their datasets count as changed. Conflict where another bears the name. `beside`
    writes more in the same transaction."""
    table = TABLES[sort]
    with database.keeping() as connection, counted(connection) as number:
        for one in written:
            _refuse_name(connection, table, one)
            values = {
                "name": one.name,
                "title": one.title,
                "description": one.description,
                "created": one.created,
                "image_url": one.image_url,
                "state": one.state,
                "extras": [list(pair) for pair in one.extras],
            }
            if not connection.execute(update(table).where(table.c.id == one.id).values(**values)).rowcount:
                connection.execute(insert(table).values(id=one.id, **values))
            elif sort == "organization":
                touch(connection, one.id, number)
        count_teams(connection)
        beside(connection)


def purge(database: Database, sort: TeamSort, keys: Sequence[UUID], beside: Beside = nothing) -> None:
    """Take them away for ever; Conflict while an organisation still has datasets, NotFound for one that is not there. Purged datasets
    still point at theirs: of the organisation, too, only that there was one stays."""
    table = TABLES[sort]
    emptied = {"title": "", "description": "", "image_url": "", "extras": [], "state": State.PURGED}
    with database.keeping() as connection, counted(connection):
        for key in keys:
            if sort == "organization" and _has_datasets(connection, key):
                raise Conflict("the organisation still has datasets: purge or move them first")
            gone = update(table).where(table.c.id == key, table.c.state != State.PURGED)
            if not connection.execute(gone.values(name=str(key), **emptied)).rowcount:
                raise NotFound(f"there is no {sort} {key}")
        count_teams(connection)
        beside(connection)


def _has_datasets(connection: Connection, key: UUID) -> bool:
    there = select(dataset.c.id).where(dataset.c.organization_id == key, dataset.c.state != State.PURGED)
    return connection.execute(there.limit(1)).first() is not None


def _refuse_name(connection: Connection, table: Table, one: Organization) -> None:
    if connection.execute(select(table.c.id).where(table.c.name == one.name, table.c.id != one.id)).first() is not None:
        raise Conflict(f"{one.name}: another one bears that name")
