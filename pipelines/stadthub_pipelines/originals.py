"""The uploaded file behind a dataset, as one of its distributions: offered as it came, to whoever may see all of its columns."""

import hashlib
from datetime import UTC, datetime
from pathlib import Path

from stadthub_catalog.entry import Distribution
from stadthub_schemas.errors import StorageError
from stadthub_schemas.feed import Feed, UploadSource

#: What comes between a dataset's name and the file's name in its address.
PLACE = "original"


class Originals:
    """The files of the datasets that were imported; what was read of one is known until it changes."""

    def __init__(self, data_dir: Path) -> None:
        self._folder = data_dir.absolute() / "uploads"
        self._files: dict[str, str] = {}
        self._known: dict[str, tuple[tuple[int, int], Distribution]] = {}

    def know(self, feed: Feed) -> None:
        """Take up where a dataset comes from."""
        if isinstance(feed.source, UploadSource):
            self._files[feed.dataset] = feed.source.file
        else:
            self._files.pop(feed.dataset, None)

    def of(self, dataset: str) -> tuple[Distribution, ...]:
        """The dataset's file, if it was imported and the file is there."""
        if dataset not in self._files:
            return ()
        path = self._folder / self._files[dataset]
        try:
            status = path.stat()
            stamp = (status.st_size, status.st_mtime_ns)
            known = self._known.get(dataset)
            if known is None or known[0] != stamp:
                known = self._known[dataset] = (stamp, self._told(dataset, path, stamp))
        except FileNotFoundError:
            return ()
        except OSError as error:
            raise StorageError(f"{dataset}: its original can't be read: {error.strerror}") from error
        return (known[1],)

    def _told(self, dataset: str, path: Path, stamp: tuple[int, int]) -> Distribution:
        with path.open("rb") as opened:
            digest = hashlib.file_digest(opened, "sha256").hexdigest()
        url = f"/distributions/{dataset}/{PLACE}/{path.name}"
        ending = path.suffix.removeprefix(".").lower() or "txt"
        modified = datetime.fromtimestamp(stamp[1] / 1e9, UTC)
        return Distribution(ending, url, f"Original: {path.name}", stamp[0], digest, modified)
