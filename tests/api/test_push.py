"""Pushes: acknowledged means on disk, bounded by the feed, and for those only whose token may write the dataset."""

import json
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from stadthub_api.app import create_app
from tests.api.city import City, build, client, served

PUSH = "/api/v1/feeds/air-push/push"


@pytest.fixture(scope="module")
def pushed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, City]]:
    """A served city of its own, whose folder these tests fill."""
    city = build(tmp_path_factory.mktemp("pushed"))
    with served(create_app(city.settings)) as address:
        yield address, city


@pytest.fixture
def publisher(pushed: tuple[str, City]) -> Iterator[httpx.Client]:
    """Somebody who may push."""
    address, city = pushed
    with client(address, city.tokens["publisher"]) as one:
        yield one


@pytest.fixture
def folder(pushed: tuple[str, City]) -> Path:
    """Where pushed bodies wait for the worker."""
    return pushed[1].settings.data_dir / "push" / "air-push"


def waiting(folder: Path) -> list[Path]:
    """All files there, hidden ones too."""
    return sorted(folder.iterdir()) if folder.exists() else []


def test_an_acknowledged_push_is_a_file_with_its_body(publisher: httpx.Client, folder: Path) -> None:
    before = set(waiting(folder))
    body = b'{"thing":"park"}\n\xff\x00 binary too'
    answer = publisher.post(PUSH, content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == 202, answer.text
    [file] = set(waiting(folder)) - before
    assert answer.json() == {"received": len(body), "id": file.stem.partition("-")[2]}
    header, _, kept = file.read_bytes().partition(b"\n")
    assert kept == body
    assert json.loads(header)["content_type"] == "application/json"
    assert json.loads(header)["name"] == "push:publisher"


def test_files_stand_in_the_order_in_which_they_came(publisher: httpx.Client, folder: Path) -> None:
    before = set(waiting(folder))
    for number in range(20):
        assert publisher.post(PUSH, content=str(number)).status_code == 202
    bodies = [file.read_bytes().partition(b"\n")[2] for file in waiting(folder) if file not in before]
    assert bodies == [str(number).encode() for number in range(20)]


def chunked(size: int) -> Iterator[bytes]:
    """A body without a length in its header."""
    for _ in range(size // 100):
        yield b"x" * 100


def test_a_body_beyond_the_feeds_bound_is_refused_and_leaves_nothing(publisher: httpx.Client, folder: Path) -> None:
    before = waiting(folder)
    for content in (b"x" * 1001, chunked(1100)):
        answer = publisher.post(PUSH, content=content)
        assert answer.status_code == 413
        assert "1000 bytes" in answer.json()["detail"]
    assert publisher.post(PUSH, content=chunked(1000)).status_code == 202
    assert len(waiting(folder)) == len(before) + 1


def test_an_empty_body_is_no_payload(publisher: httpx.Client, folder: Path) -> None:
    before = waiting(folder)
    assert publisher.post(PUSH).status_code == 400
    assert waiting(folder) == before


@pytest.mark.parametrize(
    ("who", "feed", "status"),
    [
        (None, "air-push", 401),
        ("expired", "air-push", 401),
        ("reader", "air-push", 403),
        ("analyst", "air-push", 403),
        ("noise-publisher", "air-push", 403),
        ("publisher", "air-feed", 404),
        ("publisher", "nowhere", 404),
        ("publisher", "broken", 404),
        (None, "nowhere", 401),
    ],
)
def test_only_a_publisher_of_the_dataset_may_push_to_push_feeds(
    pushed: tuple[str, City], who: str | None, feed: str, status: int, folder: Path
) -> None:
    before = waiting(folder)
    address, city = pushed
    with client(address, city.tokens[who] if who else None) as one:
        assert one.post(f"/api/v1/feeds/{feed}/push", content=b"x").status_code == status
    assert waiting(folder) == before


def test_a_reader_does_not_learn_which_push_feeds_there_are(pushed: tuple[str, City]) -> None:
    address, city = pushed
    with client(address, city.tokens["reader"]) as one:
        there, nowhere = (one.post(f"/api/v1/feeds/{feed}/push", content=b"x") for feed in ("air-push", "nowhere"))
        assert there.status_code == nowhere.status_code


def test_with_too_little_disk_nothing_is_acknowledged(tmp_path: Path) -> None:
    city = build(tmp_path)
    starved = city.settings.model_copy(update={"min_free_mb": 10**9})
    with served(create_app(starved)) as address, client(address, city.tokens["publisher"]) as one:
        answer = one.post(PUSH, content=b"x")
        assert answer.status_code == 503
        assert "free disk" in answer.json()["detail"]
        assert one.get("/readyz").status_code == 503
        assert one.get("/api/v1/datasets/air/rows?limit=1").status_code == 200
    assert waiting(tmp_path / "push" / "air-push") == []


def test_an_operator_pauses_resumes_and_runs_a_feed_and_the_audit_knows(pushed: tuple[str, City]) -> None:
    address, city = pushed
    with client(address, city.tokens["operator"]) as one:
        assert one.post("/api/v1/feeds/air-feed/pause").json()["paused"] is True
        assert one.get("/api/v1/feeds/air-feed").json()["paused"] is True
        assert one.post("/api/v1/feeds/air-feed/resume").json()["paused"] is False
        ran = one.post("/api/v1/feeds/air-feed/run")
        assert (ran.status_code, ran.json()["wanted_run"] is not None) == (202, True)
        assert one.post("/api/v1/feeds/nowhere/pause").status_code == 404
        assert [feed["feed"] for feed in one.get("/api/v1/feeds").json()["feeds"]] == ["air-feed", "air-push"]
        assert one.get("/api/v1/feeds/air-push").json()["counts"]["balanced"] is True
        assert one.get("/api/v1/feeds/air-feed/runs").json()["runs"][0]["counts"]["stored"] == 3
        assert one.get("/api/v1/feeds/air-feed/rejects").json() == {"rejects": []}
