"""A feed's dress rehearsal: fetch or listen once, show what would come of it, write nothing."""

import queue
import secrets
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pyarrow as pa

from stadthub_ingest.detection.proposal import Said
from stadthub_ingest.judge import Judge
from stadthub_ingest.judged import Payload
from stadthub_ingest.reducing import is_private, reducer
from stadthub_ingest.sources import file, http
from stadthub_ingest.sources.mqtt import Message, Subscription
from stadthub_ingest.sources.reach import Reach
from stadthub_pipelines import uploads
from stadthub_pipelines.door import Door
from stadthub_pipelines.hints import hints_of
from stadthub_schemas.counts import Counts
from stadthub_schemas.dataset import Dataset
from stadthub_schemas.errors import FeedError
from stadthub_schemas.feed import Feed, FileSource, HttpSource, MqttSource, UploadSource
from stadthub_schemas.rows import OBSERVATIONS_CODED, OBSERVATIONS_IN
from stadthub_schemas.settings import Settings

#: How many rows and messages are shown or awaited.
SHOWN = 20
MESSAGES = 200


@dataclass(frozen=True, slots=True)
class Trial:
    """What came: columns with their types, up to 20 accepted rows, every reject, the sums, and the page it would make."""

    columns: tuple[tuple[str, str], ...]
    accepted: pa.Table
    rejects: pa.Table
    counts: Counts
    dataset: Dataset | None
    page: str
    payloads: int
    received_bytes: int = 0
    kept_bytes: int | None = None
    hints: tuple[Said, ...] = ()

    @property
    def privacy_drops(self) -> int | None:
        """How many bytes of the payloads are dropped before anything is stored; None: the decoder keeps payloads whole."""
        return None if self.kept_bytes is None else self.received_bytes - self.kept_bytes


def try_feed(feed: Feed, settings: Settings, seconds: float = 15.0) -> Trial:
    """Try the feed; SourceError if the far side does not answer, FeedError if the feed is wrong or has nothing to try."""
    return rehearse(feed, settings, _listen(feed, settings, seconds))


def rehearse(feed: Feed, settings: Settings, pieces: Iterable[tuple[str, bytes]]) -> Trial:
    """What would come of these payloads, each with its name; FeedError if the feed is wrong."""
    judge = Judge(feed)
    key = secrets.token_bytes(32) if is_private(feed) else b""  # of this trial alone: it writes nothing
    door = Door(feed, reducer(feed, key), key)
    payloads, came, size = [], 0, 0
    for name, body in pieces:
        came, size = came + 1, size + len(body)
        frame = door.frame(name, body)
        if frame is not None:
            payloads.append(Payload(came, datetime.now(UTC), *frame))
    judged = judge.judge(payloads)
    accepted = judged.accepted.cast(OBSERVATIONS_IN) if judged.accepted.schema == OBSERVATIONS_CODED else judged.accepted
    filled = tuple(
        (name, str(accepted.schema.field(name).type))
        for name in accepted.column_names
        if accepted.column(name).null_count < accepted.num_rows or accepted.num_rows == 0
    )
    return Trial(
        columns=filled,
        accepted=accepted.slice(0, SHOWN),
        rejects=pa.concat_tables([judged.rejects, judged.notes]),
        counts=Counts(judged.received, accepted.num_rows, 0, judged.rejects.num_rows, judged.dropped),
        dataset=feed.described(),
        page=f"{settings.url}/datasets/{feed.dataset}",
        payloads=came,
        received_bytes=size,
        kept_bytes=sum(len(one.body) for one in payloads) if door.reduces else None,
        hints=hints_of(feed, judged),
    )


def _listen(feed: Feed, settings: Settings, seconds: float) -> Iterator[tuple[str, bytes]]:
    """Name and body of what comes in the given time."""
    source = feed.source
    if isinstance(source, HttpSource):
        for fetched in http.fetch(source, {}, Reach(settings.allowed_hosts)):
            yield fetched.name, fetched.body
    elif isinstance(source, FileSource):
        for fetched in file.scan(source, {}):
            yield fetched.name, fetched.body
    elif isinstance(source, UploadSource):
        for fetched in uploads.fetch(feed, source, {}, settings.data_dir):
            yield fetched.name, fetched.body
    elif isinstance(source, MqttSource):
        yield from _overhear(feed, source, seconds)
    else:
        raise FeedError(f"{feed.id}: a push feed can't be tried before something is pushed: POST a sample to it and look at its rejects")


def _overhear(feed: Feed, source: MqttSource, seconds: float) -> Iterator[tuple[str, bytes]]:
    """Messages of a session of its own: nothing is acknowledged for, or taken from, the running feed."""
    inbox: queue.SimpleQueue[Message] = queue.SimpleQueue()
    aside = source.model_copy(
        update={"client_id": f"stadthub-try-{feed.id}-{time.time_ns()}", "shared": None, "session_expiry": timedelta(0)}
    )
    subscription = Subscription(feed.id, aside, inbox.put)
    subscription.start()
    try:
        end = time.monotonic() + seconds
        for _ in range(MESSAGES):
            try:
                message = inbox.get(timeout=max(0.01, end - time.monotonic()))
            except queue.Empty:
                break
            message.acknowledge()
            yield message.topic, message.body
    finally:
        subscription.stop()
