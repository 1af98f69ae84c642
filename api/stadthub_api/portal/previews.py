"""The rows of a dataset's resources on its page: the first of each table that the DataStore has, and how the loading of a file stands."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from stadthub_api.hub import Hub, Readable
from stadthub_api.portal.cells import cell
from stadthub_api.portal.language import Writing
from stadthub_api.portal.rendering import NUMERIC
from stadthub_catalog.actions import Caller, answer
from stadthub_catalog.refusals import Refusal
from stadthub_schemas.access import Action, Principal, may
from stadthub_schemas.dataset import Column, ColumnType
from stadthub_schemas.errors import StorageError

#: How many resources are shown with how many rows, and how many signs of a cell.
RESOURCES, ROWS, CELL = 5, 10, 80

#: What is told of a file that is not loaded (yet), in German, translated when shown; the last two only to those who may mend it.
STATES = {
    "loading": "Die Zeilen dieser Datei werden gerade geladen.",
    "held": "Die Zeilen dieser Datei wurden nicht geladen.",
    "failed": "Die Zeilen dieser Datei ließen sich nicht laden.",
}
_MENDABLE = frozenset({"held", "failed"})


#: The DataStore's types as the portal's own; what is not here is text.
_TYPES = (
    ("int", ColumnType.INTEGER),
    ("float", ColumnType.NUMBER),
    ("numeric", ColumnType.NUMBER),
    ("bool", ColumnType.BOOLEAN),
    ("date", ColumnType.DATE),
    ("timestamp", ColumnType.TIME),
    ("json", ColumnType.JSON),
)


@dataclass(frozen=True, slots=True)
class Head:
    """What stands over a column: its title in the reader's language, and the unit where the title doesn't say it."""

    name: str
    title: str
    unit: str
    is_number: bool


@dataclass(frozen=True, slots=True)
class Preview:
    """The first rows of a resource. Without columns: what is told instead, in the reader's language, and why, in English."""

    id: str
    title: str
    total: int = 0
    columns: tuple[Head, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()
    told: str = ""
    reason: str = ""


def previews(hub: Hub, principal: Principal, seen: Readable, write: Writing) -> list[Preview]:
    """The previews of the resources that have rows, or soon will."""
    found = []
    writes = may(principal, Action.WRITE, seen.entry.dataset).allowed
    for one in (seen.entry.document or {}).get("resources", ()):
        state = str(one.get("load_state") or "")
        title = str(one.get("name") or one.get("url") or "–")
        if one.get("datastore_active"):
            shown = _rows(hub, principal, str(one["id"]), title, write)
            found += [shown] if shown is not None else []
        elif state in STATES and (writes or state not in _MENDABLE):
            found.append(Preview(str(one["id"]), title, told=write.word(STATES[state]), reason=str(one.get("load_message") or "")))
    return found[:RESOURCES]


def _rows(hub: Hub, principal: Principal, resource: str, title: str, write: Writing) -> Preview | None:
    """The first rows; None where there is no table, or not for this reader."""
    asked = {"resource_id": resource, "limit": ROWS}
    try:
        told = answer(hub.catalog, "datastore_search", asked, Caller(principal, True, hub.datastore), hub.site, None).result
    except (Refusal, StorageError):
        return None
    found: Mapping[str, Any] = orjson.loads(told)
    columns = [_column(one) for one in found["fields"] if one["id"] != "_id"]
    heads = tuple(Head(one.name, *_heading(one, write), is_number=one.type in NUMERIC) for one in columns)
    rows = tuple(tuple(_cut(cell(one, row.get(one.name), write)) for one in columns) for row in found["records"])
    return Preview(resource, title, found["total"], heads, rows)


def _column(field: Mapping[str, Any]) -> Column:
    """A field of the DataStore with its dictionary as a column."""
    said = field.get("info") or {}
    words = {name: str(said.get(name) or "") for name in ("label", "label_en")}
    kind = next((kind for begins, kind in _TYPES if field["type"].startswith(begins)), ColumnType.TEXT)
    return Column(name=field["id"], type=kind, title=words["label"], title_en=words["label_en"], unit=str(said.get("unit") or "") or None)


def _heading(column: Column, write: Writing) -> tuple[str, str]:
    """What stands over the column, and its unit where the words don't say it."""
    named = write.phrase(column.title or column.name, column.title_en)
    return named, write.unit_beside(named, column.unit)


def _cut(text: str) -> str:
    return text if len(text) <= CELL else f"{text[: CELL - 1]}…"
