"""Judging blocks of columns: what is plainly right is accepted at once, every other row is judged as the row path would.

So both paths give the same answers by construction: a row is accepted here only by the same rules from the same rule book,
and only the row path ever finds a reason.
"""

from typing import Any

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
    right = pc.and_(ruled, keys.is_valid())
    right = pc.and_(right, pc.and_(pc.greater_equal(block.times, _time(earliest)), pc.less_equal(block.times, _time(latest))))
    for _, placed in places.values():
        right = pc.and_(right, placed)
    right = pc.and_(right, pc.equal(places["longitude"][0].is_null(), places["latitude"][0].is_null()))
    right = pc.and_not(pc.fill_null(right, False), block.missing)
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
    all_right = pc.all(right, min_count=0).as_py()
    accepted = (table if all_right else table.filter(right)).cast(OBSERVATIONS_CODED)
    rest = pc.and_not(pc.invert(right), block.missing)
    return accepted, pc.indices_nonzero(rest)


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


def _coordinate(field: Field, length: int, bound: float) -> tuple[pa.Array, pa.Array]:
    """The coordinate, and where it is right: plainly a number within its bound, or missing."""
    if not isinstance(field, pa.Array):
        value = None if field is None else float(field)
        array = pa.repeat(pa.scalar(value, pa.float64()), length)
        return array, pa.repeat(pa.scalar(value is None or -bound <= value <= bound), length)
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

    def each(get: Any, to: pa.DataType) -> pa.Array:
        return picked([None if rule is None else get(rule) for rule in rules], numbers, to)

    number, text = pa.float64(), pa.string()
    stored = block.results
    if any(rule is not None and rule.factor != 1.0 for rule in rules):
        stored = pc.multiply(stored, each(lambda rule: rule.factor, number))
    if any(rule is not None and rule.divisor != 1.0 for rule in rules):
        stored = pc.divide(stored, each(lambda rule: rule.divisor, number))
    stored = pc.add(stored, each(lambda rule: rule.offset, number))  # null without a rule; and it makes 0 of -0, as the row path does
    low, high = each(lambda rule: rule.lowest, number), each(lambda rule: rule.highest, number)
    right = pc.and_(pc.is_finite(stored), pc.and_(pc.greater_equal(stored, low), pc.less_equal(stored, high)))
    return stored, right, each(lambda rule: rule.unit, text), each(lambda rule: rule.observed_property, text)


def _find(book: RuleBook, prop: Any, unit: Any) -> Rule | None:
    try:
        return book.rule(prop, unit)
    except RowError:
        return None
