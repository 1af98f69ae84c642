"""A file, or every file that comes into a folder: each read once, and again when its content has changed."""

import hashlib
import hmac
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from stadthub_ingest.sources.archives import is_archive, unpack
from stadthub_ingest.sources.fetched import Fetched
from stadthub_schemas.errors import SourceError
from stadthub_schemas.feed import FileSource

__all__ = ["Fetched", "scan"]

#: What gives the pieces of a file: path, name and how many bytes it may have.
Read = Callable[[Path, str, int], Iterator[tuple[str, bytes]]]

#: A file younger than YOUNG seconds is looked at twice, PAUSE seconds apart; if it grows meanwhile, the next scan takes it.
YOUNG, PAUSE = 2.0, 0.25


@dataclass(frozen=True, slots=True)
class _Seen:
    """What is remembered of a file: how it looked, and how many of its members have been handed on."""

    size: int
    mtime_ns: int
    sha256: str
    members: int
    done: bool

    def looks_like(self, other: "_Look") -> bool:
        return (self.size, self.mtime_ns) == (other.size, other.mtime_ns)


@dataclass(frozen=True, slots=True)
class _Look:
    size: int
    mtime_ns: int


def scan(
    source: FileSource, state: dict[str, Any], pause: Callable[[float], None] = time.sleep, key: bytes = b"", read: Read | None = None
) -> Iterator[Fetched]:
    """New and changed files, oldest first; a file that is still being written is left for the next scan. SourceError tells of all
    files that can't be read, after the others. With a key what is remembered of a file's content can't be guessed without it.
    `read` gives the pieces of a file that is no archive, each with its name; else it is one piece."""
    names = dict(sorted(_files(source).items()))
    seen = {name: _Seen(**entry) for name, entry in state.get("files", {}).items() if name in names}
    looks = {name: look for name, path in names.items() if (look := _look(path)) is not None}
    wanted = {name: look for name, look in looks.items() if not (name in seen and seen[name].done and seen[name].looks_like(look))}
    now = time.time_ns()
    if any(now - look.mtime_ns < YOUNG * 1e9 for look in wanted.values()):
        pause(PAUSE)
    wrong: list[str] = []
    for name in sorted(wanted, key=lambda name: (wanted[name].mtime_ns, name)):
        if _look(names[name]) == wanted[name]:
            try:
                if not _is_text(name):
                    raise SourceError(f"{name.encode('utf-8', 'backslashreplace').decode()}: its name is not UTF-8: rename it")
                yield from _read(source, names[name], wanted[name], _Memory(name, seen, key, read or whole))
            except OSError as error:
                wrong.append(f"{name}: it can't be read: {error.strerror or 'the disk failed'}")
            except SourceError as error:
                wrong.append(str(error))
    if wrong:
        raise SourceError("; ".join(wrong))


def names(source: FileSource) -> list[str]:
    """The files that a scan looks at, by name. SourceError."""
    return sorted(_files(source))


@dataclass(frozen=True, slots=True)
class _Memory:
    """What is remembered, seen from one file."""

    name: str
    seen: dict[str, _Seen]
    key: bytes
    pieces: Read


def _read(source: FileSource, path: Path, look: _Look, memory: _Memory) -> Iterator[Fetched]:
    """What one file holds, unless its content is the one we know; the memory is brought up to date before each."""
    name, seen = memory.name, memory.seen
    before = seen.get(name)
    digest = _digest(path, memory.key)
    if before is not None and before.done and before.sha256 == digest:
        seen[name] = _Seen(look.size, look.mtime_ns, digest, before.members, done=True)
        return
    skip = before.members if before is not None and before.sha256 == digest else 0
    packed = source.unpack and is_archive(path)
    bodies = unpack(path, name, source.max_bytes) if packed else memory.pieces(path, name, source.max_bytes)
    given = skip
    held: Fetched | None = None
    for number, (member, body) in enumerate(bodies, start=1):
        if number > skip:
            if held is not None:
                yield held
            given = number
            seen[name] = _Seen(look.size, look.mtime_ns, digest, given, done=False)
            held = Fetched(f"{name}/{member}" if packed else member, body, _state(seen))
    if held is not None and _look(path) == look:
        seen[name] = _Seen(look.size, look.mtime_ns, digest, given, done=True)
        yield Fetched(held.name, held.body, _state(seen))


def _state(seen: dict[str, _Seen]) -> dict[str, Any]:
    return {"files": {name: asdict(entry) for name, entry in seen.items()}}


def whole(path: Path, name: str, most_bytes: int) -> Iterator[tuple[str, bytes]]:
    """The file as one piece. SourceError if it is bigger."""
    is_bigger = path.stat().st_size > most_bytes
    with path.open("rb") as file:
        body = b"" if is_bigger else file.read(most_bytes + 1)
    if is_bigger or len(body) > most_bytes:
        raise SourceError(f"{name}: it is bigger than source.max_bytes ({most_bytes})")
    yield name, body


def _digest(path: Path, key: bytes) -> str:
    with path.open("rb") as file:
        if not key:
            return hashlib.file_digest(file, "sha256").hexdigest()
        keyed = hmac.new(key, digestmod="sha256")
        while piece := file.read(1_000_000):
            keyed.update(piece)
        return keyed.hexdigest()


def _look(path: Path) -> _Look | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return _Look(found.st_size, found.st_mtime_ns)


def _files(source: FileSource) -> dict[str, Path]:
    """The files by name. In a folder neither hidden ones nor links: who may write there may not choose what is read elsewhere."""
    path = source.path
    try:
        if path.is_file():
            return {path.name: path}
        if not path.is_dir():
            raise SourceError(f"{path.name}: there is no such file or folder: mend source.path")
        if ".." in PurePosixPath(source.pattern).parts or source.pattern.startswith("/"):
            raise SourceError(f"{path.name}: source.pattern must stay in the folder")
        inside = path.resolve()
        found = {
            one.relative_to(path).as_posix(): one
            for one in path.glob(source.pattern)
            if one.is_file() and not one.is_symlink() and one.resolve().is_relative_to(inside)
        }
    except OSError as error:
        raise SourceError(f"{path.name}: it can't be read: {error.strerror}") from error
    return {name: one for name, one in found.items() if not any(part.startswith(".") for part in PurePosixPath(name).parts)}


def _is_text(name: str) -> bool:
    """Whether the name can be written down: on the disk a name may be any bytes."""
    return name.encode("utf-8", "replace").decode() == name
