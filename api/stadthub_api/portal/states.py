"""How a feed is doing, as one word with a colour and an icon, and the state of disk and database."""

import shutil
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from stadthub_api.portal.freshness import Look
from stadthub_catalog.entry import FeedState

#: A feed that said nothing for so long, or lags so much, is told as silent or slow.
SILENT = timedelta(hours=1)
SLOW_SECONDS = 120.0
#: More rejects than this share of what was received is worth a look.
MANY_REJECTS = 0.05

#: The words for each state, in German, translated when shown.
STATES: dict[str, Look] = {
    "wrong": Look("Datei fehlerhaft", "danger", "danger"),
    "error": Look("Störung", "danger", "danger"),
    "paused": Look("angehalten", "info", "info"),
    "quarantined": Look("in Quarantäne", "danger", "danger"),
    "disconnected": Look("nicht verbunden", "danger", "danger"),
    "slow": Look("im Rückstand", "warning", "warning"),
    "silent": Look("still", "warning", "warning"),
    "rejecting": Look("viele Ablehnungen", "warning", "warning"),
    "new": Look("wartet auf Daten", "info", "info"),
    "running": Look("läuft", "success", "success"),
}


def state_of(feed: FeedState, now: datetime) -> str:
    """The one word that matters most; the first that holds."""
    counts = feed.counts
    holds = {
        "wrong": bool(feed.wrong),
        "paused": feed.paused or feed.held,
        "error": bool(feed.error),
        "quarantined": bool(feed.quarantine),
        "disconnected": feed.source == "mqtt" and not feed.connected,
        "slow": (feed.lag_seconds or 0.0) > SLOW_SECONDS,
        "new": feed.last_message_time is None,
        "silent": feed.source == "mqtt" and feed.last_message_time is not None and now - feed.last_message_time > SILENT,
        "rejecting": counts.received > 0 and counts.rejected > MANY_REJECTS * counts.received,
    }
    return next((name for name, true in holds.items() if true), "running")


@dataclass(frozen=True, slots=True)
class Disk:
    """The disk on which everything is kept."""

    free: int
    total: int
    floor: int

    @property
    def low(self) -> bool:
        """Whether nothing more is acknowledged."""
        return self.free < self.floor


def disk(folder: Path, floor_mb: int) -> Disk:
    """How much room there is, and below what nothing more is acknowledged."""
    found = shutil.disk_usage(folder if folder.exists() else folder.parent)
    return Disk(found.free, found.total, floor_mb * 1_000_000)
