"""Entries of the catalogue in the state database: published, withdrawn, read again where they changed."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid4, uuid5

from sqlalchemy import Connection, Row, bindparam, delete, exists, insert, select, text, update

from stadthub_catalog import distributions, documents
from stadthub_catalog.audit import append
from stadthub_catalog.database import Database
from stadthub_catalog.entry import Distribution, Entry, Organization, State
from stadthub_catalog.tables import counter, dataset_tag, organization, tag
from stadthub_catalog.tables import dataset as table
from stadthub_schemas.dataset import Column, Dataset, Extent, Publisher
from stadthub_schemas.errors import Conflict, NotFound, PublishError

_COUNTER = counter.c.name == "datasets"
_NEXT = update(counter).where(_COUNTER).values(value=counter.c.value + 1).returning(counter.c.value)
_TEAMS = update(counter).where(counter.c.name == "teams").values(value=counter.c.value + 1)

#: What else is written in a transaction.
Beside = Callable[[Connection], None]


def nothing(_: Connection) -> None:
    """Nothing else is written."""


_BOTH = text("SELECT name, value FROM counter WHERE name IN ('datasets', 'teams')")
_ROWS = select(table, *(column.label(f"org_{column.name}") for column in organization.c)).join(organization)
_ROWS = _ROWS.where(table.c.change > bindparam("seen")).order_by(table.c.change)
#: The organisation, whether the dataset is there, and whether another one bears its name.
_GROUND = select(
    organization,
    exists().where(table.c.id == bindparam("key")).label("is_there"),
    exists().where(table.c.name == bindparam("called"), table.c.id != bindparam("key")).label("is_taken"),
).where(organization.c.id == bindparam("owner"))
_ADD, _TAG = insert(table), insert(dataset_tag)
_ADD_TAG = text("INSERT INTO tag (id, name) VALUES (:id, :name) ON CONFLICT DO NOTHING").bindparams(bindparam("id", type_=tag.c.id.type))
_UNTAG = delete(dataset_tag).where(dataset_tag.c.dataset_id == bindparam("key"))


@dataclass(frozen=True, slots=True)
class Draft:
    """What is to be published."""

    dataset: Dataset
    columns: tuple[Column, ...]
    extent: Extent
    distributions: tuple[Distribution, ...]
    feed: str

    @property
    def name(self) -> str:
        """The dataset's name."""
        return self.dataset.name


@dataclass(frozen=True, slots=True)
class Changed:
    """What is new since the caller's last look: entries of every state, and the ids of those that are gone for ever."""

    change: int
    entries: tuple[Entry, ...]
    purged: frozenset[UUID]


@lru_cache(maxsize=65_536)
def tag_id(name: str, vocabulary: str | None = None) -> UUID:
    """The id of a keyword, free or of a vocabulary: the same in every hub."""
    return uuid5(NAMESPACE_URL, f"urn:stadthub:tag:{name}" if vocabulary is None else f"urn:stadthub:tag:{vocabulary}:{name}")


def publish(database: Database, entry: Draft) -> None:
    """Make the entry, or bring it up to date; nothing is written, and nothing counts as modified, if nothing changed."""
    distributions.check(entry.name, entry.distributions)
    values: dict[str, Any] = {
        "kind": entry.dataset.kind.value,
        "state": State.ACTIVE,
        "feed": entry.feed,
        "words": entry.dataset.model_dump(mode="json", exclude_none=True),
        "columns": [column.model_dump(mode="json") for column in entry.columns],
        "extent": entry.extent.model_dump(mode="json"),
    }
    with database.keeping() as connection:
        number = locked(connection) + 1
        now = datetime.now(UTC)
        row = connection.execute(select(table).where(table.c.name == entry.name)).mappings().one_or_none()
        if row is not None and row["document"] is not None:
            raise PublishError(
                f"{entry.name}: a dataset of that name was written through the CKAN API: give the feed's dataset another one"
            )
        key = row["id"] if row else uuid4()
        there = distributions.of(connection, [key]).get(key, ())
        wanted = distributions.identified(key, entry.distributions, there, now)
        changed = {name for name, value in values.items() if row is None or row[name] != value}
        if not changed and wanted == there:
            return
        if _release(row["words"] if row else {}) != _release(values["words"]):
            release = _release(values["words"])
            append(connection, f"feed {entry.feed}", "dataset.release" if release else "dataset.unrelease", entry.name, release)
        if "words" in changed:
            values["organization_id"] = _write_organization(connection, entry.dataset.metadata.publisher, now, number)
        if changed != {"feed"} or wanted != there:
            values["modified"] = now
        if row is None:
            connection.execute(insert(table).values(id=key, name=entry.name, created=now, change=number, **values))
        else:
            connection.execute(update(table).where(table.c.id == key).values(change=number, **values))
        distributions.put(connection, key, wanted)
        connection.execute(_UNTAG, {"key": key})
        _add_tags(connection, key, entry.dataset.metadata.keywords)
        count(connection, number)


