"""Lost LoRaWAN frames: gaps in the frame counters that observations carry (`f_cnt`, option `frame_counter`)."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise

import orjson
import pyarrow as pa

#: A counter that jumps further was not lost on the air: the device began anew or was replaced (LoRaWAN's MAX_FCNT_GAP).
JUMP = 16_384

#: Older devices count with 16 bits.
ROUND = 65_536


@dataclass(frozen=True, slots=True)
class Frames:
    """What became of the frames of one thing: how many came, how many were lost between them, how often it began anew."""

    thing: str
    received: int
    missing: int
    restarts: int

    @property
    def share(self) -> float:
        """The part that was lost, of those that were sent."""
        return self.missing / (self.received + self.missing) if self.received else 0.0


def count_frames(frames: Iterable[tuple[str, datetime, int]]) -> list[Frames]:
    """The frames of each thing, out of (thing, phenomenon_time, f_cnt) in any order; a frame with many values counts once."""
    by_thing: dict[str, set[tuple[datetime, int]]] = {}
    for thing, time, counter in frames:
        by_thing.setdefault(thing, set()).add((time, counter))
    return [_counted(thing, [counter for _, counter in sorted(found)]) for thing, found in sorted(by_thing.items())]


def _counted(thing: str, counters: list[int]) -> Frames:
    missing = restarts = 0
    received = 1
    for before, counter in pairwise(counters):
        step = counter - before
        if step < 0 and before < ROUND and counter + ROUND - before <= JUMP:
            step = counter + ROUND - before
        if step == 0:
            continue
        received += 1
        if 0 < step <= JUMP:
            missing += step - 1
        else:
            restarts += 1
    return Frames(thing, received, missing, restarts)


def frames_in(accepted: pa.Table) -> list[Frames]:
    """The frames in accepted observations (OBSERVATIONS_IN); rows without a counter do not count."""
    return count_frames(_frames(accepted))


def _frames(accepted: pa.Table) -> Iterator[tuple[str, datetime, int]]:
    columns = (accepted.column(name).to_pylist() for name in ("thing", "phenomenon_time", "parameters"))
    for thing, time, parameters in zip(*columns, strict=True):
        counter = orjson.loads(parameters).get("f_cnt") if parameters else None
        if isinstance(counter, int) and not isinstance(counter, bool) and counter >= 0:
            yield thing, time, counter


class FrameCounter:
    """Counts on from batch to batch. `received`, `missing` and `restarts` are sums over all things; a frame that comes late is lost no more."""

    def __init__(self, received: int = 0, missing: int = 0, restarts: int = 0) -> None:
        self.received = received
        self.missing = missing
        self.restarts = restarts
        self._last: dict[str, tuple[datetime, int]] = {}

    def count(self, fresh: pa.Table) -> None:
        """Take up new observations (OBSERVATIONS_IN), each of which comes once."""
        by_thing: dict[str, set[tuple[datetime, int]]] = {}
        for thing, time, counter in _frames(fresh):
            by_thing.setdefault(thing, set()).add((time, counter))
        for thing, found in by_thing.items():
            self._take(thing, sorted(found))

    def _take(self, thing: str, found: list[tuple[datetime, int]]) -> None:
        before = self._last.get(thing)
        late = [] if before is None else [one for one in found if one[0] < before[0]]
        now = found[len(late) :]
        self.received += len(late)
        self.missing = max(0, self.missing - len(late))
        if now:
            counters = [counter for _, counter in now]
            counted = _counted(thing, counters if before is None else [before[1], *counters])
            self.received += counted.received - (before is not None)
            self.missing += counted.missing
            self.restarts += counted.restarts
            self._last[thing] = now[-1]
