"""Judging blocks of columns: what is plainly right is accepted at once, every other row is judged as the row path would.

So both paths give the same answers by construction: a row is accepted here only by the same rules from the same rule book,
and only the row path ever finds a reason.
"""

import math
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from stadthub_ingest.coded import mapped, numbered, picked, repeated
from stadthub_ingest.decoded import Block, Field
from stadthub_ingest.observations import checked_key, given_name
from stadthub_ingest.rules import RowError, Rule, RuleBook
from stadthub_schemas.rows import OBSERVATIONS_CODED

_NAMES = ("thing", "thing_name", "observed_property", "unit", "quality", "sensor")


def judge_block(block: Block, book: RuleBook, received: Any) -> tuple[pa.Table, pa.Array]:
    """The plainly right rows as OBSERVATIONS_CODED, and the numbers of those (not missing) that the row path must judge."""
    length = len(block.times)
    earliest, latest = book.window(received)
    results, ruled, units, properties = _ruled(block, book, length)
    keys = _as_array(block.fields.get("thing"), length, _key)
    places = {name: _coordinate(block.fields.get(name), length, bound) for name, bound in (("longitude", 180.0), ("latitude", 90.0))}
    right = _all_of(
        ruled,
        *_within(block.times, earliest, latest),
        *([] if keys.null_count == 0 else [keys.is_valid()]),
        *(placed for _, placed in places.values() if placed is not None),
        *([] if block.missing.true_count == 0 else [pc.invert(block.missing)]),
    )
    if any(isinstance(block.fields.get(name), pa.Array) for name in places):
        right = pc.and_(right, pc.equal(places["longitude"][0].is_null(), places["latitude"][0].is_null()))
    right = pc.fill_null(right, False)
    words = {name: _as_array(block.fields.get(name), length, lambda text: text or None) for name in ("quality", "sensor", "thing_name")}
    names = words["thing_name"]
    if names.null_count:
        names = pc.coalesce(names, _as_array(block.fields.get("thing"), length, given_name))
    table = pa.Table.from_arrays(
        [
            keys,
            properties,
            block.times,
            results,
            pa.nulls(length, pa.string()),
            units,
            words["quality"],
            names,
            words["sensor"],
            places["longitude"][0],
            places["latitude"][0],
            pa.nulls(length, pa.string()),
            pa.repeat(_time(received), length),
        ],
        schema=pa.schema([field.with_nullable(True) for field in OBSERVATIONS_CODED]),
    )
    if pc.all(right, min_count=0).as_py():
        return table.cast(OBSERVATIONS_CODED), pa.array([], pa.uint64())
    accepted = table.filter(right).cast(OBSERVATIONS_CODED)
    rest = pc.and_not(pc.invert(right), block.missing)
    return accepted, pc.indices_nonzero(rest)


def _all_of(first: pa.Array, *others: pa.Array) -> pa.Array:
    """Where all of these hold."""
    for other in others:
        first = pc.and_(first, other)
    return first


def _within(times: pa.Array, earliest: datetime, latest: datetime) -> list[pa.Array]:
    """The conditions that the times lie in the window; none where all of them do."""
    spread = pc.min_max(times).as_py()
    if not times.null_count and spread["min"] is not None and earliest <= spread["min"] and spread["max"] <= latest:
        return []
    return [pc.greater_equal(times, _time(earliest)), pc.less_equal(times, _time(latest))]


def _time(value: Any) -> pa.Scalar:
    return pa.scalar(value, pa.timestamp("us", tz="UTC"))


def _key(text: str) -> str | None:
    try:
        return checked_key(text)
    except RowError:
        return None


def _as_array(field: Field, length: int, function: Any) -> pa.Array:
    """The field as an array of texts, each made by the function, which is asked once for each different text."""
    if isinstance(field, pa.Array):
        return mapped(field, function, pa.string())
    return repeated(None if field is None else function(str(field)), length)


