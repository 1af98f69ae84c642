"""The rows of a dataset's resources on its page: the first of each table that the DataStore has, and how the loading of a file stands."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from stadthub_api.hub import Hub, Readable
from stadthub_api.portal.language import Writing
from stadthub_catalog.actions import Caller, answer
from stadthub_catalog.refusals import Refusal
from stadthub_schemas.access import Action, Principal, may
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


@dataclass(frozen=True, slots=True)
class Preview:
    """The first rows of a resource. Without columns: what is told instead, in the reader's language, and why, in English."""

    id: str
    title: str
    total: int = 0
    columns: tuple[tuple[str, bool], ...] = ()
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
    fields = [one for one in found["fields"] if one["id"] != "_id"]
    columns = tuple((one["id"], one["type"].startswith(("int", "float", "numeric"))) for one in fields)
    rows = tuple(tuple(_cell(row.get(one["id"]), write) for one in fields) for row in found["records"])
    return Preview(resource, title, found["total"], columns, rows)


def _cell(value: Any, write: Writing) -> str:
    """A value for readers, cut where it is long."""
    if value is None:
        return "–"
    if isinstance(value, bool):
        return write.word("ja") if value else write.word("nein")
    if isinstance(value, int | float):
        return write.number(value)
    text = value if isinstance(value, str) else orjson.dumps(value).decode()
    return text if len(text) <= CELL else f"{text[: CELL - 1]}…"
