"""Entries of the catalogue: made, changed, withdrawn, and seen alike by every process."""

from dataclasses import replace

import pytest
from sqlalchemy import func, select

from stadthub_catalog import Catalog, Distribution
from stadthub_catalog.tables import dataset_tag, tag
from stadthub_schemas.dataset import Extent, Publisher
from stadthub_schemas.errors import NotFound, PublishError
from tests.catalog.samples import COLUMNS, CSV, GEOJSON, dataset, publish


def test_an_entry_says_what_was_published(catalog: Catalog) -> None:
    publish(catalog)
    entry = catalog.entry("baeume")
    assert entry.dataset.model_dump() == dataset().model_dump()
    assert entry.columns == COLUMNS
    assert entry.extent.rows == 3
    assert [(one.url, one.size, one.sha256) for one in entry.distributions] == [
        (CSV.url, 100, "a" * 64),
        (GEOJSON.url, 300, "b" * 64),
    ]
    assert entry.created == entry.modified
    assert entry.modified.utcoffset() is not None
    assert catalog.entry(str(entry.id)) == entry
    assert catalog.entries() == [entry]


def test_publishing_the_same_again_changes_nothing(catalog: Catalog) -> None:
    publish(catalog)
    first = catalog.entry("baeume")
    publish(catalog)
    assert catalog.entry("baeume") == first


@pytest.mark.parametrize("what", ["words", "columns", "extent", "file"])
def test_modified_moves_when_data_or_words_change(catalog: Catalog, what: str) -> None:
    publish(catalog)
    first = catalog.entry("baeume")
    catalog.publish(
        dataset(title="Neu") if what == "words" else dataset(),
        COLUMNS[:1] if what == "columns" else COLUMNS,
        Extent(rows=4) if what == "extent" else first.extent,
        (replace(CSV, sha256="c" * 64), GEOJSON) if what == "file" else (CSV, GEOJSON),
        "baeume",
    )
    second = catalog.entry("baeume")
    assert second.modified > first.modified
    assert (second.id, second.created) == (first.id, first.created)
    assert [one.id for one in second.distributions] == [one.id for one in first.distributions]


def test_a_distribution_keeps_its_id_and_its_date_until_its_content_changes(catalog: Catalog) -> None:
    publish(catalog)
    csv, geojson = catalog.entry("baeume").distributions
    catalog.publish(dataset(), COLUMNS, Extent(rows=3), (GEOJSON, replace(CSV, size=1)), "baeume")
    new_geojson, new_csv = catalog.entry("baeume").distributions
    assert new_geojson == geojson
    assert (new_csv.id, new_csv.created) == (csv.id, csv.created)
    assert new_csv.modified is not None
    assert csv.modified is not None
    assert new_csv.modified > csv.modified


def test_a_withdrawn_dataset_is_gone_and_comes_back_under_its_id(catalog: Catalog) -> None:
    publish(catalog)
    first = catalog.entry("baeume")
    catalog.withdraw("baeume")
    for name in ("baeume", str(first.id)):
        with pytest.raises(NotFound, match="there is no dataset"):
            catalog.entry(name)
    with pytest.raises(NotFound):
        catalog.withdraw("baeume")
    assert catalog.entries() == []
    publish(catalog)
    assert catalog.entry("baeume").id == first.id


def test_another_process_sees_changes_at_once(catalog: Catalog, database_url: str) -> None:
    other = Catalog(database_url)
    try:
        assert other.entries() == []
        publish(catalog)
        publish(catalog, "parken")
        assert [entry.name for entry in other.entries()] == ["baeume", "parken"]
        catalog.withdraw("parken")
        publish(catalog, title="Anders")
        assert [entry.dataset.metadata.title for entry in other.entries()] == ["Anders"]
    finally:
        other.close()


def test_a_publisher_that_changes_its_title_changes_it_everywhere(catalog: Catalog) -> None:
    publish(catalog)
    publish(catalog, "parken")
    publish(catalog, "parken", publisher=Publisher(name="musterstadt", title="Stadt Neustadt"))
    assert {entry.organization.title for entry in catalog.entries()} == {"Stadt Neustadt"}
    publish(catalog)
    assert {entry.organization.title for entry in catalog.entries()} == {"Stadt Neustadt"}


def test_keywords_are_shared_and_dropped(catalog: Catalog) -> None:
    publish(catalog, keywords=("Baum", "Grün", "Baum"))
    publish(catalog, "parken", keywords=("Grün",))
    publish(catalog, keywords=("Baum",))
    with catalog.database.reading() as connection:
        assert sorted(connection.execute(select(tag.c.name)).scalars()) == ["Baum", "Grün"]
        assert connection.execute(select(func.count()).select_from(dataset_tag)).scalar_one() == 2


@pytest.mark.parametrize(
    ("distributions", "sentence"),
    [
        ((CSV, CSV), "two distributions have the address"),
        ((Distribution(format="csv", url="//evil.example/x"),), "neither a path of this hub nor an http address"),
        ((Distribution(format="csv", url="file:///etc/passwd"),), "neither a path of this hub nor an http address"),
    ],
)
def test_a_broken_entry_is_refused_whole(catalog: Catalog, distributions: tuple[Distribution, ...], sentence: str) -> None:
    with pytest.raises(PublishError, match=sentence):
        catalog.publish(dataset(), COLUMNS, Extent(), distributions, "baeume")
    assert catalog.entries() == []
