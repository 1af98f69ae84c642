"""How a feed is doing, as one word with a colour and an icon, and the state of disk and database."""

import shutil
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from stadthub_api.portal.freshness import Look
from stadthub_catalog.entry import FeedState

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
    "noticed": Look("auffällig", "warning", "warning"),
    "new": Look("wartet auf Daten", "info", "info"),
    "running": Look("läuft", "success", "success"),
}


def state_of(feed: FeedState, noticed: Collection[str]) -> str:
    """The one word that matters most, given the kinds of open findings; the first that holds."""
    holds = {
        "wrong": bool(feed.wrong),
        "paused": feed.paused or feed.held,
        "error": bool(feed.error) or "source_error" in noticed,
        "quarantined": bool(feed.quarantine),
        "disconnected": feed.source == "mqtt" and not feed.connected,
        "slow": "backlog" in noticed or "lag" in noticed,
        "new": feed.last_message_time is None,
        "silent": "late" in noticed or "silent" in noticed,
        "rejecting": "rejects" in noticed,
        "noticed": bool(noticed),
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
