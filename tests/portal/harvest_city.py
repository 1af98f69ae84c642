"""A neighbour's catalogue that the city has harvested: one run with a dataset that was taken and one that failed."""

from datetime import UTC, datetime

from stadthub_catalog.catalog import Catalog
from stadthub_catalog.foreign.item import Item
from stadthub_catalog.taking import Taking
from stadthub_schemas.derived import parse_file
from stadthub_schemas.exchange import Harvest

NEIGHBOUR, TAKEN = "nachbarstadt", "spielplaetze"
FILE = """
id = "nachbarstadt"
title = "Offene Daten Nachbarstadt"
[harvest]
protocol = "ckan"
url = "https://daten.nachbarstadt.example"
"""


def fill(catalog: Catalog) -> None:
    """Harvest it."""
    harvest = parse_file(FILE, "nachbarstadt.toml")
    assert isinstance(harvest, Harvest)
    run = catalog.start_run(NEIGHBOUR)
    taking = Taking(catalog, harvest, run, "https://musterstadt.example")
    resource = {"id": "a", "url": "https://daten.nachbarstadt.example/spielplaetze.csv", "name": "Liste", "format": "CSV"}
    organization = {"name": "gruenamt", "title": "Grünamt Nachbarstadt"}
    good = {"name": TAKEN, "title": "Spielplätze", "notes": "Alle Spielplätze", "license_id": "dl-de-zero-2.0", "resources": [resource]}
    taking.take([Item("1", {**good, "organization": organization, "groups": [{"name": "educ"}]}), Item("2", {})])
    tally = taking.finish(whole=True)
    catalog.end_run(run, tally.counts, None)
    now = datetime.now(UTC)
    catalog.note_feed(NEIGHBOUR, title=harvest.title, source="harvest", counts=tally.counts, last_message=now, last_success=now)
