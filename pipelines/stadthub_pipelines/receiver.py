"""Messages to the raw log in groups: one fdatasync for many, and only then each is acknowledged to the broker."""

import queue
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime

import structlog

from stadthub_ingest.judged import TOO_BIG
from stadthub_ingest.sources.mqtt import Message, Subscription
from stadthub_lake.rawlog import RawLog
from stadthub_pipelines.door import Door
from stadthub_schemas.errors import StorageError
from stadthub_schemas.feed import Feed, MqttSource

LOG = structlog.get_logger()

#: How many messages share one fdatasync at most.
GROUP = 5000

#: How many messages, and how many bytes of them, may wait in memory. Then no more are read: the broker waits, and drops what has QoS 0.
WAITING = 20_000
WAITING_BYTES = 64_000_000

#: For how long no more are read, and how often is looked, in seconds. Then the connection is dropped; a disk may be full for days.
PATIENCE = 20.0
LOOK = 0.02

#: How long a full disk is given before it is tried again, in seconds.
BREATH = 1.0


class Receiver:
    """One subscription and the thread that writes what it delivers. While the disk is full nothing is acknowledged."""

    def __init__(self, feed: Feed, source: MqttSource, log: RawLog, door: Door, notice: Callable[[], None]) -> None:
        self.error: str | None = None
        self._feed = feed
        self._source = source
        self._log = log
        self._door = door
        self._notice = notice
        self._inbox: queue.SimpleQueue[Message | None] = queue.SimpleQueue()
        self._came = self._stored = 0  # bytes
        self._stopping = threading.Event()
        self._subscription = Subscription(feed.id, source, self._deliver, self._leave_out)
        self._thread = threading.Thread(target=self._work, name=f"receive-{feed.id}", daemon=True)

    @property
    def connected(self) -> bool:
        """Whether the broker answers."""
        return self._subscription.connected

    @property
    def trouble(self) -> str | None:
        """What keeps messages from coming or from being stored, in one sentence."""
        return self.error or self._subscription.error

    def start(self) -> None:
        """Connect and begin to store; FeedError if a secret or a certificate is missing."""
        self._subscription.start()
        self._thread.start()

    def stop(self) -> None:
        """Disconnect; what is not acknowledged the broker keeps."""
        self._stopping.set()
        self._subscription.stop()
        self._inbox.put(None)
        self._thread.join(timeout=10)

    def _deliver(self, message: Message) -> None:
        """Queue a message; where too many wait, once there is room. StorageError when there is none for long: the connection is dropped."""
        if self._is_full():
            self._wait_for_room()
        self._came += len(message.body)
        self._inbox.put(message)

    def _is_full(self) -> bool:
        return self._inbox.qsize() >= WAITING or self._came - self._stored >= WAITING_BYTES

    def _wait_for_room(self) -> None:
        end = time.monotonic() + PATIENCE
        while self._is_full():
            if time.monotonic() > end or self._stopping.wait(LOOK):
                raise StorageError(f"{self._feed.id}: too many messages wait to be stored: no more are taken until there is room")

    def _leave_out(self, topic: str, size: int) -> None:
        """Count what is too big as a refused message. (What is not ours at all, out of an older session, is not counted.)"""
        if size > self._source.max_bytes:
            LOG.warning("message is too big", feed=self._feed.id, topic=topic, bytes=size, max_bytes=self._source.max_bytes)
            self._deliver(Message(topic, TOO_BIG, 0, None))

    def _work(self) -> None:
        while (group := self._next_group()) is not None:
            self._store(group)

    def _next_group(self) -> list[Message] | None:
        """The next messages, at least one; None at the end."""
        first = self._inbox.get()
        if first is None:
            return None
        group = [first]
        while len(group) < GROUP:
            try:
                message = self._inbox.get_nowait()
            except queue.Empty:
                break
            if message is None:
                self._inbox.put(None)
                break
            group.append(message)
        return group

    def _frames(self, group: list[Message]) -> list[tuple[datetime, str, bytes]]:
        """What may be stored of the messages."""
        now = datetime.now(UTC)
        frames = (self._door.frame(message.topic, message.body) for message in group)
        return [(now, *frame) for frame in frames if frame is not None]

    def _store(self, group: list[Message]) -> None:
        """Write, sync, acknowledge; as long as the machine can't store, keep the group unacknowledged and try again."""
        frames = self._frames(group)
        while True:
            try:
                if frames:
                    self._log.append(frames)
                    self._log.sync()
                break
            except StorageError as error:
                if self.error is None:
                    LOG.error("raw log can't store", feed=self._feed.id, error=str(error))
                self.error = str(error)
                if self._stopping.wait(BREATH):
                    return
        self.error = None
        self._stored += sum(len(message.body) for message in group)
        for message in group:
            message.acknowledge()
        self._notice()
