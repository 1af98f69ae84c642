"""A feed file is read whole, and every mistake in it is one sentence with file and key."""

from pathlib import Path

import pytest

from stadthub_schemas.errors import FeedError
from stadthub_schemas.feed import MqttSource, load_feed, parse_feed, reveal

GOOD = """
id = "air"
title = "Air"
dataset = "air-quality"
decoder = "chirpstack"
[source]
type = "mqtt"
host = "broker.example"
topics = ["application/#"]
password = "${AIR_PASSWORD}"
[metadata]
title = "Luft"
description = "Luftqualität"
license = "dl-de-by-2.0"
publisher = { name = "musterstadt", title = "Stadt Musterstadt" }
contact = { name = "Open Data", email = "daten@musterstadt.example" }
themes = ["ENVI"]
"""


def test_a_right_feed_is_read() -> None:
    feed = parse_feed(GOOD, "air.toml")
    assert isinstance(feed.source, MqttSource)
    assert feed.source.in_flight == 1000
    assert feed.described() is not None


def test_all_mistakes_are_told_at_once_each_with_file_and_key() -> None:
    wrong = GOOD.replace('title = "Air"', 'titel = "Air"').replace("topics =", "topcs =").replace('"dl-de-by-2.0"', '"free"')
    with pytest.raises(FeedError) as caught:
        parse_feed(wrong, "air.toml")
    sentences = str(caught.value).splitlines()
    assert "air.toml: title: Field required" in sentences
    assert "air.toml: titel: there is no such key: did you mean title?" in sentences
    assert "air.toml: source.topcs: there is no such key: did you mean topics?" in sentences
    assert any(sentence.startswith("air.toml: metadata.license: ") for sentence in sentences)


def test_a_literal_secret_is_refused_without_being_repeated() -> None:
    with pytest.raises(FeedError) as caught:
        parse_feed(GOOD.replace("${AIR_PASSWORD}", "hunter2"), "air.toml")
    assert "source.password" in str(caught.value)
    assert "hunter2" not in str(caught.value)


def test_a_literal_secret_hides_no_other_mistake() -> None:
    wrong = GOOD.replace("${AIR_PASSWORD}", "hunter2").replace("topics =", "topcs =").replace('id = "air"', 'id = "Air quality"')
    with pytest.raises(FeedError) as caught:
        parse_feed(wrong, "air.toml")
    sentences = str(caught.value).splitlines()
    assert any(sentence.startswith("air.toml: source.password: a secret must not stand") for sentence in sentences)
    assert "air.toml: source.topcs: there is no such key: did you mean topics?" in sentences
    assert any(sentence.startswith("air.toml: id: a name has 2 to 100 small letters") for sentence in sentences)
    assert "hunter2" not in str(caught.value)


def test_a_secret_comes_from_the_environment_or_a_file(tmp_path: Path) -> None:
    source = parse_feed(GOOD, "air.toml").source
    assert isinstance(source, MqttSource)
    assert source.password is not None
    assert reveal(source.password, {"AIR_PASSWORD": "geheim"}) == "geheim"
    with pytest.raises(FeedError, match="AIR_PASSWORD is not set"):
        reveal(source.password, {})
    secret = tmp_path / "secret"
    secret.write_text("geheim\n")
    source = parse_feed(GOOD.replace("${AIR_PASSWORD}", f"file:{secret}"), "air.toml").source
    assert isinstance(source, MqttSource)
    assert source.password is not None
    assert reveal(source.password, {}) == "geheim"


def test_broken_toml_names_the_line(tmp_path: Path) -> None:
    path = tmp_path / "air.toml"
    path.write_text("id = air\n")
    with pytest.raises(FeedError, match=r"air.toml: .*line 1"):
        load_feed(path)


def test_a_file_that_is_not_utf8_is_told(tmp_path: Path) -> None:
    path = tmp_path / "air.toml"
    path.write_bytes('title = "Größe"'.encode("latin-1"))
    with pytest.raises(FeedError, match="not UTF-8"):
        load_feed(path)
