"""Who runs on a data_dir: each process holds a locked file there, which the system lets go when the process ends, however it ends."""

import fcntl
import os
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from stadthub_schemas.errors import Conflict, StorageError
from stadthub_schemas.settings import make_data_dir

#: The files that are held, by who holds them.
HUB = "hub.lock"
WORKER = "worker.lock"

#: Says to a worker that standard input is a pipe of its parent: when it closes, the parent is gone.
WITH_PARENT = "--with-parent"


def worker_file(name: str) -> str:
    """The file that a worker holds: each name has its own, the main worker has none."""
    return f"worker@{name}.lock" if name else WORKER


def without_dumps() -> None:
    """Let the system write no memory image of this process when it crashes: it would hold what is never to be stored."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


@contextmanager
def held(data_dir: Path, name: str, words: str) -> Iterator[None]:
    """Hold this file as long as the block runs; `words` are told to whoever wants it meanwhile (Conflict)."""
    try:
        make_data_dir(data_dir)
        file = (data_dir / name).open("a+", encoding="utf-8")
    except OSError as error:
        raise StorageError(f"data_dir can't be written: {error.strerror}; mend its owner and rights, or name another folder") from error
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise Conflict(f"{_words(file.name)}: stop that one first, or name another data_dir") from error
        file.truncate(0)
        file.write(f"{words}, process {os.getpid()}\n")
        file.flush()
        yield
        file.truncate(0)


def holder(data_dir: Path, name: str) -> str | None:
    """What the one who holds this file says of itself; None: nobody holds it."""
    try:
        with (data_dir / name).open("r", encoding="utf-8") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return None
    except OSError:
        return _words(str(data_dir / name))
    return None


def _words(path: str) -> str:
    return Path(path).read_text("utf-8").strip() or "a hub runs on this data_dir"
