"""Raw log to lake for one feed: what is logged is judged, stored, counted; nothing is skipped and nothing is told twice."""

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

import pyarrow as pa

from stadthub_catalog.catalog import Catalog
from stadthub_ingest import registry
from stadthub_ingest.frames import FrameCounter
from stadthub_ingest.judge import Judge
from stadthub_ingest.judged import Judged, Payload
from stadthub_ingest.largetables import LargeTable
from stadthub_ingest.sources.fetched import page_of
from stadthub_lake.rawlog import Frame, RawLog
from stadthub_lake.store import Progress, Store
from stadthub_lake.waiting import Waiting
from stadthub_pipelines.drift import Watch
from stadthub_pipelines.profile import Difference
from stadthub_pipelines.quarantine import RELEASE, Quarantine, told
from stadthub_schemas.counts import Counts
from stadthub_schemas.dataset import Dataset, Kind
from stadthub_schemas.errors import StadthubError, StorageError, TypeConflict
from stadthub_schemas.feed import Contract, Feed, UploadSource
from stadthub_schemas.finding import Held, HeldState

#: How many frames and bytes are judged in one go: enough to be column-wise, little enough to keep memory flat (a wide CSV
#: of 28 MB in one go took 1.5 GB and a fifth more time than in four).
MOST_FRAMES = 10_000
MOST_BYTES = 8_000_000

#: With how many frames an intake begins, and how long judging them may take, in seconds: others wait meanwhile, so where a decoder is
#: slow fewer are judged in one go.
FIRST_FRAMES = 1000
STEP_SECONDS = 0.5

