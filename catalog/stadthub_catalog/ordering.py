"""The order of what a search found: by score, by time, or by what stands in a field; what is equal goes by name."""

from typing import Any

import numpy as np

from stadthub_catalog.fields import TIMES
from stadthub_catalog.index import NUMBERS, Index

Array = np.ndarray[Any, Any]

#: What can be sorted by under another name: Solr keeps the words of a title apart from the title.
_ALSO = {"title": "title_string"}


def ordered(index: Index, found: Array, scores: Array, sort: str) -> Array:
    """The places of the found entries in this order: `field asc, other desc`. A field that nobody has changes nothing, as in CKAN;
    entries without a value come last."""
    slots = np.flatnonzero(found)
    keys = [_key(index, slots, scores, *part.split()[:2]) for part in [*sort.split(","), "name"] if part.strip()]
    return slots[np.lexsort(keys[::-1])]


def _key(index: Index, slots: Array, scores: Array, field: str, direction: str = "asc") -> Array:
    if field == "score":
        key = scores[slots].astype(float)
    elif field in TIMES:
        key = index.numbers()[NUMBERS.index(field)][slots]
    else:
        values = index.values(_ALSO.get(field, field))
        key = values.order(len(index))[slots] if values is not None else np.zeros(len(slots))
    return -key if direction.lower() == "desc" else key
