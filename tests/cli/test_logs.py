"""Log lines of a running hub: JSON of the documented form, requests can be followed, nothing secret or personal in them."""

import json
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

from tests.cli.running import ask, free_port, start, until
from tests.pipelines.running import PUSH_FEED

from stadthub_catalog.catalog import Catalog
from stadthub_schemas.access import Role

SCHEMA = json.loads((Path(__file__).parents[2] / "docs" / "log-line.schema.json").read_text("utf-8"))
TYPES: dict[str, tuple[type, ...]] = {"string": (str,), "integer": (int,), "number": (int, float), "null": (type(None),)}
SETTINGS = 'data_dir = "hub"\nport = {port}\nlog_format = "json"\nlog_level = "debug"\n'
SECRET = PUSH_FEED.replace('"air"', '"locked"').replace(
    'type = "push"', 'type = "http"\nurl = "http://127.0.0.1:1/air"\nretries = 0\nauth = { value = "file:SECRET" }'
)


def fits(line: dict[str, Any]) -> bool:
    """Whether the line has the documented form."""
    known = SCHEMA["properties"]
    if not set(SCHEMA["required"]) <= line.keys() <= known.keys():
        return False
    return all(_is_a(line[name], known[name]) for name in line)


def _is_a(value: Any, said: dict[str, Any]) -> bool:
    if "enum" in said:
        return value in said["enum"]
    names = [said["type"]] if isinstance(said["type"], str) else said["type"]
    return any(isinstance(value, TYPES[name]) and not isinstance(value, bool) for name in names)


def test_every_line_has_the_documented_form_and_holds_no_payload_and_no_secret(tmp_path: Path) -> None:
    port = free_port()
    (tmp_path / "secret").write_text("sehr-geheim", "utf-8")
    (tmp_path / "stadthub.toml").write_text(SETTINGS.format(port=port) + 'allowed_hosts = ["127.0.0.1"]\n', "utf-8")
    feeds = tmp_path / "hub" / "feeds"
    feeds.mkdir(parents=True)
    (feeds / "air.toml").write_text(PUSH_FEED, "utf-8")
    (feeds / "locked.toml").write_text(SECRET.replace("SECRET", str(tmp_path / "secret")), "utf-8")
    process = start("up", folder=tmp_path)
    address = f"http://127.0.0.1:{port}"
    try:
        until(lambda: ask(f"{address}/readyz"), process)
        catalog = Catalog(f"sqlite:///{tmp_path / 'hub' / 'state.sqlite'}")
        until(lambda: any(one.feed == "locked" and one.error for one in catalog.feeds()), process)
        until(lambda: any(one.feed == "air" for one in catalog.feeds()), process)
        token = catalog.create_token("publisher", Role.PUBLISHER)
        request = urllib.request.Request(
            f"{address}/api/v1/feeds/air/push",
            b'{"rows": [{"thing": "erika-mustermann", "result": "hot"}]}',
            {"Authorization": f"Bearer {token}", "Content-Type": "application/json", "X-Request-ID": "sensor-company-0815"},
        )
        with urllib.request.urlopen(request, timeout=30) as answer:
            assert answer.headers["X-Request-ID"] == "sensor-company-0815"
        forged = urllib.request.Request(f"{address}/healthz", headers={"X-Request-ID": "erika mustermann; drop"})
        with urllib.request.urlopen(forged, timeout=30) as answer:
            assert len(answer.headers["X-Request-ID"]) == 16
        until(lambda: catalog.feed("air").counts.rejected == 1, process)
        catalog.close()
    finally:
        process.terminate()
        output = process.communicate(timeout=60)[0]
    lines = [json.loads(line) for line in output.splitlines() if line.startswith("{")]
    assert [line for line in lines if not fits(line)] == []
    assert [line["path"] for line in lines if line.get("request_id") == "sensor-company-0815"] == ["/api/v1/feeds/air/push"]
    assert any(line["event"] == "run ended" and line["feed"] == "locked" and line["run"] >= 1 and line["error"] for line in lines)
    assert {line["client"] for line in lines if line["event"] == "request"} == {"127.0.0.0"}
    for hidden in ("sehr-geheim", token, "erika", "127.0.0.1:1/air?", "Traceback"):
        assert hidden not in output, hidden
