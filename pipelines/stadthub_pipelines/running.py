"""Who runs on a data_dir: each process holds a locked file there, which the system lets go when the process ends, however it ends."""

import fcntl
import os
import resource
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from stadthub_schemas.errors import Conflict, StorageError
from stadthub_schemas.settings import make_data_dir

#: The files that are held, by who holds them.
HUB = "hub.lock"
WORKER = "worker.lock"
#: How often a file is tried that somebody may only be looking at, and after how many seconds again.
LOOKS, MOMENT = 10, 0.02

#: Says to a worker that standard input is a pipe of its parent: when it closes, the parent is gone.
WITH_PARENT = "--with-parent"


def worker_file(name: str) -> str:
    """The file that a worker holds: each name has its own, the main worker has none."""
    return f"worker@{name}.lock" if name else WORKER


def without_dumps() -> None:
    """Let the system write no memory image of this process when it crashes: it would hold what is never to be stored."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


@contextmanager
def held(data_dir: Path, name: str, words: str, note: str = "") -> Iterator[None]:
    """Hold this file as long as the block runs; `words` are told to whoever wants it meanwhile (Conflict), `note` to programs that ask."""
    try:
        make_data_dir(data_dir)
        file = (data_dir / name).open("a+", encoding="utf-8")
    except OSError as error:
        raise StorageError(f"data_dir can't be written: {error.strerror}; mend its owner and rights, or name another folder") from error
    with file:
        if not _taken(file):
            raise Conflict(f"{_lines(file.name)[0]}: stop that one first, or name another data_dir")
        file.truncate(0)
        file.write(f"{words}, process {os.getpid()}\n{note}\n")
        file.flush()
        yield
        file.truncate(0)


def holder(data_dir: Path, name: str) -> str | None:
    """What the one who holds this file says of itself; None: nobody holds it."""
    lines = _told(data_dir / name)
    return lines[0] if lines else None


def noted(data_dir: Path, name: str) -> str | None:
    """What the one who holds this file noted for programs; None: nobody holds it, whatever the file says, or nothing is noted."""
    lines = _told(data_dir / name)
    return (lines[1] or None) if len(lines) > 1 else None


def _taken(file: TextIO) -> bool:
    """Whether the file is ours now. Whoever only looks whether it is held has it for a moment, too."""
    for _ in range(LOOKS):
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            time.sleep(MOMENT)
        else:
            return True
    return False


def _told(path: Path) -> list[str]:
    """The lines of a file that somebody holds; none of one that nobody does."""
    try:
        with path.open("r", encoding="utf-8") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return []
    except OSError:
        return _lines(str(path))
    return []


def _lines(path: str) -> list[str]:
    return Path(path).read_text("utf-8").splitlines() or ["a hub runs on this data_dir"]
