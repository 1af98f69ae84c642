"""Connectors that are not about people: what their payloads hold of people anyway, and of one vehicle, is gone before the first byte."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given, settings

from stadthub_ingest.reducing import reducer, storable
from stadthub_pipelines.once import run_once
from stadthub_schemas.feed import Feed, parse_feed
from stadthub_schemas.settings import Settings
from tests.pipelines.running import METADATA
from tests.privacy.identifiers import IDENTIFIERS, planted, positions, spellings
from tests.privacy.searching import given_away, written

Who = Mapping[str, str]
OPARL = "https://schema.oparl.org/1.1/"


def _vehicle(who: Who, number: int) -> dict[str, Any]:
    place = {"lat": 50.903 + number / 1e5, "lon": 11.503, "is_reserved": False, "is_disabled": False, "vehicle_type_id": "bike"}
    return {**place, "vehicle_id": who["bare"], "bike_id": who["colons"], "rental_uris": {"web": who["url"]}, "last_reported": 1}


def gbfs(who: Who) -> bytes:
    vehicles = [_vehicle(who, 0), _vehicle(who, 1)]
    return orjson.dumps({"last_updated": 1781514000, "ttl": 60, "version": "3.0", "data": {"vehicles": vehicles}})


def persons(who: Who) -> bytes:
    home = {"id": "https://rat.example/l/1", "type": f"{OPARL}Location", "streetAddress": who["station"], "persons": ["x"]}
    person = {"id": "https://rat.example/p/1", "type": f"{OPARL}Person", "name": "Dr. Rat", "email": [who["mail"]], "phone": [who["phone"]]}
    member = {"id": "https://rat.example/m/1", "type": f"{OPARL}Membership", "role": "Rat", who["owner"]: 1}
    return orjson.dumps({"data": [{**person, "life": who["owner"], "location": home, "locationObject": home, "membership": [member]}]})


def locations(who: Who) -> bytes:
    home = {
        "type": f"{OPARL}Location",
        "streetAddress": who["owner"],
        "geojson": {"x": who["phone"]},
        "persons": ["https://rat.example/p/1"],
    }
    hall = {"id": "https://rat.example/l/2", "type": f"{OPARL}Location", "streetAddress": "Markt 1", "description": "Rathaus"}
    return orjson.dumps({"data": [{**home, "id": "https://rat.example/l/1"}, hall], "links": {"next": who["url"]}})


def ical(who: Who) -> bytes:
    lines = [
        "BEGIN:VCALENDAR", "VERSION:2.0", f"X-WR-CALNAME:{who['owner']}", "BEGIN:VEVENT", "UID:1", "DTSTAMP:20260601T120000Z",
        "DTSTART;TZID=Europe/Berlin:20260701T190000", f'SUMMARY;X-BY="{who["owner"]}":Konzert', f'ORGANIZER;CN="{who["owner"]}":mailto:{who["mail"]}',
        f"ATTENDEE;EMAIL={who['mail']}:mailto:{who['mail'][:5]}", f" {who['mail'][5:]}", f"CONTACT:{who['owner']}\\, {who['phone']}", "BEGIN:VALARM",
        f"DESCRIPTION:{who['owner']}", f"ATTENDEE:mailto:{who['mail']}", "END:VALARM", "END:VEVENT", "BEGIN:VTODO", f"SUMMARY:{who['owner']}",
        "END:VTODO", "END:VCALENDAR", f"COMMENT:{who['phone']}",
    ]  # fmt: skip
    return "\r\n".join(lines).encode()


def schema_event(who: Who) -> bytes:
    person = {"@type": "Person", "name": who["owner"], "email": who["mail"], "telephone": who["phone"]}
    office = {"@type": "Organization", "name": "Kulturamt", "email": who["mail"], "member": person}
    event = {"@type": "MusicEvent", "@id": "https://stadt.example/e/1", "name": "Konzert", "startDate": "2026-07-01T19:00:00+02:00"}
    place = {"@type": "Place", "name": "Park", "telephone": who["phone"], "address": {"streetAddress": "Parkweg 1", "email": who["mail"]}}
    return orjson.dumps({"@graph": [{**event, "organizer": [office, person], "performer": person, "location": place}, person]})


def rss(who: Who) -> bytes:
    person = f"{who['mail']} ({who['owner']})"
    item = f"<title>Neu</title><link>https://stadt.example/1</link><author>{person}</author><c:creator>{who['owner']}</c:creator>"
    head = f"<title>Stadt</title><managingEditor>{person}</managingEditor><webMaster>{who['mail']}</webMaster>"
    return f'<rss xmlns:c="urn:c"><channel>{head}<item a="{who["mail"]}">{item}</item></channel></rss>'.encode()


def ngsi_ld(who: Who) -> bytes:
    contact = {"type": "Property", "value": {"email": who["mail"], "telephone": who["phone"], "name": who["owner"]}}
    pm10 = {"type": "Property", "value": 12.5, "unitCode": "GQ", "observedAt": "2026-06-01T12:00:00Z", "providedBy": who["mail"]}
    entity = {"id": "urn:ngsi-ld:AirQualityObserved:1", "type": "AirQualityObserved", "pm10": pm10, "contactPoint": contact}
    return orjson.dumps(
        {"type": "Notification", "data": [{**entity, "owner": [who["mail"]], "seller": who["owner"], "note": who["phone"]}]}
    )


#: The decoder, the kind of its dataset, its options, what makes its payload, and what must still be there of it.
KINDS: dict[str, tuple[str, str, str, Callable[[Who], bytes], bytes]] = {
    "gbfs": ("gbfs", "timeseries", "", gbfs, b"vehicle_type_id"),
    "persons": ("oparl", "table", 'type = "Person"', persons, b"Dr. Rat"),
    "memberships": ("oparl", "table", 'type = "Membership"', persons, b"Membership"),
    "locations": ("oparl", "table", 'type = "Location"', locations, b"Rathaus"),
    "ical": ("ical", "table", "", ical, b"Konzert"),
    "schema-event": ("schema_event", "table", "", schema_event, b"Kulturamt"),
    "rss": ("rss", "table", "", rss, b"Neu"),
    "ngsi-ld": ("ngsi_ld", "timeseries", "", ngsi_ld, b"pm10"),
}


def _feed(kind: str, source: str = 'type = "push"') -> Feed:
    decoder, of, options, _, _ = KINDS[kind]
    keyed = 'key = ["id"]\n' if of == "table" else ""
    head = f'id = "{kind}"\ntitle = "{kind}"\ndataset = "{kind}"\nkind = "{of}"\n{keyed}decoder = "{decoder}"\n[source]\n{source}\n'
    return parse_feed(head + f"[options]\n{options}\n" + METADATA, "feed.toml")


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=3, deadline=None)
@given(who=IDENTIFIERS)
def test_members_about_people_do_not_pass_the_door(kind: str, who: dict[str, str]) -> None:
    door, make, there = reducer(_feed(kind), b"k" * 32), KINDS[kind][3], KINDS[kind][4]
    body = make(who)
    stored = storable(door(body, who["mail"]))
    assert there in stored
    assert not given_away(spellings(who), [(kind, stored)])
    assert storable(door(body[: len(body) // 2], "")).lower().find(who["mail"].encode()) == -1


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind not in ("ical", "rss")])
@settings(max_examples=2, deadline=None)
@given(who=IDENTIFIERS)
def test_a_member_that_nobody_declared_does_not_pass_wherever_it_stands(kind: str, who: dict[str, str]) -> None:
    door, secrets = reducer(_feed(kind), b"k" * 32), spellings(who)
    value = orjson.loads(KINDS[kind][3](who))
    # what stands in a list is no member, and the name of a number is what an entity observes
    ways = [way for way in positions(value) if isinstance(way[-1], str) and not (kind == "ngsi-ld" and way[-1] == "pm10")]
    for way in ways:
        for text in who.values():
            body = orjson.dumps(planted(value, way, text, as_key=True))
            assert not given_away(secrets, [(str(way), storable(door(body, "")))])


@settings(max_examples=3, deadline=None)
@given(who=IDENTIFIERS)
def test_two_fetches_do_not_tell_which_vehicle_went_where(who: dict[str, str]) -> None:
    door = reducer(_feed("gbfs"), b"k" * 32)
    first, second = _vehicle(who, 0), {**_vehicle(who, 400), "bike_id": "other"}
    bodies = [orjson.dumps({"last_updated": 1, "data": {"vehicles": heap}}) for heap in ([first, second], [second, first])]
    assert door(bodies[0], "") == door(bodies[1], "")
    kept = orjson.loads(door(bodies[0], "") or b"")["data"]["vehicles"]
    assert [set(one) for one in kept] == [{"vehicle_type_id", "is_reserved", "is_disabled", "lon", "lat"}] * 2
    assert {(one["lon"], one["lat"]) for one in kept} == {(11.505, 50.905)}


def test_what_a_file_source_reads_leaves_nobody(tmp_path: Path) -> None:
    who: dict[str, str] = {}

    @settings(max_examples=1, database=None, derandomize=True)
    @given(IDENTIFIERS)
    def take(one: dict[str, str]) -> None:
        who.update(one)

    take()
    for kind in KINDS:
        source = tmp_path / f"{kind}.source"
        source.write_bytes(KINDS[kind][3](who))
        place = Settings.model_validate({"data_dir": tmp_path / kind, "min_free_mb": 0})
        runner = run_once(_feed(kind, f'type = "file"\npath = "{source}"'), place)
        assert runner.intake.counts.stored > 0, kind
        assert not given_away(spellings(who), written(place.data_dir))
