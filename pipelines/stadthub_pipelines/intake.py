"""Raw log to lake for one feed: what is logged is judged, stored, counted; nothing is skipped and nothing is told twice."""

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import pyarrow as pa

from stadthub_catalog.catalog import Catalog
from stadthub_ingest.judge import Judge, Judged, Payload
from stadthub_ingest.sources.fetched import page_of
from stadthub_lake.rawlog import Frame, RawLog
from stadthub_lake.store import Progress, Store
from stadthub_schemas.counts import Counts
from stadthub_schemas.dataset import Dataset, Kind
from stadthub_schemas.errors import TypeConflict
from stadthub_schemas.feed import Feed
from stadthub_schemas.rows import EXCERPT, REJECTS

#: How many frames and bytes are judged in one go: enough to be column-wise, little enough to keep memory flat (a wide CSV
#: of 28 MB in one go took 1.5 GB and a fifth more time than in four).
MOST_FRAMES = 10_000
MOST_BYTES = 8_000_000

#: With how many frames an intake begins, and how long judging them may take, in seconds: others wait meanwhile, so where a decoder is
#: slow fewer are judged in one go.
FIRST_FRAMES = 1000
STEP_SECONDS = 0.5

#: How many new rows wait at most until the catalogue is told of them.
MOST_FRESH = 500_000

#: How many of the last committed frames a catalogue that knows nothing of the feed is told.
REMINDED = 2000


@dataclass(frozen=True, slots=True)
class Doors:
    """The rooms that an intake writes to."""

    store: Store
    catalog: Catalog
    worker: str = ""

    def member(self, feed: str) -> str:
        """The name of a feed's raw log and progress in this worker: the feed's own in the main one."""
        return f"{feed}@{self.worker}" if self.worker else feed


