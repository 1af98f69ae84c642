"""What retention ends is gone, and that it is gone is proven in the audit."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from stadthub_pipelines import upkeep
from tests.pipelines.running import PUSH_FEED, running


def test_a_deletion_that_retention_brings_about_is_an_audit_entry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now = datetime.now(UTC)
    row = {"thing": "a", "property": "air_temperature", "result": 1}
    with running(tmp_path, {"air": f'{PUSH_FEED}retention = "P2D"\n'}) as hub:
        hub.push("air", *({**row, "time": (now - timedelta(days=day)).isoformat()} for day in range(5)))
        hub.wait(lambda: hub.count("air") == 5)
        hub.wait(lambda: hub.catalog.feed("air").last_commit_time is not None)
        monkeypatch.setattr(upkeep, "RETAIN", 0.1)
        hub.wait(lambda: bool(hub.catalog.audited("retention.rows")), 60)
        [entry] = hub.catalog.audited("retention.")
        assert (entry.who, entry.what, entry.on, entry.details["rows"]) == ("worker", "retention.rows", "air", 3)
        assert timedelta(days=2) <= datetime.now(UTC) - datetime.fromisoformat(entry.details["before"]) < timedelta(days=2, minutes=5)
        assert hub.count("air") == 2
        assert len(hub.catalog.latest("air")) == 1
        hub.wait(lambda: len(hub.catalog.audited("retention.")) == 1)  # nothing more is deleted, so nothing more is said
        assert hub.catalog.verify_audit() == 1
