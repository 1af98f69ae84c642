"""The ways to ask other catalogues, by name; and files of catalogues whose way nobody names."""

from collections.abc import Callable
from dataclasses import dataclass

import orjson

from stadthub_catalog.foreign import ckan, data_json, dcat_rdf, hub_search, opendatasoft
from stadthub_catalog.foreign.item import Asking, Item, Page, at
from stadthub_schemas.errors import SourceError


@dataclass(frozen=True, slots=True)
class Way:
    """Where a catalogue begins, and how one of its answers is read. `accept`: what it is asked for."""

    first: Callable[[Asking], str]
    read: Callable[[bytes, str, Asking], Page]
    accept: str = "application/json"


WAYS: dict[str, Way] = {
    "ckan": Way(ckan.first, ckan.read),
    "stadthub": Way(ckan.first, ckan.read),
    "dcat": Way(dcat_rdf.first, dcat_rdf.read, dcat_rdf.ACCEPT),
    "data_json": Way(data_json.first, data_json.read),
    "opendatasoft": Way(opendatasoft.first, opendatasoft.read),
    "hub_search": Way(hub_search.first, hub_search.read),
    "arcgis_hub": Way(data_json.first_of_hub, data_json.read),
}


def read_document(body: bytes, name: str) -> tuple[Item, ...]:
    """The datasets of a catalogue in one file: packages of a CKAN, a data.json, DCAT as RDF. SourceError if it is none of them."""
    asking = Asking(name, {})
    try:
        said = orjson.loads(body.removeprefix(b"\xef\xbb\xbf"))
    except orjson.JSONDecodeError:
        return dcat_rdf.read(body, name, asking).items
    result = at(said, "result")
    rows = said if isinstance(said, list) else result if isinstance(result, list) else at(result, "results")
    if isinstance(rows, list) and rows and isinstance(rows[0], dict) and ckan.is_package(rows[0]):
        return tuple(ckan.items(rows))
    if isinstance(at(said, "dataset"), list):
        return data_json.read(body, name, asking).items
    if isinstance(said, dict) and ("@context" in said or "@graph" in said):
        return dcat_rdf.read(body, name, asking).items
    raise SourceError(f"{name}: this is no catalogue that is known: packages of a CKAN, a data.json, or DCAT as RDF")
