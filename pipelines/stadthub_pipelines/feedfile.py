"""Changing a feed file as a careful operator would: one key, comments and order stay."""

import os
from pathlib import Path
from uuid import uuid4

import tomlkit
from tomlkit.exceptions import TOMLKitError

from stadthub_schemas.errors import Conflict, FeedError, NotFound
from stadthub_schemas.feed import load_feed, parse_feed


def feed_file(folder: Path, feed: str) -> Path:
    """The file of this feed; NotFound."""
    for path in sorted(folder.glob("*.toml")):
        try:
            if load_feed(path).id == feed:
                return path
        except FeedError:
            continue
    raise NotFound(f"no right feed file is that of {feed!r}")


def rename_line(new: str, old: str) -> str:
    """The line that turns a new name of a column back into the old one."""
    table = tomlkit.inline_table()
    table[new] = old
    return f"renames = {table.as_string()}"


def add_rename(folder: Path, feed: str, new: str, old: str) -> str:
    """Write the rename into the feed's file; answer the file's name. Conflict if the folder can't be written."""
    path = feed_file(folder, feed)
    try:
        document = tomlkit.parse(path.read_text("utf-8"))
        if "renames" not in document:
            document["renames"] = tomlkit.inline_table()
        document["renames"][new] = old
        text = tomlkit.dumps(document)
    except TOMLKitError as error:
        raise FeedError(f"{path.name}: {error}") from error
    parse_feed(text, path.name)
    hidden = path.with_name(f".{uuid4().hex}")
    try:
        hidden.write_text(text, "utf-8")
        hidden.chmod(path.stat().st_mode)
        os.replace(hidden, path)  # noqa: PTH105 - the atomic one of the two
    except OSError as error:
        hidden.unlink(missing_ok=True)
        raise Conflict(f"{path.name} can't be written ({error.strerror}): add the line to it by hand") from error
    return path.name
