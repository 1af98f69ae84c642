"""Uploaded files of which nobody has decided yet what becomes of them: kept for a day at most, and where they and all others lie."""

import shutil
import time
from pathlib import Path
from uuid import UUID, uuid4

from pydantic import ValidationError

from stadthub_catalog.uploads import Upload
from stadthub_pipelines import uploads
from stadthub_schemas.errors import FeedError
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
    is too large."""
    _sweep(settings)
    key = uuid4()
    kept = folder_of(settings).keep(key, upload)
    (path_of(settings, str(key)) / STAGED).touch()
    return f"{key}/{kept.name}", kept.size


def discard(file: str, settings: Settings) -> None:
    """Forget a file that was staged and is not wanted; one that a dataset has stays."""
    if (path_of(settings, file).parent / STAGED).exists():
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


def _sweep(settings: Settings) -> None:
    """Forget what was staged and then forgotten."""
    for mark in path_of(settings, "").glob(f"*/{STAGED}"):
        if time.time() - mark.stat().st_mtime > STAGED_SECONDS:
            shutil.rmtree(mark.parent, ignore_errors=True)
