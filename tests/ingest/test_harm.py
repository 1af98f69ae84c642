"""Payloads that are made to do harm are refused: quickly, with a reason, within bounded memory."""

import io
import time
import zipfile

import pytest

from stadthub_ingest.judge import Judge
from tests.ingest.feeds import balanced, feed, payload

#: Decoders that read XML, with a kind that they make.
XML = {"rss": "table", "datex2_parking": "timeseries", "wfs": "features", "kml": "features"}
NESTED = b"<rss><channel>" + b"<item>" * 5_000 + b"</item>" * 5_000 + b"</channel></rss>"
DOCTYPES = (
    b'<!DOCTYPE r SYSTEM "file:///etc/passwd"><rss/>',
    b'<?xml version="1.0"?><!DOCTYPE r [<!ENTITY x SYSTEM "http://127.0.0.1/">]><rss>&x;</rss>',
    '<?xml version="1.0" encoding="utf-16"?><!DOCTYPE r [<!ENTITY x "y">]><rss>&x;</rss>'.encode("utf-16"),
)


def zipped(how: int = zipfile.ZIP_DEFLATED, **members: bytes) -> bytes:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", how) as file:
        for name, body in members.items():
            file.writestr(f"{name}.txt", body)
    return archive.getvalue()


def refused(decoder: str, body: bytes, **keys: object) -> str:
    begun = time.monotonic()
    judged = Judge(feed(decoder, **keys)).judge([payload(body)])  # type: ignore[arg-type]  # the keys of a feed
    assert time.monotonic() - begun < 10
    assert balanced(judged)
    assert judged.accepted.num_rows == 0
    return str(judged.rejects["reason"][0])


@pytest.mark.parametrize("body", DOCTYPES)
@pytest.mark.parametrize("decoder", XML)
def test_a_doctype_is_refused_whatever_it_declares(decoder: str, body: bytes) -> None:
    assert "DOCTYPE" in refused(decoder, body, kind=XML[decoder])


@pytest.mark.parametrize("decoder", XML)
def test_entities_that_multiply_are_refused(decoder: str) -> None:
    bomb = (
        '<!DOCTYPE kml [<!ENTITY a0 "lol">' + "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 10)) + "]><kml>&a9;</kml>"
    )
    assert "DOCTYPE" in refused(decoder, bomb.encode(), kind=XML[decoder])


@pytest.mark.parametrize("decoder", XML)
def test_xml_that_is_nested_too_deep_is_refused(decoder: str) -> None:
    assert "deeper than 100" in refused(decoder, NESTED, kind=XML[decoder])


def test_a_map_that_unpacks_to_more_than_its_size_allows_is_refused() -> None:
    bomb = zipped(doc=b"<kml>" + b" " * 30_000_000 + b"</kml>").replace(b"doc.txt", b"doc.kml")
    assert "200 times" in refused("kml", bomb, kind="features")


@pytest.mark.parametrize(
    "coordinates",
    ["1e999 2", "nan nan", "1", "", "1 2 x", "1,2 3,4", "9" * 5_000 + " 1"],
    ids=["huge", "nan", "one", "none", "text", "comma", "long"],
)
def test_coordinates_in_gml_that_are_none_are_a_reject(coordinates: str) -> None:
    point = f'<Point srsName="EPSG:25832"><pos>{coordinates}</pos></Point>'
    feature = f'<FeatureCollection><member><a id="1"><g>{point}</g></a></member></FeatureCollection>'
    assert refused("wfs", feature.encode(), kind="features").startswith("geometry: ")


@pytest.mark.parametrize("body", [b"", b"<", b"<rss>&nbsp;</rss>", b"<rss></channel>", b"\xff\xfe<", b"<rss xmlns:a=''/>" * 2])
def test_broken_xml_is_a_reject(body: bytes) -> None:
    assert refused("rss", body, kind="table").startswith("payload: ")


def test_a_timetable_that_unpacks_to_more_than_its_size_allows_is_refused() -> None:
    assert "200 times" in refused("gtfs", zipped(stops=b"stop_id\n" + b"a\n" * 30_000_000), kind="features")


def test_a_timetable_with_an_endless_line_is_refused() -> None:
    assert "line" in refused("gtfs", zipped(zipfile.ZIP_STORED, stops=b"stop_id\n" + b"x" * 17_000_000), kind="features")


def test_a_rule_that_never_comes_true_does_not_hold_a_calendar_up() -> None:
    event = b"BEGIN:VEVENT\r\nUID:a\r\nSUMMARY:b\r\nDTSTART:20260101T100000Z\r\nRRULE:FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30\r\nEND:VEVENT\r\n"
    begun = time.monotonic()
    judged = Judge(feed("ical", kind="table")).judge([payload(b"BEGIN:VCALENDAR\r\n" + event + b"END:VCALENDAR\r\n")])
    assert (judged.received, time.monotonic() - begun < 4) == (0, True)


GEODATA = ("wfs", "ogc_features", "arcgis", "kml", "overpass", "geojson", "geopackage", "shapefile", "flatgeobuf")


@pytest.mark.parametrize(
    "decoder", ["gbfs", "oparl", "schema_event", "gtfs", "gtfs_realtime", "ical", "xlsx_table", "table_schema", *GEODATA]
)
@pytest.mark.parametrize("body", [b"", b"\x00" * 100, b"[]", b"{}", b"null", b"[[[[1]]]]", b'{"data": 7}', b"PK\x03\x04", b"\xff" * 50])
def test_any_bytes_are_judged_without_a_crash(decoder: str, body: bytes) -> None:
    kinds = {"gtfs": "features", "gbfs": "timeseries", "gtfs_realtime": "timeseries", **dict.fromkeys(GEODATA, "features")}
    options = {"oparl": {"type": "Paper"}}.get(decoder, {})
    judged = Judge(feed(decoder, options, kind=kinds.get(decoder, "table"))).judge([payload(body)])
    assert balanced(judged)
    assert not [reason for reason in judged.rejects["reason"].to_pylist() if "failed on it" in reason]
