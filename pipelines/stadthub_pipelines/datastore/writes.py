"""What is pushed into the DataStore: tables are made and changed, rows come, change and go. Each call is all or nothing, and on disk when
it is answered."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import orjson
import pyarrow as pa

from stadthub_catalog.asked import Asked
from stadthub_catalog.datastore import activate, deactivate
from stadthub_catalog.packages import stamp
from stadthub_catalog.parameters import flag
from stadthub_catalog.permits import owning, refused, writable, writes
from stadthub_catalog.refusals import Invalid, Missing, NotAuthorized, Refusal
from stadthub_catalog.resource_writes import resource_create
from stadthub_lake.lake import NUMBER, NUMBERS
from stadthub_lake.recordset import ID, RecordSet
from stadthub_pipelines.datastore import aliases, asking, bodies, filters
from stadthub_pipelines.datastore.fields import Field, Layout, is_name, layout, read_fields
from stadthub_pipelines.datastore.opened import Rooms, is_taken
from stadthub_pipelines.datastore.rows import columns_of, told, unique, upserted
from stadthub_pipelines.datastore.search import answering
from stadthub_pipelines.datastore.tables import begin, resource_of, table_of, with_numbers
from stadthub_schemas.query import NumberedQuery

_READ_ONLY = (
    "Cannot edit read-only resource because changes made may be lost. Use a resource created for editing e.g. with datastore_create or "
    'use "force=True" to ignore this warning.'
)
_OF_FILE = (
    "The rows of this resource come from its file: upload another file (resource_update), or let a table take their place with "
    "datastore_create and force."
)
_CREATE = [
    "resource_id",
    "id",
    "resource",
    "force",
    "fields",
    "records",
    "primary_key",
    "indexes",
    "aliases",
    "delete_fields",
    "include_records",
    "calculate_record_count",
    "triggers",
]
_UPSERT = ["resource_id", "id", "force", "records", "method", "include_records", "calculate_record_count", "dry_run"]
_DELETE = ["resource_id", "id", "force", "filters", "include_deleted_records", "calculate_record_count"]
_METHODS = ("upsert", "insert", "update")


def create(rooms: Rooms, asked: Asked) -> bytes:
    """Make a table of the DataStore, or change one and put rows into it.

    resource_id, or resource: {package_id, name, …} for a new one; fields: [{id, type, info}], types as PostgreSQL has them; records:
    [{field: value}]; primary_key, indexes, aliases: lists; delete_fields: take away fields that are not named; force: also for resources
    that have a file; include_records: answer the records.
    """
    said = asked.parameters
    asking.allow(said, _CREATE)
    if said.get("triggers"):
        raise Invalid({"triggers": ["No functions run in the hub's tables"]})
    resource, key = said.get("resource"), said.get("resource_id") or said.get("id")
    if resource and key:
        raise Invalid({"resource": ["resource cannot be used with resource_id"]})
    if not resource and not key:
        raise Invalid({"resource_id": ["resource_id or resource required"]})
    records = bodies.records(said.get("records"))
    if not resource:
        key = _writable_table(asked, str(key))
        with RecordSet(rooms.root, table_of(key)) as table:
            result = _created(rooms, asked, table, records)
        activate(asked.catalog, UUID(key))
        return orjson.dumps(result)
    resource = bodies.mapping("resource", resource)
    key = str(uuid4())
    _room_for(asked, resource)
    with RecordSet(rooms.root, table_of(key)) as table:
        return _with_resource(rooms, asked, table, resource, records)


def _with_resource(
    rooms: Rooms, asked: Asked, table: RecordSet, resource: Mapping[str, Any], records: Sequence[Mapping[str, Any]]
) -> bytes:
    """Make a table and then its resource, which makes it known: until then nobody sees it, and whoever tidies up waits for his turn."""
    key = str(resource_of(table.name))
    result = _created(rooms, asked, table, records)
    try:
        made = {"url": f"/datastore/dump/{key}", "url_type": "datastore", "datastore_active": True, "id": key}
        resource_create(replace(asked, parameters={"format": "CSV", "last_modified": stamp(datetime.now(UTC)), **resource, **made}))
    except Refusal:
        table.drop()
        raise
    return orjson.dumps({**result, "resource": {"url": "_datastore_only_resource", **resource}})


def upsert(rooms: Rooms, asked: Asked) -> bytes:
    """Put rows into a table of the DataStore, or change those that bear the same key.

    resource_id; records: [{field: value}]; method: upsert, insert or update; force: also for resources that have a file; dry_run: only
    look whether it could be done; include_records: answer the records.
    """
    said = asked.parameters
    asking.allow(said, _UPSERT)
    wanted, method = asking.resource_id(said), str(said.get("method") or "upsert")
    if method not in _METHODS:
        raise Invalid({"method": [f"Value must be one of {list(_METHODS)}"]})
    records = bodies.records(said.get("records"))
    key = _writable_table(asked, wanted)
    with RecordSet(rooms.root, table_of(key)) as table:
        known = _known(table, key)
        change = upserted(table, known, records, method)
        if change is not None and not flag(said, "dry_run"):
            change.keep(table)
    if not flag(said, "dry_run"):
        activate(asked.catalog, UUID(key))
    echoes = {name: said[name] for name in ("method",) if said.get(name)}
    if "dry_run" in said:
        echoes["dry_run"] = flag(said, "dry_run")
    body = dict(sorted({"calculate_record_count": bodies.count_word(said), "resource_id": key, **echoes}.items()))
    if flag(said, "include_records"):
        body["records"] = told(change.all if change else None, known)
    return orjson.dumps(body)


def delete(rooms: Rooms, asked: Asked) -> bytes:
    """Take rows out of a table of the DataStore, or without filters the table with all its past.

    resource_id; filters: as for datastore_search; force: also for resources that have a file; include_deleted_records.
    """
    return _deleted(rooms, asked, asked.parameters.get("filters"))


def records_delete(rooms: Rooms, asked: Asked) -> bytes:
    """Take rows out of a table of the DataStore; the table stays. `{}` takes all of them.

    resource_id; filters: as for datastore_search; force: also for resources that have a file; include_deleted_records.
    """
    said = asked.parameters.get("filters")
    if said is None or said == "":
        raise Invalid({"filters": ["Missing value"]})
    return _deleted(rooms, asked, bodies.mapping("filters", said))


def _deleted(rooms: Rooms, asked: Asked, said: Any) -> bytes:
    asking.allow(asked.parameters, _DELETE)
    key = _writable_table(asked, asking.resource_id(asked.parameters))
    echoes: dict[str, Any] = {"resource_id": key}
    gone: pa.Table | None = None
    with RecordSet(rooms.root, table_of(key)) as table:
        known = Layout(()) if said is None and _is_of_file(table) else _known(table, key)
        if said is None:
            aliases.put(rooms.root, key, (), known.aliases)
            table.drop()
        else:
            op = filters.read(bodies.mapping("filters", said), _types(known))
            echoes |= {"filters": said, **({"filterops": op.told()} if op else {})}
            gone = _taken(rooms, table, known, op)
    (deactivate if said is None else activate)(asked.catalog, UUID(key))
    if flag(asked.parameters, "include_deleted_records"):
        echoes["deleted_records"] = told(gone, known)
    return orjson.dumps(echoes)


def _known(table: RecordSet, key: str) -> Layout:
    """What is said of the table. Missing if there is none, Invalid if its rows come from a file."""
    known = layout(table.note)
    if known is not None:
        return known
    if _is_of_file(table):
        raise Invalid({"read-only": [_OF_FILE]})
    raise Missing(f'Not found: Resource "{key}" was not found.')


def _is_of_file(table: RecordSet) -> bool:
    return table.exists and table.note is None


def _taken(rooms: Rooms, table: RecordSet, known: Layout, op: filters.Op | None) -> pa.Table:
    """The rows that the filter names, which are gone now."""
    where, wanted = filters.numbers(filters.meant(op, _types(known)))
    question = NumberedQuery(
        table.name, where=where, columns=(ID,), limit=None, after=wanted.after, before=wanted.before, among=wanted.among
    )
    with answering():
        ids = rooms.lake.numbered(question, NUMBERS)[NUMBER].cast(pa.int64())
    gone = table.pick(ids)
    if op is None:
        table.empty(known.note())
    elif len(ids):
        table.mend(table.schema.empty_table(), ids, table.schema.empty_table(), known.note())
    return gone


def _created(rooms: Rooms, asked: Asked, table: RecordSet, records: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Make the table of the resource, or change it; what is answered."""
    said, key, old = asked.parameters, str(resource_of(table.name)), layout(table.note)
    named = read_fields(bodies.array("fields", said.get("fields")), records, old)
    new = _planned(said, key, old, named)
    aliases.check(rooms.root, key, new.aliases)
    for alias in new.aliases:
        if is_taken(asked, alias):
            raise Invalid({"alias": [f'The alias "{alias}" already exists.']})
    unique(new, columns_of(new.fields, records, method="insert"))
    if old is None:
        begin(table, new)
        if not records:
            table.say(new.note())
    elif old.fields != new.fields or old.key != new.key:
        _reshape(table, old, new)
    elif old != new:
        table.say(new.note())
    change = upserted(table, new, records, "insert")
    if change is not None:
        change.keep(table)
    aliases.put(rooms.root, key, new.aliases, old.aliases if old else ())
    echoes = {name: said[name] for name in ("aliases", "indexes", "primary_key") if said.get(name) is not None}
    given = bodies.array("fields", said.get("fields"))
    if given:
        types = {one.id: one.type for one in new.fields}
        echoes["fields"] = [{**dict(sorted(one.items())), "type": one.get("type") or types[str(one["id"])]} for one in given]
    whole = {"calculate_record_count": bodies.count_word(said), "delete_fields": flag(said, "delete_fields"), "resource_id": key, **echoes}
    body: dict[str, Any] = {**dict(sorted(whole.items())), "method": "insert"}
    return {**body, "records": told(change.all if change else None, new)} if flag(said, "include_records") else body


