"""Archives and binary formats, by their first bytes and the names within: workbooks, timetables, geodata, what can't be read."""

from collections.abc import Iterable
from pathlib import PurePosixPath

from google.protobuf.message import DecodeError as ProtobufError
from google.transit.gtfs_realtime_pb2 import FeedMessage

from stadthub_ingest.decoded import DecodeError
from stadthub_ingest.detection.meaning import Setting
from stadthub_ingest.detection.proposal import Guess, Proposal, Said
from stadthub_ingest.detection.tabular import of_columnar, of_workbook
from stadthub_ingest.opendocument import is_open_document
from stadthub_ingest.packed import Packed
from stadthub_schemas.dataset import Kind

ZIP = b"PK\x03\x04"

#: First bytes of what no decoder reads, and what to ask for instead.
UNREADABLE: tuple[tuple[bytes, str, str], ...] = (
    (b"%PDF", "PDF", "CSV"),
    (b"\xd0\xcf\x11\xe0", "altes Excel/Word · old Excel or Word (.xls, .doc)", "xlsx, CSV"),
    (b"\x89PNG", "PNG", "CSV, GeoJSON"),
    (b"\xff\xd8\xff", "JPEG", "CSV, GeoJSON"),
    (b"Rar!", "RAR", "zip"),
    (b"7z\xbc\xaf", "7z", "zip"),
)

_TIMETABLE = {"stops.txt", "routes.txt", "trips.txt", "agency.txt"}


def unreadable(sample: bytes) -> tuple[str, str] | None:
    """What this is, if no decoder reads it, and what to ask for instead."""
    return next(((title, instead) for start, title, instead in UNREADABLE if sample.startswith(start)), None)


def of_archive(sample: bytes, setting: Setting) -> Proposal | None:
    """What a zip is by the names of its members; None if it only packs a file. DecodeError if it is broken or a trap."""
    names = Packed(sample).names
    last = {PurePosixPath(name).name.lower() for name in names}
    endings = {PurePosixPath(name).suffix for name in last}
    if "workbook.xml" in last or is_open_document(Packed(sample)):
        return of_workbook(sample, setting)
    if len(_TIMETABLE & last) >= 2:
        return _made("GTFS", "gtfs", Kind.FEATURES, _of(sorted(_TIMETABLE & last)), "WEEKLY")
    if {".shp", ".dbf"} <= endings:
        return _made("Shapefile", "shapefile", Kind.FEATURES, _of([".shp", ".dbf"]), "DAILY")
    if "datapackage.json" in last:
        return _made("Data Package", "table_schema", Kind.TABLE, _of(["datapackage.json"]), "DAILY")
    if ".kml" in endings:
        return _made("KMZ", "kml", Kind.FEATURES, _of(["doc.kml"]), "DAILY")
    return None


def only_packs(sample: bytes) -> bool:
    """Whether the archive only packs one file that is meant. DecodeError if it packs several, or is broken."""
    if not sample.startswith(ZIP):
        return True
    if of_archive(sample, Setting("UTC")) is not None:
        return False
    names = [name for name in Packed(sample).names if not name.startswith("__MACOSX")]
    if len(names) != 1:
        raise DecodeError(f"the archive holds {len(names)} files: upload the one that is meant")
    return True


def of_binary(sample: bytes, setting: Setting) -> Proposal | None:
    """What binary formats say at their start; None if it is none of them."""
    if sample.startswith(b"PAR1"):
        return of_columnar(sample, setting)
    if sample.startswith(b"SQLite format 3\x00"):
        return _made("GeoPackage", "geopackage", Kind.FEATURES, Said("eine SQLite-Datei", "a file of SQLite"), "DAILY")
    if sample.startswith(b"fgb\x03"):
        return _made("FlatGeobuf", "flatgeobuf", Kind.FEATURES, Said("beginnt mit fgb", "begins with fgb"), "DAILY")
    if sample[:1] == b"\n":
        return _realtime(sample)
    return None


def _realtime(sample: bytes) -> Proposal | None:
    """GTFS realtime, if the message can be read whole."""
    message = FeedMessage()
    try:
        message.ParseFromString(sample)
    except ProtobufError:
        return None
    if not message.header.gtfs_realtime_version:
        return None
    alerts = bool(message.entity) and all(one.HasField("alert") for one in message.entity)
    reason = Said("eine Nachricht von GTFS-Realtime", "a message of GTFS realtime")
    made = _made("GTFS-Realtime", "gtfs_realtime", Kind.TABLE if alerts else Kind.TIMESERIES, reason, "1MIN")
    return Proposal(made.decoder, made.kind, {}, (), made.guesses, (), ("id",) if alerts else (), made.frequency)


def _of(names: Iterable[str]) -> Said:
    listed = ", ".join(names)
    return Said(f"enthält {listed}", f"holds {listed}")


def _made(title: str, decoder: str, kind: Kind, reason: Said, frequency: str) -> Proposal:
    kinds = Guess("kind", kind.value, 0.9, Said("das macht der Dekodierer daraus", "this is what the decoder makes of it"))
    return Proposal(decoder, kind, {}, (), (Guess("format", title, 0.95, reason), kinds), (), (), frequency, unpack=False)
