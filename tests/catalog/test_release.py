"""Who released a dataset is kept in the audit: the first declaration, each change, and its end."""

from datetime import date
from typing import Any

from stadthub_catalog import Catalog
from stadthub_catalog.tables import audit
from stadthub_schemas.dataset import Release
from tests.catalog.samples import publish

FIRST = Release(by="Umweltamt", date=date(2026, 1, 1), legal_basis="§ 12a EGovG")


def told(catalog: Catalog) -> list[tuple[str, str, Any]]:
    """What the audit says: what, on what, with which words."""
    with catalog.database.reading() as connection:
        rows = connection.execute(audit.select().order_by(audit.c.number)).mappings().all()
    return [(row["what"], row["on"], row["details"]) for row in rows]


def test_each_change_of_a_release_is_an_entry_of_the_audit(catalog: Catalog) -> None:
    publish(catalog)
    assert told(catalog) == []
    publish(catalog, release=FIRST)
    publish(catalog, release=FIRST, title="Bäume")
    publish(catalog, release=FIRST.model_copy(update={"by": "Grünflächenamt"}))
    publish(catalog)
    entries = told(catalog)
    assert [what for what, _, _ in entries] == ["dataset.release", "dataset.release", "dataset.unrelease"]
    assert {on for _, on, _ in entries} == {"baeume"}
    assert "Umweltamt" in str(entries[0][2])
    assert "Grünflächenamt" in str(entries[1][2])
    assert catalog.verify_audit() == 3


def test_an_entry_keeps_its_release(catalog: Catalog) -> None:
    publish(catalog, release=FIRST)
    assert catalog.entry("baeume").dataset.metadata.release == FIRST
