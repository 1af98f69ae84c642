"""Whose turn it is to write: one thread of one process at a time, among all workers of a hub."""

import fcntl
import os
import threading
import time
from pathlib import Path
from typing import Self

from stadthub_lake.storage import make_folder, storing
from stadthub_schemas.errors import StorageError

#: How long another process may hold a turn until those who wait say so, and how often they look, in seconds.
PATIENCE = 60.0
LOOK = 0.002


class Turn:
    """A lock over a file, for all threads of all processes; the thread that has it may take it again. The system lets it go
    with the process that holds it, however that ends."""

    def __init__(self, file: Path, what: str) -> None:
        self._file = file
        self._what = what
        self._lock = threading.RLock()
        self._depth = 0
        self._held = -1
        with storing(what):
            make_folder(file.parent)
            file.touch()

    def __enter__(self) -> Self:
        self._lock.acquire()
        try:
            if self._depth == 0:
                self._held = self._take()
            self._depth += 1
        except BaseException:
            self._lock.release()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._depth -= 1
        if self._depth == 0:
            os.close(self._held)
        self._lock.release()

    def _take(self) -> int:
        """The open file, locked. StorageError when another process doesn't let it go."""
        end = time.monotonic() + PATIENCE
        with storing(self._what):
            file = os.open(self._file, os.O_RDWR)
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if time.monotonic() < end:
                    time.sleep(LOOK)
                    continue
                os.close(file)
                raise StorageError(f"{self._what}: another worker has held it for {PATIENCE:.0f} seconds: stop that one") from None
            return file
