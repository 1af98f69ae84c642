"""A table of the DataStore as somebody asks for it: by the id of its resource, an alias, or a dataset's id or name; with what he may see."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from stadthub_catalog.asked import Asked
from stadthub_catalog.entry import Entry, State
from stadthub_catalog.packages import datastore_resource
from stadthub_catalog.permits import refused, writes
from stadthub_catalog.refusals import Missing
from stadthub_lake.lake import Lake
from stadthub_lake.recordset import ID
from stadthub_lake.snapshot import Reader, Snapshot
from stadthub_pipelines.datastore import aliases
from stadthub_pipelines.datastore.fields import Field, Layout, layout, of_columns
from stadthub_pipelines.datastore.tables import table_of
from stadthub_pipelines.datastore.titles import titled
from stadthub_schemas.access import Action, Decision, may
from stadthub_schemas.dataset import Kind
from stadthub_schemas.errors import NotFound


@dataclass(frozen=True, slots=True)
class Rooms:
    """The doors that the DataStore goes through: the lake for reading, and the folder in which its tables are written."""

    reader: Reader
    lake: Lake
    root: Path


@dataclass(frozen=True, slots=True)
class Opened:
    """A table that the caller may read. `key` is the id of its resource; `layout` is None where a feed or the resource's file brings the
    rows; `fields` are those that the caller may see, without the number; `hidden` the columns that he may not."""

    key: str
    entry: Entry
    snapshot: Snapshot
    layout: Layout | None
    fields: tuple[Field, ...]
    hidden: frozenset[str]
    decision: Decision

    @property
    def table(self) -> str:
        """Its name in the lake."""
        return self.snapshot.dataset

    def type_of(self, name: str) -> str | None:
        """The type of a field, also of the number; None if there is none of that name."""
        if name == ID:
            return "int"
        return next((one.type for one in self.fields if one.id == name), None)


def opened(rooms: Rooms, asked: Asked, wanted: str, absent: str, as_of: datetime | None = None) -> Opened:
    """The table now, or as it was; Missing with these words, NotAuthorized."""
    missing = Missing(absent.format(wanted))
    key, entry, table = _found(rooms, asked, wanted, missing)
    decision = may(asked.principal, Action.READ, entry.dataset)
    try:
        snapshot, note = rooms.reader.noted(table, as_of)
    except NotFound:
        raise missing from None
    known = layout(note) if entry.document is not None else None
    if entry.document is not None and known is None and not is_of_file(note, snapshot):
        raise missing
    if not decision.allowed or (entry.state is not State.ACTIVE and not writes(asked, entry)):
        raise refused(asked, f"perform resource_show on resource {key}")
    hidden = frozenset(one.name for one in snapshot.columns if one.name != ID and not decision.shows(one.name)) | decision.hidden
    words = {column.name: column for column in entry.columns} or titled(rooms.root, table, snapshot.columns)
    there = known.fields if known else of_columns([one for one in snapshot.columns if one.name != ID], words)
    if known is not None:
        hidden |= {one.name for one in snapshot.columns} - {ID, *(one.id for one in known.fields)}
    return Opened(key, entry, snapshot, known, tuple(one for one in there if one.id not in hidden), hidden, decision)


def is_of_file(note: str | None, snapshot: Snapshot) -> bool:
    """Whether the rows were loaded from the resource's file: who pushes rows says something of the table from its beginning."""
    return note is None and bool(snapshot.columns)


def _found(rooms: Rooms, asked: Asked, wanted: str, missing: Missing) -> tuple[str, Entry, str]:
    """The resource's id, its dataset, and the table in the lake."""
    try:
        entry, one = asked.shelf.any_distribution(wanted)
        if entry.document is not None:
            return str(one.id), entry, table_of(str(one.id))
        if one.id == datastore_resource(entry):
            return str(one.id), entry, entry.name
        raise missing
    except NotFound:
        pass
    try:
        entry = asked.shelf.entry(wanted)
        if entry.dataset.kind is not Kind.FILES:
            return str(datastore_resource(entry) or entry.id), entry, entry.name
    except NotFound:
        pass
    resource = aliases.resource_of(rooms.root, wanted)
    if resource is None or resource == wanted:
        raise missing
    return _found(rooms, asked, resource, missing)


def is_taken(asked: Asked, alias: str) -> bool:
    """Whether a dataset or a resource is called so: no other name may hide it."""
    for look in (asked.shelf.entry, asked.shelf.hidden, asked.shelf.any_distribution):
        try:
            look(alias)
        except NotFound:
            continue
        return True
    return False
