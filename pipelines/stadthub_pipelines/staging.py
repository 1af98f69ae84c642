"""Uploaded files of which nobody has decided yet what becomes of them: kept for a day at most, and where they and all others lie."""

import shutil
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from uuid import UUID, uuid4

from pydantic import ValidationError

from stadthub_catalog.uploads import Upload
from stadthub_pipelines import uploads
from stadthub_schemas.errors import FeedError, StadthubError, StorageError
from stadthub_schemas.feed import UploadSource
from stadthub_schemas.settings import Settings

#: What says beside a file that nobody has decided yet what becomes of it, and for how long it may lie there.
STAGED, STAGED_SECONDS = ".staged", 86_400


def folder_of(settings: Settings) -> uploads.UploadFolder:
    """Where this hub keeps uploaded files."""
    return uploads.UploadFolder(settings.data_dir.absolute() / "uploads", settings.upload_mb)


def path_of(settings: Settings, file: str) -> Path:
    """Where the uploaded file lies that a source names."""
    return settings.data_dir.absolute() / "uploads" / file


def stage(upload: Upload, settings: Settings) -> tuple[str, int]:
    """Keep a file until somebody has decided what becomes of it, for a day at most: how a source names it, and its size. Invalid if it
    is too large. The mark is there before the file: of a process that is killed nothing stays for ever."""
    sweep(settings)
    key, folder = uuid4(), folder_of(settings)
    mark(str(key), settings)
    try:
        kept = folder.keep(key, upload)
    except StadthubError:
        folder.drop(key)
        raise
    return f"{key}/{kept.name}", kept.size


def mark(file: str, settings: Settings) -> None:
    """Let the file's folder go after a day, unless a feed reads it then."""
    place = path_of(settings, file.partition("/")[0])
    try:
        place.mkdir(mode=0o700, parents=True, exist_ok=True)
        (place / STAGED).touch()
    except OSError as error:
        raise StorageError(f"the uploaded file can't be kept: {error.strerror}") from error


def discard(file: str, settings: Settings) -> None:
    """Forget a file that was staged and is not wanted; one that a dataset has stays."""
    if (path_of(settings, file).parent / STAGED).exists() and not _is_read(file.partition("/")[0], settings):
        folder_of(settings).drop(UUID(file.partition("/")[0]))


def staged(file: str, settings: Settings) -> Path:
    """Where a staged file lies. FeedError if it is none, or not there any more."""
    try:
        UploadSource(type="upload", file=file)
    except ValidationError as error:
        raise FeedError("the file got lost on the way: upload it again") from error
    path = path_of(settings, file)
    if not path.is_file() or not (path.parent / STAGED).exists():
        raise FeedError("the file is not there any more: upload it again")
    return path


def sweep(settings: Settings) -> None:
    """Forget what was staged and then forgotten, and what writing a file has left that was killed. What a feed reads stays."""
    for left in _old(path_of(settings, "").glob("*/.*")):
        if left.name != STAGED or _is_read(left.parent.name, settings):
            left.unlink(missing_ok=True)
        else:
            shutil.rmtree(left.parent, ignore_errors=True)
    for left in _old(settings.feeds.glob(".*.toml.*")):
        left.unlink(missing_ok=True)


def _old(paths: Iterator[Path]) -> Iterator[Path]:
    """Those that have been lying there for longer than a day."""
    for path in paths:
        with suppress(FileNotFoundError):
            if time.time() - path.stat().st_mtime > STAGED_SECONDS:
                yield path


def _is_read(folder: str, settings: Settings) -> bool:
    """Whether a feed file names this folder of an uploaded file, be the file right or wrong."""
    return any(folder in path.read_text("utf-8", "replace") for path in settings.feeds.glob("*.toml"))
