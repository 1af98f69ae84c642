"""The hub's own key for pseudonyms: made once, readable by the hub alone, never in a log, a database or an answer."""

import os
import secrets
from pathlib import Path
from uuid import uuid4

from stadthub_schemas.errors import StorageError

KEY_BYTES = 32


def pseudonym_key(data_dir: Path) -> bytes:
    """The key in `keys/pseudonym`; the first who asks makes it. StorageError if it can't be read or is not whole.

    Whoever loses the file gives every access point a new pseudonym; whoever copies it can tell which address has which.
    """
    path = data_dir / "keys" / "pseudonym"
    try:
        if not path.exists():
            _make(path)
        key = path.read_bytes()
    except OSError as error:
        raise StorageError(f"the key for pseudonyms (keys/pseudonym) can't be read or made: {error.strerror}") from error
    if len(key) != KEY_BYTES:
        raise StorageError(f"the key for pseudonyms (keys/pseudonym) must have {KEY_BYTES} bytes: restore it from a backup")
    return key


def _make(path: Path) -> None:
    """Write a new key durably; if another process was quicker, its key stays."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    hidden = path.with_name(f".{path.name}.{uuid4().hex}")
    descriptor = os.open(hidden, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        os.write(descriptor, secrets.token_bytes(KEY_BYTES))
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
