"""How the times of a column are written: the pattern that reads all of them, day or month first, and their zone."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from statistics import median

from stadthub_ingest.detection.proposal import Said
from stadthub_ingest.times import TimeReader, Times
from stadthub_schemas.vocabularies import FREQUENCIES

#: Patterns that are tried where ISO 8601 doesn't fit: what a text must look like, and the pattern that reads it.
_SHAPES: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(shape + r"\Z", re.ASCII), pattern)
    for shape, pattern in (
        (r"\d{1,2}\.\d{1,2}\.\d{4} \d{1,2}:\d{2}:\d{2}", "%d.%m.%Y %H:%M:%S"),
        (r"\d{1,2}\.\d{1,2}\.\d{4} \d{1,2}:\d{2}", "%d.%m.%Y %H:%M"),
        (r"\d{1,2}\.\d{1,2}\.\d{4}, \d{1,2}:\d{2}", "%d.%m.%Y, %H:%M"),
        (r"\d{1,2}\.\d{1,2}\.\d{4}", "%d.%m.%Y"),
        (r"\d{1,2}\.\d{1,2}\.\d{2} \d{1,2}:\d{2}", "%d.%m.%y %H:%M"),
        (r"\d{1,2}\.\d{1,2}\.\d{2}", "%d.%m.%y"),
        (r"\d{4}/\d{1,2}/\d{1,2} \d{1,2}:\d{2}:\d{2}", "%Y/%m/%d %H:%M:%S"),
        (r"\d{4}/\d{1,2}/\d{1,2} \d{1,2}:\d{2}", "%Y/%m/%d %H:%M"),
        (r"\d{4}/\d{1,2}/\d{1,2}", "%Y/%m/%d"),
        (r"\d{1,2}/\d{1,2}/\d{4} \d{1,2}:\d{2}:\d{2}", "%d/%m/%Y %H:%M:%S"),
        (r"\d{1,2}/\d{1,2}/\d{4} \d{1,2}:\d{2}", "%d/%m/%Y %H:%M"),
        (r"\d{1,2}/\d{1,2}/\d{4}", "%d/%m/%Y"),
        (r"(19|20)\d{12}", "%Y%m%d%H%M%S"),
        (r"(19|20)\d{10}", "%Y%m%d%H%M"),
        (r"(19|20)\d{8}", "%Y%m%d%H"),
        (r"(19|20)\d{6}", "%Y%m%d"),
        (r"(19|20)\d{2}-\d{2}", "%Y-%m"),
        (r"(19|20)\d{2}", "%Y"),
    )
)
_CLOCK = re.compile(r"([01]?\d|2[0-4]):[0-5]\d(:[0-5]\d)?\Z", re.ASCII)
_EPOCH = re.compile(r"\d{9,10}(\.\d+)?\Z", re.ASCII)
#: A day and an hour in ten digits; as an epoch it would lie after 2033.
_HOURS = re.compile(r"20\d\d(0[1-9]|1[0-2])([0-2]\d|3[01])([01]\d|2[0-4])\Z", re.ASCII)
_EPOCH_MS = re.compile(r"\d{12,13}\Z", re.ASCII)
_ISO_LIKE = re.compile(r"\d{4}-?\d\d-?\d\d([T ]\d\d|\Z)")
_OFFSET = re.compile(r"(Z|[+-]\d\d:?\d\d)\Z")

#: These look like numbers: only a header that speaks of time makes them times.
NUMERIC = frozenset({"%Y%m%d%H%M%S", "%Y%m%d%H%M", "%Y%m%d%H", "%Y%m%d", "%Y", "epoch", "epoch_ms"})
_QUOTES = "'\""


@dataclass(frozen=True, slots=True)
class Written:
    """How times are written: the pattern, the signs around them, whether they say their offset, and why it is thought so."""

    pattern: str
    strip: str
    has_offset: bool
    confidence: float
    reason: Said

    @property
    def has_clock(self) -> bool:
        """Whether they name an hour."""
        return self.pattern in ("iso", "epoch", "epoch_ms") or "%H" in self.pattern

    def times(self, zone: str) -> dict[str, object]:
        """The `times` of the options; the zone is named where the times don't say it."""
        found: dict[str, object] = {} if self.pattern == "iso" else {"formats": [self.pattern]}
        if not self.has_offset:
            found["time_zone"] = zone
        if self.strip:
            found["strip"] = self.strip
        return found


