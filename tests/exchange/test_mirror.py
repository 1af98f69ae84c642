"""Files of harvested datasets are copied where the harvest says so, again only when they changed, and within bounds."""

from pathlib import Path

from stadthub_catalog.uploads import address
from tests.exchange import payloads
from tests.exchange.hubs import Home
from tests.servers import Answer, Asked, WebServer

SEARCH = "/api/3/action/package_search"


def _resource(web: WebServer, name: str, format_: str = "CSV") -> dict[str, str]:
    return {"id": name, "url": f"{web.url}/{name}", "name": name, "format": format_}


def _files(folder: Path) -> dict[str, bytes]:
    return {one.name: one.read_bytes() for one in (folder / "uploads").rglob("*") if one.is_file()}


def test_files_are_copied_kept_and_let_go(ours: Home, web_server: WebServer, tmp_path: Path) -> None:
    resources = [_resource(web_server, "zahlen.csv"), _resource(web_server, "bild.png", "PNG"), _resource(web_server, "fehlt.csv")]
    one, two = payloads.package(1, resources=resources), payloads.package(2, resources=[_resource(web_server, "gross.json", "JSON")])
    others = [payloads.package(number) | {"resources": []} for number in range(3, 10)]
    web_server.answers[SEARCH] = Answer(payloads.found([one, two, *others]))

    def numbers(asked: Asked) -> Answer:
        return Answer(b"", 304) if asked.headers.get("if-none-match") == '"1"' else Answer(b"a;b\n1;2\n", headers={"ETag": '"1"'})

    web_server.answers["/zahlen.csv"] = numbers
    web_server.answers["/gross.json"] = Answer(b"x" * 5000)
    more = "mirror = { formats = ['CSV', 'JSON'], max_bytes = 1000 }\n"
    ours.harvest(web_server.url, more=more)
    assert _files(tmp_path) == {"zahlen.csv": b"a;b\n1;2\n"}
    entry = ours.catalog.entry("paket-1")
    copy, picture, missing = entry.distributions
    assert copy.id is not None
    assert (copy.url, copy.size) == (address(entry.id, copy.id, "zahlen.csv"), 8)
    assert picture.url == f"{web_server.url}/bild.png"
    assert missing.url == f"{web_server.url}/fehlt.csv"
    [finding] = ours.catalog.findings("nebenan")
    assert (finding.kind, finding.details["failed"]) == ("mirror_failed", 2)

    changed = payloads.package(1, title="Neuer Titel", resources=resources)
    web_server.answers[SEARCH] = Answer(payloads.found([changed, two, *others]))
    assert ours.harvest(web_server.url, more=more).updated == 1
    assert ours.catalog.entry("paket-1").distributions[0].url == copy.url
    assert [asked.headers.get("if-none-match") for asked in web_server.asked if asked.path == "/zahlen.csv"] == [None, '"1"']

    web_server.answers[SEARCH] = Answer(payloads.found([two, *others]))
    assert ours.harvest(web_server.url, more=more).withdrawn == 1
    assert _files(tmp_path) == {}

    web_server.answers[SEARCH] = Answer(payloads.found([one, two, *others]))
    assert ours.harvest(web_server.url, more=more).created == 1
    assert _files(tmp_path) == {"zahlen.csv": b"a;b\n1;2\n"}
