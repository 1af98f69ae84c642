"""History beside the live feed: windows of a web address or files, taken in by the feed's own decoder through a raw log of their own.

Each back-fill has its own position in the lake's transactions, so that a kill brings nothing twice and loses nothing, and a sum of
its own. It waits after each piece as long as storing it took: the live feed always comes first.
"""

import glob
import shutil
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import structlog

from stadthub_catalog.backfills import Backfill, BackfillState
from stadthub_ingest.reducing import counts_in_memory
from stadthub_ingest.sources import file
from stadthub_ingest.sources.fetched import Fetched
from stadthub_lake.rawlog import RawLog
from stadthub_pipelines.door import door
from stadthub_pipelines.flow import Flow
from stadthub_pipelines.intake import Intake
from stadthub_pipelines.pull import fetch_window
from stadthub_pipelines.runner import Place
from stadthub_schemas.dataset import Kind
from stadthub_schemas.errors import FeedError, SourceError, StadthubError
from stadthub_schemas.feed import Feed, FileSource, HttpSource
from stadthub_schemas.schedule import Window, is_windowed

LOG = structlog.get_logger()

#: How often it is looked whether a piece is judged, in seconds.
LOOK = 0.02

#: The shortest pause after a piece, in seconds.
SHORTEST_PAUSE = 0.05

DAY = timedelta(days=1)


def want(feed: Feed, wanted: Backfill) -> Backfill:
    """The same back-fill, if this feed can have it; FeedError says why not."""
    if feed.kind is not Kind.TIMESERIES:
        raise FeedError(f"{feed.id}: it has no history to fill: each payload of {feed.kind} replaces the whole")
    if counts_in_memory(feed):
        raise FeedError(f"{feed.id}: decoder {feed.decoder} counts as time goes by: what is past can't be counted any more")
    if wanted.path is None and not (isinstance(feed.source, HttpSource) and is_windowed(feed.source.url)):
        raise FeedError(f"{feed.id}: source.url asks for no time: put {{start}} and {{end}} into it, or name files with --file")
    if wanted.first is not None and wanted.last is not None and wanted.first >= wanted.last:
        raise FeedError(f"{feed.id}: the end of the history lies before its beginning")
    return wanted


def name_of(wanted: Backfill) -> str:
    """What its raw log, its position and its rejects are called; no feed can have such a name."""
    return f"{wanted.feed}.backfill-{wanted.id}"


