"""Reads frames out of the segments of one raw log, plain or compressed, while others append and compress."""

import os
from collections.abc import Iterator
from pathlib import Path

from stadthub_lake.segments import PACKED, PLAIN, BrokenFrameError, Frame, frame_at, length_at, next_whole, unpack_segment
from stadthub_lake.storage import reason
from stadthub_schemas.errors import StorageError

#: How much is read at once.
WINDOW = 4_000_000


class SegmentReader:
    """Holds one unpacked segment, so that a replay unpacks each only once."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._name = f"raw log {folder.name}"
        self._unpacked: tuple[int, bytes] = (0, b"")

    def path(self, first: int) -> Path:
        """The file of a segment, as it is now."""
        packed = self._folder / f"{first:020}{PACKED}"
        return packed if packed.exists() else self._folder / f"{first:020}{PLAIN}"

    def frames(self, first: int, position: int, offset: int, size: int | None, after: int) -> Iterator[tuple[Frame, int]]:
        """The frames of one segment from an offset on, and where each ends. A broken one is an error, unless it is passed over:
        it stands at or before `after`."""
        window, start, step = b"", offset, WINDOW
        while True:
            try:
                found = frame_at(window, offset - start, position)
            except BrokenFrameError as error:
                resumed = next_whole(window, offset - start, position) if position <= after else None
                if resumed is not None:
                    offset, position = start + resumed, position + 1
                    continue
                raise StorageError(f"{self._name}: segment {first:020} is broken at position {position}") from error
            if found is not None:
                frame, end = found
                offset, position = start + end, position + 1
                yield frame, offset
                continue
            fresh = self._window(first, offset, max(step, length_at(window, offset - start)), size)
            if len(fresh) <= len(window) - (offset - start):
                if fresh:
                    raise StorageError(f"{self._name}: segment {first:020} is broken at position {position}")
                return
            window, start, step = fresh, offset, step * 4 if start == offset else WINDOW

    def _window(self, first: int, offset: int, length: int, size: int | None) -> bytes:
        """Some bytes of a segment, up to its synced end."""
        end = offset + length if size is None else min(offset + length, size)
        for _ in range(3):
            path = self.path(first)
            try:
                if path.name.endswith(PACKED):
                    return self._unpack(first, path)[offset:end]
                with path.open("rb") as file:
                    file.seek(offset)
                    return file.read(max(min(end, os.fstat(file.fileno()).st_size) - offset, 0))
            except FileNotFoundError:
                continue
            except OSError as error:
                raise StorageError(f"{self._name}: {reason(error)}") from error
        raise StorageError(f"{self._name}: segment {first:020} is missing")

    def _unpack(self, first: int, path: Path) -> bytes:
        if self._unpacked[0] != first:
            self._unpacked = (first, unpack_segment(path))
        return self._unpacked[1]
