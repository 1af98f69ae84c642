"""Our datasets are brought to a foreign CKAN with ckanapi: a second hub over a real socket takes them."""

from dataclasses import replace
from typing import Any

import httpx
import orjson
import pytest
from sqlalchemy import delete

from stadthub_catalog.entry import State
from stadthub_catalog.exchange_tables import published
from stadthub_catalog.ledger import Outcome
from stadthub_catalog.site import Site
from stadthub_pipelines.pushing import preview
from stadthub_schemas.dataset import AccessClass
from stadthub_schemas.errors import AccessError, FeedError, NotFound, PublishError, SourceError
from tests.catalog.samples import publish
from tests.exchange.hubs import OURS, Home, Other, publish_of
from tests.servers import free_port


@pytest.fixture
def land(neighbour: Other, monkeypatch: pytest.MonkeyPatch) -> Other:
    """The neighbour with the organisation of our city, and our token for it."""
    publish(neighbour.catalog, "eigener")
    call(neighbour, "organization_create", name="stadt", title="Musterstadt")
    monkeypatch.setenv("FEED_TOKEN", neighbour.token)
    return neighbour


def call(other: Other, action: str, **said: Any) -> Any:
    """An action there."""
    answer = httpx.post(f"{other.address}/api/3/action/{action}", json=said, headers={"Authorization": other.token}, timeout=30)
    return answer.json().get("result")


def test_datasets_are_made_changed_left_alone_and_withdrawn_there(ours: Home, land: Other) -> None:
    publish(ours.catalog)
    publish(ours.catalog, "intern", access=AccessClass.INTERNAL)
    target = publish_of(land.address, 'prefix = "muster-"\n')
    tally = ours.run(target)
    assert (tally.found, tally.created, tally.after) == (1, 1, 1)
    there = call(land, "package_show", id="muster-baeume")
    assert (there["title"], there["organization"]["name"], there["license_id"]) == ("Bäume der Stadt", "stadt", "dl-de-by-2.0")
    assert [one["url"] for one in there["resources"]] == [f"{OURS}/distributions/baeume/baeume.{end}" for end in ("csv", "geojson")]
    extras = {one["key"]: one["value"] for one in there["extras"]}
    assert extras["stadthub_url"] == OURS
    assert extras["stadthub_id"] == str(ours.catalog.entry("baeume").id)
    assert ours.run(target).unchanged == 1
    publish(ours.catalog, title="Alle Bäume")
    assert ours.run(target).updated == 1
    assert call(land, "package_show", id="muster-baeume")["title"] == "Alle Bäume"
    publish(ours.catalog, access=AccessClass.INTERNAL)
    tally = ours.run(target)
    assert (tally.withdrawn, tally.before, tally.after) == (1, 1, 0)
    assert land.catalog.shelf.hidden("muster-baeume").state is State.DELETED
    assert land.catalog.entry("eigener")
    publish(ours.catalog)
    assert ours.run(target).created == 1
    assert land.catalog.entry("muster-baeume").id == land.catalog.shelf.entry(there["id"]).id


def test_a_lost_ledger_makes_no_second_dataset(ours: Home, land: Other) -> None:
    publish(ours.catalog)
    ours.run(publish_of(land.address))
    key = land.catalog.entry("baeume").id
    with ours.catalog.database.keeping() as connection:
        connection.execute(delete(published))
    assert ours.run(publish_of(land.address)).created == 1
    assert land.catalog.entry("baeume").id == key


def test_what_was_purged_there_is_made_again(ours: Home, land: Other) -> None:
    publish(ours.catalog)
    ours.run(publish_of(land.address))
    call(land, "dataset_purge", id="baeume")
    publish(ours.catalog, title="Alle Bäume")
    assert ours.run(publish_of(land.address)).updated == 1
    assert land.catalog.entry("baeume").dataset.metadata.title == "Alle Bäume"


def test_a_dataset_of_somebody_else_is_left_alone(ours: Home, land: Other) -> None:
    publish(ours.catalog, "eigener")
    publish(ours.catalog, "parken")
    tally = ours.run(publish_of(land.address))
    assert (tally.created, tally.failed) == (1, 1)
    key = str(ours.catalog.entry("eigener").id)
    assert ours.outcomes("land")[key] == (Outcome.FAILED, "a dataset 'eigener' is there that this hub did not make: set publish.prefix")
    assert land.catalog.entry("eigener").document is None


