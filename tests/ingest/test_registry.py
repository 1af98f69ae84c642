"""A decoder is found by the name of its file, and its options tell every mistake at once."""

from pathlib import Path

import pytest

from stadthub_ingest import decoders, registry
from stadthub_ingest.judge import Judge
from stadthub_schemas.errors import FeedError
from tests.ingest.feeds import feed

GOOD_CSV = {"columns": {"thing": "a", "phenomenon_time": "b", "result": "c"}, "constants": {"observed_property": "ozone"}}


def test_the_decoders_are_the_files_of_the_folder() -> None:
    files = {path.stem for path in Path(decoders.__path__[0]).glob("[a-z]*.py")}
    assert set(registry.names()) == files >= {"chirpstack", "csv_table", "json_table", "geojson"}


@pytest.mark.parametrize("name", registry.names())
def test_every_decoder_has_a_caption_and_a_schema_of_its_options(name: str) -> None:
    assert registry.find(name).caption.endswith(".")
    schema = registry.options_schema(name)
    assert schema["additionalProperties"] is False
    assert "kind" not in schema["properties"]


def test_connectors_do_not_know_each_other() -> None:
    for path in Path(decoders.__path__[0]).glob("*.py"):
        assert "stadthub_ingest.decoders" not in path.read_text("utf-8")


def test_an_unknown_decoder_names_the_nearest() -> None:
    with pytest.raises(FeedError, match=r"^decoder: there is no decoder 'csv_tabel': did you mean csv_table\?$"):
        registry.find("csv_tabel")
    with pytest.raises(FeedError, match="there are arcgis, chirpstack, csv_table"):
        Judge(feed("xyzxyz"))


def test_all_mistakes_in_the_options_are_told_at_once() -> None:
    options = {
        "delimitter": ";",
        "columns": {"thingg": "a", "phenomenon_time": "b", "result": "c"},
        "values": {"x": {"factor": "viel"}},
        "times": {"time_zone": "Europe/Muenster", "formats": ["soon"]},
        "encoding": "utf-9",
        "stop_at": "(",
        "channels": [{"pattern": "["}],
    }
    with pytest.raises(FeedError) as caught:
        registry.read_options(feed("csv_table", options))
    lines = str(caught.value).splitlines()
    assert "options.delimitter: there is no such key: did you mean delimiter?" in lines
    assert "options.columns.thingg: there is no such key: did you mean thing?" in lines
    assert "options.times.time_zone: there is no time zone 'Europe/Muenster': use a name such as Europe/Berlin" in lines
    assert any(line.startswith("options.times.formats: 'soon' is neither iso") for line in lines)
    assert any(line.startswith("options.encoding: there is no encoding 'utf-9'") for line in lines)
    assert any(line.startswith("options.stop_at: '(' is not a regular expression") for line in lines)
    assert any(line.startswith("options.channels.0.pattern: '[' is not a regular expression") for line in lines)
    assert any(line.startswith("options.values.x.factor: ") for line in lines)


def test_what_an_observation_lacks_is_named_field_by_field() -> None:
    with pytest.raises(FeedError) as caught:
        registry.read_options(feed("json_table", {"columns": {"result": "v"}}))
    assert str(caught.value).splitlines() == [
        f"options.columns.{name}: missing: name its column, or give it in constants or values"
        for name in ("thing", "observed_property", "phenomenon_time")
    ]


def test_a_wrong_path_is_told_with_its_place() -> None:
    options = {"rows": "a[", "columns": {"thing": "b..c", "phenomenon_time": "t", "result": "v", "observed_property": "p"}}
    with pytest.raises(FeedError) as caught:
        registry.read_options(feed("json_table", options))
    lines = str(caught.value).splitlines()
    assert lines[0].startswith("options.rows: 'a[' is not a path")
    assert lines[1].startswith("options.columns.thing: 'b..c' is not a path")


def test_the_kind_stands_at_the_top_of_the_feed_file() -> None:
    with pytest.raises(FeedError, match=r"options\.kind: it stands at the top of the feed file"):
        registry.read_options(feed("csv_table", {"kind": "table"}))
    with pytest.raises(FeedError, match=r"options\.kind: geodata are features, not timeseries: .* rows = \"features\[\*\]\""):
        registry.read_options(feed("geojson"))
    assert registry.read_options(feed("csv_table", GOOD_CSV)).model_dump()["kind"] == "timeseries"


def test_events_other_than_uplinks_are_dropped_by_their_topic() -> None:
    from_topic = registry.find("chirpstack")
    options = registry.read_options(feed("chirpstack"))
    body = b'{"deviceInfo": {"devEui": "a"}, "object": {"temperature": 1}, "time": "2026-01-01T00:00:00Z"}'
    assert list(from_topic.decode(body, options, "application/1/device/a/event/join")) == [None]
    assert list(from_topic.decode(b"not even JSON", options, "https://hub/push?event=status")) == [None]
    (row,) = from_topic.decode(body, options, "application/1/device/a/event/up")
    assert (row["thing"], row["observed_property"], row["unit"]) == ("a", "air_temperature", "Cel")
