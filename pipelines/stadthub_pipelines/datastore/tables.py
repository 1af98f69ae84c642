"""The lake's tables of resources: `ds-<resource id>`, made, filled, replaced and dropped; the one way in which rows of a resource get into the lake."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from uuid import UUID

import numpy as np
import pyarrow as pa

from stadthub_catalog.catalog import Catalog
from stadthub_lake.recordset import ID, RecordSet
from stadthub_pipelines.datastore import aliases
from stadthub_pipelines.datastore.fields import Field, Layout, layout
from stadthub_schemas.errors import NotFound, StorageError

PREFIX = "ds-"


def table_of(resource: UUID | str) -> str:
    """The name of a resource's table in the lake."""
    return f"{PREFIX}{resource}"


def resource_of(table: str) -> str | None:
    """The resource whose table has this name; None for datasets of feeds."""
    try:
        return str(UUID(table.removeprefix(PREFIX))) if table.startswith(PREFIX) else None
    except ValueError:
        return None


def replace_table(root: Path, resource: UUID | str, fields: Sequence[Field], pieces: Iterable[pa.Table]) -> int:
    """Let these rows be all that the resource's table has, in one transaction, on disk when it returns; how many they are.

    The columns of each piece are named as the fields and typed as `Field.stored`. Key, indexes and aliases of a table that is there
    stay, where their fields do. What was before stays in the past.
    """
    with RecordSet(root, table_of(resource)) as table:
        old = layout(table.note)
        names = {one.id for one in fields}
        kept = old or Layout((), resource=str(resource))
        new = replace(
            kept,
            fields=tuple(fields),
            key=kept.key if set(kept.key) <= names else (),
            indexes=tuple(one for one in kept.indexes if set(one) <= names),
            next=1,
        )
        if old is None:
            begin(table, new)
        counted = _Counted(new.schema)
        table.replace(new.schema, counted.numbered(pieces), lambda: replace(new, next=counted.next).note())
        return counted.next - 1


def make_way(root: Path, resource: UUID | str) -> bool:
    """Take away what was pushed into the resource's table, since a file takes its place; answer whether the table is new now."""
    with RecordSet(root, table_of(resource)) as table:
        if table.exists and table.note is None:
            return False
        known = layout(table.note)
        aliases.put(root, str(resource), (), known.aliases if known else ())
        table.drop()
    return True


def begin(table: RecordSet, layout: Layout) -> None:
    """Make the table, which nobody sees until a commit names its resource. What a call that was broken off has left goes, and so does what
    a file brought."""
    if table.exists:
        table.drop()
    table.create(layout.schema, replace(layout, resource="").note())


def tidy(root: Path, catalog: Catalog) -> None:
    """Take away the tables of resources that are gone, with all their past. Whoever just makes one has his turn until it is known."""
    for folder in root.glob(f"{PREFIX}*"):
        resource = resource_of(folder.name)
        if resource is None or _is_known(catalog, resource):
            continue
        with RecordSet(root, folder.name) as table:
            if not _is_known(catalog, resource):
                known = layout(table.note)
                aliases.put(root, resource, (), known.aliases if known else ())
                table.drop()


def _is_known(catalog: Catalog, resource: str) -> bool:
    try:
        catalog.shelf.any_distribution(resource)
    except NotFound:
        return False
    return True


@dataclass
class _Counted:
    """Gives rows their numbers as they pass."""

    schema: pa.Schema
    next: int = 1

    def numbered(self, pieces: Iterable[pa.Table]) -> Iterator[pa.Table]:
        """The pieces with the number of each row before its values."""
        for piece in pieces:
            if piece.num_rows:
                yield with_numbers(piece, self.next, self.schema)
                self.next += piece.num_rows


def with_numbers(rows: pa.Table, first: int, schema: pa.Schema) -> pa.Table:
    """The rows with their numbers and the columns of the schema. StorageError if a type is not as it is stored."""
    numbers = pa.array(np.arange(first, first + rows.num_rows))
    columns = [
        numbers if one.name == ID else rows[one.name] if one.name in rows.column_names else pa.nulls(rows.num_rows, one.type)
        for one in schema
    ]
    try:
        return pa.table(columns, names=schema.names).cast(schema)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        raise StorageError(f"{', '.join(rows.column_names)[:200]}: the rows are not typed as their fields") from error
