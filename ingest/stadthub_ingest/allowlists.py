"""Allow-lists: what of a JSON payload a reducer keeps, as the shape that may pass. What has no place in the shape is left out."""

from collections.abc import Mapping
from typing import Any, Literal

#: A text, a number, true, false or null passes; an object or a list does not.
PLAIN: Literal["plain"] = "plain"
#: Whatever stands there passes as it is: places and areas as GeoJSON.
WHOLE: Literal["whole"] = "whole"

#: Members by name, a list of things of one shape, several shapes of which the first that fits holds, PLAIN or WHOLE.
Shape = Mapping[str, Any] | list[Any] | tuple[Any, ...] | Literal["plain", "whole"]


def kept(value: Any, shape: Shape) -> Any:
    """What of the value fits the shape; None stands for what does not, so that it is missed and counted."""
    if shape == WHOLE:
        return value
    if shape == PLAIN:
        return None if isinstance(value, dict | list) else value
    if isinstance(shape, tuple):
        return next((found for one in shape if (found := kept(value, one)) not in (None, {})), None)
    if isinstance(shape, list):
        return [kept(one, shape[0]) for one in value] if isinstance(value, list) else None
    if not isinstance(value, dict) or not isinstance(shape, Mapping):
        return None
    return {member: kept(value[member], inner) for member, inner in shape.items() if member in value}
