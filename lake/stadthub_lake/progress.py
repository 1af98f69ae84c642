"""How far each feed is in a dataset: in the table's own transactions, and, when only the position moved, in a small file beside."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from stadthub_lake.delta import Mark, Table
from stadthub_lake.storage import make_folder, read_json, storing, write_json
from stadthub_schemas.counts import Counts


@dataclass(frozen=True, slots=True)
class Progress:
    """Up to which raw-log position a feed is committed, and the counts up to there."""

    position: int
    counts: Counts


@dataclass(frozen=True, slots=True)
class Appended:
    """What became of a batch. `fresh`: the rows that were new, as they came, with their `datastream`."""

    stored: int
    duplicate: int
    fresh: pa.Table


@dataclass(frozen=True, slots=True)
class Corrected:
    """What became of rows that were decoded again. `fresh`: the rows that were new or took the place of another one."""

    stored: int
    changed: int
    duplicate: int
    fresh: pa.Table


@dataclass(frozen=True, slots=True)
class Change:
    """What a new version changed; the version stays the same if nothing did."""

    version: int
    added: int
    changed: int
    removed: int
    unchanged: int


class Marks:
    """The committed progress of all feeds of one table. The owner holds the dataset's lock."""

    def __init__(self, table: Table, file: Path) -> None:
        self._table = table
        self._file = file
        self._known: dict[str, Mark] | None = None
        self._own: set[str] = set()

    def all(self) -> dict[str, Mark]:
        """Position and counts of every feed, read once: the table and the file beside, whichever is further."""
        if self._known is None:
            self._known = self._table.marks()
            said = read_json(self._file) or {"version": -1, "feeds": {}}
            for feed, (position, *numbers) in said["feeds"].items():
                known = self._known.get(feed)
                newer = (
                    known is None or position > known.position or (position == known.position and said["version"] >= self._table.version)
                )
                if newer:
                    self._known[feed] = Mark(position, Counts(*numbers))
        return self._known

    def of(self, feed: str) -> Progress:
        """The progress of one feed."""
        mark = self.all().get(feed)
        return Progress(mark.position, mark.counts) if mark else Progress(0, Counts())

    def position(self, feed: str) -> int:
        """The committed position of one feed; 0: none."""
        return self.of(feed).position

    def moved(self, progress: Mapping[str, Progress]) -> dict[str, Mark]:
        """All marks as they will be; a position never goes back."""
        self._own.update(progress)
        marks = {feed: Mark(max(one.position, self.position(feed)), one.counts) for feed, one in progress.items()}
        return self.all() | marks

    def note(self, marks: Mapping[str, Mark]) -> None:
        """Keeps marks for which there is no transaction, durably; nothing is written if nothing moved."""
        if dict(marks) == self.all():
            return
        with storing("progress"):
            make_folder(self._file.parent)
            feeds = {feed: [mark.position, *mark.counts.as_dict().values()] for feed, mark in marks.items()}
            write_json(self._file, {"version": self._table.version, "feeds": feeds})
        self._known = dict(marks)

    def refresh(self) -> None:
        """Takes note of what other workers committed of their feeds."""
        known = self.all()
        for feed, mark in self._table.marks().items():
            if feed not in self._own and (feed not in known or mark.position >= known[feed].position):
                known[feed] = mark

    def committed(self, marks: Mapping[str, Mark]) -> None:
        """Takes note of what a transaction made durable."""
        self._known = dict(marks)
