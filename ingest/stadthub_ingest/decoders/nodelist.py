"""Freifunk nodelist.json: the list of nodes that the Freifunk API describes; counts without bands."""

from collections.abc import Iterator

from stadthub_ingest.accesspoints import Kept, kept, rows
from stadthub_ingest.decoded import Decoded
from stadthub_ingest.freifunk import listed, points, read_object


class Options(Kept):
    """What is kept of a nodelist.json."""


def reduce(payload: bytes, options: Options, name: str, key: bytes) -> bytes | None:  # noqa: ARG001 - a name is not kept either
    """The numbers of each node; names, owners and addresses are left out."""
    document = read_object(payload)
    nodes = listed(document)
    return None if nodes is None else kept(points(nodes, document), options, key)


def decode(payload: bytes, options: Options, name: str) -> Iterator[Decoded]:  # noqa: ARG001 - a name is not kept either
    """The observations of what was kept."""
    yield from rows(payload, options)
