"""Datasets that are written through CKAN's API: kept as they were said, and shown by every face beside those of the feeds."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import pytest

from stadthub_catalog import Catalog
from stadthub_catalog.datasets import Written
from stadthub_catalog.entry import Organization, State
from stadthub_catalog.packages import package
from stadthub_catalog.site import Site
from stadthub_schemas.access import ANYBODY, Principal, Role
from stadthub_schemas.errors import Conflict, NotFound, PublishError
from tests.catalog.samples import publish

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
SITE = Site("Stadthub", "https://stadt.example")
OWNER = Organization(uuid4(), "amt_1", "Amt 1", "", NOW)
RESOURCE = {"id": str(uuid4()), "name": "Alle", "url": "https://stadt.example/a.csv", "format": "CSV", "size": 12, "odd": ["kept"]}
DOCUMENT: dict[str, Any] = {
    "title": "Gärten",
    "notes": "Alle Kleingärten",
    "author": None,
    "author_email": None,
    "maintainer": "Amt 1",
    "maintainer_email": "no address",
    "license_id": "my-own",
    "url": "not an address",
    "version": "1.2",
    "type": "dataset",
    "private": False,
    "creator_user_id": None,
    "extras": [{"key": "spatial", "value": '{"type":"Point","coordinates":[7.5,51.5]}'}, {"key": "temporal_start", "value": "2024-01-01"}],
    "tags": [{"name": "Garten", "vocabulary_id": None}],
    "groups": ["envi", "gone"],
    "resources": [RESOURCE],
}


def write(catalog: Catalog, name: str = "2026_gaerten", key: UUID | None = None, state: State = State.ACTIVE, **changes: Any) -> UUID:
    """Write a dataset of the organisation, which is made."""
    catalog.write_teams("organization", OWNER)
    written = Written(key or uuid4(), name, OWNER.id, state, DOCUMENT | changes, NOW, NOW)
    catalog.write(written)
    return written.id


def test_a_document_is_kept_as_it_was_said(catalog: Catalog) -> None:
    key = write(catalog)
    said = package(catalog.entry("2026_gaerten"), SITE)
    assert said["id"] == str(key)
    for name in ("title", "notes", "maintainer_email", "license_id", "url", "version", "extras"):
        assert said[name] == DOCUMENT[name]
    assert (said["license_title"], said["isopen"], "license_url" in said) == ("my-own", False, False)
    assert said["resources"] == [RESOURCE | {"package_id": str(key), "position": 0}]
    assert [group["name"] for group in said["groups"]] == ["envi"]


def test_the_other_faces_read_what_makes_sense_of_it(catalog: Catalog) -> None:
    write(catalog)
    entry = catalog.entry("2026_gaerten")
    words = entry.dataset.metadata
    assert (words.title, words.publisher.title, words.themes, words.keywords) == ("Gärten", "Amt 1", ("ENVI",), ("Garten",))
    assert words.contact is not None
    assert (words.contact.name, words.contact.email, words.source_url, words.update_frequency) == ("Amt 1", None, None, None)
    assert (entry.extent.bbox, entry.extent.first_time) == ((7.5, 51.5, 7.5, 51.5), "2024-01-01")
    [file] = entry.distributions
    assert (file.format, file.url, file.size) == ("csv", RESOURCE["url"], 12)
    assert [found.name for found in catalog.search("kleingärten", principal=ANYBODY).entries] == ["2026_gaerten"]


def test_private_documents_are_for_the_citys_own_people(catalog: Catalog) -> None:
    write(catalog, private=True)
    assert catalog.search(principal=ANYBODY).total == 0
    assert catalog.search(principal=Principal("ana", Role.ANALYST)).total == 1


@pytest.mark.parametrize("state", [State.DRAFT, State.DELETED])
def test_drafts_and_deleted_ones_are_set_aside(catalog: Catalog, state: State) -> None:
    key = write(catalog)
    write(catalog, key=key, state=state)
    with pytest.raises(NotFound):
        catalog.entry("2026_gaerten")
    assert catalog.shelf.hidden(str(key)).state is state
    write(catalog, key=key, title="Wieder da")
    assert catalog.entry("2026_gaerten").dataset.metadata.title == "Wieder da"
    assert catalog.shelf.all_hidden() == []


def test_a_dataset_may_take_another_name(catalog: Catalog) -> None:
    key = write(catalog)
    write(catalog, "neu", key=key)
    assert catalog.entry(str(key)).name == "neu"
    with pytest.raises(NotFound):
        catalog.entry("2026_gaerten")


def test_what_is_purged_is_gone_and_its_name_is_free(catalog: Catalog) -> None:
    key = write(catalog, state=State.DELETED)
    catalog.purge(key)
    for gone in (catalog.entry, catalog.shelf.hidden):
        with pytest.raises(NotFound):
            gone(str(key))
    write(catalog)
    with catalog.database.reading() as connection:
        texts = str(connection.exec_driver_sql(f"SELECT * FROM dataset WHERE name = '{key}'").all())
    assert "garten" not in texts.lower()


def test_a_name_belongs_to_one_dataset(catalog: Catalog) -> None:
    publish(catalog, "baeume")
    write(catalog)
    with pytest.raises(Conflict, match="baeume"):
        write(catalog, "baeume")
    with pytest.raises(Conflict):
        write(catalog)
    write(catalog, "rasen")
    with pytest.raises(PublishError, match="CKAN"):
        publish(catalog, "rasen")


def test_all_of_a_write_or_nothing(catalog: Catalog) -> None:
    write(catalog)
    ones = [Written(uuid4(), name, OWNER.id, State.ACTIVE, DOCUMENT, NOW, NOW) for name in ("a1", "2026_gaerten")]
    with pytest.raises(Conflict):
        catalog.write(*ones)
    assert [entry.name for entry in catalog.entries()] == ["2026_gaerten"]


def test_an_organisations_new_words_reach_its_datasets(catalog: Catalog) -> None:
    write(catalog)
    assert catalog.entry("2026_gaerten").organization.title == "Amt 1"
    catalog.write_teams("organization", Organization(OWNER.id, "amt_1", "Amt Eins", "", NOW, extras=(("a", "b"),)))
    assert catalog.entry("2026_gaerten").organization.title == "Amt Eins"
    with pytest.raises(Conflict):
        catalog.purge_teams("organization", OWNER.id)


def test_groups_are_made_and_taken_away(catalog: Catalog) -> None:
    one = Organization(uuid4(), "g1", "Gruppe", "", NOW)
    catalog.write_teams("group", one)
    assert catalog.teams("group") == [one]
    with pytest.raises(Conflict):
        catalog.write_teams("group", Organization(uuid4(), "g1", "", "", NOW))
    catalog.purge_teams("group", one.id)
    assert catalog.teams("group") == []
    with pytest.raises(NotFound):
        catalog.purge_teams("group", one.id)
