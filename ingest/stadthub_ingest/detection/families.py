"""JSON whose members name its family: who wrote it, which decoder reads it, what it becomes. One row of a table each."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from stadthub_ingest.detection.proposal import Guess, Proposal, Said
from stadthub_schemas.dataset import Kind

_SENML = frozenset({"bn", "bt", "bu", "bv", "bs", "bver", "n", "u", "v", "vs", "vb", "vd", "s", "t", "ut"})
OPARL = "https://schema.oparl.org/"
_GBFS_KINDS: Mapping[str, Kind] = {
    "geofencing_zones": Kind.FEATURES,
    "vehicle_types": Kind.TABLE,
    "bikes": Kind.TIMESERIES,
    "vehicles": Kind.TIMESERIES,
}


@dataclass(frozen=True, slots=True)
class Family:
    """One family: its title, its decoder, how its first object is told, what makes it sure, and the kind and options that follow."""

    title: str
    decoder: str
    test: Callable[[dict[str, Any]], bool]
    reason: Said
    kind: Callable[[dict[str, Any]], Kind] = lambda _: Kind.TIMESERIES
    options: Callable[[dict[str, Any]], dict[str, Any]] = lambda _: {}
    key: tuple[str, ...] = ()
    every: str | None = None


def _has(*names: str) -> Callable[[dict[str, Any]], bool]:
    return lambda found: all(name in found for name in names)


def _inner(found: dict[str, Any], *path: str) -> dict[str, Any]:
    """The object there, or the first of the list there; empty if there is none."""
    value: Any = found
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
        if isinstance(value, list):
            value = value[0] if value else None
        elif isinstance(value, dict) and name == "nodes" and "nodeinfo" not in value:
            value = next(iter(value.values()), None)
    return value if isinstance(value, dict) else {}


def _says(de: str, en: str) -> Said:
    return Said(f"enthält {de}", f"holds {en}")


def _members(*names: str) -> Said:
    return _says(", ".join(names), ", ".join(names))


def _is_senml(found: dict[str, Any]) -> bool:
    return (
        bool(found)
        and {name for name in found if not name.endswith("_")} <= _SENML
        and bool({"n", "bn", "v", "vs", "vb", "s"} & found.keys())
    )


def _is_nodelist(found: dict[str, Any]) -> bool:
    node = _inner(found, "nodes")
    return "id" in node and ("community" in found or (isinstance(node.get("status"), dict) and "online" in node["status"]))


def _is_respondd(found: dict[str, Any]) -> bool:
    return {"nodeinfo", "statistics"} <= found.keys() or ("node_id" in found and isinstance(found.get("traffic"), dict))


def _is_gbfs(found: dict[str, Any]) -> bool:
    return isinstance(found.get("data"), dict) and "last_updated" in found and ("ttl" in found or "version" in found)


def _gbfs_kind(found: dict[str, Any]) -> Kind:
    data = found["data"]
    for name, kind in _GBFS_KINDS.items():
        if name in data:
            return kind
    station = _inner(found, "data", "stations")
    return Kind.FEATURES if "lat" in station else Kind.TIMESERIES


def _oparl_type(found: dict[str, Any]) -> str:
    kind = found.get("type") or _inner(found, "data").get("type") or ""
    return kind.rsplit("/", 1)[-1] if isinstance(kind, str) and kind.startswith(OPARL) else ""


def _is_ngsi(found: dict[str, Any]) -> bool:
    if found.get("type") == "Notification" and "subscriptionId" in found:
        return True
    return str(found.get("id", "")).startswith("urn:ngsi-ld:") or ("@context" in found and "id" in found and any(
        isinstance(value, dict) and value.get("type") in ("Property", "GeoProperty") for value in found.values()
    ))  # fmt: skip


def _is_event(found: dict[str, Any]) -> bool:
    graph = _inner(found, "@graph") or _inner(found, "itemListElement")
    kinds = str(found.get("@type")) + str(graph.get("@type")) + str(_inner(graph, "item").get("@type"))
    return "schema.org" in str(found.get("@context")) and "Event" in kinds


def _is_sensorthings(found: dict[str, Any]) -> bool:
    one = _inner(found, "value") or found
    return any("@iot." in name for name in one) or "dataArray" in one


def _has_fields(found: dict[str, Any]) -> bool:
    fields = found.get("fields")
    return isinstance(fields, list) and bool(fields) and all(isinstance(one, dict) and {"name", "type"} <= one.keys() for one in fields)


def _ogc_link(found: dict[str, Any]) -> bool:
    links = found.get("links")
    return isinstance(links, list) and any(isinstance(one, dict) and one.get("rel") in ("self", "next", "data", "items") for one in links)


FAMILIES: tuple[Family, ...] = (
    Family("ChirpStack", "chirpstack", lambda f: "devEui" in _inner(f, "deviceInfo"), _members("deviceInfo.devEui")),
    Family("The Things Stack", "ttn", lambda f: "end_device_ids" in f or "end_device_ids" in _inner(f, "result"), _members("end_device_ids")),
    Family("Sensor.Community", "sensor_community", _has("sensordatavalues"), _members("sensordatavalues"), every="PT5M"),
    Family("SenML", "senml", _is_senml, _members("n, v, u (RFC 8428)")),
    Family("UniFi", "unifi", lambda f: "uap" in (f.get("type"), _inner(f, "data").get("type")), _members("type: uap"), every="PT15M"),
    Family("Meraki", "meraki_scanning", lambda f: "observations" in _inner(f, "data") and "version" in f, _members("data.observations")),
    Family(
        "meshviewer", "meshviewer", lambda f: {"node_id", "is_online"} <= _inner(f, "nodes").keys(),
        _members("nodes[].node_id, is_online"), every="PT15M",
    ),
    Family("HopGlass", "hopglass", lambda f: {"nodeinfo", "flags"} <= _inner(f, "nodes").keys(), _members("nodes[].nodeinfo"), every="PT15M"),
    Family(
        "Freifunk nodelist", "nodelist", _is_nodelist, _members("community, nodes[].id"), every="PT15M",
    ),
    Family("respondd", "respondd", _is_respondd, _members("nodeinfo, statistics"), every="PT15M"),
    Family("GBFS", "gbfs", _is_gbfs, _members("last_updated, ttl, data"), _gbfs_kind, every="PT2M"),
    Family(
        "OParl", "oparl", lambda f: bool(_oparl_type(f)), _members("type: https://schema.oparl.org/…"), lambda _: Kind.TABLE,
        lambda f: {"type": _oparl_type(f)}, ("id",), "P1D",
    ),
    Family("NGSI-LD", "ngsi_ld", _is_ngsi, _members("id: urn:ngsi-ld:…")),
    Family("SensorThings", "sensorthings", _is_sensorthings, _members("@iot.…"), every="PT15M"),
    Family("schema.org", "schema_event", _is_event, _members("@type: Event"), lambda _: Kind.TABLE, key=("id",), every="P1D"),
    Family(
        "ArcGIS", "arcgis", lambda f: "attributes" in _inner(f, "features") or ("geometryType" in f and "spatialReference" in f),
        _members("features[].attributes"), lambda _: Kind.FEATURES, every="P1D",
    ),
    Family("Overpass", "overpass", lambda f: "elements" in f and ("osm3s" in f or "version" in f), _members("version, elements"), lambda _: Kind.FEATURES, every="P1D"),
    Family(
        "OGC API Features", "ogc_features",
        lambda f: "coordRefSys" in f or (_ogc_link(f) and ((f.get("type") == "FeatureCollection" and "numberReturned" in f) or "collections" in f or "conformsTo" in f)),
        _members("links, numberReturned"), lambda _: Kind.FEATURES, every="P1D",
    ),
    Family(
        "Table Schema", "table_schema", lambda f: _has_fields(f) and "features" not in f, _members("fields[].name, type"), lambda _: Kind.TABLE,
        lambda f: {"table_schema": {"fields": [{k: v for k, v in one.items() if v is not None} for one in f["fields"]]}},
    ),
    Family(
        "Data Package", "table_schema", lambda f: "path" in _inner(f, "resources") and "profile" not in _inner(f, "attributes"),
        _members("resources[].path"), lambda _: Kind.TABLE,
    ),
)  # fmt: skip


def family_of(found: Any) -> tuple[Family, dict[str, Any]] | None:
    """The family of these objects and its first object; None if no family's members are there."""
    items = [one for one in (found if isinstance(found, list) else [found])[:20] if isinstance(one, dict)]
    if not items:
        return None
    for family in FAMILIES:
        if all(family.test(one) for one in items[: 20 if family.decoder == "senml" else 1]):
            return family, items[0]
    first = next(iter(items[0].values()), None)
    if isinstance(found, dict) and isinstance(first, dict) and {"nodeinfo", "statistics"} <= first.keys():
        return next(one for one in FAMILIES if one.decoder == "respondd"), first
    return None


