"""respondd: what Gluon nodes answer themselves, nodeinfo and statistics, one node, a list of nodes or nodes by id (raw.json)."""

from collections.abc import Iterator
from typing import Any

from stadthub_ingest.accesspoints import Kept, Point, kept, rows
from stadthub_ingest.decoded import Decoded
from stadthub_ingest.freifunk import points, read_object

PARTS = ("nodeinfo", "statistics", "node_id")


class Options(Kept):
    """What is kept of an answer of respondd."""


def reduce(payload: bytes, options: Options, name: str, key: bytes) -> bytes | None:  # noqa: ARG001 - a name is not kept either
    """The numbers of each node; names, owners and addresses are left out."""
    document = read_object(payload)
    nodes = _nodes(document)
    return None if not nodes else kept(_answered(nodes), options, key)


def decode(payload: bytes, options: Options, name: str) -> Iterator[Decoded]:  # noqa: ARG001 - a name is not kept either
    """The observations of what was kept."""
    yield from rows(payload, options)


def _nodes(document: Any) -> list[Any] | None:
    if isinstance(document, list):
        return document
    if not isinstance(document, dict):
        return None
    if any(part in document for part in PARTS):
        return [document]
    answers = list(document.values())
    return answers if any(isinstance(one, dict) and any(part in one for part in PARTS) for one in answers) else None


def _answered(nodes: list[Any]) -> Iterator[Point | None]:
    """A node that answers is on, unless it is listed with its last answer's time: then it was on at that time."""
    for point in points(nodes, {}):
        if point is not None and point.online is None:
            point.online = True
        yield point
