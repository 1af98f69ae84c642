"""The hub in numbers: for operators and named addresses alone, readable by Prometheus, one answer over several processes."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from prometheus_client.metrics_core import Metric
from prometheus_client.openmetrics.parser import text_string_to_metric_families as open_metrics
from prometheus_client.parser import text_string_to_metric_families

from stadthub_api.app import create_app
from stadthub_catalog.catalog import Catalog
from stadthub_schemas.finding import Severity
from tests.api.city import City, build, client, served

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"


@pytest.fixture(scope="module")
def watched_city(tmp_path_factory: pytest.TempPathFactory) -> City:
    """A city of its own, with a finding."""
    city = build(tmp_path_factory.mktemp("metrics"))
    catalog = Catalog(city.settings.database)
    catalog.note_finding("air-push", "late", "", Severity.WARNING)
    catalog.close()
    return city


@pytest.fixture(scope="module")
def operator(watched_city: City) -> Iterator[httpx.Client]:
    """An operator at that city's hub."""
    with served(create_app(watched_city.settings)) as address, client(address, watched_city.tokens["operator"]) as one:
        yield one


def families(text: str) -> Iterator[Metric]:
    """What Prometheus reads in it."""
    yield from text_string_to_metric_families(text)


def samples(text: str) -> dict[tuple[str, tuple[str, ...]], float]:
    """Each sample by its name and the values of its labels, in the order of their names."""
    return {(one.name, tuple(one.labels.values())): one.value for family in families(text) for one in family.samples}


def test_prometheus_can_read_what_feeds_datasets_and_machine_are_like(operator: httpx.Client) -> None:
    answer = operator.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    found = samples(answer.text)
    assert found[("stadthub_feed_rows_total", ("air-push", "received"))] == 10
    assert found[("stadthub_feed_rows_total", ("air-push", "rejected"))] == 1
    assert found[("stadthub_findings", ("air-push", "warning"))] == 1
    assert found[("stadthub_dataset_rows", ("air",))] == 900
    assert found[("stadthub_dataset_bytes", ("air",))] > 1000
    assert found[("stadthub_dataset_files", ("air",))] == 1
    assert found[("stadthub_dataset_commits_total", ("air",))] >= 1
    assert found[("stadthub_worker_up", ())] == 0
    assert found[("stadthub_disk_free_bytes", ())] > 0


def test_it_is_open_metrics_for_who_asks_for_that(operator: httpx.Client) -> None:
    answer = operator.get("/metrics", headers={"Accept": "application/openmetrics-text; version=1.0.0"})
    found = open_metrics(answer.text)  # type: ignore[no-untyped-call]  # the library's
    assert {family.name for family in found} >= {"stadthub_feed_rows", "stadthub_findings"}


def test_requests_are_counted_by_route_and_never_by_what_was_asked_for(operator: httpx.Client) -> None:
    for path in (
        "/api/v1/datasets/air/rows?limit=1",
        "/api/v1/datasets/air/rows?limit=2",
        "/mueller-erika-1950",
        "/api/v1/datasets/mueller-erika",
    ):
        operator.get(path)
    operator.post("/api/v1/sql", json={"sql": "SELECT 1"})
    operator.post("/api/v1/sql", json={"sql": "DROP TABLE air"})
    text = operator.get("/metrics").text
    found = samples(text)
    assert found[("stadthub_http_requests_total", ("GET", "/api/v1/datasets/{name}/rows", "200"))] == 2
    assert found[("stadthub_http_requests_total", ("GET", "nowhere", "404"))] >= 1
    assert found[("stadthub_http_request_duration_seconds_count", ("/api/v1/datasets/{name}/rows",))] == 2
    assert found[("stadthub_sql_queries_total", ("ok",))] == 1
    assert found[("stadthub_sql_queries_total", ("refused",))] == 1
    assert "mueller" not in text


@pytest.mark.parametrize("role", [None, "reader", "publisher"])
def test_nobody_but_operators_reads_it(role: str | None, city: City, address: str) -> None:
    with client(address, city.tokens[role] if role else None) as one:
        assert one.get("/metrics").status_code == (403 if role else 401)


def test_an_address_that_the_settings_name_reads_it_unless_a_proxy_passes_the_question_on(watched_city: City) -> None:
    settings = watched_city.settings.model_copy(update={"metrics_from": ("127.0.0.0/8",)})
    with served(create_app(settings)) as address, client(address) as one:
        assert one.get("/metrics").status_code == 200
        for header in ("X-Forwarded-For", "Forwarded", "Via"):
            assert one.get("/metrics", headers={header: "127.0.0.1"}).status_code == 401


def test_two_processes_give_one_sum_that_outlives_them(watched_city: City) -> None:
    def answered(text: str) -> float:
        return samples(text)[("stadthub_http_requests_total", ("GET", "/healthz", "200"))]

    with served(create_app(watched_city.settings)) as first, client(first) as one:
        for _ in range(3):
            one.get("/healthz")
    with served(create_app(watched_city.settings)) as second, client(second, watched_city.tokens["operator"]) as one:
        one.get("/healthz")
        assert answered(one.get("/metrics").text) == 4


def known(text: str) -> set[str]:
    """The names that may stand in an expression: a histogram's parts and counters with their ending."""
    names = set()
    for family in families(text):
        names.add(family.name)
        names |= {f"{family.name}_total"} if family.type == "counter" else set()
        names |= {f"{family.name}_{part}" for part in ("bucket", "sum", "count")} if family.type == "histogram" else set()
    return names


def expressions() -> list[str]:
    """All that dashboard and alert rules ask Prometheus."""
    board = json.loads((DEPLOY / "grafana" / "stadthub.json").read_text("utf-8"))
    asked = [target["expr"] for panel in board["panels"] for target in panel.get("targets", [])]
    asked += [one["query"]["query"] for one in board["templating"]["list"] if isinstance(one["query"], dict)]
    rules = (DEPLOY / "prometheus" / "alerts.yml").read_text("utf-8")
    return asked + re.findall(r"^\s+expr: (.+)$", rules, re.MULTILINE)


def test_dashboard_and_alert_rules_ask_for_what_there_is(operator: httpx.Client) -> None:
    asked = expressions()
    assert len(asked) > 20
    names = {name for one in asked for name in re.findall(r"\bstadthub_[a-z_]+\b", one)}
    assert names
    assert names <= known(operator.get("/metrics").text)


def test_the_dashboard_shows_every_group_of_metrics(operator: httpx.Client) -> None:
    asked = " ".join(expressions())
    for group in (
        "feed_rows",
        "findings",
        "feed_lag",
        "dataset_bytes",
        "disk_free",
        "http_requests",
        "sql_queries",
        "feed_raw_log",
        "dataset_commits",
        "worker_up",
    ):
        assert f"stadthub_{group}" in asked, group
