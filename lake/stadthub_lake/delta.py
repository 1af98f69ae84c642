"""One Delta table on disk: the only door to deltalake. Files with their ranges, commits that hold positions and counts."""

import json
import re
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal
from urllib.parse import unquote

import pyarrow as pa
from deltalake import CommitProperties, DeltaTable, Transaction, WriterProperties, write_deltalake
from deltalake.exceptions import DeltaError
from deltalake.transaction import AddAction, RemoveAction

from stadthub_lake.layout import microseconds, moment
from stadthub_lake.storage import make_folder, storing, sync_file, sync_folder
from stadthub_schemas.counts import Counts
from stadthub_schemas.errors import NotFound

#: Old log entries go when `vacuum` says so, never by themselves; a checkpoint every so many commits keeps opening fast, and the
#: names of removed files stay in it for a week only.
CONFIGURATION = {
    "delta.checkpointInterval": "50",
    "delta.enableExpiredLogCleanup": "false",
    "delta.logRetentionDuration": "interval 36500 days",
    "delta.deletedFileRetentionDuration": "interval 7 days",
}

#: How deltalake packs what it writes itself.
WRITER = WriterProperties(compression="ZSTD", compression_level=6)

#: The column whose range each file of observations carries.
TIME_COLUMN = "phenomenon_time"

_COUNTS = "stadthub_counts"
_VERSION = re.compile(r"\d{20}\.json")


@dataclass(frozen=True, slots=True)
class DataFile:
    """One data file: where, how large, how many rows, first and last time in microseconds (None: unknown)."""

    path: str
    size: int
    rows: int
    first: int | None
    last: int | None


@dataclass(frozen=True, slots=True)
class Mark:
    """What a commit says of one feed: up to which raw-log position it holds, and the counts up to there."""

    position: int
    counts: Counts


