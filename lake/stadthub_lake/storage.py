"""Where the lake's files are, how they become durable, and how the machine's refusals become our error. One place for paths."""

import errno
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import pyarrow as pa
from deltalake.exceptions import DeltaError

from stadthub_schemas.errors import StorageError

#: What the machine says, in words for the operator. Anything else is told by its own name.
REASONS = {
    errno.ENOSPC: "the disk is full",
    errno.EDQUOT: "the disk quota is used up",
    errno.EROFS: "the disk is read-only",
    errno.EACCES: "the hub may not write there",
    errno.EIO: "the disk reports a fault",
    errno.EMFILE: "too many files are open",
}


def local_folder(uri: str) -> Path:
    """The folder behind a plain path or a `file://` URI. StorageError for any other scheme."""
    parts = urlsplit(uri)
    if parts.scheme not in ("", "file"):
        raise StorageError(f"the lake cannot be at {parts.scheme}://: give a folder or a file:// URI")
    return Path(unquote(parts.path) if parts.scheme else uri).absolute()


def reason(error: BaseException) -> str:
    """Why the machine refused, without a path of this machine."""
    number = error.errno if isinstance(error, OSError) else None
    text = str(error)
    if number is None and "No space left" in text:
        number = errno.ENOSPC
    if number in REASONS:
        return REASONS[number]
    return os.strerror(number).lower() if number else f"the files cannot be read or written ({type(error).__name__})"


@contextmanager
def storing(what: str) -> Iterator[None]:
    """Turns what the machine, Arrow or Delta refuse into one StorageError that names `what`."""
    try:
        yield
    except (OSError, pa.ArrowInvalid, DeltaError) as error:
        raise StorageError(f"{what}: {reason(error)}") from error


def sync_file(path: Path) -> None:
    """Returns once the file's bytes are on disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_folder(folder: Path) -> None:
    """Returns once the folder's list of names is on disk."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def make_folder(folder: Path) -> None:
    """Makes the folder and its missing parents, durably."""
    missing = [one for one in (folder, *folder.parents) if not one.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    for one in missing:
        sync_folder(one.parent)


@contextmanager
def placing(path: Path) -> Iterator[Path]:
    """A hidden name to write to; afterwards the file is on disk under its own name, or not there at all."""
    hidden = path.with_name(f".{path.name}.new")
    try:
        yield hidden
        sync_file(hidden)
        hidden.replace(path)
        sync_folder(path.parent)
    except BaseException:
        hidden.unlink(missing_ok=True)
        raise


def write_json(path: Path, value: Any) -> None:
    """Writes a small JSON file atomically and durably."""
    with placing(path) as hidden:
        hidden.write_text(json.dumps(value, ensure_ascii=False, indent=1), "utf-8")


def read_json(path: Path) -> Any:
    """The value of a JSON file; None if there is no such file."""
    try:
        return json.loads(path.read_bytes())
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise StorageError(f"{path.parent.name}/{path.name}: cannot be read ({type(error).__name__})") from error