def written(cells: Sequence[str]) -> Written | None:
    """How these times are written; None if they are no times, or no way reads nearly all of them."""
    there = [cell.strip() for cell in cells if cell.strip()][:500]
    if not there:
        return None
    strip = next((sign for sign in _QUOTES if all(cell[0] == sign == cell[-1] for cell in there)), "")
    bare = [cell.strip(strip) for cell in there] if strip else there
    if all(_EPOCH.match(cell) for cell in bare) and not all(_HOURS.match(cell) for cell in bare):
        return Written("epoch", strip, True, 0.8, Said("Sekunden seit 1970", "seconds since 1970"))
    if all(_EPOCH_MS.match(cell) for cell in bare) and not all(cell.startswith(("19", "20")) for cell in bare):
        return Written("epoch_ms", strip, True, 0.8, Said("Millisekunden seit 1970", "milliseconds since 1970"))
    if enough(sum(map(_is_iso, bare)), len(bare)):
        offset = all(_OFFSET.search(cell[10:]) for cell in bare)
        bare = [cell for cell in bare if _is_iso(cell)]
        pattern = "%Y-%m-%d" if all(len(cell) == 10 for cell in bare) else "iso"  # a day needs no zone
        return Written(pattern, strip, offset, 0.98, Said("ISO 8601", "ISO 8601"))
    for shape, pattern in _SHAPES:
        if enough(sum(1 for cell in bare if shape.match(cell)), len(bare)):
            return _ordered(bare, pattern, strip)
    return None


def enough(right: int, total: int) -> bool:
    """Whether so many right cells tell what a column is: nearly all, in a short one all but a few."""
    return right >= 0.95 * total or (total <= 40 and right >= 2 and total - right <= max(1, total // 4))


def is_clock(cells: Sequence[str]) -> bool:
    """Whether these are times of day without a day."""
    there = [cell.strip() for cell in cells if cell.strip()]
    return bool(there) and all(_CLOCK.match(cell) for cell in there)


def clock_pattern(cells: Sequence[str]) -> str:
    """The pattern of times of day."""
    return "%H:%M:%S" if any(cell.count(":") == 2 for cell in cells) else "%H:%M"


def _is_iso(cell: str) -> bool:
    if not _ISO_LIKE.match(cell) or cell.isdigit():
        return False
    try:
        datetime.fromisoformat(cell.replace("24:00", "00:00"))
    except ValueError:
        return False
    return True


def _ordered(cells: Sequence[str], pattern: str, strip: str) -> Written | None:
    """Day or month first, by what can be neither."""
    if "/" in pattern and pattern.startswith("%d"):
        parts = [re.split(r"\D", cell) for cell in cells if cell.count("/") == 2]
        first, second = (max(int(part[place]) for part in parts) for place in (0, 1))
        if second > 12 >= first:
            swapped = pattern.replace("%d/%m", "%m/%d")
            return Written(swapped, strip, False, 0.95, Said("der zweite Teil ist größer als 12", "the second part is larger than 12"))
        if first <= 12:
            unsure = Said("Tag zuerst angenommen: kein Tag ist größer als 12", "day first is assumed: no day is larger than 12")
            return Written(pattern, strip, False, 0.6, unsure)
    reader = TimeReader(Times(formats=(pattern,), time_zone="UTC", strip=strip))
    read = [cell for cell in cells if isinstance(reader.read(cell), datetime)]
    if not enough(len(read), len(cells)):
        return None
    return Written(pattern, strip, False, 0.9, Said(f"alle Werte haben die Form {cells[0]}", f"all values have the form {cells[0]}"))


def frequency_of(moments: Sequence[datetime]) -> tuple[str, timedelta] | None:
    """The frequency (of the EU's vocabulary) at which these moments of one thing follow each other."""
    distinct = sorted(set(moments))
    if len(distinct) < 3:
        return None
    step = timedelta(seconds=median((later - earlier).total_seconds() for earlier, later in pairwise(distinct)))
    known = [(name, length) for name, (_, _, length) in FREQUENCIES.items() if length is not None and name != "CONT"]
    name, _ = min(known, key=lambda pair: abs(pair[1].total_seconds() - step.total_seconds()) / pair[1].total_seconds())
    return name, step