def _coordinate(field: Field, length: int, bound: float) -> tuple[pa.Array, pa.Array | None]:
    """The coordinate, and where it is right: plainly a number within its bound, or missing; None: everywhere."""
    if not isinstance(field, pa.Array):
        value = None if field is None else float(field)
        right = value is None or -bound <= value <= bound
        return pa.repeat(pa.scalar(value, pa.float64()), length), None if right else pa.repeat(pa.scalar(False), length)
    array = mapped(field, _plain, pa.float64())
    within = pc.and_(pc.greater_equal(array, -bound), pc.less_equal(array, bound))
    return array, pc.or_(field.is_null(), pc.fill_null(within, False))


def _plain(text: str) -> float | None:
    try:
        return float(text) if "_" not in text else None
    except ValueError:
        return None


def _ruled(block: Block, book: RuleBook, length: int) -> tuple[pa.Array, pa.Array, pa.Array, pa.Array]:
    """Results in stored units, where they are right, the stored units and the properties' keys."""
    prop, unit = block.fields.get("observed_property"), block.fields.get("unit")
    if not isinstance(prop, pa.Array) and not isinstance(unit, pa.Array):
        rule = _find(book, prop, unit)
        if rule is None:
            nothing = repeated(None, length)
            return block.results, pa.repeat(pa.scalar(False), length), nothing, nothing
        stored = block.results
        if rule.factor != 1.0:
            stored = pc.multiply(stored, rule.factor)
        if rule.divisor != 1.0:
            stored = pc.divide(stored, rule.divisor)
        stored = pc.add(stored, rule.offset)  # also without one: it makes 0 of -0, as the row path does
        right = pc.and_(pc.is_finite(stored), pc.and_(pc.greater_equal(stored, rule.lowest), pc.less_equal(stored, rule.highest)))
        return stored, right, repeated(rule.unit, length), repeated(rule.observed_property, length)
    return _ruled_by_pair(block, book, _texts(prop, length), _texts(unit, length))


def _texts(field: Field, length: int) -> pa.Array:
    return field if isinstance(field, pa.Array) else repeated(None if field is None else str(field), length)


def _ruled_by_pair(block: Block, book: RuleBook, props: pa.Array, units: pa.Array) -> tuple[pa.Array, pa.Array, pa.Array, pa.Array]:
    """The same where property or unit stand in columns: one rule for each pair of them, then looked up by number."""
    first, second = numbered(props), numbered(units)
    rules = [_find(book, prop, unit) for prop in first[0] for unit in second[0]]
    numbers = pc.add(pc.multiply(first[1], len(second[0])), second[1])
    codes = numbers.to_numpy()
    offset, low, high = (_each(rules, name) for name in ("offset", "lowest", "highest"))
    factor, divisor = (_each(rules, name) for name in ("factor", "divisor"))
    stored = block.results.to_numpy(zero_copy_only=False)
    with np.errstate(all="ignore"):
        stored = stored if (factor == 1.0).all() else stored * factor[codes]
        stored = stored if (divisor == 1.0).all() else stored / divisor[codes]
        stored = stored + (0.0 if (offset == 0.0).all() else offset[codes])  # it makes 0 of -0, as the row path does
        right = np.isfinite(stored) & (stored >= low[codes]) & (stored <= high[codes])
    words = (
        picked([None if rule is None else getattr(rule, name) for rule in rules], numbers, pa.string())
        for name in ("unit", "observed_property")
    )
    return pa.array(stored), pa.array(right), *words


def _each(rules: Sequence[Rule | None], name: str) -> npt.NDArray[np.float64]:
    """What each rule says; where there is none nothing can be right: no number lies between its bounds."""
    return np.array([_RULELESS[name] if rule is None else getattr(rule, name) for rule in rules], dtype=np.float64)


_RULELESS = {"factor": 1.0, "divisor": 1.0, "offset": 0.0, "lowest": math.inf, "highest": -math.inf}


def _find(book: RuleBook, prop: Any, unit: Any) -> Rule | None:
    try:
        return book.rule(prop, unit)
    except RowError:
        return None
