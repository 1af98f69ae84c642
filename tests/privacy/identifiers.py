"""Identifiers of people in all the forms in which payloads hide them, and where they hide."""

import base64
import hashlib
import urllib.parse
from collections.abc import Iterator, Mapping
from typing import Any

import orjson
from hypothesis import strategies as st

#: What stands for "an identifier goes here" in a payload while it is made.
Payload = Any


def addresses(octets: bytes) -> dict[str, str]:
    """One MAC address as programs write it."""
    pairs = [f"{one:02x}" for one in octets]
    bare = "".join(pairs)
    eui = [f"{octets[0] ^ 2:02x}", *pairs[1:3], "ff", "fe", *pairs[3:]]
    return {
        "colons": ":".join(pairs),
        "dashes": "-".join(pairs).upper(),
        "dots": ".".join(bare[at : at + 4] for at in (0, 4, 8)),
        "bare": bare,
        "upper": bare.upper(),
        "base64": base64.b64encode(octets).decode(),
        "base64 of text": base64.b64encode(":".join(pairs).encode()).decode(),
        "url": f"https://musterstadt.example/ap?mac={urllib.parse.quote(':'.join(pairs), safe='')}",
        "hex of text": ":".join(pairs).encode().hex(),
        "reversed": ":".join(reversed(pairs)),
        "blanks": " ".join(pairs),
        "eui64": "fe80::" + ":".join("".join(eui[at : at + 2]) for at in range(0, 8, 2)),
    }


#: Out of a digest, so that no address is so plain that its digits stand anywhere by chance.
MACS = st.integers(0, 2**32).map(lambda number: addresses(b"\x02" + hashlib.sha256(b"%d" % number).digest()[:5]))
PEOPLE = st.sampled_from(
    [
        {"owner": "Erika Mustermann-Zyx", "mail": "erika.zyx@wohnen.example", "phone": "+49 1512 3456789"},
        {"owner": "Käthe Größenwahn", "mail": "kg+wlan@mail.example", "phone": "01512/3456780"},
    ]
)
#: Names of stations, of networks that devices ask for, and addresses of the internet.
OTHERS = st.sampled_from(
    [
        {"station": "Erikas-iPhone-13", "ssid": "FRITZ!Box 7590 Zyx", "ipv4": "203.0.113.77", "ipv6": "2001:db8:77::beef"},
        {"station": "DESKTOP-ZYX77", "ssid": "Hotel Zyxhof Gast", "ipv4": "198.51.100.42", "ipv6": "2001:db8:42:0:21e:c2ff:fe00:42"},
    ]
)
IDENTIFIERS = st.builds(lambda mac, person, other: {**mac, **person, **other}, MACS, PEOPLE, OTHERS)


def spellings(identifiers: Mapping[str, str]) -> set[bytes]:
    """Every sequence of bytes that would give one of them away; compared without regard to case."""
    found = set()
    for form in ("colons", "dashes", "bare", "upper"):
        for digest in (hashlib.md5, hashlib.sha1, hashlib.sha256):
            made = digest(identifiers[form].encode())
            found |= {made.hexdigest().encode(), made.digest()}
    for text in identifiers.values():
        found |= {
            text.encode(),
            urllib.parse.quote(text).encode(),
            orjson.dumps(text)[1:-1],
            ascii(text)[1:-1].encode(),
            *(text.encode(code) for code in ("utf-16-le", "utf-16-be", "utf-32-le")),
            urllib.parse.quote(urllib.parse.quote(text, safe=""), safe="").encode(),
            base64.b64encode(text.encode())[: len(text.encode()) // 3 * 4],
            base64.urlsafe_b64encode(text.encode())[: len(text.encode()) // 3 * 4],
            text.encode().hex().encode(),
            text.encode()[::-1],
        }
    octets = bytes.fromhex(identifiers["bare"])
    found |= {octets, octets[::-1], octets.hex(" ").encode(), octets.hex("_").encode(), octets[::-1].hex().encode()}
    return {one.lower() for one in found}


def positions(value: Payload, way: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """Every place of a payload where something can be put: each value, however deep."""
    if isinstance(value, dict):
        for key, child in value.items():
            yield (*way, key)
            yield from positions(child, (*way, key))
    elif isinstance(value, list):
        for number, child in enumerate(value):
            yield (*way, number)
            yield from positions(child, (*way, number))


def planted(value: Payload, way: tuple[str | int, ...], what: Any, *, as_key: bool) -> Payload:
    """A copy of the payload with something at this place, as its value or as one more key beside it."""
    if not way:
        return what
    step, rest = way[0], way[1:]
    if isinstance(value, dict) and not rest and as_key:
        return {**value, str(what): value[str(step)]}
    if isinstance(value, dict):
        return {key: planted(child, rest, what, as_key=as_key) if key == step else child for key, child in value.items()}
    return [planted(child, rest, what, as_key=as_key) if number == step else child for number, child in enumerate(value)]
