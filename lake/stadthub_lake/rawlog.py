"""The raw log of one feed: the write-ahead log. What `sync` has returned for is on disk, and only that may be acknowledged."""

import os
import threading
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path

from stadthub_lake.segmentreader import SegmentReader
from stadthub_lake.segments import (
    MAGIC,
    PACKED,
    PLAIN,
    Frame,
    pack,
    pack_segment,
    survey,
    unpack_segment,
)
from stadthub_lake.storage import make_folder, placing, reason, storing, sync_folder
from stadthub_schemas.errors import StorageError

__all__ = ["Frame", "RawLog"]

#: A segment is closed when it is larger than this.
SEGMENT_BYTES = 64_000_000

#: Of how many readers the place where they stopped is known.
PLACES = 64

#: The longest name (topic, URL, file) that a frame holds, in bytes: any topic of MQTT fits.
LONGEST_NAME = 65_535


class RawLog:
    """One appender, any number of readers in other threads. After a StorageError nothing of the failed call is there: call again."""

    def __init__(self, folder: Path, min_free_bytes: int = 0) -> None:
        self._folder = folder
        self._min_free = min_free_bytes
        self._lock = threading.Lock()
        self._syncing = threading.Lock()
        self._places: dict[int, tuple[int, int]] = {}
        self._reader = SegmentReader(folder)
        with storing(self._name):
            make_folder(folder)
            self._firsts = self._clean()
            self._file, self._written, self._size = self._open_last()
        self._synced = (self._firsts[-1], self._written, self._size)

    @property
    def last(self) -> int:
        """The last position that is on disk; 0: none."""
        return self._synced[1]

    def append(self, frames: Sequence[tuple[datetime, str, bytes]]) -> int:
        """The last position, once the frames are written; they are on disk after `sync`. StorageError: none of them is there."""
        with self._lock:
            if not frames:
                return self._written
            if any(len(name) > LONGEST_NAME // 4 and len(name.encode()) > LONGEST_NAME for _, name, _ in frames):
                raise ValueError(f"the name of a frame is longer than {LONGEST_NAME} bytes")
            data = pack(self._written + 1, frames)
            self._check_room(len(data))
            if self._size > SEGMENT_BYTES:
                self._rotate()
            self._write(data)
            self._size += len(data)
            self._written += len(frames)
            return self._written

    def sync(self) -> None:
        """Returns once everything appended is on disk. StorageError: what was not yet synced is gone again, append it anew."""
        with self._syncing:
            with self._lock:
                state, file = (self._firsts[-1], self._written, self._size), self._file
            if state == self._synced:
                return
            try:
                os.fdatasync(file)
            except OSError as error:
                with self._lock:
                    self._go_back()
                raise StorageError(f"{self._name}: {reason(error)}") from error
            self._synced = max(self._synced, state)

    def read(self, after: int, most: int = 10_000, most_bytes: int = 64_000_000) -> list[Frame]:
        """The synced frames after a position, in order; at least one if there is one. StorageError names a broken frame
        when it is next; behind its position reading goes on."""
        answer: list[Frame] = []
        held = 0
        try:
            for frame in self._frames(after):
                answer.append(frame)
                held += len(frame.body)
                if len(answer) >= most or held >= most_bytes:
                    break
        except StorageError:
            if not answer:
                raise
        return answer

    def since(self, time: datetime) -> int:
        """The position before the first frame received at or after a time; the last position if there is none."""
        start = 0
        for first in self._known()[1:]:
            opening = next(self._frames(first - 1), None)
            if opening is None or opening.received_time >= time:
                break
            start = first - 1
        found = next((frame for frame in self._frames(start) if frame.received_time >= time), None)
        return self.last if found is None else found.position - 1

    def forget(self, before: datetime, up_to: int) -> int:
        """How many closed segments were removed: those received before a time whose frames are all at or below a position."""
        removed = 0
        for first, following in zip(self._known(), self._known()[1:], strict=False):
            opening = next(self._frames(following - 1), None)
            if following - 1 > up_to or opening is None or opening.received_time >= before:
                break
            with storing(self._name), self._lock:
                self._firsts.remove(first)
                self._reader.path(first).unlink()
                sync_folder(self._folder)
            removed += 1
        return removed

    def compress(self) -> int:
        """How many closed segments were compressed; readers do not notice."""
        done = 0
        for first in self._known()[:-1]:
            plain = self._folder / f"{first:020}{PLAIN}"
            if plain.exists():
                with storing(self._name):
                    with placing(self._folder / f"{first:020}{PACKED}") as hidden:
                        pack_segment(plain, hidden)
                    plain.unlink()
                    sync_folder(self._folder)
                done += 1
        return done

    def start_after(self, position: int) -> None:
        """Goes on behind a position, so that a lake that is further than a lost raw log does not take new frames for old ones."""
        with self._lock, storing(self._name):
            if position > self._written:
                self._written = position
                self._rotate()
                self._synced = (self._firsts[-1], self._written, self._size)

    def close(self) -> None:
        """Lets the file go; what was not synced may be lost."""
        os.close(self._file)

    @property
    def _name(self) -> str:
        return f"raw log {self._folder.name}"

    def _known(self) -> list[int]:
        with self._lock:
            return list(self._firsts)

    def _clean(self) -> list[int]:
        """The first positions of all segments; what a crash left half done is taken away."""
        for path in self._folder.glob(".*.new"):
            path.unlink()
        packed = {int(path.name[:20]) for path in self._folder.glob(f"[0-9]*{PACKED}")}
        plain = {int(path.name[:20]) for path in self._folder.glob(f"[0-9]*{PLAIN}")}
        for first in packed & plain:
            (self._folder / f"{first:020}{PLAIN}").unlink()
        return sorted(packed | plain)

    def _open_last(self) -> tuple[int, int, int]:
        """File, last position and size of the last segment; a torn last frame is cut off, a missing segment is begun."""
        if not self._firsts:
            return self._begin(1), 0, len(MAGIC)
        first = self._firsts[-1]
        path = self._reader.path(first)
        if path.name.endswith(PACKED):
            data = unpack_segment(path)
            last = survey(data, first).last
            return self._begin(last + 1), last, len(MAGIC)
        data = path.read_bytes()
        found = survey(data, first)
        last, size = found.last, found.end
        file = os.open(path, os.O_RDWR | os.O_APPEND)
        if data[: len(MAGIC)] != MAGIC:
            if len(data) >= len(MAGIC):
                raise StorageError(f"{self._name}: segment {path.name} does not begin as a raw log does")
            os.ftruncate(file, 0)
            os.write(file, MAGIC)
        elif size < len(data):
            os.ftruncate(file, size)
        os.fsync(file)
        return file, last, size

    def _begin(self, first: int) -> int:
        """The file of a new segment, on disk."""
        path = self._folder / f"{first:020}{PLAIN}"
        file = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_TRUNC, 0o644)
        try:
            if os.write(file, MAGIC) < len(MAGIC):
                raise OSError(28, "no room for a new segment")
            os.fsync(file)
            sync_folder(self._folder)
        except OSError:
            os.close(file)
            path.unlink(missing_ok=True)
            raise
        if first not in self._firsts:
            self._firsts.append(first)
        return file

    def _rotate(self) -> None:
        """Closes the segment, synced, and begins the next."""
        with storing(self._name):
            os.fdatasync(self._file)
            file = self._begin(self._written + 1)
        os.close(self._file)
        self._file, self._size = file, len(MAGIC)
        self._synced = (self._firsts[-1], self._written, self._size)

    def _check_room(self, needed: int) -> None:
        if self._min_free:
            with storing(self._name):
                disk = os.statvfs(self._folder)
            if disk.f_bavail * disk.f_frsize - needed < self._min_free:
                raise StorageError(f"{self._name}: less than {self._min_free // 1_000_000} MB are free on the disk; make room")

    def _write(self, data: bytes) -> None:
        """All of it or, with StorageError, nothing."""
        view = memoryview(data)
        try:
            while view:
                view = view[os.write(self._file, view) :]
        except OSError as error:
            os.ftruncate(self._file, self._size)
            raise StorageError(f"{self._name}: {reason(error)}") from error

    def _go_back(self) -> None:
        """To the state that is known to be on disk: after a failed sync nobody knows what became of the rest."""
        _, self._written, self._size = self._synced
        with storing(self._name):
            os.ftruncate(self._file, self._size)

    def _frames(self, after: int) -> Iterator[Frame]:
        """All synced frames after a position; where a reader stops is remembered, for all who go on there."""
        firsts = self._known()
        limit = self._synced
        stopped: tuple[int, int] | None = None
        try:
            for first in firsts[max(bisect_right(firsts, after + 1) - 1, 0) :]:
                if first > limit[0]:
                    return
                place = self._places.get(after)
                offset, position = (place[1], after + 1) if place and place[0] == first else (len(MAGIC), first)
                size = limit[2] if first == limit[0] else None
                for frame, end in self._reader.frames(first, position, offset, size, after):
                    if frame.position > after:
                        after, stopped = frame.position, (first, end)
                        yield frame
        finally:
            if stopped is not None:
                self._remember(after, stopped)

    def _remember(self, position: int, place: tuple[int, int]) -> None:
        """The newest places where readers stopped."""
        with self._lock:
            self._places.pop(position, None)
            self._places[position] = place
            while len(self._places) > PLACES:
                del self._places[next(iter(self._places))]
