"""Looking into a raw log that another process writes: single frames by their position, nothing is changed."""

from pathlib import Path

from stadthub_lake.segmentreader import SegmentReader
from stadthub_lake.segments import MAGIC, PACKED, PLAIN, Frame


def peek(folder: Path, position: int, frames: int = 1) -> list[Frame]:
    """The last so many frames up to a position; fewer if the log keeps them no longer. StorageError for a broken one."""
    wanted = position - frames
    reader = SegmentReader(folder)
    firsts = sorted({int(path.name[:20]) for ending in (PLAIN, PACKED) for path in folder.glob(f"[0-9]*{ending}")})
    found: list[Frame] = []
    for first, following in zip(firsts, [*firsts[1:], position + 1], strict=True):
        if following <= wanted + 1 or first > position:
            continue
        for frame, _ in reader.frames(first, first, len(MAGIC), None, 0):
            if frame.position > wanted:
                found.append(frame)
            if frame.position >= position:
                break
    return [frame for frame in found if frame.position <= position]
