"""Feeds for the tests of the ingest room."""

from datetime import UTC, datetime
from typing import Any

from stadthub_ingest.judged import Judged, Payload
from stadthub_schemas.feed import Feed

RECEIVED = datetime(2026, 11, 21, 12, tzinfo=UTC)
BY_ROWS, BY_COLUMNS = 1_000_000_000, 0


def feed(decoder: str, options: dict[str, Any] | None = None, **keys: Any) -> Feed:
    """A feed with this decoder and these options."""
    return Feed.model_validate(
        {
            "id": "probe",
            "title": "Probe",
            "dataset": "probe",
            "decoder": decoder,
            "source": {"type": "push"},
            "options": options or {},
            **keys,
        }
    )


def payload(body: bytes | str, name: str = "payload", position: int = 7) -> Payload:
    """A payload that came at noon."""
    return Payload(position, RECEIVED, name, body.encode() if isinstance(body, str) else body)


def balanced(judged: Judged) -> bool:
    """Whether every received row is accounted for."""
    return judged.received == len(judged.accepted) + len(judged.rejects) + judged.dropped


def answers(judged: Judged) -> tuple[int, int, list[str], list[tuple[int, str, str]]]:
    """What the judge said, in an order that does not depend on the path."""
    rejects = [(row["row"], row["reason"], row["excerpt"]) for row in judged.rejects.to_pylist()]
    return judged.received, judged.dropped, sorted(map(repr, judged.accepted.to_pylist())), sorted(rejects)
