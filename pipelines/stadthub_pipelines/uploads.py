"""Uploaded files on disk: `uploads/<resource id>/<name>`, written under a hidden name first, so that one is whole or not there."""

import hashlib
import mimetypes
import os
import shutil
from pathlib import Path
from uuid import UUID, uuid4

from stadthub_catalog.refusals import Invalid
from stadthub_catalog.uploads import Kept, Upload, slug
from stadthub_schemas.errors import StorageError

_PIECE = 1 << 20


class UploadFolder:
    """The uploads of a hub; any number of threads and processes may share the folder."""

    def __init__(self, folder: Path, most_mb: int) -> None:
        self._folder = folder
        self._most = most_mb * 1_000_000

    def keep(self, resource: UUID, upload: Upload) -> Kept:
        """Keep the file as the only one of the resource, all of it or nothing; Invalid if it is too large, StorageError."""
        name = slug(upload.file_name)
        room = self._folder / str(resource)
        hidden = room / f".{uuid4().hex}"
        try:
            room.mkdir(mode=0o700, parents=True, exist_ok=True)
            try:
                digest, size = self._pour(upload, hidden)
                hidden.rename(room / name)
            finally:
                hidden.unlink(missing_ok=True)
            for other in room.iterdir():
                if other.name != name and not other.name.startswith("."):
                    other.unlink(missing_ok=True)
            _sync(room)
            _sync(self._folder)
        except OSError as error:
            raise StorageError(f"the uploaded file can't be kept: {error.strerror}") from error
        return Kept(name, size, mimetypes.guess_type(name)[0], digest)

    def drop(self, resource: UUID) -> None:
        """Forget the resource's file."""
        shutil.rmtree(self._folder / str(resource), ignore_errors=True)

    def path(self, resource: UUID, name: str) -> Path:
        """Where the resource's file of that name lies, if it is there; a name that is no plain one lies nowhere."""
        return self._folder / str(resource) / slug(name)

    def _pour(self, upload: Upload, hidden: Path) -> tuple[str, int]:
        """Write the bytes durably, a piece at a time; answer their digest and number."""
        digest, size = hashlib.sha256(), 0
        upload.stream.seek(0)
        with hidden.open("wb") as out:
            while piece := upload.stream.read(_PIECE):
                size += len(piece)
                if size > self._most:
                    raise Invalid({"upload": [f"File upload too large: {self._most // 1_000_000} MB at most"]})
                digest.update(piece)
                out.write(piece)
            out.flush()
            os.fsync(out.fileno())
        return digest.hexdigest(), size


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
