"""The parameters of the DataStore's actions: which there are, what is echoed, and what they mean as a question to the lake."""

import contextlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson

from stadthub_catalog.folding import words
from stadthub_catalog.parameters import flag, natural, whole
from stadthub_catalog.refusals import Invalid
from stadthub_lake.filters import read_time
from stadthub_lake.recordset import ID
from stadthub_pipelines.datastore import filters
from stadthub_pipelines.datastore.fields import forms
from stadthub_pipelines.datastore.filters import Op
from stadthub_pipelines.datastore.opened import Opened
from stadthub_schemas.errors import QueryError
from stadthub_schemas.query import NumberedQuery, NumberedSort, Phrase

DEFAULT, MOST = 100, 32_000
FORMATS = ("objects", "lists", "csv", "tsv")

SEARCH = frozenset(
    [
        "resource_id",
        "id",
        "q",
        "plain",
        "filters",
        "language",
        "limit",
        "offset",
        "fields",
        "sort",
        "distinct",
        "include_total",
        "total_estimation_threshold",
        "records_format",
        "include_next_page",
        "full_text",
        "as_of",
    ]
)
_SORT = re.compile(
    r'^(?:"(?P<quoted>(?:[^"]|"")+)"|(?P<plain>.+?))(?:\s+(?P<way>asc|desc))?(?:\s+nulls\s+(?P<nulls>first|last))?$', re.IGNORECASE
)
_WORD = re.compile(r"[\w]+(?::\*|\*)?")


@dataclass(frozen=True, slots=True)
class Search:
    """What a search asks for."""

    query: NumberedQuery
    fields: tuple[str, ...]
    format: str
    op: Op | None


def allow(parameters: Mapping[str, Any], known: Iterable[str]) -> None:
    """Invalid for a parameter that there is not."""
    allowed = set(known)
    for name in parameters:
        if name not in allowed:
            raise Invalid({"__extras": [f'invalid value "{name}"']})


def resource_id(parameters: Mapping[str, Any]) -> str:
    """The id of the resource, under either of its names; Invalid."""
    found = parameters.get("resource_id") or parameters.get("id")
    if not found:
        raise Invalid({"resource_id": ["Missing value"]})
    return str(found)


def listed(value: Any) -> list[str] | None:
    """A list, given as one or as a text with commas; None if nothing is said."""
    if value is None:
        return None
    parts = value if isinstance(value, list | tuple) else str(value).split(",")
    found = [str(one).strip() for one in parts]
    return [one[1:-1] if len(one) > 1 and one[0] == one[-1] == '"' else one for one in found if one]


def bound(parameters: Mapping[str, Any]) -> int:
    """How many rows are wanted at most; what is more than a page holds is cut."""
    return min(natural(parameters, "limit", DEFAULT), MOST)


def moment(parameters: Mapping[str, Any]) -> datetime | None:
    """As of when the table is asked for; None: as it is now. Invalid."""
    said = parameters.get("as_of")
    try:
        return None if not said else read_time("as_of", str(said))
    except QueryError as error:
        raise Invalid({"as_of": [str(error)]}) from error


def format_of(parameters: Mapping[str, Any]) -> str:
    """How records are written; Invalid."""
    said = str(parameters.get("records_format") or "objects")
    if said not in FORMATS:
        raise Invalid({"records_format": [f"Value must be one of {list(FORMATS)}"]})
    return said


def read(parameters: Mapping[str, Any], table: Opened, limit: int | None) -> Search:
    """What is asked of this table. Invalid."""
    op = filters.read(parameters.get("filters"), table.type_of)
    fields = tuple(listed(parameters.get("fields")) or (ID, *(one.id for one in table.fields)))
    for name in fields:
        if table.type_of(name) is None:
            raise Invalid({"fields": [f'invalid value "{name}"']})
    where, wanted = filters.numbers(filters.meant(op, table.type_of))
    offset = whole(parameters, "offset", 0)
    if offset < 0:
        raise Invalid({"offset": [f'invalid value "{offset}"']})
    query = NumberedQuery(
        table.table,
        where=where,
        phrases=_phrases(parameters, table),
        columns=tuple(dict.fromkeys(fields)),
        sort=_sorts(parameters.get("sort"), table),
        distinct=flag(parameters, "distinct"),
        limit=limit,
        offset=offset,
        after=wanted.after,
        before=wanted.before,
        among=wanted.among,
        hidden=table.hidden,
        suppression=table.decision.suppression,
        forms=forms(table.fields) if table.layout is not None else {},
    )
    return Search(query, fields, "objects", op)


def _sorts(said: Any, table: Opened) -> tuple[NumberedSort, ...]:
    found = []
    for clause in (said if isinstance(said, list) else _clauses(str(said))) if said else ():
        match = _SORT.match(str(clause).strip())
        name = (match["quoted"] or match["plain"] or "").replace('""', '"') if match else ""
        kind = table.type_of(name)
        if match is None or kind is None or kind in ("json", "jsonb"):
            raise Invalid({"sort": [f'invalid value "{clause}"']})
        descending = (match["way"] or "asc").lower() == "desc"
        nulls = (match["nulls"] or ("first" if descending else "last")).lower()
        found.append(NumberedSort(name, descending, nulls == "first"))
    return () if [(one.column, one.descending) for one in found] == [(ID, False)] else tuple(found)


def _clauses(said: str) -> list[str]:
    """The keys of an order; a comma in quotes parts nothing."""
    return [one.strip() for one in re.findall(r'(?:"(?:[^"]|"")*"|[^,])+', said) if one.strip()]


def _phrases(parameters: Mapping[str, Any], table: Opened) -> tuple[Phrase, ...]:
    """The words that are looked for, everywhere or in single fields."""
    said, plain = parameters.get("q"), flag(parameters, "plain", "true")
    if isinstance(said, str) and said.lstrip().startswith("{"):
        with contextlib.suppress(orjson.JSONDecodeError):
            said = orjson.loads(said)
    found = []
    if isinstance(said, Mapping):
        for name, text in said.items():
            if table.type_of(str(name)) is None:
                raise Invalid({"q": [f'invalid value "{name}"']})
            found.append(Phrase(_words(str(text), plain=plain), (str(name),)))
    elif said:
        found.append(Phrase(_words(str(said), plain=plain)))
    if parameters.get("full_text"):
        found.append(Phrase(_words(str(parameters["full_text"]), plain=plain)))
    return tuple(found)


def _words(text: str, *, plain: bool) -> tuple[str, ...]:
    """The words as they are compared; where the text is no plain one, `:*` makes a word a beginning."""
    if plain:
        return tuple(words(text))
    found = []
    for one in _WORD.findall(text):
        found += [f"{word}*" if one.endswith("*") else word for word in words(one)]
    return tuple(found)
