"""The registry of decoders: a file in decoders/ is a decoder, its file name is its name, nothing is registered."""

import difflib
import importlib
import pkgutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from stadthub_ingest import decoders
from stadthub_ingest.decoded import Decode, DecodeTable, Narrow, OpenSheet, Reduce, Sight, Split
from stadthub_schemas.dataset import ColumnType
from stadthub_schemas.errors import FeedError
from stadthub_schemas.feed import Feed
from stadthub_schemas.model import Strict

#: Options that no feed file gives: they come from the feed itself.
SET_BY_US = ("kind", "renames", "known", "column_types")


@dataclass(frozen=True, slots=True)
class Decoder:
    """One decoder: its name, its caption, its options, and its two speeds."""

    name: str
    caption: str
    Options: type[Strict]
    decode: Decode
    decode_table: DecodeTable | None
    reduce: Reduce | None = None
    sight: Sight | None = None
    sheet: OpenSheet | None = None
    narrow: Narrow | None = None
    split: Split | None = None

    @property
    def private(self) -> bool:
        """Whether its payloads can hold personal data: then only reduced ones exist for the hub."""
        return self.reduce is not None or self.sight is not None


def names() -> list[str]:
    """The names of all decoders."""
    return sorted(module.name for module in pkgutil.iter_modules(decoders.__path__) if not module.name.startswith("_"))


@cache
def find(name: str) -> Decoder:
    """The decoder with this name; FeedError names the nearest."""
    if name not in names():
        near = difflib.get_close_matches(name, names(), n=1)
        hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(names())}"
        raise FeedError(f"decoder: there is no decoder {name!r}: {hint}")
    module = importlib.import_module(f"{decoders.__name__}.{name}")
    caption = (module.__doc__ or name).strip().splitlines()[0]
    optional = (getattr(module, part, None) for part in ("decode_table", "reduce", "sight", "sheet", "narrow", "split"))
    return Decoder(name, caption, module.Options, module.decode, *optional)


def read_options(feed: Feed) -> Strict:
    """The options of the feed's decoder; FeedError tells every mistake, a line each."""
    model = find(feed.decoder).Options
    given: dict[str, Any] = dict(feed.options)
    for name in ("kind", "renames"):
        if name in given:
            raise FeedError(f"options.{name}: it stands at the top of the feed file, not in its options")
        if name in model.model_fields:
            given[name] = getattr(feed, name)
    if "column_types" in model.model_fields:
        given["column_types"] = declared(feed)
    privacy = feed.metadata.privacy if feed.metadata else None
    if privacy is not None and "bucket" in model.model_fields:
        given.setdefault("bucket", privacy.bucket)
    try:
        return model.model_validate(given)
    except ValidationError as error:
        known = set(_keys(options_schema(feed.decoder)))
        raise FeedError("\n".join(dict.fromkeys(line for detail in error.errors() for line in _sentences(detail, known)))) from error


def declared(feed: Feed) -> dict[str, ColumnType]:
    """The types that the feed's metadata give to columns."""
    columns = feed.metadata.columns if feed.metadata else {}
    return {name: words.type for name, words in columns.items() if words.type is not None}


def options_schema(name: str) -> dict[str, Any]:
    """The JSON Schema of a decoder's options, for editors."""
    schema = find(name).Options.model_json_schema()
    for name in SET_BY_US:
        schema.get("properties", {}).pop(name, None)
    return schema


def _sentences(detail: ErrorDetails, known: set[str]) -> Iterator[str]:
    place = ".".join(
        ["options", *(str(part) for part in detail["loc"] if not str(part).startswith(("tuple[", "function-", "constrained-")))]
    )
    if detail["type"] == "extra_forbidden":
        near = difflib.get_close_matches(str(detail["loc"][-1]), sorted(known), n=1)
        yield f"{place}: there is no such key" + (f": did you mean {near[0]}?" if near else "")
        return
    message = detail["msg"].removeprefix("Value error, ")
    for line in message.splitlines():
        yield f"{place}.{line}" if not detail["loc"] else f"{place}: {line}"


def _keys(schema: Mapping[str, Any]) -> Iterator[str]:
    """All keys that the options know, at any depth."""
    for part in (schema, *schema.get("$defs", {}).values()):
        yield from part.get("properties", {})
