"""The hand-over of pushed bodies: the api process puts a file, the worker moves it into the raw log."""

from datetime import datetime
from pathlib import Path

import orjson

from stadthub_lake.rawlog import RawLog

ENDING = ".body"


def take(folder: Path, log: RawLog) -> int:
    """Move every waiting body into the raw log, oldest first; answer how many. A body leaves the folder once it is durable."""
    waiting = sorted(path for path in folder.glob(f"*{ENDING}") if not path.name.startswith("."))
    for path in waiting:
        head, _, body = path.read_bytes().partition(b"\n")
        header = orjson.loads(head)
        log.append([(datetime.fromisoformat(header["received_time"]), header["name"], body)])
        log.sync()
        path.unlink()
    return len(waiting)
