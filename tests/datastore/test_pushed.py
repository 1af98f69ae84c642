"""Tables that are pushed: made, filled, changed, emptied, dropped; with their types, their dictionary and their past."""

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from ckanapi import NotAuthorized, NotFound, RemoteCKAN, ValidationError

from tests.servers import wait_until

from .conftest import Hub

FIELDS: list[dict[str, Any]] = [{"id": "a", "type": "int"}, {"id": "b b", "type": "text", "info": {"label": "Bezeichnung"}}]


def _rows(hub: Hub, key: str, **said: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = hub.result("datastore_search", hub.token, resource_id=key, **said)["records"]
    return found


def test_ckanapi_pushes_changes_and_drops_a_table(hub: Hub, site: RemoteCKAN) -> None:
    made = site.action.datastore_create(
        resource={"package_id": "tafeln", "name": "Zählung"}, fields=FIELDS, primary_key=["a"], records=[{"a": 1, "b b": "Größe"}]
    )
    key = made["resource_id"]
    resource = site.action.resource_show(id=key)
    assert (resource["datastore_active"], resource["url_type"]) == (True, "datastore")
    assert resource["url"].endswith(f"/datastore/dump/{key}")
    site.action.datastore_upsert(resource_id=key, records=[{"a": 1, "b b": "neu"}, {"a": 2}])
    assert _rows(hub, key) == [{"_id": 1, "a": 1, "b b": "neu"}, {"_id": 2, "a": 2, "b b": None}]
    with pytest.raises(ValidationError) as caught:
        site.action.datastore_upsert(resource_id=key, method="insert", records=[{"a": 3}, {"a": 2}])
    assert caught.value.error_dict["records_row"] == 1
    with pytest.raises(ValidationError):
        site.action.datastore_upsert(resource_id=key, method="update", records=[{"a": 9, "b b": "x"}])
    site.action.datastore_records_delete(resource_id=key, filters={"a": 1})
    assert _rows(hub, key) == [{"_id": 2, "a": 2, "b b": None}]
    with pytest.raises(NotAuthorized):
        RemoteCKAN(hub.address, apikey=hub.other).action.datastore_upsert(resource_id=key, records=[{"a": 5}])
    site.action.datastore_delete(resource_id=key)
    assert site.action.resource_show(id=key)["datastore_active"] is False
    with pytest.raises(NotFound):
        site.action.datastore_search(resource_id=key)


@pytest.mark.parametrize(
    ("kind", "given", "kept"),
    [
        ("int4", "7", 7),
        ("int8", 2**40, 2**40),
        ("numeric", "12345678901234567.25", 12345678901234567.25),
        ("numeric", "1500", 1500),
        ("float8", "1.5", 1.5),
        ("text", {"x": 1}, '{"x":1}'),
        ("text", "", ""),
        ("bool", "yes", True),
        ("date", "2026-05-31", "2026-05-31"),
        ("time", "12:30", "12:30:00"),
        ("timestamp", "2026-01-01T12:00:00", "2026-01-01T12:00:00.000"),
        ("timestamptz", "2026-01-01T12:00:00+02:00", "2026-01-01T10:00:00Z"),
        ("json", {"x": [1, None]}, {"x": [1, None]}),
        ("_text", ["a", "ä"], ["a", "ä"]),
        ("_int4", [1, 2], [1, 2]),
        ("int4", "", None),
    ],
)
def test_each_type_gives_back_what_was_pushed(hub: Hub, kind: str, given: Any, kept: Any) -> None:
    key = hub.table([{"id": "x", "type": kind}], records=[{"x": given}])
    found = hub.result("datastore_search", resource_id=key)
    assert (found["fields"][1], found["records"][0]["x"]) == ({"id": "x", "type": kind}, kept)
    sql = hub.result("datastore_search_sql", sql=f'SELECT x FROM "{key}"')
    assert len(sql["records"]) == 1
    if kind in ("int4", "int8", "float8", "text", "bool", "date", "timestamp", "json", "_text"):
        assert sql["fields"] == [{"id": "x", "type": kind}]


@pytest.mark.parametrize(
    ("kind", "given"), [("int4", "x"), ("int4", 2**31), ("date", "gestern"), ("bool", "vielleicht"), ("numeric", "1e30")]
)
def test_a_value_that_its_field_cant_have_refuses_the_whole_call(hub: Hub, kind: str, given: Any) -> None:
    key = hub.table([{"id": "x", "type": kind}, {"id": "n", "type": "int"}], primary_key="n")
    status, error = hub.error("datastore_upsert", hub.token, resource_id=key, records=[{"n": 1}, {"n": 2, "x": given}])
    assert (status, error["records_row"]) == (409, 1)
    assert _rows(hub, key) == []


def test_fields_come_and_go_and_keep_their_dictionary(hub: Hub) -> None:
    key = hub.table(FIELDS, records=[{"a": 1, "b b": "x"}], aliases="tafel_eins", indexes="a")
    info = hub.result("datastore_info", id="tafel_eins")
    assert (info["meta"]["id"], info["meta"]["aliases"], info["meta"]["count"]) == (key, ["tafel_eins"], 1)
    assert info["fields"][1]["info"] == {"label": "Bezeichnung"}
    assert info["fields"][0]["schema"]["is_index"] is True
    more = [*FIELDS, {"id": "c", "type": "float8"}]
    hub.result("datastore_create", hub.token, resource_id=key, fields=more, records=[{"a": 2, "c": 0.5}])
    assert _rows(hub, key) == [{"_id": 1, "a": 1, "b b": "x", "c": None}, {"_id": 2, "a": 2, "b b": None, "c": 0.5}]
    hub.result("datastore_create", hub.token, resource_id=key, fields=[{"id": "a"}, {"id": "c"}], delete_fields=True)
    assert _rows(hub, key) == [{"_id": 1, "a": 1, "c": None}, {"_id": 2, "a": 2, "c": 0.5}]
    assert hub.error("datastore_create", hub.token, resource={"package_id": "tafeln"}, fields=FIELDS, aliases="tafel_eins")[1] == {
        "alias": ['The alias "tafel_eins" already exists.'],
        "__type": "Validation Error",
    }


def test_only_what_a_record_says_is_changed_and_the_last_one_of_a_key_counts(hub: Hub) -> None:
    key = hub.table([{"id": "k", "type": "text"}, {"id": "x", "type": "int"}, {"id": "y", "type": "int"}], primary_key="k")
    hub.result("datastore_upsert", hub.token, resource_id=key, records=[{"k": "a", "x": 1, "y": 1}, {"k": "b", "x": 2}])
    hub.result("datastore_upsert", hub.token, resource_id=key, records=[{"k": "a", "x": 5}, {"k": "c"}, {"k": "a", "y": 7}])
    assert [(row["k"], row["x"], row["y"]) for row in _rows(hub, key)] == [("a", 5, 7), ("b", 2, None), ("c", None, None)]
    hub.result("datastore_upsert", hub.token, resource_id=key, method="update", records=[{"_id": 2, "y": 9}])
    assert _rows(hub, key, filters={"k": "b"})[0]["y"] == 9
    dry = hub.result("datastore_upsert", hub.token, resource_id=key, records=[{"k": "z"}], dry_run=True)
    assert (dry["dry_run"], len(_rows(hub, key))) == (True, 3)
    assert hub.error("datastore_upsert", hub.token, resource_id=key, records=[{"x": 1}])[1]["key"]


def test_the_past_of_a_table_can_be_read(hub: Hub) -> None:
    key = hub.table(FIELDS, primary_key="a", records=[{"a": 1, "b b": "alt"}])
    then = datetime.now(UTC)
    wait_until(lambda: datetime.now(UTC) - then > timedelta(milliseconds=5), "the clock goes on")
    hub.result("datastore_upsert", hub.token, resource_id=key, records=[{"a": 1, "b b": "neu"}])
    assert [row["b b"] for row in _rows(hub, key)] == ["neu"]
    assert [row["b b"] for row in _rows(hub, key, as_of=then.isoformat())] == ["alt"]


def test_many_small_pushes_stay_whole_and_in_order(hub: Hub) -> None:
    key = hub.table([{"id": "n", "type": "int"}], primary_key="n")
    for number in range(40):
        hub.result("datastore_upsert", hub.token, resource_id=key, method="insert", records=[{"n": number}])
    assert [(row["_id"], row["n"]) for row in _rows(hub, key)] == [(number + 1, number) for number in range(40)]
    gone = hub.result("datastore_delete", hub.token, resource_id=key, filters={"n": {"gte": 5}}, include_deleted_records=True)
    assert len(gone["deleted_records"]) == 35
    assert [row["n"] for row in _rows(hub, key)] == [0, 1, 2, 3, 4]
    assert hub.result("datastore_records_delete", hub.token, resource_id=key, filters={}) == {"resource_id": key, "filters": {}}
    assert hub.result("datastore_search", resource_id=key)["total"] == 0


def test_totals_are_those_of_the_filter_and_of_the_version(hub: Hub) -> None:
    fields = [{"id": "n", "type": "int"}, {"id": "kind", "type": "text"}]
    key = hub.table(fields, primary_key="n", records=[{"n": number, "kind": "ab"[number % 2]} for number in range(5)])

    def total(**said: Any) -> int:
        return int(hub.result("datastore_search", resource_id=key, limit=1, **said)["total"])

    for _ in range(2):
        assert (total(filters={"kind": "a"}), total(filters={"kind": "b"}), total(q="a"), total(fields="kind", distinct=True)) == (
            3,
            2,
            3,
            2,
        )
    hub.result("datastore_upsert", hub.token, resource_id=key, records=[{"n": 0, "kind": "b"}, {"n": 9, "kind": "c"}])
    assert (total(filters={"kind": "a"}), total(filters={"kind": "b"}), total(q="a"), total(fields="kind", distinct=True)) == (2, 3, 2, 3)
    assert total(filters={"kind": "a"}, offset=1) == 2


def test_a_table_goes_with_its_resource(hub: Hub) -> None:
    key = hub.table(FIELDS, records=[{"a": 1}], aliases="vergaenglich")
    hub.result("resource_delete", hub.token, id=key)
    for name in (key, "vergaenglich"):
        assert hub.call("datastore_search", hub.token, resource_id=name).status_code == 404
    again = hub.table(FIELDS, aliases="vergaenglich")
    assert hub.result("datastore_search", resource_id="vergaenglich")["resource_id"] == again


def test_a_private_table_is_its_organisations(hub: Hub) -> None:
    made = hub.result("datastore_create", hub.token, resource={"package_id": "geheim"}, fields=FIELDS, records=[{"a": 1, "b b": "privat"}])
    key = made["resource_id"]
    assert hub.call("datastore_search", resource_id=key).status_code == 403
    assert hub.call("datastore_search_sql", sql=f'SELECT * FROM "{key}"').status_code == 403
    assert httpx.get(f"{hub.address}/datastore/dump/{key}").status_code == 404
    assert _rows(hub, key)[0]["b b"] == "privat"


def test_a_resource_with_a_file_is_only_changed_by_force(hub: Hub) -> None:
    resource = hub.result("resource_create", hub.token, package_id="tafeln", url="https://elsewhere.example/a.csv")["id"]
    assert "read-only" in hub.error("datastore_create", hub.token, resource_id=resource, fields=FIELDS)[1]
    hub.result("datastore_create", hub.token, resource_id=resource, fields=FIELDS, records=[{"a": 4}], force=True)
    assert [row["a"] for row in _rows(hub, resource)] == [4]
    assert hub.result("resource_show", id=resource)["url"] == "https://elsewhere.example/a.csv"


@pytest.mark.parametrize(
    ("said", "error"),
    [
        ({}, {"resource_id": ["resource_id or resource required"]}),
        ({"resource": {"package_id": "tafeln"}, "fields": [{"id": "_x", "type": "int"}]}, {"fields": ['"_x" is not a valid field name']}),
        ({"resource": {"package_id": "tafeln"}, "fields": [{"id": "x", "type": "zz"}]}, {"fields": ['"zz" is not a valid field type']}),
        ({"resource": {"package_id": "tafeln"}, "fields": [{"id": "x"}]}, {"fields": ['"x" type not guessable']}),
        (
            {"resource": {"package_id": "tafeln"}, "fields": FIELDS, "primary_key": "q"},
            {"index": ['The field "q" is not a valid column name.']},
        ),
        ({"resource": {"package_id": "tafeln"}, "fields": FIELDS, "foo": 1}, {"__extras": ['invalid value "foo"']}),
    ],
)
def test_a_table_that_cant_be_made_leaves_nothing(hub: Hub, said: dict[str, Any], error: dict[str, Any]) -> None:
    before = hub.result("package_show", id="tafeln")["num_resources"]
    assert hub.error("datastore_create", hub.token, **said) == (409, {**error, "__type": "Validation Error"})
    assert hub.result("package_show", id="tafeln")["num_resources"] == before


def test_a_pushed_table_is_one_of_the_hubs_own_sql_too(hub: Hub) -> None:
    key = hub.table(FIELDS, records=[{"a": 1}, {"a": 2}])
    private = hub.result("datastore_create", hub.token, resource={"package_id": "geheim"}, fields=FIELDS)["resource_id"]
    with hub.client() as client:
        answer = client.post("/api/v1/sql", json={"sql": f'SELECT sum(a) AS n FROM "ds-{key}"'})
        assert answer.json() == [{"n": 3}]
        refused = client.post("/api/v1/sql", json={"sql": f'SELECT * FROM "ds-{private}"'})
        assert refused.status_code == 400
        assert "there is no dataset" in refused.text


@pytest.mark.parametrize("alias", ["air", "tafeln"])
def test_no_other_name_hides_a_dataset(hub: Hub, alias: str) -> None:
    status, error = hub.error("datastore_create", hub.token, resource={"package_id": "tafeln"}, fields=FIELDS, aliases=[alias])
    assert (status, error["alias"]) == (409, [f'The alias "{alias}" already exists.'])


def test_types_are_guessed_where_none_are_said(hub: Hub) -> None:
    given = {"n": 1, "f": 0.5, "t": "x", "j": {"a": 1}, "z": "7", "d": "0.5", "plz": "01234", "m": "2026-01-01", "b": True}
    made = hub.result("datastore_create", hub.token, resource={"package_id": "tafeln"}, records=[given])
    info = hub.result("datastore_info", id=made["resource_id"], include_meta=False)
    types = [one["type"] for one in info["fields"]]
    assert types == ["int4", "float8", "text", "json", "int4", "numeric", "text", "timestamp", "bool"]
