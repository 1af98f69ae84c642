"""Which addresses a feed may reach."""

import socket

import pytest

from stadthub_ingest.sources.reach import Reach, tidy
from stadthub_schemas.errors import SourceError


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "127.1",
        "2130706433",
        "0.0.0.0",
        "10.0.0.1",
        "172.16.0.1",
        "192.168.1.1",
        "100.64.0.1",
        "169.254.169.254",
        "224.0.0.1",
        "240.0.0.1",
        "255.255.255.255",
        "[::1]",
        "[::]",
        "[::ffff:127.0.0.1]",
        "[::ffff:169.254.169.254]",
        "[::127.0.0.1]",
        "[fe80::1]",
        "[fd00:ec2::254]",
        "[2002:7f00:1::]",
        "[64:ff9b::7f00:1]",
        "[2001:0:7f00:1::]",
        "[ff02::1]",
        "localhost",
    ],
)
def test_private_and_reserved_addresses_are_refused(host: str) -> None:
    with pytest.raises(SourceError, match=r"private or reserved network.*STADTHUB_ALLOWED_HOSTS="):
        Reach([]).check(f"http://{host}/x")


@pytest.mark.parametrize("host", ["9.9.9.9", "[2620:fe::9]", "[64:ff9b::909:909]"])
def test_public_addresses_are_answered(host: str) -> None:
    assert Reach([]).check(f"https://{host}/x") == host.strip("[]")


@pytest.mark.parametrize(
    "url", ["ftp://9.9.9.9/x", "file:///etc/passwd", "gopher://9.9.9.9", "http:///x", "//9.9.9.9/", "http://[::1", "x"]
)
def test_only_http_urls_with_a_host_can_be_fetched(url: str) -> None:
    with pytest.raises(SourceError):
        Reach(["0.0.0.0/0", "::/0", "localhost"]).check(url)


@pytest.mark.parametrize("allowed", ["127.0.0.1", "127.0.0.1:8080", "127.0.0.0/8", "localhost", "localhost:8080", "LOCALHOST"])
def test_the_settings_may_allow_a_host_a_port_or_a_network(allowed: str) -> None:
    host = "127.0.0.1" if allowed[0].isdigit() else "localhost"
    reach = Reach([allowed, "::1"])
    assert reach.check(f"http://{host}:8080/x") in ("127.0.0.1", "::1")
    if ":" in allowed:
        with pytest.raises(SourceError, match="private"):
            Reach([allowed]).check(f"http://{host}:8081/x")


def test_a_network_that_is_not_the_right_one_opens_nothing() -> None:
    with pytest.raises(SourceError, match="private"):
        Reach(["10.0.0.0/8", "example.org"]).check("http://192.168.0.1/")


def test_an_unknown_name_is_a_sentence_without_secrets() -> None:
    with pytest.raises(SourceError) as caught:
        Reach([]).check("https://user:geheim@no-such-host.invalid/path?apikey=geheim#geheim")
    assert str(caught.value) == "https://no-such-host.invalid/path: the host name can't be resolved"


def test_tidy_takes_off_what_may_be_secret() -> None:
    assert tidy("https://a:b@x.org:81/p/q?key=1#f") == "https://x.org:81/p/q"


def test_this_machine_has_a_loopback() -> None:
    assert socket.getaddrinfo("localhost", 80)