class Table:
    """A Delta table in a local folder. Not thread-safe: whoever owns it holds a lock."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._log = folder / "_delta_log"
        self._handle: DeltaTable | None = None
        self._files: tuple[int, tuple[DataFile, ...]] = (-1, ())
        self._synced: int | None = None
        self._checkpoint = 0
        self._times: dict[int, float] = {}

    @property
    def exists(self) -> bool:
        """Whether the table was created."""
        return self._handle is not None or (self._log.is_dir() and DeltaTable.is_deltatable(str(self.folder)))

    def create(self, schema: pa.Schema, said: CommitProperties | None = None) -> None:
        """Creates the empty table, durably; nothing happens if it is there."""
        if not self.exists:
            with storing(self.folder.name):
                make_folder(self.folder)
                self._handle = DeltaTable.create(str(self.folder), schema, configuration=dict(CONFIGURATION), commit_properties=said)
                self.sync()

    def refresh(self) -> DeltaTable:
        """The table at its newest version; costs two looks at the disk if nothing changed. Where log entries were cleaned away
        under a reader that was far behind, it opens the table anew."""
        with storing(self.folder.name):
            stamp = self._checkpoint_time()
            follows = self._handle is not None and (self._log / f"{self._handle.version() + 1:020}.json").exists()
            if self._handle is None or (stamp != self._checkpoint and not follows):
                self._handle = DeltaTable(str(self.folder))
            elif follows:
                self._handle.update_incremental()
            self._checkpoint = stamp
        return self._handle

    def _checkpoint_time(self) -> int:
        """When the newest checkpoint was written; 0: there is none."""
        try:
            return (self._log / "_last_checkpoint").stat().st_mtime_ns
        except FileNotFoundError:
            return 0

    def version_at(self, time: datetime) -> int:
        """The newest version that was committed at or before a time. NotFound if the kept history begins later."""
        limit = time.timestamp()
        with storing(self.folder.name):
            versions = sorted(int(one.name[:20]) for one in self._log.iterdir() if _VERSION.fullmatch(one.name))
            before = bisect_right(versions, limit, key=self._commit_seconds)
        if not before:
            raise NotFound(f"nothing is known of {time.isoformat()}: the kept history begins later")
        return versions[before - 1]

    def _commit_seconds(self, version: int) -> float:
        """When a version was committed: what its log entry says, which a copy of the files keeps; else when it was written. The
        entry has whole milliseconds, so it is surely over with the next one."""
        if version not in self._times:
            entry = self._log / f"{version:020}.json"
            with entry.open("rb") as file:
                said: dict[str, Any] = next((json.loads(line)["commitInfo"] for line in file if line.startswith(b'{"commitInfo"')), {})
            stamp = said.get("inCommitTimestamp", said.get("timestamp"))
            self._times[version] = entry.stat().st_mtime if stamp is None else (stamp + 1) / 1000
        return self._times[version]

    def at(self, version: int) -> "Table":
        """The table as it was at a version. NotFound if it was cleaned away."""
        then = Table(self.folder)
        try:
            then._handle = DeltaTable(str(self.folder), version=version)
        except DeltaError as error:
            raise NotFound(f"version {version} is no longer kept") from error
        return then

    @property
    def handle(self) -> DeltaTable:
        """The table as it was last looked at."""
        return self._handle or self.refresh()

    @property
    def version(self) -> int:
        """The version that was last looked at."""
        return int(self.handle.version())

    def schema(self) -> pa.Schema:
        """The columns of the version."""
        return pa.schema(self.handle.schema())

    def committed_time(self) -> datetime:
        """When the version of the handle was committed."""
        try:
            return datetime.fromtimestamp(self._commit_seconds(self.version), UTC)
        except FileNotFoundError:
            return datetime.fromtimestamp(self.handle.history(1)[0]["timestamp"] / 1000, UTC)

    def files(self) -> tuple[DataFile, ...]:
        """The data files of the handle's version, in the order of their first time."""
        handle = self.handle
        if self._files[0] != handle.version():
            self._files = (handle.version(), _data_files(handle, self.folder))
        return self._files[1]

    def position(self, feed: str) -> int:
        """The raw-log position of a feed that the handle's version holds; 0: none."""
        return self.handle.transaction_version(f"feed:{feed}") or 0

    def marks(self) -> dict[str, Mark]:
        """Position and counts of every feed, out of the newest commit that carries them."""
        handle = self.refresh()
        for limit in (20, None):
            for commit in handle.history(limit):
                if _COUNTS in commit:
                    said = json.loads(commit[_COUNTS])
                    return {feed: Mark(position, Counts(*numbers)) for feed, (position, *numbers) in said.items()}
        return {}

    def commit(self, added: Sequence[DataFile], removed: Sequence[DataFile], marks: Mapping[str, Mark]) -> int:
        """One transaction: files in and out, position and counts of all feeds inside. On disk when it returns the version."""
        return self._transact([*(add_action(file, True) for file in added), *(remove_action(file, True) for file in removed)], marks)

    def rearrange(self, added: Sequence[DataFile], removed: Sequence[DataFile], marks: Mapping[str, Mark]) -> int:
        """The same for rows that only move to other files: no change for those who follow the table."""
        return self._transact([*(add_action(file, False) for file in added), *(remove_action(file, False) for file in removed)], marks)

    def _transact(self, actions: list[AddAction | RemoveAction], marks: Mapping[str, Mark]) -> int:
        self.refresh()
        return self.transact(actions, self._properties(marks))

    def transact(self, actions: list[AddAction | RemoveAction], said: CommitProperties) -> int:
        """One transaction of these actions, whose files are on disk under their names, as it is when it returns the version."""
        handle = self.refresh()
        with storing(self.folder.name):
            if self._synced is None:
                self._synced = handle.version()
            handle.create_write_transaction(actions, "append", handle.schema(), commit_properties=said)
            handle.update_incremental()
            self._sync_log()
        return int(handle.version())

    def holds(self, files: Sequence[DataFile]) -> bool:
        """Whether a version that is on disk names these files, so that a failed commit took place after all."""
        with storing(self.folder.name):
            self.refresh()
            named = {file.path for file in self.files()}
            landed = all(file.path in named for file in files)
            if landed:
                self.sync()
        return landed

    def write(self, rows: pa.Table, mode: Literal["append", "overwrite"], marks: Mapping[str, Mark]) -> int:
        """One transaction that deltalake writes itself, for tables with free columns; new columns are added."""
        return self._written(rows, mode, "merge", marks)

    def reshape(self, rows: pa.Table, marks: Mapping[str, Mark]) -> int:
        """The same, with the columns and types of these rows in place of those before."""
        return self._written(rows, "overwrite", "overwrite", marks)

    def _written(
        self, rows: pa.Table, mode: Literal["append", "overwrite"], schema: Literal["merge", "overwrite"], marks: Mapping[str, Mark]
    ) -> int:
        handle = self.refresh()
        before = {file.path for file in self.files()}
        self._synced = handle.version() if self._synced is None else self._synced
        with storing(self.folder.name):
            write_deltalake(
                handle, rows, mode=mode, schema_mode=schema, commit_properties=self._properties(marks), writer_properties=WRITER
            )
            handle.update_incremental()
            for file in self.files():
                if file.path not in before:
                    sync_file(Path(file.path))
            self.sync()
        return int(handle.version())

    def vacuum(self, keep: timedelta) -> int:
        """How many data files were removed that no version of the kept time needs."""
        with storing(self.folder.name):
            hours = int(keep.total_seconds() // 3600)
            gone = self.refresh().vacuum(hours, dry_run=False, enforce_retention_duration=False, full=True)
            self.refresh()
            self.sync()
        return len(gone)

    def orphans(self) -> list[str]:
        """The names of data files that no version ever named."""
        with storing(self.folder.name):
            unneeded = set(self.handle.vacuum(0, dry_run=True, enforce_retention_duration=False, full=True))
            named = set(self.handle.vacuum(0, dry_run=True, enforce_retention_duration=False))
        return sorted(unneeded - named)

    def forget_log(self, limit: float, marks: Mapping[str, Mark]) -> bool:
        """Whether log entries were removed that only versions before a time (seconds since 1970) need. The newest checkpoint of
        that time stays, and a last entry with all positions and counts is written before."""
        with storing(self.folder.name):
            checkpoints = [one for one in self._log.glob("*.checkpoint.parquet") if one.stat().st_mtime <= limit]
            kept = max((int(one.name[:20]) for one in checkpoints), default=0)
            old = [one for one in self._log.glob("[0-9]*") if int(one.name[:20]) < kept]
            if old:
                self.commit((), (), marks)
                self.refresh().create_checkpoint()
                for one in old:
                    one.unlink(missing_ok=True)
                sync_folder(self._log)
        return bool(old)

    def _properties(self, marks: Mapping[str, Mark]) -> CommitProperties:
        said = {feed: [mark.position, *mark.counts.as_dict().values()] for feed, mark in marks.items()}
        moved = [Transaction(f"feed:{feed}", mark.position) for feed, mark in marks.items() if mark.position > self.position(feed)]
        return CommitProperties(custom_metadata={_COUNTS: json.dumps(said)}, app_transactions=moved)

    def sync(self) -> None:
        """Puts on disk every log entry that came since the last time, and the names of the files that deltalake has written itself."""
        self._sync_log()
        sync_folder(self.folder)

    def _sync_log(self) -> None:
        """Puts every log entry on disk that came since the last time."""
        newest = self.handle.version()
        for version in range((-1 if self._synced is None else self._synced) + 1, newest + 1):
            sync_file(self._log / f"{version:020}.json")
        sync_folder(self._log)
        self._synced = newest


def add_action(file: DataFile, data_change: bool) -> AddAction:  # noqa: FBT001 - a field of Delta's own action
    """The file as it comes into a version."""
    stats: dict[str, Any] = {"numRecords": file.rows}
    if file.first is not None and file.last is not None:
        stats["minValues"] = {TIME_COLUMN: _stamp(file.first)}
        stats["maxValues"] = {TIME_COLUMN: _stamp(file.last)}
        stats["nullCount"] = {TIME_COLUMN: 0}
    changed = int(Path(file.path).stat().st_mtime * 1000)
    return AddAction(Path(file.path).name, file.size, {}, changed, data_change, json.dumps(stats))


def remove_action(file: DataFile, data_change: bool) -> RemoveAction:  # noqa: FBT001 - a field of Delta's own action
    """The file as it leaves one."""
    now = int(datetime.now(UTC).timestamp() * 1000)
    return RemoveAction(Path(file.path).name, data_change, now, file.size, {})


def _stamp(time: int) -> str:
    return moment(time).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _data_files(handle: DeltaTable, folder: Path) -> tuple[DataFile, ...]:
    """The files that a version lists, with the range of their times if the log knows it."""
    actions = pa.table(handle.get_add_actions(flatten=True))
    names = set(actions.column_names)
    rows = actions.select([name for name in _WANTED if name in names]).to_pylist()
    files = [
        DataFile(
            path=str(folder / unquote(row["path"])),
            size=row["size_bytes"],
            rows=row["num_records"] or 0,
            first=_micro(row.get(f"min.{TIME_COLUMN}")),
            last=_micro(row.get(f"max.{TIME_COLUMN}")),
        )
        for row in rows
    ]
    return tuple(sorted(files, key=lambda file: (file.first or 0, file.path)))


_WANTED = ("path", "size_bytes", "num_records", f"min.{TIME_COLUMN}", f"max.{TIME_COLUMN}")


def _micro(time: object) -> int | None:
    return microseconds(time) if isinstance(time, datetime) else None
