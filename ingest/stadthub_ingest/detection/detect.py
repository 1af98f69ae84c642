"""The front door: bytes in, a proposal out. Bounded in time and memory whatever the bytes are."""

import re
import zlib
from dataclasses import replace
from typing import Any

from stadthub_ingest import registry
from stadthub_ingest.accesspoints import Kept
from stadthub_ingest.decoded import DecodeError
from stadthub_ingest.detection.families import family_of, proposal_of
from stadthub_ingest.detection.marked import of_marked
from stadthub_ingest.detection.meaning import Setting
from stadthub_ingest.detection.objects import of_objects
from stadthub_ingest.detection.packages import ZIP, of_archive, of_binary, unreadable
from stadthub_ingest.detection.proposal import Guess, Proposal, Said
from stadthub_ingest.detection.tabular import of_text
from stadthub_ingest.packed import Packed
from stadthub_ingest.texts import read_json, read_text
from stadthub_schemas.dataset import Kind
from stadthub_schemas.errors import FeedError

#: A sample may hold so many bytes, and unpack to so many.
LARGEST, UNPACKED = 200_000_000, 20_000_000
#: So many lines of NDJSON are read.
LINES = 500
_GZIP = b"\x1f\x8b"


def detect(sample: bytes, name: str, content_type: str = "", zone: str = "Europe/Berlin") -> Proposal:
    """What this sample is. `name` is its file, address or topic; `content_type` only breaks ties. FeedError in one sentence for what
    no decoder reads."""
    if not sample.strip():
        raise FeedError(f"{_called(name)}: it is empty")
    if len(sample) > LARGEST:
        raise FeedError(f"{_called(name)}: it holds more than {LARGEST} bytes: take a part of it as a sample")
    setting = Setting(zone, _stem(name))
    try:
        return _checked(_detected(sample, setting, content_type))
    except DecodeError as error:
        raise FeedError(f"{_called(name)}: {error}") from error
    except RecursionError as error:
        raise FeedError(f"{_called(name)}: it is nested too deep") from error


def _detected(sample: bytes, setting: Setting, content_type: str) -> Proposal:
    other = unreadable(sample)
    if other is not None:
        raise DecodeError(f"this is {other[0]}, which no decoder reads: ask the source for {other[1]}")
    if sample.startswith(ZIP):
        return of_archive(sample, setting) or _detected(_first_member(sample), setting, content_type)
    if sample.startswith(_GZIP):
        return _detected(_inflated(sample), setting, content_type)
    found = of_binary(sample, setting)
    if found is not None:
        return found
    if b"\x00" in sample[:4000] and not sample.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise DecodeError("it is a binary format that no decoder reads: ask the source for CSV, JSON or GeoJSON")
    start = sample[:1000].lstrip(b"\xef\xbb\xbf \r\n\t")
    if start.startswith(b"<"):
        return _marked(sample, start)
    if start.startswith(b"BEGIN:VCALENDAR"):
        return _calendar()
    if start[:1] in (b"{", b"["):
        return _json(sample, setting)
    table = of_text(sample, setting)
    if table is None:
        kind = f" ({content_type})" if content_type else ""
        raise DecodeError(f"it is neither a table nor JSON, XML or geodata{kind}: take an address that gives data")
    return table


def _marked(sample: bytes, start: bytes) -> Proposal:
    if re.match(rb"<(!doctype html|html)", start[:100], re.IGNORECASE):
        raise DecodeError("this is a web page, not data: look on it for a link to CSV, JSON, GeoJSON or an API")
    found = of_marked(sample)
    if found is None and b"ExceptionReport" in start:
        raise DecodeError("the source answers with an exception report instead of data: look at the address")
    if found is None:
        raise DecodeError("this XML is none that a decoder reads: ask the source for CSV, JSON or GeoJSON")
    return found


def _calendar() -> Proposal:
    guess = Guess("format", "iCalendar", 0.99, Said("beginnt mit BEGIN:VCALENDAR", "begins with BEGIN:VCALENDAR"))
    return Proposal("ical", Kind.TABLE, {}, (), (guess,), (), ("id",), "DAILY")


