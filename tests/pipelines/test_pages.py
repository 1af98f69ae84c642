"""A list that comes in pages is one whole: one version of the table, and what is no longer in it is removed."""

import json
from pathlib import Path
from typing import Any

from stadthub_schemas.query import RowsQuery
from tests.pipelines.running import METADATA, running
from tests.servers import Answer, WebServer

TYPE = "https://schema.oparl.org/1.1/Paper"
FEED = """
id = "papers"
title = "Papers"
dataset = "papers"
kind = "table"
decoder = "oparl"
key = ["id"]
[source]
type = "http"
url = "{url}/papers"
every = "PT0.3S"
paging = {{ by = "link", path = "links.next" }}
[options]
type = "Paper"
""" + METADATA.replace("{", "{{").replace("}", "}}")


def page(*numbers: int, following: str | None = None, deleted: int | None = None) -> Answer:
    papers = [{"id": f"paper/{number}", "type": TYPE, "name": f"Paper {number}", "deleted": number == deleted} for number in numbers]
    return Answer(json.dumps({"data": papers, "links": {"next": following} if following else {}}).encode())


def test_all_pages_are_one_version_and_what_is_gone_is_removed(tmp_path: Path, web_server: WebServer) -> None:
    web_server.answers["/papers"] = page(1, 2, following="/papers2")
    web_server.answers["/papers2"] = page(3, 2, following="/papers3")
    web_server.answers["/papers3"] = page(4)
    with running(tmp_path, {"papers": FEED.format(url=web_server.url)}, allowed_hosts=["127.0.0.1"]) as hub:
        hub.wait(lambda: hub.count("papers") > 0)
        assert hub.count("papers") == 4, "no version holds less than all pages"
        hub.wait(lambda: hub.reader.rejects("papers")["reason"].to_pylist()[:1] == ["id: 'paper/2' stands twice in this payload"])
        web_server.answers["/papers3"] = page(4, 5, deleted=4)
        hub.wait(lambda: "paper/5" in _ids(hub.lake.rows(RowsQuery("papers")).table))
        assert _ids(hub.lake.rows(RowsQuery("papers")).table) == ["paper/1", "paper/2", "paper/3", "paper/5"]
        assert set(hub.reader.rejects("papers")["reason"].to_pylist()) == {"id: 'paper/2' stands twice in this payload"}


def _ids(table: Any) -> list[str]:
    return sorted(table.column("id").to_pylist())
