"""The hot store: the newest rows of each datastream, ready as JSON, found by one indexed look-up.

`recent` keeps at least the newest `KEPT` of all rows that were ever remembered of a datastream, so an answer of up to `KEPT` rows
is right if there are that many. With fewer the lake may hold older ones that were never remembered (a history loaded
in bulk, a state database begun anew): then the answer is None, ask the lake.

What all rows of a datastream share (name, unit, place) is stored once and is always the newest word; the rows hold the rest
(`fragments.py`). The keys and their order are those of `dataset.TIMESERIES_COLUMNS`.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import orjson
import pyarrow as pa
from sqlalchemy import Connection, text

from stadthub_catalog.database import Database
from stadthub_catalog.fragments import complete, count, cut_up, property_of
from stadthub_schemas.errors import QueryError

#: How many rows of a datastream are kept at least.
KEPT = 100

_RECENT = {
    "sqlite": text("""
        SELECT identity, thing_name, observed_property, unit, place, (SELECT group_concat(body, ',') FROM (
            SELECT r.body FROM recent r WHERE r.latest_id = l.id ORDER BY r.time DESC LIMIT :limit) AS bodies) AS bodies
        FROM latest l WHERE dataset = :dataset AND datastream = :datastream"""),
    "postgresql": text("""
        SELECT identity, thing_name, observed_property, unit, place, (SELECT string_agg(body, ',' ORDER BY time DESC) FROM (
            SELECT r.time, r.body FROM recent r WHERE r.latest_id = l.id ORDER BY r.time DESC LIMIT :limit) AS bodies) AS bodies
        FROM latest l WHERE dataset = :dataset AND datastream = :datastream"""),
}

_LATEST = text("""
    SELECT l.identity, l.thing_name, l.observed_property, l.unit, l.place, r.body
    FROM latest l JOIN recent r ON r.latest_id = l.id AND r.time = l.time
    WHERE l.dataset = :dataset AND l.datastream > :after ORDER BY l.datastream LIMIT :limit""")

_OBSERVED = text("SELECT DISTINCT observed_property FROM latest WHERE dataset = :dataset")

#: Of each shared word the newest that is known stays.
_NAME = text(r"""
    INSERT INTO latest (dataset, datastream, time, identity, thing_name, observed_property, unit, place, written)
    VALUES (:dataset, :datastream, :time, :identity, :thing_name, :observed_property, :unit, :place, :written)
    ON CONFLICT (dataset, datastream) DO UPDATE SET
        thing_name = CASE WHEN excluded.thing_name <> 'null' AND (excluded.time >= latest.time OR latest.thing_name = 'null')
            THEN excluded.thing_name ELSE latest.thing_name END,
        unit = CASE WHEN excluded.unit <> ',"unit"\:null' AND (excluded.time >= latest.time OR latest.unit = ',"unit"\:null')
            THEN excluded.unit ELSE latest.unit END,
        place = CASE WHEN excluded.place <> ',"longitude"\:null,"latitude"\:null'
                AND (excluded.time >= latest.time OR latest.place = ',"longitude"\:null,"latitude"\:null')
            THEN excluded.place ELSE latest.place END,
        time = CASE WHEN excluded.time > latest.time THEN excluded.time ELSE latest.time END,
        written = latest.written + excluded.written""")

_ADD = text("""
    INSERT INTO recent (latest_id, time, body)
    SELECT l.id, :time, :body FROM latest l
    WHERE l.dataset = :dataset AND l.datastream = :datastream
    ON CONFLICT (latest_id, time) DO UPDATE SET body = excluded.body""")

#: The second term spreads the cuts of datastreams that report together over many calls.
_FULL = text("SELECT id FROM latest WHERE dataset = :dataset AND written > :kept + 20 + id % 100")

_CUT = text("""
    DELETE FROM recent WHERE latest_id = :id AND time < (
        SELECT time FROM recent WHERE latest_id = :id ORDER BY time DESC LIMIT 1 OFFSET :kept - 1)""")

_CUT_DONE = text("UPDATE latest SET written = :kept WHERE id = :id")

_FORGET = text("DELETE FROM recent WHERE time < :before AND latest_id IN (SELECT id FROM latest WHERE dataset = :dataset)")

_FORGET_EMPTY = text("DELETE FROM latest WHERE dataset = :dataset AND time < :before")


def remember(database: Database, dataset: str, fresh: pa.Table) -> None:
    """Merge rows in, whatever their order, in one transaction. A row of a time that is there
    already takes its place: the lake hands such a one over only when it corrected its own."""
    if fresh.num_rows == 0:
        return
    streams, rows = cut_up(dataset, fresh, KEPT)
    with database.noting() as connection:
        database.many(connection, _NAME, streams)
        database.many(connection, _ADD, rows)
        _cut(database, connection, dataset)


def recent(database: Database, dataset: str, datastream: str, limit: int) -> bytes | None:
    """The last `limit` rows, newest first, as a JSON array; None: the lake must be asked."""
    if not 1 <= limit <= KEPT:
        return None
    question = {"dataset": dataset, "datastream": datastream, "limit": limit}
    with database.reading() as connection:
        found = connection.exec_driver_sql(database.native(_RECENT[database.dialect]), question).one_or_none()
    if found is None or count(found[-1]) < limit:
        return None
    return f"[{complete(*found)}]".encode()


def latest(database: Database, dataset: str, limit: int, after: str) -> list[dict[str, Any]]:
    """The newest row of each datastream, by datastream, those after `after`."""
    if limit < 1:
        raise QueryError(f"limit {limit}: it must be at least 1")
    with database.reading() as connection:
        found = connection.execute(_LATEST, {"dataset": dataset, "after": after, "limit": limit}).all()
    return [orjson.loads(complete(*row)) for row in found]


def observed(database: Database, datasets: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """The observed properties of the datastreams of each of these datasets, by name."""
    found: dict[str, tuple[str, ...]] = {}
    with database.reading() as connection:
        for dataset in datasets:
            named = connection.execute(_OBSERVED, {"dataset": dataset}).scalars()
            found[dataset] = tuple(sorted(property_of(one) for one in named))
    return found


def forget(database: Database, dataset: str, before: datetime) -> None:
    """Drop rows older than `before`, as the lake does when their retention ends."""
    moment = {"dataset": dataset, "before": int(before.timestamp() * 1_000_000)}
    with database.noting() as connection:
        connection.execute(_FORGET, moment)
        connection.execute(_FORGET_EMPTY, moment)


def _cut(database: Database, connection: Connection, dataset: str) -> None:
    """Drop what lies behind the newest `KEPT` rows, where enough has gathered to be worth it."""
    full = [{"id": number, "kept": KEPT} for number in connection.execute(_FULL, {"dataset": dataset, "kept": KEPT}).scalars()]
    if full:
        database.many(connection, _CUT, full)
        database.many(connection, _CUT_DONE, full)