def proposal_of(family: Family, first: dict[str, Any]) -> Proposal:
    """The proposal for a payload of this family, with a word of advice where it can't be used as it is."""
    kind = family.kind(first)
    guess = Guess("format", family.title, 0.95, family.reason)
    kinds = Guess("kind", kind.value, 0.9, Said("das macht der Dekodierer daraus", "this is what the decoder makes of it"))
    key = ("form_factor", "propulsion_type") if family.decoder == "gbfs" and kind is Kind.TABLE else family.key
    return Proposal(
        family.decoder,
        kind,
        family.options(first),
        (),
        (guess, kinds),
        tuple(_advice(family, first)),
        key,
        FREQUENT.get(family.every or ""),
    )


#: The frequency that a family is usually fetched at.
FREQUENT = {"PT2M": "5MIN", "PT5M": "5MIN", "PT15M": "15MIN", "P1D": "DAILY"}


def _advice(family: Family, first: dict[str, Any]) -> list[Said]:
    """What must be known of this payload."""
    if family.decoder == "gbfs":
        feeds = first["data"].get("feeds") or _inner(first, "data", "de").get("feeds") or _inner(first, "data", "en").get("feeds")
        feeds = feeds or next((one.get("feeds") for one in first["data"].values() if isinstance(one, dict)), None)
        if isinstance(feeds, list):
            there = ", ".join(str(one.get("name")) for one in feeds if isinstance(one, dict))[:300]
            return [
                Said(
                    f"Dies ist das Verzeichnis gbfs.json: nehmen Sie die Adresse einer der Dateien darin ({there}).",
                    f"This is the directory gbfs.json: take the address of one of the files in it ({there}).",
                )
            ]
        if not {"stations", "geofencing_zones", "vehicle_types", "bikes", "vehicles"} & first["data"].keys():
            return [Said("Aus dieser GBFS-Datei entstehen keine Daten.", "No data are made of this file of GBFS.")]
    if family.title in ("Table Schema", "Data Package"):
        return [
            Said(
                "Dies ist die Beschreibung einer Tabelle: nehmen Sie als Quelle ihre CSV-Datei, oder ein zip mit beidem.",
                "This is the description of a table: take its CSV file as the source, or a zip of both.",
            )
        ]
    return []
