"""Files that come with a resource: what an action is given, and the one door through which their bytes are kept."""

import re
import unicodedata
from dataclasses import dataclass
from typing import BinaryIO, Protocol
from uuid import UUID

#: A name on disk and in an address: its end is the file's ending.
_LONGEST = 100


@dataclass(frozen=True, slots=True)
class Upload:
    """A file that came with a request: what its sender calls it, and its bytes."""

    file_name: str
    stream: BinaryIO


@dataclass(frozen=True, slots=True)
class Kept:
    """A file as it was kept: `name` is that of its address, `sha256` the digest of its bytes."""

    name: str
    size: int
    media_type: str | None
    sha256: str


class Uploads(Protocol):
    """Where the bytes of uploaded files are kept, a folder or a room of each resource."""

    def keep(self, resource: UUID, upload: Upload) -> Kept:
        """Keep the file as the only one of the resource, all of it or nothing. Invalid if it is too large, StorageError."""
        ...

    def look_again(self, resource: UUID) -> None:
        """Somebody said more of the resource's file, so it is looked at again."""
        ...

    def drop(self, resource: UUID) -> None:
        """Forget the resource's file; nothing happens if there is none."""
        ...


def slug(file_name: str) -> str:
    """The file's name for an address, as CKAN makes it: small letters of ASCII, `Größe A.csv` is `grosse-a.csv`."""
    bare = file_name.replace("\\", "/").rpartition("/")[2].replace("ß", "ss")
    plain = unicodedata.normalize("NFKD", bare).encode("ascii", "ignore").decode().lower()
    stem, dot, ending = plain.rpartition(".")
    if not dot:
        stem, ending = ending, ""
    stem = re.sub(r"[^a-z0-9_]+", "-", stem).strip("-")[:_LONGEST] or "file"
    ending = re.sub(r"[^a-z0-9]", "", ending)[:20]
    return f"{stem}.{ending}" if ending else stem


def address(package: UUID, resource: UUID, name: str) -> str:
    """Where a kept file is served, as a path of this hub."""
    return f"/dataset/{package}/resource/{resource}/download/{name}"
