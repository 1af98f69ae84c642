"""Rows, pages, formats and the query language, asked over HTTP."""

import csv
import io
from datetime import timedelta

import httpx
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.api.city import BEGIN, END, HOURS

ROWS = "/api/v1/datasets/air/rows"
PARK = "park:pm10"
RECENT = {"datastream": PARK, "sort": "-phenomenon_time"}


def rows(anybody: httpx.Client, **parameters: str | int) -> list[dict[str, object]]:
    """The rows of an answer that must be one."""
    answer = anybody.get(ROWS, params=parameters)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, object]] = answer.json()["rows"]
    return found


def test_rows_have_the_columns_of_a_timeseries(anybody: httpx.Client) -> None:
    [row] = rows(anybody, thing="park", observed_property="pm10", limit=1, sort="phenomenon_time")
    assert row["phenomenon_time"] == "2026-03-01T00:00:00Z"
    assert row["datastream"] == PARK
    assert row["result"] == 0.0
    assert row["unit"] == "ug/m3"
    assert row["parameters"] == {"battery": 3.5}


@pytest.mark.parametrize(
    ("filters", "count"),
    [
        ({"thing": "park"}, 300),
        ({"thing__eq": "park"}, 300),
        ({"thing__exact": "park"}, 300),
        ({"thing__ne": "park"}, 600),
        ({"thing__in": "park,ring"}, 600),
        ({"thing__starts_with": "u"}, 300),
        ({"thing__contains": "in"}, 300),
        ({"result__lt": "1"}, 7),
        ({"result__strictly_less": "1"}, 7),
        ({"result__is_null": "true"}, 0),
        ({"result_text__is_null": "true"}, 900),
        ({"bbox": "7.55,51.85,7.65,51.95"}, 300),
        ({"start": "2026-03-07"}, 36),
        ({"end": "2026-03-01T02:00:00Z"}, 12),
        ({"end": "2026-03-01T03:00:00+01:00"}, 12),
        ({"phenomenon_time__lt": "2026-03-01T02:00:00Z"}, 12),
    ],
)
def test_each_operator_finds_its_rows(anybody: httpx.Client, filters: dict[str, str], count: int) -> None:
    assert len(rows(anybody, limit=10000, **filters)) == count


def test_a_plus_that_the_url_turned_into_a_blank_is_mended(anybody: httpx.Client) -> None:
    answer = anybody.get(f"{ROWS}?limit=100&end=2026-03-01T03:00:00+01:00")
    assert len(answer.json()["rows"]) == 12


def test_several_values_of_one_column_mean_any_of_them(anybody: httpx.Client) -> None:
    answer = anybody.get(f"{ROWS}?thing=park&thing=ring&limit=1000")
    assert len(answer.json()["rows"]) == 600


def test_pages_follow_each_other_without_a_gap(anybody: httpx.Client) -> None:
    seen = []
    following = f"{ROWS}?thing=park&sort=result,phenomenon_time&limit=70"
    while following:
        page = anybody.get(following).json()
        seen += [(row["datastream"], row["phenomenon_time"]) for row in page["rows"]]
        following = page["next"]
    assert len(seen) == len(set(seen)) == 300


def test_columns_come_as_asked_for(anybody: httpx.Client) -> None:
    assert list(rows(anybody, columns="result,thing", limit=1)[0]) == ["result", "thing"]


@pytest.mark.parametrize("limit", [1, 7, 100])
def test_the_quick_way_answers_like_the_ordinary_way(anybody: httpx.Client, limit: int) -> None:
    quick = rows(anybody, **RECENT, limit=limit)
    ordinary = rows(anybody, **RECENT, limit=limit, columns=",".join(quick[0]))
    assert quick == ordinary
    assert quick == rows(anybody, thing="park", observed_property="pm10", sort="-phenomenon_time", limit=limit)
    assert quick[0]["phenomenon_time"] == (END - timedelta(hours=1)).isoformat().replace("+00:00", "Z")


def test_the_quick_ways_next_page_goes_on_where_it_ended(anybody: httpx.Client) -> None:
    seen: list[str] = []
    following = f"{ROWS}?datastream={PARK}&sort=-phenomenon_time&limit=60"
    while following:
        page = anybody.get(following).json()
        seen += [row["phenomenon_time"] for row in page["rows"]]
        following = page["next"]
    assert seen == sorted(set(seen), reverse=True)
    assert len(seen) == HOURS


def test_an_answer_that_has_not_changed_is_not_sent_again(anybody: httpx.Client) -> None:
    for parameters in (RECENT, {"thing": "park"}, {"thing": "park", "format": "csv"}):
        first = anybody.get(ROWS, params=parameters)
        assert first.headers["etag"].startswith('W/"')
        again = anybody.get(ROWS, params=parameters, headers={"If-None-Match": first.headers["etag"]})
        assert (again.status_code, again.content) == (304, b"")


def test_csv_has_a_header_line_and_a_link_to_the_next_page(anybody: httpx.Client) -> None:
    answer = anybody.get(ROWS, params={"thing": "park", "format": "csv", "limit": 2, "sort": "phenomenon_time,datastream"})
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    found = list(csv.DictReader(io.StringIO(answer.text)))
    assert [row["phenomenon_time"] for row in found] == ["2026-03-01T00:00:00Z"] * 2
    following = anybody.get(answer.links["next"]["url"])
    assert next(csv.DictReader(io.StringIO(following.text)))["phenomenon_time"] == "2026-03-01T01:00:00Z"