@dataclass(frozen=True, slots=True)
class Written:
    """A dataset that somebody writes through CKAN's API: `id` and `created` stay for its life, `owner` is an organisation's id."""

    id: UUID
    name: str
    owner: UUID
    state: State
    document: documents.Document
    created: datetime
    modified: datetime


def write(database: Database, *written: Written, beside: Beside = nothing, first: Beside = nothing) -> Changed:
    """Make the datasets, or bring them up to date, all or none; what has changed by that. Conflict where another dataset bears the name.
    In the same transaction `first` looks at what stands before, and `beside` writes more."""
    with database.keeping() as connection, counted(connection) as number:
        first(connection)
        entries = tuple(put(connection, one, number) for one in written)
        beside(connection)
    return Changed(number, entries, frozenset())


def written_entry(one: Written, owner: Organization) -> Entry:
    """What such a dataset is, before it is read again from the database."""
    return Entry(
        id=one.id,
        dataset=documents.dataset(one.name, one.document, owner),
        columns=(),
        extent=documents.extent(one.document),
        distributions=documents.distributions(one.document),
        organization=owner,
        created=one.created,
        modified=one.modified,
        state=one.state,
        document=one.document,
    )


def purge(database: Database, key: UUID, beside: Beside = nothing) -> None:
    """Take the dataset away for ever: only that there was one stays, for the readers that still know it. NotFound."""
    emptied = {"words": {}, "columns": [], "extent": {}, "document": {}, "feed": "", "state": State.PURGED}
    with database.keeping() as connection, counted(connection) as number:
        found = update(table).where(table.c.id == key, table.c.document.is_not(None))
        if not connection.execute(found.values(name=str(key), modified=datetime.now(UTC), change=number, **emptied)).rowcount:
            raise NotFound(f"there is no dataset {key}")
        connection.execute(_UNTAG, {"key": key})
        beside(connection)


def put(connection: Connection, one: Written, number: int) -> Entry:
    """Write the dataset with this change; it as it stands then. Conflict, NotFound."""
    row = connection.execute(_GROUND, {"key": one.id, "called": one.name, "owner": one.owner}).one_or_none()
    if row is None:
        raise NotFound(f"there is no organisation {one.owner}")
    if row.is_taken:
        raise Conflict(f"{one.name}: another dataset bears that name")
    made = written_entry(one, organisation(row))
    values = {
        "name": one.name,
        "organization_id": one.owner,
        "kind": made.dataset.kind.value,
        "state": one.state,
        "feed": "",
        "words": made.dataset.model_dump(mode="json", exclude_none=True),
        "columns": [],
        "extent": made.extent.model_dump(mode="json"),
        "created": one.created,
        "modified": one.modified,
        "change": number,
        "document": dict(one.document),
    }
    if row.is_there:
        connection.execute(update(table).where(table.c.id == one.id).values(**values))
        connection.execute(_UNTAG, {"key": one.id})
    else:
        connection.execute(_ADD, {"id": one.id, **values})
    _add_tags(connection, one.id, made.dataset.metadata.keywords)
    return made


def _release(words: Mapping[str, Any]) -> dict[str, Any]:
    """The release declaration among a dataset's words; empty if there is none."""
    return dict(words.get("metadata", {}).get("release") or {})


