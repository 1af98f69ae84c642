"""`ckanapi`, the client that most programs use, and its command line, against a served hub."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from ckanapi import CKANAPIError, NotAuthorized, NotFound, RemoteCKAN, ValidationError

from tests.clients.conftest import Hub


@pytest.fixture
def site(hub: Hub) -> RemoteCKAN:
    """The hub as a reader without a token sees it."""
    return RemoteCKAN(hub.address)


def test_it_searches_and_shows(hub: Hub, site: RemoteCKAN) -> None:
    found = site.action.package_search(q="titel", **{"facet.field": '["tags"]'})
    assert found["count"] == 1
    assert found["results"][0] == site.action.package_show(id="baeume") == site.action.package_show(id=str(hub.baeume))
    assert found["facets"] == {"tags": {"Baum": 1, "Feinstaub PM10": 1}}
    assert site.action.package_list() == ["baeume", "parken"]
    assert site.action.organization_list() == ["musterstadt"]
    assert site.action.organization_show(id="musterstadt")["title"] == "Stadt Musterstadt"
    assert site.action.tag_list() == ["Baum", "Feinstaub PM10", "Parken"]
    assert site.action.status_show()["site_title"] == "Daten Musterstadt"
    csv = site.action.resource_show(id=str(hub.csv))
    assert (csv["format"], csv["size"], csv["package_id"]) == ("CSV", 100, str(hub.baeume))
    assert csv["url"] == "https://daten.musterstadt.example/distributions/baeume/baeume.csv"


def test_it_tells_what_is_not_there_from_what_is_not_for_everybody(site: RemoteCKAN) -> None:
    with pytest.raises(NotFound):
        site.action.package_show(id="nope")
    with pytest.raises(NotAuthorized):
        site.action.package_show(id="intern")
    with pytest.raises(ValidationError):
        site.action.package_show()
    with pytest.raises(CKANAPIError, match="Action name not known"):
        site.action.nope()


def test_a_token_opens_what_is_internal(hub: Hub) -> None:
    with RemoteCKAN(hub.address, apikey=hub.token) as site:
        assert site.action.package_show(id="intern")["private"] is True
        assert site.action.package_search(include_private=True, q="name:intern")["count"] == 1
    with RemoteCKAN(hub.address, apikey="wrong") as site:
        assert site.action.package_search(q="name:intern", include_private=True)["count"] == 0


def test_its_command_line_dumps_all_datasets(hub: Hub) -> None:
    command = [sys.executable, "-c", "from ckanapi.cli.main import main; main()", "dump", "datasets", "--all", "-r", hub.address]
    # its workers are started by the program's name
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False, env={**os.environ, "PATH": path})
    assert done.returncode == 0, done.stderr
    assert [json.loads(line)["name"] for line in done.stdout.splitlines()] == ["baeume", "parken"]
