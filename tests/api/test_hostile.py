"""Hostile requests: none gets a 500, a foreign address in a page, an endless body or a key that is hidden."""

import httpx
import pytest

from stadthub_schemas.access import ANYBODY, Action, may
from stadthub_schemas.dataset import AccessClass, ColumnWords
from tests.api.city import PUBLIC_AIR, described

HTML = {"accept": "text/html"}
BEYOND = ("0001-01-01T00:00:00%2B14:00", "9999-12-31T23:59:59-14:00")


@pytest.mark.parametrize("time", BEYOND)
@pytest.mark.parametrize(
    "question",
    [
        "/api/v1/datasets/air/rows?as_of={}",
        "/api/v1/datasets/air/rows?end={}",
        "/api/v1/datasets/air/aggregate?start={}",
        "/api/v1/datasets/air/series?datastream=park/pm10&start={}",
        "/api/v1/datasets/air/exports/csv?as_of={}",
        "/datasets/air?phenomenon_time__ge={}",
        "/datasets/budget?end={}",
    ],
)
def test_a_time_beyond_the_calendar_is_the_callers_mistake(anybody: httpx.Client, question: str, time: str) -> None:
    assert anybody.get(question.format(time), headers=HTML).status_code == 400


@pytest.mark.parametrize("day", ["0001-01-01", "9999-12-31"])
@pytest.mark.parametrize("end", ["chart_from", "chart_until"])
def test_a_chart_to_the_end_of_time_is_a_page(anybody: httpx.Client, day: str, end: str) -> None:
    assert anybody.get(f"/datasets/air?chart_span=custom&chart_from=2026-03-01&{end}={day}", headers=HTML).status_code == 200


@pytest.mark.parametrize("name", ["%00", "x" * 5000, "..%2f..%2fpyproject.toml"])
def test_what_is_no_name_of_a_file_is_not_found(anybody: httpx.Client, name: str) -> None:
    assert anybody.get(f"/static/{name}").status_code == 404


@pytest.mark.parametrize("path", ["/en//evil.example/", "/de//evil.example/", "//evil.example/x", "/en/%5Cevil.example/"])
def test_no_page_links_to_another_host_by_two_slashes(anybody: httpx.Client, path: str) -> None:
    page = anybody.get(f"{anybody.base_url}".rstrip("/") + path, headers=HTML).text
    assert 'href="//' not in page
    assert 'href="/\\' not in page


def test_a_ckan_action_named_push_takes_no_endless_body(anybody: httpx.Client) -> None:
    answer = anybody.post("/api/3/action/push", content=b'{"a":"' + b"x" * 2_000_000 + b'"}', headers={"content-type": "application/json"})
    assert answer.status_code == 413


@pytest.mark.parametrize("word", ["q", "fq"])
def test_a_question_of_endless_length_is_refused_before_it_is_read(anybody: httpx.Client, word: str) -> None:
    assert anybody.post("/api/3/action/package_search", json={word: "a* " * 100_000}).status_code == 409


def test_a_hidden_thing_is_not_spelled_by_the_key_of_its_datastream() -> None:
    dataset = described(PUBLIC_AIR)
    words = dataset.metadata.model_copy(update={"columns": {"thing": ColumnWords(access=AccessClass.INTERNAL)}})
    assert not may(ANYBODY, Action.READ, dataset.model_copy(update={"metadata": words})).shows("datastream")