class History:
    """One back-fill under way. `run` returns when it is done, has failed, or is to leave off; then it goes on from its mark."""

    def __init__(self, wanted: Backfill, feed: Feed, flow: Flow, place: Place, leaves_off: Callable[[], bool]) -> None:
        self._wanted = wanted
        self._feed = feed
        self._flow = flow
        self._place = place
        self._leaves_off = leaves_off
        self._folder = place.data_dir / "raw" / name_of(wanted)

    def run(self) -> None:
        """Take in what is missing, and write down how far it came."""
        catalog, wanted = self._place.catalog, self._wanted
        run = wanted.run if wanted.run is not None else catalog.start_run(wanted.feed)
        catalog.note_backfill(wanted.id, state=BackfillState.RUNNING.value, run=run)
        log = RawLog(self._folder, self._place.min_free_bytes)
        intake = Intake(self._feed.model_copy(update={"id": name_of(wanted)}), self._flow.dataset, log, self._place.doors)
        error: str | None = None
        try:
            with self._flow.lock:
                self._flow.histories[name_of(wanted)] = intake
            self._take_in(intake)
        except StadthubError as failed:
            error = str(failed)
        finally:
            self._close(log)
        catalog.note_backfill(wanted.id, counts=intake.counts)
        if error is not None or not self._leaves_off():
            self._end(run, intake, error)
        elif catalog.backfill(wanted.id).state is BackfillState.STOPPED:
            catalog.end_run(run, intake.counts, "it was stopped")

    def _close(self, log: RawLog) -> None:
        """Make lasting what was judged, and leave the flow."""
        try:
            self._flow.commit()
        finally:
            with self._flow.lock:
                self._flow.histories.pop(name_of(self._wanted), None)
            log.close()

    def _end(self, run: int, intake: Intake, error: str | None) -> None:
        state = BackfillState.DONE if error is None else BackfillState.FAILED
        if error is None:
            shutil.rmtree(self._folder, ignore_errors=True)
        self._place.catalog.end_run(run, intake.counts, error)
        self._place.catalog.note_backfill(self._wanted.id, state=state.value, error=error, ended=datetime.now(UTC))
        LOG.info("back-fill ended", feed=self._wanted.feed, run=run, state=state.value, error=error, **intake.counts.as_dict())

    def _take_in(self, intake: Intake) -> None:
        """Piece by piece: durable, marked, judged, and a pause."""
        entrance = door(self._feed, self._place.data_dir)
        self._wait(intake)  # what was logged before a kill
        for mark, done, total, piece in self._pieces(entrance.key):
            spent = 0.0
            for fetched in piece:
                frame = entrance.frame(fetched.name, fetched.body)
                if frame is not None:
                    intake.log.append([(datetime.now(UTC), *frame)])
                    intake.log.sync()
                    spent += self._wait(intake)
            self._place.catalog.note_backfill(self._wanted.id, mark=mark, done=done, total=total, counts=intake.counts)
            self._pause(max(spent, SHORTEST_PAUSE))
            if self._leaves_off():
                return

    def _wait(self, intake: Intake) -> float:
        """Wait until what is logged is judged; how long that took, in seconds."""
        began = time.monotonic()
        self._place.notice()
        while intake.behind and not self._leaves_off():
            time.sleep(LOOK)
        return time.monotonic() - began

    def _pause(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        while time.monotonic() < end and not self._leaves_off():
            time.sleep(min(LOOK, seconds))

    def _pieces(self, key: bytes) -> Iterator[tuple[str, int, int, Iterator[Fetched]]]:
        """Each piece after the mark: what to mark when it is durable, how many of how many are done then, and its payloads."""
        wanted = self._wanted
        if wanted.path is not None:
            folder = _folder(Path(wanted.path), self._feed)
            names = file.names(folder)
            if not names:
                raise SourceError(f"{folder.path.name}: there are no files: name a file, a folder, or a pattern such as folder/*.csv")
            for number, name in enumerate(names, start=1):
                if name > wanted.mark:
                    one = folder if folder.path.is_file() else folder.model_copy(update={"pattern": glob.escape(name)})
                    yield name, number, len(names), file.scan(one, {}, key=key)
            return
        windows = list(windows_of(wanted, self._place.zone))
        for number, window in enumerate(windows, start=1):
            if window.end.isoformat() > wanted.mark:
                yield window.end.isoformat(), number, len(windows), fetch_window(self._feed.source, window, self._place.surroundings, key)


def windows_of(wanted: Backfill, zone: ZoneInfo) -> Iterator[Window]:
    """The windows from first to last; whole days are those of the city, also where one has 23 or 25 hours."""
    assert wanted.first is not None
    assert wanted.last is not None
    step = timedelta(seconds=wanted.step_seconds or DAY.total_seconds())
    start = wanted.first
    while start < wanted.last:
        following = (start.astimezone(zone) + step).astimezone(UTC) if step % DAY == timedelta(0) else start + step
        end = min(following, wanted.last)
        yield Window(start, end)
        start = end


def _folder(path: Path, feed: Feed) -> FileSource:
    """Where the files are, read as the feed reads files if it does."""
    ours = feed.source if isinstance(feed.source, FileSource) else FileSource(type="file", path=path, pattern="**/*")
    fixed = [part for part in path.parts if not glob.has_magic(part)]
    if path.exists() or len(fixed) == len(path.parts):
        return ours.model_copy(update={"path": path})
    first = next(number for number, part in enumerate(path.parts) if glob.has_magic(part))
    return ours.model_copy(update={"path": Path(*path.parts[:first]), "pattern": "/".join(path.parts[first:])})
