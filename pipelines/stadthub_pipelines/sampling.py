"""A sample of a source that is no feed yet: an address is fetched once, a topic listened to for seconds, a file opened."""

import queue
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from stadthub_ingest.detection.detect import LARGEST
from stadthub_ingest.sources import file, http
from stadthub_ingest.sources.mqtt import Message, Subscription
from stadthub_ingest.sources.reach import Reach
from stadthub_schemas.errors import FeedError, SourceError
from stadthub_schemas.feed import FileSource, HttpSource, MqttSource, Source

#: How long a broker is listened to, how many messages and bytes of them are enough, how large an answer may be.
LISTEN, MESSAGES, MESSAGE_BYTES, ANSWER = 10.0, 20, 500_000, 20_000_000

_BROKER = re.compile(
    r"(?P<tls>mqtts?)://(?:(?P<user>[^@/:]+)(?::(?P<password>[^@/]*))?@)?(?P<host>[^/:\[\]]+|\[[^\]]+\])(?::(?P<port>\d+))?/(?P<topic>.+)"
)


@dataclass(frozen=True, slots=True)
class Sample:
    """What came: payloads with their names; what a feed's `source` would be; whether the address is an archive of its own."""

    pieces: tuple[tuple[str, bytes], ...]
    source: dict[str, Any]

    @property
    def name(self) -> str:
        """Where it came from."""
        return self.pieces[0][0]

    @property
    def body(self) -> bytes:
        """The first payload."""
        return self.pieces[0][1]


def source_of(address: str) -> dict[str, Any]:
    """The `[source]` that an address means: http(s)://…, mqtt(s)://broker/topic. FeedError if it is neither."""
    if address.startswith(("http://", "https://")):
        return {"type": "http", "url": address}
    found = _BROKER.fullmatch(address)
    if found is None:
        raise FeedError(f"{address[:100]}: take an address such as https://example.org/data.csv or mqtt://broker.example.org/topic/#")
    if found["password"] and not found["password"].startswith("${"):
        raise FeedError("a password must not stand in an address: write mqtt://user:${VARIABLE}@broker/topic")
    tls = found["tls"] == "mqtts"
    port = int(found["port"] or (8883 if tls else 1883))
    source: dict[str, Any] = {"type": "mqtt", "host": found["host"].strip("[]"), "port": port, "topics": [found["topic"]]}
    more = (("tls", tls), ("username", found["user"]), ("password", found["password"]))
    return source | {key: value for key, value in more if value}


def parsed(source: dict[str, Any]) -> Any:
    """The source as a model; FeedError in one sentence for each mistake."""
    try:
        return TypeAdapter(Source).validate_python(source)
    except ValidationError as error:
        raise FeedError("; ".join(f"source: {one['msg'].removeprefix('Value error, ')}" for one in error.errors())) from error


def from_address(address: str, reach: Reach, *, strict: bool) -> Sample:
    """What the address gives now. `strict`: also a broker must be within reach. SourceError, FeedError."""
    told = source_of(address)
    source = parsed(told)
    if isinstance(source, HttpSource):
        asked = source.model_copy(update={"max_bytes": ANSWER, "retries": 0, "timeout": timedelta(seconds=LISTEN)})
        pieces = tuple((one.name, one.body) for one in http.fetch(asked, {}, reach))
    else:
        if strict:
            reach.check(f"http://{_bracketed(source.host)}:{source.port}")
        pieces = tuple(_overheard(source))
    if not pieces or not any(body for _, body in pieces):
        raise SourceError(f"{address.partition('?')[0][:100]}: nothing came: look at the address, or wait until something is sent")
    return Sample(pieces, told)


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _overheard(source: MqttSource) -> Iterator[tuple[str, bytes]]:
    """Messages of a session of its own, for some seconds."""
    inbox: queue.SimpleQueue[Message] = queue.SimpleQueue()
    aside = source.model_copy(update={"client_id": f"stadthub-wizard-{time.time_ns()}", "session_expiry": timedelta(0), "qos": 0})
    subscription = Subscription("wizard", aside, inbox.put)
    subscription.start()
    room, end = MESSAGE_BYTES, time.monotonic() + LISTEN
    try:
        for _ in range(MESSAGES):
            try:
                message = inbox.get(timeout=max(0.01, end - time.monotonic()))
            except queue.Empty:
                break
            message.acknowledge()
            room -= len(message.body)
            if room < 0:
                break
            yield message.topic, message.body
    finally:
        trouble = subscription.error
        subscription.stop()
    if room == MESSAGE_BYTES and trouble:
        raise SourceError(trouble)


def from_file(path: Path) -> Sample:
    """What the file holds, or the first file of a folder; SourceError."""
    whole = path.absolute()
    try:
        if whole.is_file() and whole.suffix.lower() == ".zip" and whole.stat().st_size <= LARGEST:
            return Sample(((path.name, whole.read_bytes()),), {"type": "file", "path": str(whole)})
        if whole.is_file() and whole.suffix.lower() not in (".gz", ".xz"):
            with whole.open("rb") as opened:
                return Sample(((path.name, opened.read(LARGEST)),), {"type": "file", "path": str(whole)})
    except OSError as error:
        raise SourceError(f"{path.name}: it can't be read: {error.strerror}") from error
    found = next(iter(file.scan(FileSource(type="file", path=whole, max_bytes=LARGEST), {})), None)
    if found is None:
        raise SourceError(f"{path.name}: there is no such file, or the folder is empty")
    return Sample(((found.name, found.body),), {"type": "file", "path": str(whole)})
