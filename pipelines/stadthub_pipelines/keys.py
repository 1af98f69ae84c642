"""The hub's own keys: each made once, readable by the hub alone, never in a log, a database or an answer."""

import os
import secrets
from pathlib import Path
from uuid import uuid4

from stadthub_schemas.errors import StorageError

#: How long a key is. AES-SIV takes two keys of 256 bits in one.
PSEUDONYM_BYTES, CURSOR_BYTES = 32, 64


def pseudonym_key(data_dir: Path) -> bytes:
    """The key in `keys/pseudonym`; the first who asks makes it. StorageError if it can't be read or is not whole.

    Whoever loses the file gives every access point a new pseudonym; whoever copies it can tell which address has which.
    """
    return _key(data_dir, "pseudonym", PSEUDONYM_BYTES)


def cursor_key(data_dir: Path) -> bytes:
    """The key in `keys/cursor`, with which cursors are sealed. Whoever loses the file makes readers start again at their first page."""
    return _key(data_dir, "cursor", CURSOR_BYTES)


def _key(data_dir: Path, name: str, size: int) -> bytes:
    path = data_dir / "keys" / name
    try:
        if not path.exists():
            _make(path, size)
        key = path.read_bytes()
    except OSError as error:
        raise StorageError(f"the key keys/{name} can't be read or made: {error.strerror}") from error
    if len(key) != size:
        raise StorageError(f"the key keys/{name} must have {size} bytes: restore it from a backup")
    return key


def _make(path: Path, size: int) -> None:
    """Write a new key durably; if another process was quicker, its key stays."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    hidden = path.with_name(f".{path.name}.{uuid4().hex}")
    descriptor = os.open(hidden, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        os.write(descriptor, secrets.token_bytes(size))
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    try:
        path.hardlink_to(hidden)
    except FileExistsError:
        pass
    finally:
        hidden.unlink()
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
