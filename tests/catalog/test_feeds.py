"""Feeds and their runs as the operator sees them."""

from datetime import UTC, datetime

import pytest

from stadthub_catalog import Catalog, FeedState
from stadthub_schemas.counts import Counts
from stadthub_schemas.errors import NotFound, QueryError

NOON = datetime(2026, 3, 1, 12, 0, 0, 123456, tzinfo=UTC)


def test_what_is_noted_of_a_feed_adds_up(catalog: Catalog) -> None:
    catalog.note_feed("air", title="Luft", dataset="luft", source="mqtt", connected=True)
    catalog.note_feed("air", last_message_time=NOON, counts=Counts(5, 3, 1, 1, 0), position=7, source_state={"etag": "x"}, lag_seconds=0.5)
    catalog.note_feed("air", last_commit=NOON, paused=True, wrong="air.toml: title: Field required", rate_per_minute=12.0)
    assert catalog.feed("air") == FeedState(
        feed="air",
        title="Luft",
        dataset="luft",
        source="mqtt",
        connected=True,
        paused=True,
        wrong="air.toml: title: Field required",
        last_message_time=NOON,
        last_commit_time=NOON,
        lag_seconds=0.5,
        rate_per_minute=12.0,
        position=7,
        counts=Counts(5, 3, 1, 1, 0),
        source_state={"etag": "x"},
    )
    catalog.note_feed("air", wrong=None)
    assert catalog.feed("air").wrong is None


def test_feeds_are_listed_by_name_until_they_are_forgotten(catalog: Catalog) -> None:
    catalog.note_feed("b", connected=False)
    catalog.note_feed("a", connected=False)
    assert [feed.feed for feed in catalog.feeds()] == ["a", "b"]
    catalog.forget_feed("a")
    assert [feed.feed for feed in catalog.feeds()] == ["b"]
    with pytest.raises(NotFound, match="'a'"):
        catalog.feed("a")


def test_a_fact_that_feeds_do_not_have_is_refused(catalog: Catalog) -> None:
    with pytest.raises(QueryError, match="conected"):
        catalog.note_feed("a", conected=True)


def test_a_run_is_told_with_its_counts_and_its_error(catalog: Catalog) -> None:
    first, second = catalog.start_run("air"), catalog.start_run("air")
    catalog.end_run(first, Counts(2, 1, 0, 1, 0), "SourceError: timed out")
    running, ended = catalog.runs("air")
    assert (running.id, running.ended, running.counts) == (second, None, Counts())
    assert (ended.counts, ended.error) == (Counts(2, 1, 0, 1, 0), "SourceError: timed out")
    assert ended.ended is not None
    assert ended.ended >= ended.started
    assert catalog.runs("air", limit=1) == [running]
    with pytest.raises(NotFound):
        catalog.end_run(4711, Counts(), None)
