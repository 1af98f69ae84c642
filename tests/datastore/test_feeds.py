"""Datasets of feeds are tables of the DataStore at once, with what each reader may see of them."""

import csv
import io
from typing import Any

import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.api.city import BUDGET, HOURS, PROPERTIES, PUBLIC_AIR, RESTRICTED_CAMERAS, SECRET, THINGS, TREES, VEILED_METERS, rows

from .conftest import VISITORS, Hub

ALL = HOURS * len(THINGS) * len(PROPERTIES)

#: The observations of the public dataset as they were sent.
SENT = rows(PUBLIC_AIR).select(["thing", "observed_property", "phenomenon_time", "result"]).to_pylist()


@pytest.mark.parametrize(("name", "total"), [(PUBLIC_AIR, ALL), (TREES, 300), (BUDGET, 26)])
def test_every_dataset_of_a_feed_is_a_table_at_once(hub: Hub, name: str, total: int) -> None:
    found = hub.result("datastore_search", resource_id=name, limit=3)
    assert (found["total"], len(found["records"])) == (total, 3)
    assert [one["_id"] for one in found["records"]] == [1, 2, 3]
    assert list(found["records"][0]) == [one["id"] for one in found["fields"]]


def test_the_csv_of_a_dataset_is_the_resource_with_the_table(hub: Hub) -> None:
    resource = hub.result("package_show", id=PUBLIC_AIR)["resources"][0]
    assert (resource["format"], resource["datastore_active"]) == ("CSV", True)
    info = hub.result("datastore_info", id=resource["id"])
    assert info["meta"]["count"] == ALL
    assert {one["id"]: one["type"] for one in info["fields"]}["phenomenon_time"] == "timestamptz"
    assert info["fields"][0]["info"]["label"] == "Zeitpunkt"
    assert hub.result("datastore_search", resource_id=PUBLIC_AIR)["resource_id"] == resource["id"]


_things = st.sampled_from([*THINGS, "fort"])
_filters = st.fixed_dictionaries(
    {},
    optional={
        "thing": _things | st.lists(_things, min_size=1, max_size=3),
        "observed_property": st.sampled_from(PROPERTIES),
        "result": st.dictionaries(st.sampled_from(["lt", "lte", "gt", "gte"]), st.integers(0, 40), min_size=1, max_size=2),
    },
)


def _holds(row: dict[str, Any], filters: dict[str, Any]) -> bool:
    compare = {"lt": float.__lt__, "lte": float.__le__, "gt": float.__gt__, "gte": float.__ge__}
    for name, wanted in filters.items():
        if isinstance(wanted, dict):
            if not all(compare[op](row[name], float(value)) for op, value in wanted.items()):
                return False
        elif row[name] not in (wanted if isinstance(wanted, list) else [wanted]):
            return False
    return True


@settings(max_examples=25, deadline=None)
@given(filters=st.one_of(_filters, st.builds(lambda one, two: {"$or": [one, two]}, _filters, _filters)), limit=st.integers(1, 400))
def test_a_search_finds_the_rows_that_were_sent(hub: Hub, filters: dict[str, Any], limit: int) -> None:
    ways = filters.get("$or", [filters])
    ways = [one for one in ways if one] or [{}]
    wanted = [row for row in SENT if any(_holds(row, one) for one in ways)]
    found = hub.result("datastore_search", resource_id=PUBLIC_AIR, filters=filters, limit=limit, sort="phenomenon_time, datastream")
    assert found["total"] == len(wanted)
    wanted.sort(key=lambda row: (row["phenomenon_time"], f"{row['thing']}:{row['observed_property']}"))
    first = [(row["thing"], row["observed_property"], row["result"]) for row in wanted[:limit]]
    assert [(row["thing"], row["observed_property"], row["result"]) for row in found["records"]] == first


