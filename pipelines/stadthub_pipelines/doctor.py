"""The hub's doctor: what is broken, and what loses data without a word. Each finding says what it is and what mends it."""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Literal

from stadthub_catalog.catalog import Catalog
from stadthub_ingest.sources.broker import facts
from stadthub_lake.verify import verify
from stadthub_pipelines.clock import is_synchronised
from stadthub_pipelines.folder import FeedFolder, Look
from stadthub_pipelines.running import holder, worker_file
from stadthub_schemas.errors import FeedError, SettingsError, SourceError, StadthubError
from stadthub_schemas.feed import Feed, HttpSource, MqttSource, reveal
from stadthub_schemas.settings import Settings

#: Below so many times the floor of free disk the doctor warns.
ROOM = 4

#: How far ahead the newest message may be before the clock must have gone back.
AHEAD = timedelta(seconds=5)


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that is wrong (`error`) or will lose data one day (`warning`), and what mends it."""

    severity: Literal["error", "warning"]
    what: str
    mend: str


def examine(settings: Settings) -> Iterator[Finding]:
    """Everything that is wrong with a hub; nothing is changed. May run beside the running hub."""
    look = FeedFolder(settings.feeds).look() or Look()
    yield from _disk(settings)
    yield from _clock()
    yield from _feed_files(look)
    yield from _state(settings)
    for finding in verify(Path(settings.lake), settings.data_dir / "raw"):
        yield Finding(finding.severity, f"{finding.dataset}: {finding.what}", finding.mend)
    for feed in look.feeds.values():
        yield from _broker(feed)


def _disk(settings: Settings) -> Iterator[Finding]:
    free, floor = shutil.disk_usage(settings.data_dir).free // 1_000_000, settings.min_free_mb
    mend = "make room, or move STADTHUB_DATA_DIR to a larger disk"
    if free < floor:
        yield Finding("error", f"only {free} MB of disk are free: below {floor} MB nothing is acknowledged any more", mend)
    elif free < ROOM * floor:
        yield Finding("warning", f"only {free} MB of disk are free; at {floor} MB (STADTHUB_MIN_FREE_MB) the hub stops taking data", mend)


def _clock() -> Iterator[Finding]:
    if is_synchronised() is False:
        yield Finding(
            "warning",
            "no time service keeps this machine's clock right: observations may be refused as future ones or be dated wrongly",
            "run a time service: apt-get install systemd-timesyncd, or chrony",
        )


def _feed_files(look: Look) -> Iterator[Finding]:
    for sentence in look.wrong.values():
        for line in sentence.splitlines():
            yield Finding("error", line, "mend the feed file; its last right form stays in force")
    for feed in look.feeds.values():
        source = feed.source
        secrets = (
            (source.password,)
            if isinstance(source, MqttSource)
            else (source.auth.value,)
            if isinstance(source, HttpSource) and source.auth
            else ()
        )
        for secret in secrets:
            try:
                if secret is not None:
                    reveal(secret)
            except FeedError as error:
                yield Finding("error", f"{feed.id}: {error}", "give the hub's process the secret")


def _state(settings: Settings) -> Iterator[Finding]:
    try:
        catalog = Catalog(settings.database, settings.synonyms)
    except SettingsError as error:
        yield Finding("error", str(error), "mend the setting, or the line of the file, that it names")
        return
    try:
        catalog.migrate()
        for state in catalog.feeds():
            worker = state.feed.partition("@")[2]
            if worker and holder(settings.data_dir, worker_file(worker)) is None:
                yield Finding(
                    "warning",
                    f"{state.feed}: worker {worker} does not run: what its broker keeps for it, and what it logged last, waits",
                    f"start it: stadthub worker --name {worker}",
                )
            if not state.counts.balanced:
                yield Finding("error", f"{state.feed}: received is not stored + duplicate + rejected + dropped", "report this as a fault")
            if state.error is not None:
                yield Finding("warning", f"{state.feed}: {state.error}", "look at the feed on the operator page")
            if state.quarantine is not None:
                yield Finding(
                    "warning",
                    f"{state.feed}: quarantined: {state.quarantine}",
                    "mend the source or the feed file, then stadthub feed replay",
                )
            if state.last_message_time is not None and state.last_message_time > datetime.now(UTC) + AHEAD:
                yield Finding("error", f"{state.feed}: its last message came in the future: the clock went back", "set the clock right")
        catalog.verify_audit()
    except StadthubError as error:
        yield Finding("error", f"state database: {error}", "restore it from a backup")
    finally:
        catalog.close()


def _broker(feed: Feed) -> Iterator[Finding]:
    """What the broker of an MQTT feed says of itself: mosquitto drops without a word when a queue is full."""
    if not isinstance(feed.source, MqttSource):
        return
    try:
        told = facts(feed.id, feed.source)
    except (SourceError, FeedError) as error:
        yield Finding("error", f"{feed.id}: {error}", "start the broker or mend the feed's source")
        return
    dropped = int(told.get("publish/messages/dropped", "0") or 0)
    if dropped:
        yield Finding(
            "warning",
            f"{feed.id}: the broker at {feed.source.host} has dropped {dropped} messages",
            "in mosquitto.conf set max_queued_messages 0 and max_inflight_messages 1000, and give max_queued_bytes a bound",
        )
    if feed.source.session_expiry < timedelta(hours=1):
        yield Finding(
            "warning",
            f"{feed.id}: the broker keeps messages for only {feed.source.session_expiry} while the hub is away",
            "set source.session_expiry to some days, for example P7D",
        )