#: A table of an uploaded file goes by columns from so many bytes on: below, the row path says more of its shape.
BY_PAGES = 100_000

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
        known_as = feed.model_copy(update={"id": self.member})  # each worker knows its own payloads, by positions of its own raw log
        self._watch = Watch(known_as, self._judge, doors.catalog)
        self._aside = Quarantine(known_as, log, doors.catalog)
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
        self.look_at_quarantine()
        self.remembered = progress.position
        self.frames = FrameCounter() if getattr(registry.read_options(feed), "frame_counter", False) else None
        self._fresh: list[pa.Table] = []
        self._most = FIRST_FRAMES
        self._counts_lock = threading.Lock()
        self._telling = threading.Lock()

    @property
    def behind(self) -> int:
        """How many logged frames are not judged yet."""
        return self.log.last - self.position

    @property
    def has_fresh(self) -> bool:
        """Whether the catalogue is to be told of something: while much is behind it waits, since it keeps the newest rows only."""
        return not self.behind and (bool(self._fresh) or self.remembered < self.position)

    @property
    def is_full(self) -> bool:
        """Whether so many new rows wait for the catalogue that it should be told now."""
        return bool(sum(table.num_rows for table in list(self._fresh)) >= MOST_FRESH)

    @property
    def progress(self) -> Progress:
        """What a commit now would make lasting."""
        return Progress(self.position, self.counts)

    def step(self) -> int:
        """Judge and store the next frames; answer how many there were."""
        frames = self.log.read(self.position, 1 if self._watch.is_learning else self._most, MOST_BYTES)
        if frames:
            started, before = time.monotonic(), self.counts
            try:
                self._take(frames)
            except StadthubError:
                self.counts = before  # all of these frames come again
                raise
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
        with self._telling:
            position, fresh = self.position, list(self._fresh)
            for _, alike in groupby(fresh, lambda rows: rows.schema):  # rows of large payloads are coded
                self._catalog.remember(self._dataset.name, pa.concat_tables(alike))
            del self._fresh[: len(fresh)]
            self.remembered = position

    def remind(self, noted: int) -> None:
        """Tell the catalogue again what it may lack after a kill or a loss of power: what came after the position that it noted."""
        if self._dataset.kind is not Kind.TIMESERIES:
            return
        position = min(noted, self.position) if noted else max(self.position - REMINDED, 0)
        while position < self.position:
            frames = [frame for frame in self.log.read(position, MOST_FRAMES, MOST_BYTES) if frame.position <= self.position]
            if not frames:
                return
            payloads = [_payload(frame) for frame in (*self._aside.left_out(frames), *self._aside.released_in(frames))]
            self._catalog.remember(self._dataset.name, self._judge.judge(payloads).accepted)
            position = frames[-1].position

    def replay(self, since: datetime) -> Counts:
        """Judge again what was received since then, with today's decoder and rules: what is stored alike is a duplicate, another value
        takes the place of the stored one. What is in quarantine since then is released if it fits now."""
        self._aside.ask_again(since)
        self._aside.grant()
        before = self.counts
        position, end = self.log.since(since), self.position
        self._store.commit(self._dataset.name, {self.member: self.progress})  # only what is in the lake can be corrected
        self.committed_position = end
        if self._dataset.kind is not Kind.TIMESERIES:
            last = self._watch.last_good or end
            position, end = (end, end) if position >= last else (last - 1, last)  # each payload is the whole: only the last good one counts
        while position < end:
            frames = [frame for frame in self.log.read(position, MOST_FRAMES, MOST_BYTES) if frame.position <= end]
            if not frames:
                break
            again = self._aside.left_out(frames)
            if again and self._dataset.kind is Kind.TIMESERIES:
                self._correct(again)
            elif again:
                self._take(again)
            position = frames[-1].position
        return self.counts - before

    def _take(self, frames: Sequence[Frame]) -> None:
        for releases, group in groupby(frames, lambda frame: frame.name == RELEASE):
            if releases:
                for frame in group:
                    self._release(frame)
            elif self._dataset.kind is Kind.TIMESERIES:
                self._append([_payload(frame) for frame in group])
            else:
                for frame in group:
                    self._replace(frame)

    def _append(self, payloads: Sequence[Payload]) -> None:
        """Observations: each row on its own, in one batch."""
        last = payloads[-1].position
        sound, strange = self._watch.sift(payloads)
        for payload, differences in strange:
            self._refuse([payload], last, differences)
        if sound:
            self._store_rows(sound, self._judge.judge(sound), last)

    def _store_rows(self, payloads: Sequence[Payload], judged: Judged, last: int) -> None:
        """Observations are appended, as far as they are new."""
        judged = self._watch.narrowed(judged)
        self._reject(last, judged.rejects)
        appended = self._store.append(self._dataset.name, self.member, last, judged.accepted)
        self._fresh.append(appended.fresh)
        if self.frames is not None:
            self.frames.count(appended.fresh)
        self._count(judged, appended.stored, appended.duplicate)
        self._watch.learn(payloads, judged)

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
        if self._is_large and (pages > 1 or len(frame.body) > BY_PAGES):
            self._replace_by_pages(frame, pages)
            return
        whole = [frame] if pages == 1 else self._pages(frame, pages)
        if not whole:
            reason = f"payload: of its {pages} pages not all are here: fetch it again"
            self._reject(frame.position, self._aside.reject(_payload(frame), reason))
            self._add(Counts(received=1, rejected=1))
            return
        payloads = [_payload(one) for one in whole]
        _, strange = self._watch.sift(payloads)
        if strange:
            self._refuse(payloads, frame.position, [one for _, differences in strange for one in differences])
            return
        judged = self._judge.judge(payloads)
        try:
            self._store_whole(payloads, judged)
        except TypeConflict as conflict:
            self._put_aside(payloads, str(conflict), (), judged)

    @property
    def _is_large(self) -> bool:
        """Whether this is a table out of an uploaded file: its columns have declared types, so no page must know of the others."""
        return isinstance(self.feed.source, UploadSource) and self._dataset.kind is Kind.TABLE

    def _replace_by_pages(self, frame: Frame, pages: int) -> None:
        """An uploaded table of any size becomes the newest version; its rows wait on disk, so that memory holds a page at a time."""
        first: tuple[Payload, Judged] | None = None
        counts, seen = Counts(), 0
        with Waiting(self._store.scratch, self._dataset.name) as waiting:
            for judged in LargeTable(self.feed, self._judge).pages(map(_payload, self._aside.pages(frame.position, pages))):
                seen += 1
                first = first or (_payload(frame), judged)
                waiting.add(judged.accepted)
                self._reject(frame.position, judged.rejects)
                counts += Counts(judged.received, 0, 0, judged.rejects.num_rows, judged.dropped)
            if seen < pages or first is None:
                raise StorageError(f"{self.feed.id}: of the {pages} pieces of its file only {seen} are in the raw log: upload it again")
            rows, same = waiting.rows, 0
            if rows:
                change = self._store.reshape(self._dataset.name, self.member, waiting.table(), Progress(self.position, self.counts))
                same = rows - change.added - change.changed
        self._add(counts + Counts(0, rows - same, same))
        self._watch.learn([first[0]], first[1])

    def _store_whole(self, payloads: Sequence[Payload], judged: Judged) -> None:
        """These pages become the dataset's newest version, if anything in them is good. TypeConflict: they can't."""
        rows, same = judged.accepted.num_rows, 0
        if rows:
            write = self._store.reshape if isinstance(self.feed.source, UploadSource) else self._store.replace
            change = write(self._dataset.name, self.member, judged.accepted, Progress(self.position, self.counts))
            same = rows - change.added - change.changed
            self.quarantine = None
        self._reject(payloads[-1].position, pa.concat_tables([judged.rejects, judged.notes]))
        self._count(judged, rows - same, same)
        self._watch.learn(payloads, judged)

    def _refuse(self, payloads: Sequence[Payload], position: int, differences: Sequence[Difference]) -> None:
        """What the contract does not let pass: it is put aside, or with a frozen feed refused."""
        judged = self._judge.judge(payloads)
        if self.feed.contract is Contract.QUARANTINE:
            self._put_aside(payloads, told(differences), differences, judged)
            return
        reason = f"payload: {told(differences)}: the feed is frozen; mend it with renames, or set another contract"
        self._reject(position, self._aside.reject(payloads[-1], reason))
        self._add(Counts(received=max(judged.received, 1), rejected=max(judged.received, 1)))

    def _put_aside(self, payloads: Sequence[Payload], reason: str, differences: Sequence[Difference], judged: Judged) -> None:
        """Keep a payload for an operator's word: until then its rows count as rejected."""
        rows = max(judged.received, 1)
        self.quarantine = reason
        self._aside.hold(payloads, reason, differences, rows)
        self._reject(payloads[-1].position, self._aside.reject(payloads[-1], f"quarantined with {rows} rows: {reason}"))
        self._add(Counts(received=rows, rejected=rows))

    def _release(self, release: Frame) -> None:
        """Take a payload out of quarantine, if it fits now or is to be the new normal."""
        wanted = self._aside.wanted(release)
        if wanted is None:
            return
        held, payloads = wanted[0], [_payload(frame)._replace(position=release.position) for frame in wanted[1]]
        refusal = self._take_in(held, payloads)
        if refusal is None:
            self._add(Counts(received=-held.rows, rejected=-held.rows))
            self._aside.released(held, release.position)
        else:
            self._aside.keep(held, *refusal)
        self.look_at_quarantine()

    def _take_in(self, held: Held, payloads: Sequence[Payload]) -> tuple[str, Sequence[Difference]] | None:
        """Store what was held, or say why it can't be. A whole that a newer one has followed is not stored any more: it is dropped."""
        accepting = held.state is HeldState.ACCEPTING
        against = [] if accepting else [one for _, differences in self._watch.sift(payloads)[1] for one in differences]
        judged = self._judge.judge(payloads)
        if against:
            return told(against), against
        if not judged.accepted.num_rows:
            return f"nothing in it can be read: {judged.rejects['reason'][0] if judged.rejects.num_rows else 'it is empty'}", ()
        if self._dataset.kind is Kind.TIMESERIES:
            self._store_rows(payloads, judged, payloads[-1].position)
        elif held.position < self._watch.last_good:
            self._add(Counts(received=held.rows, dropped=held.rows))
        else:
            try:
                self._store_whole(payloads, judged)
            except TypeConflict as conflict:
                return str(conflict), ()
            self._watch.last_good = held.position
        if accepting:
            self._watch.adopt(payloads[-1])
        return None

    def look_at_quarantine(self) -> None:
        """Whether payloads still wait for an operator that the served data lack."""
        self.quarantine = self._aside.reason(0 if self._dataset.kind is Kind.TIMESERIES else self._watch.last_good)

    def grant(self) -> None:
        """Do what operators want with payloads in quarantine; the flow's lock is held."""
        self._aside.grant()
        self.look_at_quarantine()

    def close(self) -> None:
        """Keep what was learned of the feed."""
        self._watch.keep()

    def _pages(self, last: Frame, pages: int) -> list[Frame]:
        """All pages of the fetch that ends with this one; none if some are missing."""
        found = self._aside.frames(last.position, pages)
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
