"""What is noticed about feeds: counted while it holds, resolved when it doesn't, begun anew when it comes back."""

from datetime import UTC, datetime

import pytest

from stadthub_catalog import Catalog
from stadthub_schemas.errors import NotFound
from stadthub_schemas.finding import Held, HeldState, Severity

TIME = datetime(2026, 3, 1, 12, tzinfo=UTC)


def test_a_finding_is_counted_while_it_holds_and_begins_anew_when_it_comes_back(catalog: Catalog) -> None:
    for _ in range(3):
        catalog.note_finding("counts", "column_new", "Spur 3", Severity.INFO, {"type": "number"})
    (finding,) = catalog.findings("counts")
    assert (finding.kind, finding.subject, finding.severity, finding.count) == ("column_new", "Spur 3", Severity.INFO, 3)
    assert finding.details == {"type": "number"}
    assert finding.first_seen <= finding.last_seen
    assert finding.resolved_time is None
    assert catalog.resolve_finding("counts", "column_new", "Spur 3") == 1
    assert catalog.findings() == []
    assert len(catalog.findings(open_only=False)) == 1
    catalog.note_finding("counts", "column_new", "Spur 3", Severity.WARNING)
    (again,) = catalog.findings()
    assert (again.count, again.severity) == (1, Severity.WARNING)
    assert again.first_seen > finding.last_seen


def test_findings_of_a_kind_are_resolved_together_and_those_of_other_feeds_stay(catalog: Catalog) -> None:
    for feed in ("a-feed", "b-feed"):
        for column in ("x", "y" * 1000):
            catalog.note_finding(feed, "column_missing", column, Severity.WARNING)
    assert catalog.resolve_finding("a-feed", "column_missing") == 2
    assert catalog.resolve_finding("b-feed", "column_missing", "y" * 1000) == 1
    assert [(one.feed, one.subject) for one in catalog.findings()] == [("b-feed", "x")]


def test_nothing_is_noticed_of_a_feed_that_is_gone(catalog: Catalog) -> None:
    catalog.note_feed("gone", title="Gone")
    catalog.note_finding("gone", "column_new", "x", Severity.INFO)
    catalog.forget_feed("gone")
    assert catalog.findings(open_only=False) == []


def _held(position: int) -> Held:
    return Held(
        "counts", position, TIME, "https://city.example/counts.csv", "Spur 1: it is missing", 40, 1200, [{"kind": "column_missing"}]
    )


def test_what_an_operator_decided_outlives_a_payload_that_is_put_aside_again(catalog: Catalog) -> None:
    catalog.hold(_held(7))
    catalog.hold(_held(9))
    assert catalog.quarantined() == {"counts": (2, 80, 7)}
    assert catalog.decide("counts", [7], HeldState.RELEASING, "operator") == 1
    catalog.hold(_held(7))
    assert [(one.position, one.state, one.decided_by) for one in catalog.held("counts")] == [
        (7, HeldState.RELEASING, "operator"),
        (9, HeldState.HELD, ""),
    ]
    catalog.note_held("counts", 7, state=HeldState.RELEASED, release_position=12)
    assert catalog.held_payload("counts", 7).release_position == 12
    assert [one.position for one in catalog.held("counts")] == [9]


def test_no_word_is_taken_for_a_payload_that_is_not_in_quarantine(catalog: Catalog) -> None:
    catalog.hold(_held(7))
    with pytest.raises(NotFound, match="no payload 8 is in quarantine"):
        catalog.decide("counts", [7, 8], HeldState.DISCARDED, "operator")
    assert catalog.held_payload("counts", 7).state is HeldState.HELD
    with pytest.raises(NotFound, match="payload 8"):
        catalog.held_payload("counts", 8)


def test_a_profile_is_kept_as_it_was_saved(catalog: Catalog) -> None:
    assert catalog.profile("counts") == {}
    catalog.save_profile("counts", {"columns": {"Straße": {"types": ["text"]}}})
    catalog.save_profile("counts", {"columns": {"Straße": {"types": ["text", "integer"]}}})
    assert catalog.profile("counts") == {"columns": {"Straße": {"types": ["text", "integer"]}}}
