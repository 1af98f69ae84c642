"""One dataset's flow: its intakes take turns, so that what is pending and how far each has read always fit together."""

import math
import random
import threading
import time
from datetime import UTC, datetime

from stadthub_lake.store import Store
from stadthub_pipelines.intake import Intake
from stadthub_schemas.dataset import Dataset

#: A commit takes place after this part of `commit_seconds` at the earliest: flows that began together don't all commit at once.
EARLIEST = 0.5


class Flow:
    """All intakes that write to one dataset. `turn` and `commit` hold the flow's lock: one thread at a time."""

    def __init__(self, dataset: Dataset, store: Store, commit_seconds: float, commit_rows: int) -> None:
        self.dataset = dataset
        self.intakes: dict[str, Intake] = {}
        self.histories: dict[str, Intake] = {}
        self.lock = threading.Lock()
        self.changed = False
        self.last_commit: datetime | None = None
        self._store = store
        self._commit_seconds = commit_seconds
        self._commit_rows = commit_rows
        self._due: float | None = None
        store.ensure(dataset)

    @property
    def everyone(self) -> dict[str, Intake]:
        """The intakes of live feeds first, then those that take history in."""
        return {**self.intakes, **self.histories}

    def describe(self, dataset: Dataset) -> None:
        """Take up new words for the dataset."""
        self._store.ensure(dataset)
        self.dataset = dataset
        self.changed = True

    @property
    def waiting(self) -> bool:
        """Whether there is anything to judge or to commit."""
        return self._due is not None or any(intake.behind for intake in self.everyone.values())

    def turn(self, seconds: float = math.inf) -> bool:
        """Judge what every intake has waiting, and commit once it is enough or has waited long enough. Whether anything is left after
        these seconds: then others have their turn first, however much comes. Whoever calls it tells the catalogue with `remember`."""
        with self.lock:
            end, busy = time.monotonic() + seconds, True
            while busy and time.monotonic() < end:
                busy = False
                for intake in self.everyone.values():
                    if intake.step():
                        self.note_work()
                        busy = busy or intake.behind > 0
                self._commit_if_due()
                for intake in self.everyone.values():
                    if intake.is_full:
                        intake.remember()
            return busy

    @property
    def has_fresh(self) -> bool:
        """Whether the catalogue has still to be told of new rows."""
        return any(intake.has_fresh for intake in self.everyone.values())

    def remember(self) -> None:
        """Tell the catalogue what is new. It may have to wait for other writers there, so no turn waits for it."""
        for intake in self.everyone.values():
            intake.remember()

    def note_work(self) -> None:
        """Something was judged outside a turn: it waits for its commit."""
        if self._due is None:
            self._due = time.monotonic() + self._commit_seconds * random.uniform(EARLIEST, 1.0)

    def commit(self) -> None:
        """Make everything lasting that was judged so far."""
        with self.lock:
            self._commit()

    def _commit_if_due(self) -> None:
        if self._due is None:
            return
        if self._store.pending(self.dataset.name) >= self._commit_rows or time.monotonic() >= self._due:
            self._commit()

    def _commit(self) -> None:
        if self._due is None:
            return
        everyone = self.everyone
        progress = {feed: intake.progress for feed, intake in everyone.items()}
        self._store.commit(self.dataset.name, progress)
        for feed, intake in everyone.items():
            intake.committed_position = progress[feed].position
        self._due = None
        self.last_commit = datetime.now(UTC)
        self.changed = True