@pytest.mark.parametrize("filters", [{}, {"observed_property": "pm10"}])
def test_pages_by_filter_and_by_offset_give_each_row_once(hub: Hub, filters: dict[str, Any]) -> None:
    whole = hub.result("datastore_search", resource_id=PUBLIC_AIR, limit=32_000, filters=filters)["records"]
    paged: list[Any] = []
    more: dict[str, Any] = {}
    while True:
        page = hub.result("datastore_search", resource_id=PUBLIC_AIR, limit=170, filters={**filters, **more}, include_next_page=True)
        paged += page["records"]
        if not page["records"]:
            break
        more = page["next_page"]
    assert paged == whole
    by_offset = [
        row
        for offset in range(0, len(whole), 170)
        for row in hub.result("datastore_search", resource_id=PUBLIC_AIR, limit=170, filters=filters, offset=offset)["records"]
    ]
    assert by_offset == whole


@pytest.mark.parametrize("offset", [0, 10, 24, 26, 1000])
def test_the_total_is_the_same_on_every_page_and_beyond_the_last(hub: Hub, offset: int) -> None:
    found = hub.result("datastore_search", resource_id=BUDGET, limit=10, offset=offset)
    assert (found["total"], len(found["records"])) == (26, max(0, min(10, 26 - offset)))


