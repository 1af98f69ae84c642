"""What hangs on datasets and resources in the state database: views, relationships, followers, and the vocabularies of keywords."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal
from uuid import NAMESPACE_URL, UUID, uuid4, uuid5

from sqlalchemy import Connection, delete, func, insert, select, update

from stadthub_catalog import accounts
from stadthub_catalog.database import Database
from stadthub_catalog.people_tables import activity, follower, relationship, term, view, vocabulary

Followed = Literal["dataset", "group", "user"]


@dataclass(frozen=True, slots=True)
class View:
    """How a resource may be looked at; `body` in CKAN's words."""

    id: UUID
    resource: UUID
    place: int
    body: Mapping[str, Any]


def forget(connection: Connection, dataset: UUID, resources: Sequence[UUID]) -> None:
    """Nothing of a dataset that is gone for ever may stay."""
    accounts.disband(connection, "dataset", dataset)
    connection.execute(delete(follower).where(follower.c.target == dataset))
    connection.execute(delete(activity).where(activity.c.target == dataset))
    connection.execute(delete(relationship).where((relationship.c.subject == dataset) | (relationship.c.object == dataset)))
    connection.execute(delete(view).where(view.c.resource_id.in_(resources)))


def views(database: Database, resource: UUID) -> list[View]:
    """The views of a resource in their order."""
    wanted = select(view).where(view.c.resource_id == resource).order_by(view.c.place, view.c.id)
    with database.reading() as connection:
        return [View(row.id, row.resource_id, row.place, row.body) for row in connection.execute(wanted)]


def view_of(database: Database, key: UUID) -> View | None:
    """The view with this id."""
    with database.reading() as connection:
        row = connection.execute(select(view).where(view.c.id == key)).one_or_none()
    return None if row is None else View(row.id, row.resource_id, row.place, row.body)


def put_view(connection: Connection, one: View) -> None:
    """Make the view, or bring it up to date."""
    values = {"resource_id": one.resource, "place": one.place, "body": dict(one.body)}
    if not connection.execute(update(view).where(view.c.id == one.id).values(**values)).rowcount:
        connection.execute(insert(view).values(id=one.id, **values))


def drop_views(connection: Connection, keys: Sequence[UUID]) -> None:
    """Take views away."""
    connection.execute(delete(view).where(view.c.id.in_(keys)))


def clear_views(connection: Connection, kinds: Sequence[str]) -> None:
    """Take all views of these kinds away; of all kinds, if none is named."""
    if not kinds:
        connection.execute(delete(view))
        return
    gone = [row.id for row in connection.execute(select(view.c.id, view.c.body)) if row.body.get("view_type") in kinds]
    connection.execute(delete(view).where(view.c.id.in_(gone)))


def relate(connection: Connection, subject: UUID, other: UUID, kind: str, comment: str) -> None:
    """Let one dataset be related to another in this way."""
    unrelate(connection, subject, other, kind)
    connection.execute(insert(relationship).values(subject=subject, object=other, type=kind, comment=comment))


def unrelate(connection: Connection, subject: UUID, other: UUID, kind: str) -> int:
    """Let it be related so no longer; how many relationships that ended."""
    there = (relationship.c.subject == subject) & (relationship.c.object == other) & (relationship.c.type == kind)
    return int(connection.execute(delete(relationship).where(there)).rowcount)


def relationships(database: Database, dataset: UUID) -> list[tuple[UUID, str, UUID, str]]:
    """What a dataset is related to, as (subject, type, object, comment)."""
    wanted = select(relationship).where((relationship.c.subject == dataset) | (relationship.c.object == dataset))
    with database.reading() as connection:
        return [(row.subject, row.type, row.object, row.comment) for row in connection.execute(wanted)]


def follow(connection: Connection, kind: Followed, target: UUID, who: UUID) -> bool:
    """Let the account follow it; False if it does already."""
    there = (follower.c.target == target) & (follower.c.account_id == who)
    if connection.execute(select(follower.c.target).where(there)).first() is not None:
        return False
    connection.execute(insert(follower).values(kind=kind, target=target, account_id=who, time=datetime.now(UTC)))
    return True


def unfollow(connection: Connection, kind: Followed, target: UUID, who: UUID) -> int:
    """Let the account follow it no longer; how many that ended."""
    there = (follower.c.kind == kind) & (follower.c.target == target) & (follower.c.account_id == who)
    return int(connection.execute(delete(follower).where(there)).rowcount)


def follower_count(database: Database, target: UUID) -> int:
    """How many follow it."""
    with database.reading() as connection:
        wanted = select(func.count()).select_from(follower).where(follower.c.target == target)
        return int(connection.execute(wanted).scalar_one())


def followers(database: Database, target: UUID) -> list[UUID]:
    """The accounts that follow it."""
    with database.reading() as connection:
        return list(connection.execute(select(follower.c.account_id).where(follower.c.target == target)).scalars())


def followed(database: Database, who: UUID) -> list[tuple[Followed, UUID]]:
    """What an account follows."""
    with database.reading() as connection:
        wanted = select(follower.c.kind, follower.c.target).where(follower.c.account_id == who).order_by(follower.c.time)
        return [(row.kind, row.target) for row in connection.execute(wanted)]


def vocabularies(database: Database) -> list[tuple[UUID, str, list[str]]]:
    """All vocabularies by name, with their keywords."""
    with database.reading() as connection:
        found: dict[UUID, tuple[UUID, str, list[str]]] = {
            row.id: (row.id, row.name, []) for row in connection.execute(select(vocabulary).order_by(vocabulary.c.name))
        }
        for row in connection.execute(select(term).order_by(term.c.name)):
            found[row.vocabulary_id][2].append(row.name)
    return list(found.values())


def vocabulary_ids(database: Database) -> dict[str, str]:
    """The ids of all vocabularies by name and by id."""
    with database.reading() as connection:
        rows = connection.execute(select(vocabulary)).all()
    return {key: str(row.id) for row in rows for key in (row.name, str(row.id))}


def put_vocabulary(connection: Connection, key: UUID | None, name: str, terms: Sequence[str]) -> UUID:
    """Make a vocabulary, or write one anew; its id, which is the same in every hub unless vocabularies have changed their names."""
    made = key or _vocabulary_id(connection, name)
    if key is None:
        connection.execute(insert(vocabulary).values(id=made, name=name))
    else:
        connection.execute(update(vocabulary).where(vocabulary.c.id == key).values(name=name))
        connection.execute(delete(term).where(term.c.vocabulary_id == key))
    if terms:
        connection.execute(insert(term), [{"vocabulary_id": made, "name": one} for one in sorted(set(terms))])
    return made


def _vocabulary_id(connection: Connection, name: str) -> UUID:
    wanted = uuid5(NAMESPACE_URL, f"urn:stadthub:vocabulary:{name}")
    taken = connection.execute(select(vocabulary.c.id).where(vocabulary.c.id == wanted)).first()
    return wanted if taken is None else uuid4()


def drop_vocabulary(connection: Connection, key: UUID) -> None:
    """Take a vocabulary away with its keywords."""
    connection.execute(delete(term).where(term.c.vocabulary_id == key))
    connection.execute(delete(vocabulary).where(vocabulary.c.id == key))
