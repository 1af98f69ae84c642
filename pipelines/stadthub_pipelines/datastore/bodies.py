"""Parts of what is pushed: records, lists and objects, which forms send as JSON in a text."""

from collections.abc import Mapping
from typing import Any

import orjson

from stadthub_catalog.parameters import flag
from stadthub_catalog.refusals import Invalid


def records(said: Any) -> list[Mapping[str, Any]]:
    """The records; Invalid names the one that is none."""
    found = array("records", said)
    for row, one in enumerate(found):
        if not isinstance(one, Mapping):
            raise Invalid({"records": ["The first row is not a json object" if row == 0 else f'row "{row}" is not a json object']})
    return found


def array(name: str, said: Any) -> list[Any]:
    """A list, or JSON of one in a text; empty if nothing is said. Invalid."""
    found = parsed(name, said)
    if found is None:
        return []
    if not isinstance(found, list):
        raise Invalid({name: [f"{name.capitalize()} has to be a list of dicts"]})
    return found


def mapping(name: str, said: Any) -> dict[str, Any]:
    """An object, or JSON of one in a text. Invalid."""
    found = parsed(name, said)
    if not isinstance(found, Mapping):
        raise Invalid({name: [f"{name} must be either a dict or null."]})
    return dict(found)


def parsed(name: str, said: Any) -> Any:
    """What a form sends as text is JSON."""
    if not isinstance(said, str):
        return said
    try:
        return orjson.loads(said) if said else None
    except orjson.JSONDecodeError:
        raise Invalid({name: ["Cannot parse JSON"]}) from None


def count_word(said: Mapping[str, Any]) -> Any:
    """When CKAN would count the rows: echoed, for here they are always counted."""
    value = said.get("calculate_record_count", "background")
    return value if value == "background" else flag(said, "calculate_record_count")
