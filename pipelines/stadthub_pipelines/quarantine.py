"""Payloads in quarantine: kept in the raw log, noted in the catalogue, taken in by a frame of their own, exactly once.

An operator's wish becomes a frame in the raw log that names the payload. It is judged in its turn like everything else, and its
position is committed together with the rows: a kill at any moment neither loses a payload nor takes it in twice.
"""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict, replace
from datetime import UTC, datetime
from typing import Any

import orjson
import pyarrow as pa

from stadthub_catalog.catalog import Catalog
from stadthub_ingest.judged import Payload
from stadthub_ingest.reducing import is_private
from stadthub_ingest.sources.fetched import page_of
from stadthub_lake.rawlog import Frame, RawLog
from stadthub_pipelines.profile import Difference
from stadthub_schemas.errors import NotFound
from stadthub_schemas.feed import Feed
from stadthub_schemas.finding import Held, HeldState, Severity, sentence
from stadthub_schemas.rows import EXCERPT, REJECTS

#: The name of a frame that takes a payload out of quarantine. No topic, address or file has a zero byte in its name.
RELEASE = "\0release"

#: The finding that says that payloads wait.
WAITS = ("quarantine", "payloads")


class Quarantine:
    """What one feed has put aside. Its owner calls from one thread at a time."""

    def __init__(self, feed: Feed, log: RawLog, catalog: Catalog) -> None:
        self._feed = feed
        self._log = log
        self._catalog = catalog
        self._private = is_private(feed)

    def hold(self, whole: Sequence[Payload], reason: str, differences: Sequence[Difference], rows: int) -> None:
        """Put a payload aside: what stands in the raw log stays there, and is named by the position of its last page."""
        last = whole[-1]
        words = [_plain(one) for one in differences]
        size = sum(len(payload.body) for payload in whole)
        self._catalog.hold(Held(self._feed.id, last.position, last.received_time, last.name, reason, rows, size, words))
        self._catalog.note_finding(self._feed.id, *WAITS, Severity.ERROR, {"reason": reason, "position": last.position})

    def reject(self, payload: Payload, reason: str) -> pa.Table:
        """The row among the rejects that stands for a payload that is not stored; of people it shows nothing."""
        row = {
            "position": payload.position,
            "row": 0,
            "received_time": payload.received_time.astimezone(UTC),
            "reason": reason,
            "excerpt": "" if self._private else payload.body[: 4 * EXCERPT].decode("utf-8", "replace")[:EXCERPT],
        }
        return pa.Table.from_pylist([row], schema=REJECTS)

    def wanted(self, release: Frame) -> tuple[Held, list[Frame]] | None:
        """The payload that this frame takes in, with the frames it stands in; None if it was taken in already or is gone."""
        wish = orjson.loads(release.body)
        try:
            held = self._catalog.held_payload(self._feed.id, wish["position"])
        except NotFound:
            return None
        if held.state is HeldState.DISCARDED or held.release_position not in (None, release.position):
            return None
        frames = self.frames(held.position, page_of(held.name)[1])
        if not frames:
            self.keep(held, "its bytes are no longer in the raw log: discard it", ())
            return None
        return replace(held, state=HeldState(wish["state"])), frames

    def frames(self, position: int, pages: int) -> list[Frame]:
        """The frames of the payload that ends at a position; none if they are gone."""
        found: list[Frame] = []
        while len(found) < pages and (
            frames := self._log.read(found[-1].position if found else max(position - pages, 0), pages - len(found))
        ):
            found += frames
        return found if found and found[-1].position == position and found[0].position == position - pages + 1 else []

    def pages(self, position: int, pages: int) -> Iterator[Frame]:
        """The same one after the other, for a payload that is larger than the memory; it ends before one that is gone or another's."""
        after = max(position - pages, 0)
        for number in range(1, pages + 1):
            frames = self._log.read(after, 1)
            if not frames or frames[0].position != after + 1 or page_of(frames[0].name) != (number, pages):
                return
            after = frames[0].position
            yield frames[0]

    def keep(self, held: Held, reason: str, differences: Sequence[Difference]) -> None:
        """It stays in quarantine, and why."""
        words = [_plain(one) for one in differences]
        self._catalog.note_held(self._feed.id, held.position, state=HeldState.HELD.value, reason=reason, differences=words)

    def released(self, held: Held, position: int) -> None:
        """It is taken in by the frame at this position."""
        self._catalog.note_held(self._feed.id, held.position, state=HeldState.RELEASED.value, release_position=position)

    def left_out(self, frames: Sequence[Frame]) -> list[Frame]:
        """The frames without those that are not data or are in quarantine, for who reads the log again."""
        if not frames:
            return []
        states = (HeldState.HELD, HeldState.RELEASING, HeldState.ACCEPTING, HeldState.DISCARDED)
        first, last = frames[0].position, frames[-1].position
        held = {one.position for one in self._catalog.held(self._feed.id, states, first - 1, last - first + 1)}
        return [frame for frame in frames if frame.name != RELEASE and frame.position not in held]

    def released_in(self, frames: Sequence[Frame]) -> list[Frame]:
        """The frames of payloads that these frames have taken in."""
        found: list[Frame] = []
        for frame in frames:
            if frame.name == RELEASE:
                with suppress(NotFound):
                    held = self._catalog.held_payload(self._feed.id, orjson.loads(frame.body)["position"])
                    if held.state is HeldState.RELEASED and held.release_position == frame.position:
                        found += self.frames(held.position, page_of(held.name)[1])
        return found

    def ask_again(self, since: datetime) -> None:
        """Whoever judges the log again since a time also wants what was put aside since then, if it fits now."""
        again = [one.position for one in self._catalog.held(self._feed.id, (HeldState.HELD,)) if one.received_time >= since]
        with suppress(NotFound):
            self._catalog.decide(self._feed.id, again, HeldState.RELEASING, "replay")

    def grant(self) -> bool:
        """Turn wishes into frames, in the order in which the payloads came; answer whether there were any. The owner holds the
        flow's lock, so that no frame is judged before its wish knows of it."""
        wishes = [
            held for held in self._catalog.held(self._feed.id, (HeldState.RELEASING, HeldState.ACCEPTING)) if held.release_position is None
        ]
        for held in wishes:
            body = orjson.dumps({"position": held.position, "state": held.state.value})
            position = self._log.append([(datetime.now(UTC), RELEASE, body)])
            self._log.sync()
            self._catalog.note_held(self._feed.id, held.position, release_position=position)
        return bool(wishes)

    def reason(self, after: int) -> str | None:
        """Why the first payload after a position waits; None if none does. The finding about it goes with the last one of all."""
        waiting = self._catalog.held(self._feed.id, after=after, limit=1)
        if not waiting and not self._catalog.held(self._feed.id, limit=1):
            self._catalog.resolve_finding(self._feed.id, *WAITS)
        return waiting[0].reason if waiting else None


def told(differences: Sequence[Difference]) -> str:
    """The differences in one sentence."""
    words = [sentence(one.kind, one.subject, one.details) for one in differences]
    return "; ".join(words[:5]) + (f"; and {len(words) - 5} more" if len(words) > 5 else "")


def _plain(one: Difference) -> dict[str, Any]:
    words = asdict(one)
    del words["shape"]
    return {**words, "severity": one.severity.value}
