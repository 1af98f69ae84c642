"""Feed files that a face writes: found by the feed's id, written whole or not at all, never over somebody else's change."""

import contextlib
import hashlib
import os
import re
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import tomlkit
from tomlkit.exceptions import TOMLKitError

from stadthub_pipelines.mistakes import check_text
from stadthub_schemas.derived import Derived, FolderFile, load_file
from stadthub_schemas.errors import Conflict, FeedError, NotFound, StorageError
from stadthub_schemas.exchange import secrets_of
from stadthub_schemas.feed import Feed, FileSource, HttpSource, MqttSource, parse_feed

#: No feed file is longer.
LONGEST = 200_000
#: Variables that are there for feeds; others may belong to the hub or to other programs.
_FOR_FEEDS = re.compile(r"\A[^$]*\$\{FEED_[A-Z0-9_]*\}[^$]*\Z")
#: Names that are addresses of the portal.
TAKEN = frozenset({"new"})


@dataclass(frozen=True, slots=True)
class FeedFile:
    """One file as it stands: its path, its text, and what tells this version from others."""

    path: Path
    text: str

    @property
    def version(self) -> str:
        """The digest of the text."""
        return version_of(self.text)


def version_of(text: str) -> str:
    """What tells this text from others."""
    return hashlib.sha256(text.encode()).hexdigest()


def find(folder: Path, feed: str) -> FeedFile:
    """The file of this feed, or the wrong file that bears its name; NotFound."""
    paths = sorted(folder.glob("*.toml")) if folder.is_dir() else []
    for path in paths:
        try:
            if load_file(path).id == feed:
                return _read(path)
        except FeedError:
            if path.stem == feed:
                return _read(path)
    raise NotFound(f"there is no feed file for {feed[:100]!r}")


def _read(path: Path) -> FeedFile:
    try:
        return FeedFile(path, path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise StorageError(f"{path.name}: it can't be read") from error


def add(folder: Path, text: str, *, over: bool = False) -> Path:
    """Write a new feed file, named after its feed. FeedError with all mistakes, Conflict if the id or the file is there already."""
    feed = checked(folder, text, folder / "feed.toml")
    if feed.id in TAKEN:
        raise FeedError(f"id: {feed.id!r} is a word of the portal: take another one")
    path = folder / f"{feed.id}.toml"
    if path.exists() and not over:
        raise Conflict(f"{path.name} is there already: give the feed another id, or edit that one")
    write(path, text)
    return path


def replace(folder: Path, feed: str, text: str, version: str) -> Path:
    """Write a feed file anew. Conflict if it changed since `version` was read, FeedError with all mistakes."""
    there = find(folder, feed)
    if there.version != version:
        raise Conflict(f"{there.path.name} has changed meanwhile: load it again, so that nobody's change is lost")
    if checked(folder, text, there.path).id != feed:
        raise FeedError(f"{there.path.name}: id: it is {feed!r} and stays so: another id would be another feed")
    write(there.path, text)
    return there.path


def rename_line(new: str, old: str) -> str:
    """The line of a feed file that turns a new name of a column back into the old one."""
    table = tomlkit.inline_table()
    table[new] = old
    return f"renames = {table.as_string()}"


def add_rename(folder: Path, feed: str, new: str, old: str) -> None:
    """Write the rename into the feed's file; comments and order stay. Conflict if the folder can't be written."""
    there = find(folder, feed)
    try:
        document = tomlkit.parse(there.text)
    except TOMLKitError as error:
        raise FeedError(f"{there.path.name}: {error}") from error
    if "renames" not in document:
        document["renames"] = tomlkit.inline_table()
    document["renames"][new] = old
    text = tomlkit.dumps(document)
    parse_feed(text, there.path.name)
    try:
        write(there.path, text)
    except StorageError as error:
        raise Conflict(f"{error}: add this line to it by hand: {rename_line(new, old)}") from error


def checked(folder: Path, text: str, path: Path) -> FolderFile:
    """What stands in this text; FeedError with all mistakes."""
    if len(text) > LONGEST:
        raise FeedError(f"{path.name}: it is longer than {LONGEST} signs")
    found = check_text(text, path, sorted(folder.glob("*.toml")) if folder.is_dir() else [])
    right = found.right
    if found.mistakes or right is None:
        raise FeedError("\n".join(found.mistakes))
    return right


def write(path: Path, text: str) -> None:
    """Put the text there, whole and durable, or leave everything as it was; StorageError."""
    write_bytes(path, text.replace("\r\n", "\n").encode())


def write_bytes(path: Path, body: bytes) -> None:
    """The same with bytes."""
    hidden = path.with_name(f".{path.name}.{uuid4().hex}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with hidden.open("xb") as file:
            if path.exists():
                hidden.chmod(path.stat().st_mode)
            file.write(body)
            file.flush()
            os.fsync(file.fileno())
        hidden.replace(path)
        folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    except OSError as error:
        with contextlib.suppress(OSError):
            hidden.unlink(missing_ok=True)
        raise StorageError(f"{path.name}: it can't be written: {error.strerror}") from error


def touches_machine(feed: FolderFile, before: FolderFile | None) -> str | None:
    """Why an operator may not save this: it would read files or secrets of this machine that the feed did not read before.
    None if it does not: variables whose name begins with FEED_ are free."""
    new = _secrets(feed) - (_secrets(before) if before is not None else set())
    if new:
        return f"{min(new)}: an operator may name variables such as ${{FEED_KEY}}, but no files and other secrets of the machine: ask an administrator"
    return None


def _secrets(feed: FolderFile) -> set[str]:
    """What of the machine the feed reads: paths, secret files, variables of the hub itself. SQL reads datasets only."""
    if isinstance(feed, Derived):
        return set()
    if not isinstance(feed, Feed):
        named = [secret.get_secret_value() for secret in secrets_of(feed)]
        return {f"the secret {one}" for one in named if not _FOR_FEEDS.search(one)}
    source = feed.source
    found = {f"source.path = {source.path}"} if isinstance(source, FileSource) else set()
    secrets = []
    if isinstance(source, MqttSource):
        secrets = [source.password] if source.password else []
        files = (("ca_file", source.ca_file), ("certificate_file", source.certificate_file), ("key_file", source.key_file))
        found |= {f"source.{name}" for name, path in files if path is not None}
    if isinstance(source, HttpSource) and source.auth is not None:
        secrets = [source.auth.value]
    found |= {f"the secret {one.get_secret_value()}" for one in secrets if not _FOR_FEEDS.search(one.get_secret_value())}
    found |= {
        f"options.{key}" for key, value in feed.options.items() if isinstance(value, str) and ("${" in value or value.startswith("file:/"))
    }
    return found
