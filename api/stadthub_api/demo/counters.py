"""Files in a folder, some weeks of history and then a new one every quarter of an hour: the counters' are CSV."""

import logging
import os
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path

from stadthub_api.demo.city import counters
from stadthub_api.demo.curves import crossings

QUARTER = 900
HISTORY_DAYS = 30
SLOTS_A_DAY = 86_400 // QUARTER

#: Files are removed after so many days: the hub has long read them.
KEPT_DAYS = 3

HEADER = "Zaehlstelle;Name;Messgroesse;Beginn;Anzahl;Laenge;Breite\n"
STAMP = "%Y-%m-%dT%H%M"

log = logging.getLogger(__name__)


class Counters:
    """Writes what the counters have counted into `folder`."""

    #: How its files begin and end, and how far back they go.
    name = "zaehlung"
    ending = "csv"
    history_days = HISTORY_DAYS

    def __init__(self, folder: Path, clock: Callable[[], float] = time.time) -> None:
        self._folder = folder
        self._clock = clock
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"demo-{self.name}", daemon=True)

    def start(self) -> None:
        """Write in the background what is missing up to now, and go on with it."""
        self._folder.mkdir(parents=True, exist_ok=True)
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        self._thread.join(timeout=10)

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                self.catch_up()
            except OSError as error:
                log.error("%s of the demo can't be written: %s", self.name, error.strerror)
            self._stopping.wait(QUARTER - self._clock() % QUARTER + 1)

    def catch_up(self) -> None:
        """Write each quarter of an hour that is over and not yet written, those of one day in one file."""
        now = self.now()
        first = max(self._written(), now - self.history_days * SLOTS_A_DAY)
        days: dict[int, list[int]] = {}
        for slot in range(first, now):
            days.setdefault(slot // SLOTS_A_DAY, []).append(slot)
        for slots in days.values():
            if self._stopping.is_set():
                return
            self._write(datetime.fromtimestamp(slots[0] * QUARTER, UTC).strftime(f"{self.name}-{STAMP}"), slots)
            (self._folder / ".written").write_text(str(slots[-1] + 1))
        oldest = (now - KEPT_DAYS * SLOTS_A_DAY) * QUARTER
        for path in self._folder.glob(f"{self.name}-*.{self.ending}"):
            if path.stat().st_mtime < oldest:
                path.unlink()

    def now(self) -> int:
        """The slot that is not over yet."""
        return int(self._clock()) // QUARTER

    def text(self, slots: Iterable[int]) -> Iterator[str]:
        """What stands in the file of these slots."""
        yield HEADER
        yield from rows(slots)

    def _written(self) -> int:
        """The first slot that is not written yet."""
        try:
            return int((self._folder / ".written").read_text())
        except (OSError, ValueError):
            return 0

    def _write(self, name: str, slots: Iterable[int]) -> None:
        hidden = self._folder / f".{name}.tmp"
        with hidden.open("w", encoding="utf-8") as file:
            file.writelines(self.text(slots))
            file.flush()
            os.fsync(file.fileno())
        hidden.replace(self._folder / f"{name}.{self.ending}")


def rows(slots: Iterable[int]) -> Iterator[str]:
    """A line for each counter in each slot."""
    everywhere = counters()
    for slot in slots:
        begin = datetime.fromtimestamp(slot * QUARTER, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        for spot, kind in everywhere:
            count = crossings(slot * QUARTER, spot.id, kind)
            yield f"{spot.id};{spot.name} (simuliert);{kind};{begin};{count};{spot.longitude};{spot.latitude}\n"