class Intake:
    """Follows the raw log of one feed. Its owner calls `step` and `committed`; one thread at a time."""

    def __init__(self, feed: Feed, dataset: Dataset, log: RawLog, doors: Doors) -> None:
        self.feed = feed
        self.log = log
        self.member = doors.member(feed.id)
        self._dataset = dataset
        self._judge = Judge(feed)
        self._store = doors.store
        self._catalog = doors.catalog
        progress = doors.store.progress(dataset.name, self.member)
        if progress.position > log.last:  # the raw log was lost or forgotten: positions never go back
            log.start_after(progress.position)
        self.position = progress.position
        self.counts = progress.counts
        self.committed_position = progress.position
        self.last_message: datetime | None = None
        self.quarantine: str | None = None
        self.remembered = progress.position
        self._fresh: list[pa.Table] = []
        self._most = FIRST_FRAMES
        self._counts_lock = threading.Lock()

    @property
    def behind(self) -> int:
        """How many logged frames are not judged yet."""
        return self.log.last - self.position

    @property
    def is_full(self) -> bool:
        """Whether so many new rows wait for the catalogue that it should be told now."""
        return bool(sum(table.num_rows for table in self._fresh) >= MOST_FRESH)

    @property
    def progress(self) -> Progress:
        """What a commit now would make lasting."""
        return Progress(self.position, self.counts)

    def step(self) -> int:
        """Judge and store the next frames; answer how many there were."""
        frames = self.log.read(self.position, self._most, MOST_BYTES)
        if frames:
            started = time.monotonic()
            self._take(frames)
            self.position = frames[-1].position
            self.last_message = frames[-1].received_time
            self._pace(time.monotonic() - started)
        return len(frames)

    def _pace(self, seconds: float) -> None:
        """Take fewer frames after a long step, more after a short one."""
        if seconds > STEP_SECONDS:
            self._most = max(1, self._most // 4)
        elif seconds < STEP_SECONDS / 4:
            self._most = min(MOST_FRAMES, self._most * 2)

    def remember(self) -> None:
        """Tell the catalogue what is new since the last time: once for many steps, and not before the lake has it."""
        if self._fresh:
            self._catalog.remember(self._dataset.name, pa.concat_tables(self._fresh))
            self._fresh = []
        self.remembered = self.position

    def remind(self, noted: int) -> None:
        """Tell the catalogue again what it may lack after a kill or a loss of power: what came after the position that it noted."""
        if self._dataset.kind is not Kind.TIMESERIES:
            return
        position = min(noted, self.position) if noted else max(self.position - REMINDED, 0)
        while position < self.position:
            frames = [frame for frame in self.log.read(position, MOST_FRAMES, MOST_BYTES) if frame.position <= self.position]
            if not frames:
                return
            self._catalog.remember(self._dataset.name, self._judge.judge([_payload(frame) for frame in frames]).accepted)
            position = frames[-1].position

    def replay(self, since: datetime) -> Counts:
        """Judge again what was received since then, with today's decoder and rules: what is stored alike is a duplicate, another value
        takes the place of the stored one."""
        before = self.counts
        position, end = self.log.since(since), self.position
        self._store.commit(self._dataset.name, {self.member: self.progress})  # only what is in the lake can be corrected
        self.committed_position = end
        if self._dataset.kind is not Kind.TIMESERIES:
            position = max(position, end - 1)  # each payload is the whole: only the last one counts
        while position < end:
            frames = [frame for frame in self.log.read(position, MOST_FRAMES, MOST_BYTES) if frame.position <= end]
            if not frames:
                break
            if self._dataset.kind is Kind.TIMESERIES:
                self._correct(frames)
            else:
                self._take(frames)
            position = frames[-1].position
        return self.counts - before

    def _take(self, frames: Sequence[Frame]) -> None:
        if self._dataset.kind is Kind.TIMESERIES:
            self._append(frames)
        else:
            for frame in frames:
                self._replace(frame)

    def _append(self, frames: Sequence[Frame]) -> None:
        """Observations: each row on its own, in one batch."""
        judged = self._judge.judge([_payload(frame) for frame in frames])
        last = frames[-1].position
        self._reject(last, judged.rejects)
        appended = self._store.append(self._dataset.name, self.member, last, judged.accepted)
        self._fresh.append(appended.fresh)
        self._count(judged, appended.stored, appended.duplicate)

    def _correct(self, frames: Sequence[Frame]) -> None:
        """Observations that were judged before: what is other now replaces what is stored, here and among the latest values."""
        judged = self._judge.judge([_payload(frame) for frame in frames])
        last = frames[-1].position
        self._reject(last, judged.rejects)
        corrected = self._store.correct(self._dataset.name, self.member, last, judged.accepted)
        self._catalog.remember(self._dataset.name, corrected.fresh)
        self._count(judged, corrected.stored + corrected.changed, corrected.duplicate)

    def _replace(self, frame: Frame) -> None:
        """Features and tables: each payload, or all pages of one fetch, is the whole; nothing good in it leaves the last good version."""
        number, pages = page_of(frame.name)
        if number < pages:
            return  # the whole is judged with its last page
        whole = [frame] if pages == 1 else self._pages(frame, pages)
        if not whole:
            reason = f"payload: of its {pages} pages not all are here: fetch it again"
            self._reject(frame.position, _quarantined(frame, reason))
            self._add(Counts(received=1, rejected=1))
            return
        judged = self._judge.judge([_payload(one) for one in whole])
        self._reject(frame.position, judged.rejects)
        if judged.accepted.num_rows == 0:
            self._count(judged, 0, 0)
            return
        try:
            change = self._store.replace(self._dataset.name, self.member, judged.accepted, Progress(self.position, self.counts))
        except TypeConflict as conflict:
            self.quarantine = str(conflict)
            rows = judged.accepted.num_rows
            self._reject(frame.position, _quarantined(frame, f"quarantined with {rows} rows: {conflict}"))
            self._add(Counts(received=judged.received, rejected=judged.received - judged.dropped, dropped=judged.dropped))
            return
        self.quarantine = None
        self._count(judged, change.added + change.changed, judged.accepted.num_rows - change.added - change.changed)

    def _pages(self, last: Frame, pages: int) -> list[Frame]:
        """All pages of the fetch that ends with this one; none if some are missing."""
        found: list[Frame] = []
        after = last.position - pages
        while after >= 0 and len(found) < pages:
            frames = self.log.read(after, pages - len(found), MOST_BYTES)
            if not frames:
                break
            found += frames
            after = frames[-1].position
        return found if [page_of(one.name) for one in found] == [(number, pages) for number in range(1, pages + 1)] else []

    def _reject(self, position: int, rejects: pa.Table) -> None:
        if rejects.num_rows:
            self._store.reject(self.member, position, rejects)

    def _count(self, judged: Judged, stored: int, duplicate: int) -> None:
        self._add(Counts(judged.received, stored, duplicate, judged.rejects.num_rows, judged.dropped))

    def _add(self, counts: Counts) -> None:
        with self._counts_lock:
            self.counts += counts


def _payload(frame: Frame) -> Payload:
    return Payload._make(frame)


def _quarantined(frame: Frame, reason: str) -> pa.Table:
    row = {
        "position": frame.position,
        "row": 0,
        "received_time": frame.received_time.astimezone(UTC),
        "reason": reason,
        "excerpt": frame.body[:EXCERPT].decode("utf-8", "replace"),
    }
    return pa.Table.from_pylist([row], schema=REJECTS)
