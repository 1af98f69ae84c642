"""The parameters of CKAN's actions: everything may come as text, lists in three ways."""

from collections.abc import Mapping
from typing import Any

import orjson

from stadthub_catalog.refusals import Invalid

_TRUE = ("true", "yes", "t", "y", "1")


def flag(parameters: Mapping[str, Any], name: str, default: str = "false") -> bool:
    """Whether the parameter says yes, in any of CKAN's ways."""
    value = parameters.get(name, default)
    return str(value).strip().lower() in _TRUE


def natural(parameters: Mapping[str, Any], name: str, default: int) -> int:
    """A whole number that is not negative; Invalid as CKAN says it."""
    value = parameters.get(name)
    if value is None or value == "":
        return default
    try:
        number = int(value)
    except (TypeError, ValueError):
        raise Invalid({name: ["Invalid integer"]}) from None
    if number < 0:
        raise Invalid({name: ["Must be a natural number"]})
    return number


def whole(parameters: Mapping[str, Any], name: str, default: int) -> int:
    """A whole number; Invalid."""
    value = parameters.get(name)
    try:
        return default if value is None or value == "" else int(value)
    except (TypeError, ValueError):
        raise Invalid({name: ["Invalid integer"]}) from None


def text(parameters: Mapping[str, Any], name: str, default: str = "") -> str:
    """A text; a repeated parameter counts by its last value."""
    value = parameters.get(name)
    if isinstance(value, list):
        value = value[-1] if value else None
    return default if value is None else str(value)


def names(parameters: Mapping[str, Any], name: str) -> list[str]:
    """A list of texts: given as a list, by repeating the parameter, or as JSON in a text; Invalid."""
    value = parameters.get(name)
    if value is None or value == "":
        return []
    if isinstance(value, str):
        try:
            value = orjson.loads(value)
        except orjson.JSONDecodeError:
            raise Invalid({name: ["Could not parse as valid JSON", "Not a list"]}) from None
    if not isinstance(value, list):
        raise Invalid({name: ["Not a list"]})
    return [str(one) for one in value]


def required(parameters: Mapping[str, Any], *spellings: str, told: str) -> str:
    """The first of these parameters that is given; Invalid names `told` if none is."""
    for name in spellings:
        value = text(parameters, name)
        if value:
            return value
    raise Invalid({told: ["Missing value"]})
