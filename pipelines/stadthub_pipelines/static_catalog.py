"""The catalogue as files that any web server can hand out and any harvester can fetch: DCAT-AP.de, JSON-LD, and data packages."""

from pathlib import Path

import orjson

from stadthub_catalog.catalog import Catalog
from stadthub_catalog.dcat_words import PROFILES
from stadthub_catalog.packaged import data_package
from stadthub_catalog.publication import Publication
from stadthub_pipelines.feedfiles import write_bytes
from stadthub_pipelines.site import site_of
from stadthub_schemas.access import ANYBODY, Action, may, visible
from stadthub_schemas.errors import StorageError
from stadthub_schemas.settings import Settings

#: The forms in which the whole catalogue is written.
FORMS = ("ttl", "jsonld", "rdf")


def write_static(catalog: Catalog, settings: Settings, folder: Path) -> list[tuple[Path, int]]:
    """Write the files, each whole or not at all; answer them with their sizes. Data packages of datasets that are public no longer are
    taken away. StorageError, Unfinished while there is nothing to tell."""
    site = site_of(settings)
    publication = Publication(catalog, site)
    profile = next(iter(PROFILES.values()))
    contents = {folder / f"catalog.{ending}": publication.whole(profile, ending) for ending in FORMS}
    for entry in publication.entries():
        columns = visible(may(ANYBODY, Action.READ, entry.dataset), entry.columns)
        package = data_package(entry, columns, site)
        contents[folder / "datasets" / entry.name / "datapackage.json"] = orjson.dumps(package, option=orjson.OPT_INDENT_2)
    for path, body in contents.items():
        write_bytes(path, body)
    for old in (folder / "datasets").glob("*/datapackage.json"):
        if old not in contents:
            _remove(old)
    return [(path, len(body)) for path, body in contents.items()]


def _remove(path: Path) -> None:
    try:
        path.unlink()
        if not any(path.parent.iterdir()):
            path.parent.rmdir()
    except OSError as error:
        raise StorageError(f"{path.name}: it can't be taken away: {error.strerror}") from error