def test_what_words_find_beside_the_rows_comes_in_the_order_of_numbers_page_by_page(hub: Hub) -> None:
    found = [
        row["_id"]
        for offset in range(0, ALL // 3, 50)
        for row in hub.result("datastore_search", resource_id=PUBLIC_AIR, q="station ring", limit=50, offset=offset)["records"]
    ]
    assert found == sorted(found)
    assert len(set(found)) == len(found) == ALL // 3


def test_pages_of_distinct_rows_give_each_once(hub: Hub) -> None:
    said: dict[str, Any] = {"fields": "thing,observed_property", "distinct": True, "limit": 1, "sort": "observed_property"}
    pages = [hub.result("datastore_search", resource_id=PUBLIC_AIR, offset=offset, **said)["records"] for offset in range(7)]
    rows = [tuple(row.values()) for page in pages for row in page]
    assert len(set(rows)) == len(rows) == len(THINGS) * len(PROPERTIES)


def test_links_lead_from_page_to_page(hub: Hub) -> None:
    with hub.client() as client:
        page = client.get("/api/3/action/datastore_search", params={"resource_id": BUDGET, "limit": 10}).json()["result"]
        second = client.get(page["_links"]["next"]).json()["result"]
        assert [row["_id"] for row in second["records"]] == list(range(11, 21))
        assert client.get(second["_links"]["prev"]).json()["result"]["records"] == page["records"]


@pytest.mark.parametrize(
    ("said", "years"),
    [
        ({"sort": "year desc", "limit": 2}, [2025, 2024]),
        ({"sort": ["amount desc nulls last"], "limit": 1}, [2025]),
        ({"filters": {"year": [2001, 2003]}}, [2001, 2003]),
        ({"filters": [{"year": 2001}, {"year": {"gt": 2024}}]}, [2001, 2025]),
        ({"filters": {"$and": [{"year": {"gte": 2003}}, {"year": {"lt": 2005}}]}}, [2003, 2004]),
        ({"filters": '{"_id": {"lte": 2}}'}, [2000, 2001]),
        ({"filters": {"_id": [3, 5]}}, [2002, 2004]),
        ({"q": "2007"}, [2007]),
        ({"q": {"year": "2008"}}, [2008]),
        ({"offset": 24}, [2024, 2025]),
    ],
)
def test_the_rows_that_are_asked_for_come_in_their_order(hub: Hub, said: dict[str, Any], years: list[int]) -> None:
    assert [row["year"] for row in hub.result("datastore_search", resource_id=BUDGET, **said)["records"]] == years


def test_words_are_found_whatever_their_case_and_their_accents(hub: Hub) -> None:
    assert hub.result("datastore_search", resource_id=TREES, q="LINDE", limit=1)["total"] == 150
    assert hub.result("datastore_search", resource_id=TREES, q="lind", limit=1)["total"] == 0
    assert hub.result("datastore_search", resource_id=TREES, q="lind:*", plain=False, limit=1)["total"] == 150
    assert hub.result("datastore_search", resource_id=PUBLIC_AIR, q="station ring", limit=1)["total"] == ALL // 3


def test_distinct_rows_are_counted_once(hub: Hub) -> None:
    found = hub.result("datastore_search", resource_id=PUBLIC_AIR, fields="thing", distinct=True, sort="thing")
    assert (found["records"], found["total"]) == ([{"thing": name} for name in sorted(THINGS)], 3)


def test_every_form_of_records_says_the_same(hub: Hub) -> None:
    forms = {
        form: hub.result("datastore_search", resource_id=BUDGET, records_format=form, limit=5)["records"]
        for form in ("objects", "lists", "csv", "tsv")
    }
    assert [list(row.values()) for row in forms["objects"]] == forms["lists"]
    for form, delimiter in (("csv", ","), ("tsv", "\t")):
        lines = list(csv.reader(io.StringIO(forms[form]), delimiter=delimiter))
        assert [[int(line[0]), int(line[1]), float(line[2]), line[3]] for line in lines] == forms["lists"]


def test_nothing_hidden_reaches_a_stranger_in_any_way(hub: Hub) -> None:
    with hub.client() as client:
        asked = [
            hub.call("datastore_search", resource_id=VEILED_METERS, limit=32_000),
            hub.call("datastore_search", resource_id=VEILED_METERS, filters={"thing_name": f"{SECRET} park"}),
            hub.call("datastore_search", resource_id=VEILED_METERS, sort="parameters"),
            hub.call("datastore_search", resource_id=VEILED_METERS, fields="thing_name"),
            hub.call("datastore_search_sql", sql=f'SELECT * FROM "{VEILED_METERS}"'),
            hub.call("datastore_search_sql", sql=f'SELECT thing_name FROM "{VEILED_METERS}"'),
            hub.call("datastore_info", id=VEILED_METERS),
            *(client.get(f"/datastore/dump/{VEILED_METERS}", params={"format": form}) for form in ("csv", "json", "xml")),
        ]
        for answer in asked:
            assert SECRET not in answer.text.replace(f"{SECRET} park", "", 1) or answer.status_code == 409
            assert '"note"' not in answer.text
    assert hub.result("datastore_search", resource_id=VEILED_METERS, q="streng")["total"] == 0
    assert hub.error("datastore_search", resource_id=VEILED_METERS, filters={"thing_name": "x"}) == (
        409,
        {"filters": ["Unknown field: thing_name"], "__type": "Validation Error"},
    )
    assert SECRET in hub.call("datastore_search", hub.token, resource_id=VEILED_METERS, limit=1).text


def test_small_counts_are_shown_to_the_citys_own_people_only(hub: Hub) -> None:
    counts = [row["visitors"] for row in hub.result("datastore_search", resource_id=VISITORS)["records"]]
    assert counts == [None] * 5 + list(range(5, 20))
    assert hub.result("datastore_search", resource_id=VISITORS, filters={"visitors": 3})["total"] == 0
    assert hub.result("datastore_search_sql", sql=f"SELECT min(visitors) AS least FROM {VISITORS}")["records"] == [{"least": 5}]
    assert [row["visitors"] for row in hub.result("datastore_search", hub.token, resource_id=VISITORS)["records"]] == list(range(20))
    with hub.client() as client:
        assert client.get(f"/datastore/dump/{VISITORS}").text.splitlines()[1] == "1,2000,"


def test_a_restricted_dataset_is_refused_and_its_dump_is_absent(hub: Hub) -> None:
    status, error = hub.error("datastore_search", resource_id=RESTRICTED_CAMERAS)
    assert (status, error["__type"]) == (403, "Authorization Error")
    assert hub.error("datastore_search_sql", sql=f"SELECT * FROM {RESTRICTED_CAMERAS}") == (
        403,
        {"__type": "Authorization Error", "message": "Access denied: Not authorized to read resource."},
    )
    with hub.client() as client:
        assert client.get(f"/datastore/dump/{RESTRICTED_CAMERAS}").status_code == 404
    assert hub.result("datastore_search", hub.token, resource_id=RESTRICTED_CAMERAS, limit=0)["total"] == ALL


def test_what_a_feed_brings_is_not_written_through_the_datastore(hub: Hub) -> None:
    resource = hub.result("package_show", id=PUBLIC_AIR)["resources"][0]["id"]
    for action, more in (("datastore_upsert", {"records": [{}]}), ("datastore_delete", {}), ("datastore_create", {"fields": []})):
        status, error = hub.error(action, hub.token, resource_id=resource, force=True, **more)
        assert status == 409
        assert "feed file" in error["message"]


@pytest.mark.parametrize(
    ("said", "error"),
    [
        ({"limit": -1}, {"limit": ["Must be a natural number"]}),
        ({"limit": "x"}, {"limit": ["Invalid integer"]}),
        ({"foo": 1}, {"__extras": ['invalid value "foo"']}),
        ({"filters": {"zz": 1}}, {"filters": ["Unknown field: zz"]}),
        ({"filters": "{"}, {"filters": ["Cannot parse JSON"]}),
        ({"filters": {"$not": []}}, {"filters": ["Unknown operators (must be one of $or, $and): $not"]}),
        ({"sort": "zz"}, {"sort": ['invalid value "zz"']}),
        ({"fields": "zz"}, {"fields": ['invalid value "zz"']}),
        ({"records_format": "xml"}, {"records_format": ["Value must be one of ['objects', 'lists', 'csv', 'tsv']"]}),
        (
            {"filters": {"year": "xx"}},
            {"query": ["Invalid query"], "info": {"orig": ['invalid input syntax for type bigint: "xx"']}},
        ),
    ],
)
def test_a_mistake_is_told_in_ckans_words(hub: Hub, said: dict[str, Any], error: dict[str, Any]) -> None:
    assert hub.error("datastore_search", resource_id=BUDGET, **said) == (409, {**error, "__type": "Validation Error"})


def test_a_table_that_is_not_there_is_not_found(hub: Hub) -> None:
    assert hub.error("datastore_search", resource_id="nope")[1]["message"] == 'Not found: Resource "nope" was not found.'
    assert hub.error("datastore_search")[1] == {"resource_id": ["Missing value"], "__type": "Validation Error"}
    assert hub.error("datastore_info", id="../../etc")[0] == 404


def test_a_dump_is_a_file_in_each_format_and_has_a_head(hub: Hub) -> None:
    with hub.client() as client:
        answer = client.get(f"/datastore/dump/{BUDGET}", params={"bom": "true", "limit": 2, "sort": "year desc"})
        assert answer.content == "\ufeff_id,year,amount,day\r\n26,2025,37.5,2026-01-01\n25,2024,36.0,2026-01-01\n".encode()
        assert answer.headers["content-type"].startswith("text/csv")
        assert answer.headers["content-disposition"].startswith("attachment; filename=")
        assert client.head(f"/datastore/dump/{BUDGET}").status_code == 200
        assert client.get("/datastore/dump/nope").status_code == 404
        assert client.get(f"/datastore/dump/{BUDGET}", params={"format": "xlsx"}).status_code == 400
        assert client.get(f"/datastore/dump/{BUDGET}", params={"filters": '{"zz": 1}'}).status_code == 400
        whole = client.get(f"/datastore/dump/{PUBLIC_AIR}", params={"format": "json"}).json()
        assert whole["fields"][0] == {"id": "_id", "type": "int"}
        assert [row[0] for row in whole["records"]] == list(range(1, ALL + 1))
        parquet = client.get(f"/datastore/dump/{BUDGET}", params={"format": "parquet", "filters": '{"year": {"gt": 2023}}'})
        assert pq.read_table(io.BytesIO(parquet.content))["year"].to_pylist() == [2024, 2025]
        assert client.get(f"/datastore/dump/{BUDGET}", params={"format": "parquet", "q": "x"}).status_code == 400
        xml = client.get(f"/datastore/dump/{TREES}", params={"format": "xml", "limit": 1}).text
        assert '<geometry><value key="type">Point</value>' in xml


def test_the_list_of_tables_holds_what_may_be_read(hub: Hub) -> None:
    names = {row["name"] for row in hub.result("datastore_search", resource_id="_table_metadata", limit=1000)["records"]}
    assert {PUBLIC_AIR, TREES, BUDGET} <= names
    assert RESTRICTED_CAMERAS not in names