def withdraw(database: Database, name: str) -> None:
    """Take it out of the catalogue; its id stays for the day it comes back. NotFound if it isn't there."""
    active = (table.c.name == name) & (table.c.state == State.ACTIVE)
    with database.keeping() as connection, counted(connection) as number:
        gone = update(table).where(active).values(state=State.WITHDRAWN, modified=datetime.now(UTC), change=number)
        if not connection.execute(gone).rowcount:
            raise NotFound(f"there is no dataset {name!r}")


def changes(connection: Connection) -> tuple[int, int]:
    """The numbers of the last change of the catalogue, and of its organisations and groups."""
    found = {row.name: int(row.value) for row in connection.execute(_BOTH)}
    return found["datasets"], found["teams"]


def count_teams(connection: Connection) -> None:
    """An organisation or a group has changed."""
    connection.execute(_TEAMS)


def changed_since(database: Database, seen: int, upto: int) -> Changed:
    """What was published, written, withdrawn or purged after the change `seen`, with all up to the change `upto` and perhaps more."""
    with database.reading() as connection:
        found = connection.execute(_ROWS, {"seen": seen}).all()
        there = [row for row in found if row.state != State.PURGED]
        files = distributions.of(connection, [row.id for row in there if row.document is None])
    entries = tuple(_entry(row, files.get(row.id, ())) for row in there)
    return Changed(upto, entries, frozenset(row.id for row in found if row.state == State.PURGED))


@contextmanager
def counted(connection: Connection) -> Iterator[int]:
    """The number of the change that is made in this block; nobody else changes the catalogue until its transaction ends."""
    yield int(connection.execute(_NEXT).scalar_one())


def touch(connection: Connection, owner: UUID, number: int) -> int:
    """Let the datasets of this organisation count as changed; answer how many there are."""
    return int(connection.execute(update(table).where(table.c.organization_id == owner).values(change=number)).rowcount)


def locked(connection: Connection) -> int:
    """The number of the last change; nobody else changes the catalogue until this transaction ends."""
    return int(connection.execute(select(counter.c.value).where(_COUNTER).with_for_update()).scalar_one())


def count(connection: Connection, number: int) -> None:
    """Let this be the number of the last change."""
    connection.execute(update(counter).where(_COUNTER).values(value=number))


def _write_organization(connection: Connection, publisher: Publisher, now: datetime, number: int) -> UUID:
    """The id of the publisher's organisation, made or brought up to date; its other datasets then count as changed too."""
    words = {"title": publisher.title, "description": publisher.description}
    row = connection.execute(select(organization).where(organization.c.name == publisher.name)).one_or_none()
    if row is None:
        key = uuid4()
        connection.execute(insert(organization).values(id=key, name=publisher.name, created=now, **words))
        count_teams(connection)
        return key
    if (row.title, row.description) != (publisher.title, publisher.description):
        connection.execute(update(organization).where(organization.c.id == row.id).values(**words))
        count_teams(connection)
        touch(connection, row.id, number)
    return UUID(str(row.id))


def _add_tags(connection: Connection, dataset_id: UUID, keywords: Sequence[str]) -> None:
    wanted = {tag_id(name): name for name in keywords}
    if not wanted:
        return
    connection.execute(_ADD_TAG, [{"id": key, "name": name} for key, name in wanted.items()])
    connection.execute(_TAG, [{"dataset_id": dataset_id, "tag_id": key} for key in wanted])


def _entry(row: Row[Any], files: tuple[Distribution, ...]) -> Entry:
    return Entry(
        id=row.id,
        dataset=Dataset.model_validate(row.words),
        columns=tuple(Column.model_validate(column) for column in row.columns),
        extent=Extent.model_validate(row.extent),
        distributions=files if row.document is None else documents.distributions(row.document),
        organization=organisation(row, "org_"),
        created=row.created,
        modified=row.modified,
        feed=row.feed,
        state=State(row.state),
        document=row.document,
    )


def organisation(row: Row[Any], prefix: str = "") -> Organization:
    """A row of the organisations (or the groups), whose columns are named with this prefix."""
    names = {"id", "name", "title", "description", "created", "image_url", "state", "extras"}
    values = {name: getattr(row, prefix + name) for name in names}
    return Organization(**{**values, "state": State(values["state"]), "extras": tuple((key, value) for key, value in values["extras"])})