def _planned(said: Mapping[str, Any], key: str, old: Layout | None, named: tuple[Field, ...]) -> Layout:
    """What the table is to be. Invalid."""
    kept = old or Layout((), resource=key)
    changed = {one.id: one for one in named}
    fields = named if flag(said, "delete_fields") and named else tuple(changed.pop(one.id, one) for one in kept.fields)
    if fields is not named:
        fields += tuple(one for one in named if one.id in changed)
    names = {one.id for one in fields}
    primary, indexes, others = (asking.listed(said.get(name)) for name in ("primary_key", "indexes", "aliases"))
    for name in (*(primary or ()), *(part for one in indexes or () for part in one.split(","))):
        if name.strip() not in names:
            raise Invalid({"index": [f'The field "{name}" is not a valid column name.']})
    for alias in others or ():
        if not is_name(alias) or "%" in alias or len(alias) > 63:
            raise Invalid({"alias": [f'"{alias}" is not a valid alias name']})
    return replace(
        kept,
        fields=fields,
        key=tuple(name for name in kept.key if name in names) if primary is None else tuple(dict.fromkeys(primary)),
        indexes=kept.indexes if indexes is None else tuple((one,) for one in indexes),
        aliases=kept.aliases if others is None else tuple(dict.fromkeys(others)),
    )


