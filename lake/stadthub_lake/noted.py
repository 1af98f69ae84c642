"""A Delta table of which each commit says what the table is: the other half of the door to deltalake, for tables without feeds."""

from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
from deltalake import CommitProperties
from deltalake import Schema as DeltaSchema
from deltalake.transaction import AddAction, RemoveAction

from stadthub_lake.delta import DataFile, Table, add_action, remove_action
from stadthub_lake.storage import storing

_NOTE = "stadthub_note"


class NotedTable(Table):
    """A Delta table with a note in every commit. Not thread-safe: whoever owns it holds a lock."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self._note: tuple[int, str | None] = (-1, None)

    def begin(self, schema: pa.Schema, note: str) -> None:
        """Creates the empty table, durably; nothing happens if it is there."""
        self.create(schema, _noted(note))

    def note(self) -> str | None:
        """What the newest commit that says something of the whole table says of it."""
        if self._note[0] != self.version:
            self._note = (self.version, note_of(self))
        return self._note[1]

    def look(self) -> None:
        """See what others have written since it was last looked at; whoever wrote has put it on disk."""
        self.refresh()
        self._synced = None

    def change(self, added: Sequence[DataFile], removed: Sequence[DataFile], note: str) -> int:
        """One transaction of a table without feeds: files in and out, and what is said of the table. On disk when it returns."""
        actions: list[AddAction | RemoveAction] = [add_action(file, True) for file in added]
        actions += [remove_action(file, True) for file in removed]
        version = self.transact(actions, _noted(note))
        self._note = (version, note)
        return version

    def widen(self, fields: Sequence[pa.Field], note: str) -> int:
        """One transaction that adds columns, empty in every row that is there."""
        handle = self.refresh()
        added = list(DeltaSchema.from_arrow(pa.schema(fields)).fields)
        with storing(self.folder.name):
            handle.alter.add_columns(added, commit_properties=_noted(note))
            handle.update_incremental()
            self.sync()
        return int(handle.version())

    def overwrite(self, schema: pa.Schema, added: Sequence[DataFile], note: str) -> int:
        """One transaction after which the table has these columns and files alone."""
        handle = self.refresh()
        said = _noted(note)
        actions: list[AddAction | RemoveAction] = [add_action(file, True) for file in added]
        with storing(self.folder.name):
            handle.create_write_transaction(actions, "overwrite", schema, commit_properties=said)
            handle.update_incremental()
            self.sync()
        return int(handle.version())


def _noted(note: str) -> CommitProperties:
    return CommitProperties(custom_metadata={_NOTE: note})


def note_of(table: Table) -> str | None:
    """What the newest commit that says something of the whole table says of it."""
    found = (commit[_NOTE] for limit in (20, None) for commit in table.handle.history(limit) if _NOTE in commit)
    return next(found, None)
