"""Which addresses a feed may reach: the public internet, and of private networks only what the hub's settings allow.

A feed file is written by many hands; without this it could read the metadata service of the machine or the router's pages.
"""

import ipaddress
import socket
from collections.abc import Sequence
from urllib.parse import urlsplit, urlunsplit

from stadthub_schemas.errors import SourceError

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

PORTS = {"http": 80, "https": 443}

#: IPv6 networks that carry an IPv4 address: 6to4 behind its first 16 bits, NAT64 in its last 32.
SIX_TO_FOUR = ipaddress.IPv6Network("2002::/16")
NAT64 = (ipaddress.IPv6Network("64:ff9b::/96"), ipaddress.IPv6Network("64:ff9b:1::/48"))


class Reach:
    """What may be reached. `allowed_hosts` holds names, `name:port`, addresses and networks (`10.1.0.0/16`) of private networks."""

    def __init__(self, allowed_hosts: Sequence[str]) -> None:
        self._names: set[str] = set()
        self._networks: list[Network] = []
        for allowed in allowed_hosts:
            try:
                self._networks.append(ipaddress.ip_network(allowed.strip("[]"), strict=False))
            except ValueError:
                self._names.add(allowed.lower())

    def check(self, url: str) -> str:
        """The address to connect to, so that a second look at the name can't give another one; SourceError if it is out of reach."""
        return self.addresses(url)[0]

    def addresses(self, url: str) -> list[str]:
        """All addresses of the URL's host, each checked; SourceError if one of them is out of reach."""
        place = tidy(url)
        try:
            parts = urlsplit(url)
            host, port = (parts.hostname or "").lower(), parts.port or PORTS.get(parts.scheme, 0)
        except ValueError as error:
            raise SourceError(f"{place}: this is not a URL") from error
        if parts.scheme not in PORTS or not host:
            raise SourceError(f"{place}: only http and https URLs can be fetched")
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            raise SourceError(f"{place}: the host name can't be resolved") from error
        addresses = list(dict.fromkeys(str(entry[4][0]).partition("%")[0] for entry in found))
        shown = f"[{host}]" if ":" in host else host
        if host not in self._names and f"{shown}:{port}" not in self._names:
            for address in addresses:
                if not self._may(ipaddress.ip_address(address), port):
                    raise SourceError(
                        f"{place}: the host is in a private or reserved network, "
                        f"whoever runs the hub may allow it: STADTHUB_ALLOWED_HOSTS={shown}"
                    )
        return addresses

    def _may(self, address: Address, port: int) -> bool:
        shown = f"[{address}]" if address.version == 6 else str(address)
        if f"{shown}:{port}" in self._names or any(address in network for network in self._networks):
            return True
        return all(_is_public(one) for one in _meant(address))


def _meant(address: Address) -> list[Address]:
    """The address and the IPv4 address that it carries, if it does."""
    if isinstance(address, ipaddress.IPv4Address):
        return [address]
    if address.ipv4_mapped is not None:
        return [address.ipv4_mapped]
    if address.teredo is not None:
        return [address, *address.teredo]
    if address in SIX_TO_FOUR:
        return [address, ipaddress.IPv4Address(int(address) >> 80 & 0xFFFFFFFF)]
    if any(address in network for network in NAT64):
        return [ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)]
    return [address]


def _is_public(address: Address) -> bool:
    return address.is_global and not address.is_multicast and not address.is_reserved and not address.is_unspecified


def tidy(url: str) -> str:
    """The URL for a reader: without user, password, query and fragment, where secrets may stand."""
    try:
        parts = urlsplit(url)
        host = parts.netloc.rpartition("@")[2]
    except ValueError:
        return "the URL"
    return urlunsplit((parts.scheme, host, parts.path, "", ""))