def _reshape(table: RecordSet, old: Layout, new: Layout) -> None:
    """Let the table have other columns or another key."""
    if new.key != old.key and new.key:
        unique(new, table.whole())
    there = {one.id: one.type for one in old.fields}
    if not {one.id for one in old.fields} <= {one.id for one in new.fields}:
        table.replace(new.schema, (with_numbers_of(piece, new.schema) for piece in table.pieces()), new.note)
        return
    more = [field for field in new.schema if field.name != ID and field.name not in there]
    if more:
        table.widen(more, new.note())
    else:
        table.say(new.note())


def with_numbers_of(rows: pa.Table, schema: pa.Schema) -> pa.Table:
    """The rows with these columns and the numbers that they have."""
    plain = with_numbers(rows.drop_columns([ID]), 0, schema)
    return plain.set_column(0, schema.field(0), rows[ID])


def _types(known: Layout) -> Any:
    types = {ID: "int", **{one.id: one.type for one in known.fields}}
    return types.get


def _room_for(asked: Asked, resource: Mapping[str, Any]) -> None:
    """The caller may put a resource into the package. Missing, NotAuthorized, Invalid."""
    package = str(resource.get("package_id") or "")
    if not package:
        raise Invalid({"package_id": ["Missing value"]})
    try:
        writable(asked, package)
    except NotAuthorized:
        raise refused(asked, f"perform package_update on resource {package}") from None


def _writable_table(asked: Asked, wanted: str) -> str:
    """The id of a resource whose table the caller may write. Missing, NotAuthorized, Invalid."""
    entry, resource = owning(asked, wanted)
    if not writes(asked, entry):
        raise refused(asked, f"perform resource_update on resource {wanted}")
    writable(asked, str(entry.id))
    if resource["url_type"] != "datastore" and not flag(asked.parameters, "force"):
        raise Invalid({"read-only": [_READ_ONLY]})
    return str(resource["id"])
