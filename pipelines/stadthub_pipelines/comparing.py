"""Our catalogue beside another one that was harvested, or that lies in a file."""

from pathlib import Path

from stadthub_catalog import gaps
from stadthub_catalog.catalog import Catalog
from stadthub_catalog.foreign.adopting import Origin, Ours, Unfit, adopt
from stadthub_catalog.foreign.protocols import read_document
from stadthub_catalog.gaps import Foreign, Report
from stadthub_schemas.errors import NotFound, SourceError
from stadthub_schemas.settings import Settings

#: No file of a catalogue is bigger.
LARGEST = 200_000_000


def compare(catalog: Catalog, settings: Settings, against: str | Path, place: str = "") -> Report:
    """What they have and we don't. NotFound if nothing was harvested under that name, SourceError if the file is no catalogue."""
    if isinstance(against, Path):
        return gaps.report(against.name, _of_file(against, settings), catalog.entries(), catalog.shelf.synonyms, place)
    items = catalog.harvested(against)
    if not items:
        there = ", ".join(catalog.harvests()) or "nothing was harvested yet"
        raise NotFound(f"There is no harvested catalogue {against!r}: {there}")
    foreign = [Foreign(one.title, one.body["page"], one.body["publisher"], one.body["themes"]) for one in items]
    title = next((one.title for one in catalog.feeds() if one.feed == against), against)
    return gaps.report(title, foreign, catalog.entries(), catalog.shelf.synonyms, f"{title} {place}")


def _of_file(path: Path, settings: Settings) -> list[Foreign]:
    try:
        if path.stat().st_size > LARGEST:
            raise SourceError(f"{path.name}: it is bigger than {LARGEST // 1_000_000} MB")
        items = read_document(path.read_bytes(), path.name)
    except OSError as error:
        raise SourceError(f"{path.name}: it can't be read: {error.strerror}") from error
    found = []
    for item in items:
        try:
            one = adopt(item, Origin("file", path.name, "", settings.url))
        except (Unfit, Ours):
            continue
        extras = {extra["key"]: extra["value"] for extra in one.said["extras"]}
        themes = [group["name"].upper() for group in one.said["groups"]]
        found.append(Foreign(one.title, extras.get("harvest_url", ""), extras.get("publisher_name", ""), themes))
    return found