def _json(sample: bytes, setting: Setting) -> Proposal:
    """JSON, or one JSON object a line."""
    lines = False
    try:
        found: Any = read_json(sample)
    except DecodeError:
        found = _ndjson(sample)
        lines = True
        if found is None:
            raise
    known = family_of(found)
    if known is not None:
        return proposal_of(*known)
    if not isinstance(found, dict | list) or not found or (isinstance(found, list) and not any(isinstance(one, dict) for one in found)):
        raise DecodeError("it is JSON without objects in it")
    said = _error(found)
    if said is not None:
        raise DecodeError(f"the source answers with an error: {said[:200]}")
    if isinstance(found, dict) and isinstance(found.get("properties"), dict) and found.get("type") == "object":
        raise DecodeError("this is a JSON Schema, which describes data: take the data themselves")
    return of_objects(found, setting, lines=lines)


def _error(found: Any) -> str | None:
    """What an answer says that is an error instead of data; None for data."""
    if not isinstance(found, dict) or len(found) > 8:
        return None
    inner = found.get("error", found)
    told = (
        next((inner[name] for name in ("message", "detail") if isinstance(inner.get(name), str)), None)
        if isinstance(inner, dict)
        else inner
    )
    is_error = "error" in found or (isinstance(found.get("status"), int) and found["status"] >= 400)
    return told if is_error and isinstance(told, str) else None


def _ndjson(sample: bytes) -> list[Any] | None:
    """The objects of the first lines; None if most of them aren't JSON each."""
    lines = [line for line in read_text(sample[:5_000_000], None).splitlines()[:LINES] if line.strip()]
    found: list[Any] = []
    for line in lines:
        try:
            found.append(read_json(line.encode()))
        except DecodeError:
            continue
    return found if len(lines) > 1 and len(found) > len(lines) / 2 and all(isinstance(one, dict) for one in found) else None


def _first_member(sample: bytes) -> bytes:
    """The first member that is no folder or note."""
    packed = Packed(sample)
    names = [
        name for name in packed.names if not name.startswith("__MACOSX") and not name.lower().endswith((".txt", ".md", ".pdf", ".zip"))
    ]
    if not names:
        raise DecodeError("the archive holds no file that could be data")
    body = bytearray()
    for chunk in packed.chunks(names[0]):
        body += chunk
        if len(body) > UNPACKED:
            break
    return bytes(body[:UNPACKED])


def _inflated(sample: bytes) -> bytes:
    """The beginning of what is packed."""
    try:
        body = zlib.decompressobj(wbits=31).decompress(sample, UNPACKED)
    except zlib.error as error:
        raise DecodeError("it is a broken gzip file") from error
    if body.startswith((_GZIP, ZIP)):
        raise DecodeError("it is an archive in an archive: unpack it")
    return body


def _checked(found: Proposal) -> Proposal:
    """The proposal; where this hub lacks the decoder it says so."""
    if found.decoder in registry.names():
        if issubclass(registry.find(found.decoder).Options, Kept):
            words = Said(
                "Diese Daten erzählen von Menschen oder ihren Geräten: gespeichert werden nur Zählwerte; Zweck und Rechtsgrundlage sind nötig.",
                "These data tell of people or their devices: only counts are stored; purpose and legal basis are needed.",
            )
            return replace(found, warnings=(words, *found.warnings))
        return found
    words = Said(
        f"Diese Fassung hat keinen Dekodierer „{found.decoder}“: bitten Sie die Quelle um GeoJSON.",
        f"This version has no decoder “{found.decoder}”: ask the source for GeoJSON.",
    )
    return replace(found, warnings=(words, *found.warnings))


def _stem(name: str) -> str:
    last = re.sub(r"[?#].*\Z", "", name).rstrip("/").rsplit("/", 1)[-1]
    return re.sub(
        r"\.(csv|tsv|txt|json|geojson|ndjson|jsonl|xlsx|ods|xml|kml|kmz|gpx|gpkg|fgb|parquet|zip|gz|xz)\Z", "", last, flags=re.IGNORECASE
    )[:100]


def _called(name: str) -> str:
    """The sample's name for a sentence: its last part, which holds no secret and no path of this machine."""
    return re.sub(r"[?#].*\Z", "", name).rstrip("/").rsplit("/", 1)[-1][:100] or "the sample"
