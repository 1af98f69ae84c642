"""What may be said of a package: each field with its rule and CKAN's sentence where it is broken."""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import orjson

from stadthub_catalog.packages import stamp

_NAME = re.compile(r"[a-z0-9_\-]*")
_TAG = re.compile(r"[\w \-.]*")
_EMAIL = re.compile(
    r"(?!\.)(?!.*\.$)(?!.*?\.\.)[a-zA-Z0-9.!#$%&'*+\/=?^_`{|}~-]+@[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?"
    r"(?:\.[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?)*"
)
_TRUE = ("true", "yes", "t", "y", "1")
#: Names that are parts of CKAN's own addresses.
_TAKEN = ("new", "edit", "search")
_LONGEST_NAME = 100
_LONGEST_VERSION = 100
_TAG_LENGTHS = (2, 100)


class Wrong(ValueError):
    """A value breaks its rule; the message is CKAN's sentence."""


def text(value: Any) -> str | None:
    """A text, whatever came; Wrong if no database keeps it."""
    if value is None:
        return None
    said = value if isinstance(value, str) else orjson.dumps(value).decode() if isinstance(value, dict | list) else str(value)
    if "\x00" in said:
        raise Wrong("Null characters are not allowed")
    return said


def name(value: Any) -> str:
    """The name of a package, an organisation, a group or a user."""
    if not isinstance(value, str):
        raise Wrong("Names must be strings")
    if value in _TAKEN:
        raise Wrong("That name cannot be used")
    if len(value) < 2:
        raise Wrong("Must be at least 2 characters long")
    if len(value) > _LONGEST_NAME:
        raise Wrong(f"Name must be a maximum of {_LONGEST_NAME} characters long")
    if not _NAME.fullmatch(value):
        raise Wrong("Must be purely lowercase alphanumeric (ascii) characters and these symbols: -_")
    return value


def email(value: Any) -> str | None:
    """An e-mail address, or nothing."""
    said = text(value)
    if said and not _EMAIL.fullmatch(said.strip()):
        raise Wrong(f"Email {said.strip()} is not a valid format")
    return said.strip() if said else said


def version(value: Any) -> str | None:
    """The version of a package."""
    said = text(value)
    if said and len(said) > _LONGEST_VERSION:
        raise Wrong(f"Version must be a maximum of {_LONGEST_VERSION} characters long")
    return said


def tag(value: Any) -> str:
    """A keyword."""
    said = text(value)
    if not said:
        raise Wrong("Missing value")
    least, most = _TAG_LENGTHS
    if len(said) < least:
        raise Wrong(f'Tag "{said}" length is less than minimum {least}')
    if len(said) > most:
        raise Wrong(f'Tag "{said}" length is more than maximum {most}')
    if not _TAG.fullmatch(said):
        raise Wrong(f'Tag "{said}" can only contain alphanumeric characters, spaces (" "), hyphens ("-"), underscores ("_") or dots (".")')
    return said


def truth(value: Any) -> bool:
    """Yes or no, in any of CKAN's ways."""
    return value if isinstance(value, bool) else str(value).lower() in _TRUE


def whole(value: Any) -> int | None:
    """A whole number, or nothing."""
    if value is None or (isinstance(value, str) and not value.strip()):
        return None
    try:
        number = int(value)
    except (TypeError, ValueError, OverflowError):
        raise Wrong("Invalid integer") from None
    if isinstance(value, float) and value != number:
        raise Wrong("Invalid integer")
    if not -(2**63) <= number < 2**63:
        raise Wrong("Invalid integer")
    return number


def time(value: Any) -> str | None:
    """A time as CKAN writes it, or nothing."""
    if not value:
        return None
    try:
        moment = datetime.fromisoformat(str(value))
    except ValueError:
        raise Wrong("Date format incorrect") from None
    return stamp(moment.astimezone(UTC) if moment.tzinfo else moment)


def key(value: Any) -> UUID:
    """The id of a package or a resource."""
    try:
        return UUID(str(value))
    except ValueError:
        raise Wrong("Invalid id provided") from None


#: The fields of a package that are kept as they are said.
PACKAGE: Mapping[str, Callable[[Any], Any]] = {
    "author": text,
    "author_email": email,
    "license_id": text,
    "maintainer": text,
    "maintainer_email": email,
    "notes": text,
    "url": text,
    "version": version,
}

#: Keys of a package that no extra may bear.
TAKEN_KEYS = frozenset(PACKAGE) | {
    "id",
    "name",
    "title",
    "state",
    "type",
    "owner_org",
    "private",
    "resources",
    "tags",
    "tag_string",
    "extras",
    "groups",
    "relationships_as_object",
    "relationships_as_subject",
    "log_message",
    "save",
    "return_to",
    "metadata_modified",
    "metadata_created",
    "creator_user_id",
    "plugin_data",
}

#: The fields of a resource in CKAN's order, with what they are if nothing is said.
RESOURCE: Mapping[str, tuple[Callable[[Any], Any], Any]] = {
    "cache_last_updated": (time, None),
    "cache_url": (text, None),
    "created": (time, None),
    "datastore_active": (truth, False),
    "description": (text, None),
    "format": (text, ""),
    "hash": (text, ""),
    "id": (key, None),
    "last_modified": (time, None),
    "metadata_modified": (time, None),
    "mimetype": (text, None),
    "mimetype_inner": (text, None),
    "name": (text, None),
    "package_id": (text, None),
    "position": (whole, 0),
    "resource_type": (text, None),
    "size": (whole, None),
    "state": (text, "active"),
    "url": (text, ""),
    "url_type": (text, None),
}

#: What an uploaded file itself says of its resource.
OF_FILE = ("url", "hash", "size")
#: How far the rows of such a file are loaded.
OF_ROWS = ("datastore_active", "load_state", "load_message")
