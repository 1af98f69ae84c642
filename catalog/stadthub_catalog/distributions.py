"""The distributions of the datasets that feeds bring, in the state database: each keeps its id as long as it keeps its address."""

import re
from collections.abc import Sequence
from dataclasses import asdict, replace
from datetime import datetime
from uuid import UUID, uuid5

from sqlalchemy import Connection, delete, insert, select

from stadthub_catalog.entry import Distribution
from stadthub_catalog.tables import distribution
from stadthub_schemas.errors import PublishError

#: How many ids one question names at most.
_PART = 500


def check(name: str, wanted: Sequence[Distribution]) -> None:
    """PublishError for what would make a broken entry."""
    urls = [one.url for one in wanted]
    for url in urls:
        if urls.count(url) > 1:
            raise PublishError(f"{name}: two distributions have the address {url}: each needs its own")
        if not re.match(r"/(?!/)|https?://", url):
            raise PublishError(f"{name}: the distribution address {url!r} is neither a path of this hub nor an http address")


def identified(dataset_id: UUID, wanted: Sequence[Distribution], there: Sequence[Distribution], now: datetime) -> tuple[Distribution, ...]:
    """The distributions with their ids and dates: `modified` is the given one, or now where the content is new."""
    known = {one.url: one for one in there}
    result = []
    for one in wanted:
        old = known.get(one.url)
        if old is not None and _content(old) == _content(one):
            result.append(old)
        else:
            key = uuid5(dataset_id, one.url)
            result.append(replace(one, id=key, created=old.created if old else now, modified=one.modified or now))
    return tuple(result)


def _content(one: Distribution) -> tuple[object, ...]:
    return one.format, one.title, one.size, one.sha256


def put(connection: Connection, dataset_id: UUID, wanted: Sequence[Distribution]) -> None:
    """Let these be the distributions of the dataset."""
    connection.execute(delete(distribution).where(distribution.c.dataset_id == dataset_id))
    if wanted:
        rows = [{"dataset_id": dataset_id, "place": place, **asdict(one)} for place, one in enumerate(wanted)]
        connection.execute(insert(distribution), rows)


def of(connection: Connection, keys: Sequence[UUID]) -> dict[UUID, tuple[Distribution, ...]]:
    """The distributions of these datasets, in their order."""
    found: dict[UUID, list[Distribution]] = {}
    for part in range(0, len(keys), _PART):
        wanted = distribution.c.dataset_id.in_(keys[part : part + _PART])
        for row in connection.execute(select(distribution).where(wanted).order_by(distribution.c.place)):
            one = Distribution(row.format, row.url, row.title, row.size, row.sha256, row.modified, row.created, row.id)
            found.setdefault(row.dataset_id, []).append(one)
    return {key: tuple(ones) for key, ones in found.items()}