def test_formats_can_be_asked_for_by_accept(anybody: httpx.Client) -> None:
    def get(accept: str) -> httpx.Response:
        return anybody.get(ROWS, params={"thing": "park", "limit": 5}, headers={"Accept": accept})

    assert pq.read_table(io.BytesIO(get("application/vnd.apache.parquet").content)).num_rows == 5
    assert pa.ipc.open_stream(get("application/vnd.apache.arrow.stream;q=0.9, text/csv;q=0.1").content).read_all().num_rows == 5
    collection = get("application/geo+json").json()
    assert collection["type"] == "FeatureCollection"
    assert collection["features"][0]["geometry"] == {"type": "Point", "coordinates": [7.6, 51.9]}
    assert get("text/html,*/*").json()["rows"]


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("limt=3", "there is no parameter 'limt': did you mean limit?"),
        ("thign=park", "there is no parameter 'thign': did you mean thing?"),
        ("thing__equals=park", "there is no operator 'equals'"),
        ("limit=0", "limit: '0' must be a whole number from 1 to 10000"),
        ("limit=100000", "limit: '100000' must be a whole number from 1 to 10000"),
        ("limit=１", "must be a whole number"),
        ("sort=-rsult", "sort: there is no column 'rsult': did you mean result?"),
        ("columns=nix", "columns: there is no column 'nix'"),
        ("start=gestern", "start: 'gestern' is not a time"),
        ("phenomenon_time__ge=gestern", "'gestern' is not a time"),
        ("result__ge=viel", "'viel' is not a number"),
        ("bbox=1,2,3", "bbox: '1,2,3' must be four numbers"),
        ("bbox=7,52,8,51", "bbox"),
        ("bbox=nan,1,2,3", "bbox"),
        ("cursor=abc", "cursor"),
        ("as_of=x", "as_of: 'x' is not a time"),
        ("format=xml", "format: 'xml' is not offered here"),
        ("limit=1&limit=2", "limit: it stands there twice"),
        ("thing=%00", "NUL"),
    ],
)
def test_a_wrong_question_is_told_in_one_sentence(anybody: httpx.Client, query: str, words: str) -> None:
    answer = anybody.get(f"{ROWS}?{query}")
    assert answer.status_code == 400, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert words in problem["detail"]
    assert problem["instance"] == ROWS
    assert problem["type"] == "/problems/query"
    assert anybody.get(problem["type"]).json()["status"] == problem["status"] == 400


def test_aggregates_are_cut_in_the_time_zone(anybody: httpx.Client) -> None:
    answer = anybody.get(
        "/api/v1/datasets/air/aggregate",
        params={"metrics": "avg(result),max(result),count", "bucket": "P1D", "tz": "Europe/Berlin", "group_by": "thing", "thing": "park"},
    )
    assert answer.status_code == 200, answer.text
    first = answer.json()["rows"][0]
    assert first["count"] == 46  # the first local day lacks its first hour, which was still February
    assert first["thing"] == "park"
    assert first["max_result"] == 32.0
    as_csv = anybody.get("/api/v1/datasets/air/aggregate", params={"format": "csv"})
    assert as_csv.text.split() == ['"count"', "900"]


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("metrics=median(result)", "metrics: 'median(result)' is none"),
        ("metrics=avg", "metrics: avg needs a column"),
        ("metrics=avg(rsult)", "did you mean result?"),
        ("bucket=hour", "bucket"),
        ("tz=Europe/Münster", "tz: there is no time zone"),
        ("group=thing", "did you mean group_by?"),
    ],
)
def test_a_wrong_aggregate_is_told_in_one_sentence(anybody: httpx.Client, query: str, words: str) -> None:
    answer = anybody.get(f"/api/v1/datasets/air/aggregate?{query}")
    assert (answer.status_code, words in answer.json()["detail"]) == (400, True), answer.text


def test_a_series_has_few_points_and_keeps_its_peaks(anybody: httpx.Client) -> None:
    answer = anybody.get("/api/v1/datasets/air/series", params={"datastream": [PARK, "ring:pm10"], "points": 20})
    assert answer.status_code == 200, answer.text
    series = answer.json()["series"]
    assert [one["datastream"] for one in series] == [PARK, "ring:pm10"]
    assert len(series[0]["time"]) <= 20
    assert max(series[0]["max"]) == 23.0
    assert series[0]["time"][0] == int(BEGIN.timestamp() * 1000)


def test_latest_has_one_row_for_each_datastream_page_by_page(anybody: httpx.Client) -> None:
    page = anybody.get("/api/v1/datasets/air/latest", params={"limit": 4}).json()
    rest = anybody.get(page["next"]).json()
    found = [row["datastream"] for row in page["rows"] + rest["rows"]]
    assert len(found) == len(set(found)) == 6
    assert found == sorted(found)
    assert {row["phenomenon_time"] for row in page["rows"]} == {"2026-03-07T05:00:00Z"}


def test_things_are_points_for_a_map(anybody: httpx.Client) -> None:
    found = anybody.get("/api/v1/datasets/air/things").json()["features"]
    assert [feature["id"] for feature in found] == ["park", "ring", "ufer"]
    assert found[0]["properties"]["thing_name"] == "Station park"
    inside = anybody.get("/api/v1/datasets/air/things", params={"bbox": "7.55,51.85,7.65,51.95"}).json()["features"]
    assert [feature["id"] for feature in inside] == ["park"]