def test_a_rehearsal_writes_nothing_and_shows_what_would_change(ours: Home, land: Other) -> None:
    publish(ours.catalog)
    target = publish_of(land.address)
    [(one, changes)] = preview(target, ours.ground)
    assert one.outcome is Outcome.CREATED
    assert ("title", "", "Bäume der Stadt") in changes
    with pytest.raises(NotFound):
        land.catalog.entry("baeume")
    ours.run(target)
    publish(ours.catalog, title="Alle Bäume")
    [(one, changes)] = preview(target, ours.ground)
    assert one.outcome is Outcome.UPDATED
    assert ("title", "Bäume der Stadt", "Alle Bäume") in changes
    assert not [change for change in changes if change[0].startswith("resources")]
    assert land.catalog.entry("baeume").dataset.metadata.title == "Bäume der Stadt"


def test_a_portal_of_a_land_gets_its_own_words(ours: Home, land: Other) -> None:
    publish(ours.catalog, attribution="Stadt Musterstadt")
    ours.run(publish_of(land.address, 'mapping = "govdata"\nextras = { geocodingText = "Musterstadt" }\n'))
    there = call(land, "package_show", id="baeume")
    extras = {one["key"]: one["value"] for one in there["extras"]}
    assert orjson.loads(extras["contributorID"]) == ["http://dcat-ap.de/def/contributors/musterstadt"]
    assert orjson.loads(extras["politicalGeocodingURI"]) == ["http://dcat-ap.de/def/politicalGeocoding/municipalityKey/05315000"]
    assert extras["geocodingText"] == "Musterstadt"
    assert "rows" not in extras
    assert [one["name"] for one in there["groups"]] == ["envi"]
    assert there["resources"][0]["license"] == "http://dcat-ap.de/def/licenses/dl-by-de/2.0"
    assert there["resources"][0]["licenseAttributionByText"] == "Stadt Musterstadt"


def test_a_wrong_token_is_told_in_a_sentence(ours: Home, land: Other, monkeypatch: pytest.MonkeyPatch) -> None:
    publish(ours.catalog)
    publish(ours.catalog, "parken")
    monkeypatch.setenv("FEED_TOKEN", "falsch")
    with pytest.raises((AccessError, PublishError)):
        ours.run(publish_of(land.address))
    [tally] = ours.catalog.tallies("land", 1)
    assert (tally.found, tally.failed) == (2, 2)


def test_a_portal_that_does_not_answer_is_tried_again_and_then_told(ours: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FEED_TOKEN", "x")
    publish(ours.catalog)
    with pytest.raises((SourceError, PublishError), match="can't be reached"):
        ours.run(publish_of(f"http://127.0.0.1:{free_port()}"))
    assert ours.catalog.tallies("land", 1)[0].failed == 1


def test_only_what_the_file_names_is_brought_and_a_wrong_name_is_told(ours: Home, land: Other) -> None:
    publish(ours.catalog)
    publish(ours.catalog, "parken", themes=("TRAN",))
    assert ours.run(publish_of(land.address, 'themes = ["TRAN"]\n')).created == 1
    assert land.catalog.entry("parken")
    with pytest.raises(FeedError, match="no public dataset 'gibtesnicht'"):
        ours.run(publish_of(land.address, 'datasets = ["gibtesnicht"]\n'))


def test_a_hub_without_an_address_of_its_own_sends_nothing_to_others(ours: Home) -> None:
    publish(ours.catalog)
    alone = Home(ours.catalog, replace(ours.ground, site_words=Site("Daten", "http://127.0.0.1:8000")))
    with pytest.raises(FeedError, match="STADTHUB_SITE_URL"):
        alone.run(publish_of("https://ckan.example.org"))


def test_what_was_harvested_is_not_published_unless_wanted(ours: Home, land: Other) -> None:
    assert ours.harvest(land.address, "stadthub").created == 1
    assert ours.run(publish_of(land.address)).found == 0


def test_a_harvest_does_not_bring_back_what_was_published(ours: Home, land: Other) -> None:
    publish(ours.catalog)
    ours.run(publish_of(land.address))
    tally = ours.harvest(land.address, "stadthub")
    assert (tally.created, tally.skipped) == (1, 1)
