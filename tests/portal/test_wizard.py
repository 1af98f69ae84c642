"""The wizard: from a source to a feed file by plain forms and in a browser; what tells of people, of the machine, of others' changes."""

import html
import json
import re
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import expect

from stadthub_api.app import create_app
from stadthub_catalog.catalog import Catalog
from stadthub_schemas.access import Role
from stadthub_schemas.feed import load_feed
from tests.api.city import served
from tests.portal.city import City
from tests.portal.test_every_page import violations
from tests.servers import Answer, WebServer

Look = Callable[..., Any]
FORM = {"Sec-Fetch-Site": "same-origin", "Accept": "text/html"}
NEW = "/operator/feeds/new"
CSV = "Station;Zeit;PM10 [µg/m³];E-Mail\n" + "".join(
    f"{name};01.02.2026 {hour}:00;{hour},5;erika@example.org\n" for hour in range(10, 20) for name in "AB"
)
WORDS = {
    "description": "Feinstaub an zwei Straßen",
    "license": "dl-de-by-2.0",
    "publisher.title": "Stadt Musterstadt",
    "contact.name": "Umweltamt",
    "release.by": "Umweltamt",
    "release.date": "2026-01-01",
    "release.legal_basis": "§ 12a EGovG",
}


@pytest.fixture
def signed_in(portal_address: str, portal_city: City) -> Iterator[httpx.Client]:
    """A browser without scripts, signed in as operator."""
    with httpx.Client(base_url=portal_address, timeout=60, headers=FORM) as client:
        client.cookies.set("stadthub_session", portal_city.token)
        yield client


def fields(page: str) -> dict[str, Any]:
    """What a browser would send of the page's form with its texts, choices and hidden fields."""
    found: dict[str, Any] = {}
    for tag in re.findall(r"<input[^>]*>", page):
        told = {name: html.unescape(value) for name, value in re.findall(r'(\w[\w-]*)="([^"]*)"', tag)}
        if told.get("type") == "checkbox" and " checked" not in tag:
            continue
        if told.get("type") != "file" and "name" in told:
            found[told["name"]] = told.get("value", "on")
    for name, options in re.findall(r'<select[^>]*name="([^"]+)"[^>]*>(.*?)</select>', page, re.DOTALL):
        chosen = re.search(r'value="([^"]*)" selected', options)
        found[name] = html.unescape(chosen[1]) if chosen else ""
    for name, text in re.findall(r'<textarea[^>]*name="([^"]+)"[^>]*>(.*?)</textarea>', page, re.DOTALL):
        found[name] = html.unescape(text).removeprefix("\n")
    return found


def walked(client: httpx.Client, name: str, **mapping: Any) -> str:
    """The feed file that the wizard makes of the CSV sample, before it is saved."""
    detected = client.post(f"{NEW}/detect", files={"file": ("luft.csv", CSV.encode())})
    assert detected.status_code == 200, detected.text
    tried = client.post(f"{NEW}/try", data={**fields(detected.text), "id": name, "dataset": name, **mapping})
    assert tried.status_code == 200, tried.text
    reviewed = client.post(f"{NEW}/review", data={**fields(tried.text), **WORDS, "themes": ["ENVI"]})
    assert reviewed.status_code == 200, reviewed.text
    return str(fields(reviewed.text)["toml"])


def test_a_file_becomes_a_feed_without_scripts_and_its_release_is_in_the_audit(signed_in: httpx.Client, portal_city: City) -> None:
    text = walked(signed_in, "wizard-air")
    assert "# " in text
    saved = signed_in.post(f"{NEW}/save", data={"toml": text})
    assert (saved.status_code, saved.headers["location"]) == (303, "/operator/feeds/wizard-air")
    feed = load_feed(portal_city.settings.feeds / "wizard-air.toml")
    assert feed.options["keep"] == "named"
    assert feed.options["values"] == {"PM10 [µg/m³]": {"observed_property": "pm10", "unit": "ug/m3"}}
    assert feed.metadata is not None
    assert feed.metadata.release is not None
    assert signed_in.get("/operator/feeds/wizard-air").status_code == 200
    catalog = Catalog(portal_city.settings.database)
    assert catalog.verify_audit() > 0
    with catalog.database.reading() as connection:
        [(details,)] = connection.exec_driver_sql("select details from audit where what = 'feed.add' and \"on\" = 'wizard-air'").all()
    catalog.close()
    assert json.loads(details)["release"]["by"] == "Umweltamt"
    assert not [path for path in portal_city.settings.feeds.iterdir() if path.suffix != ".toml"]


def test_nothing_of_a_sample_is_written(signed_in: httpx.Client, portal_city: City) -> None:
    walked(signed_in, "wizard-nothing")
    folder = portal_city.settings.data_dir
    assert not any(b"erika@example.org" in path.read_bytes() for path in folder.rglob("*") if path.is_file())


def test_a_large_file_stays_in_memory(signed_in: httpx.Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", "/nowhere")  # whoever wants a temporary file fails
    detected = signed_in.post(f"{NEW}/detect", files={"file": ("luft.csv", (CSV * 4_000).encode())})
    assert detected.status_code == 200


def test_an_id_that_is_there_is_refused(signed_in: httpx.Client) -> None:
    text = walked(signed_in, "wizard-twice")
    assert signed_in.post(f"{NEW}/save", data={"toml": text}).status_code == 303
    again = signed_in.post(f"{NEW}/save", data={"toml": text})
    assert again.status_code == 422
    assert "wizard-twice is the id of wizard-twice.toml too" in again.text


def test_public_data_need_a_release(signed_in: httpx.Client) -> None:
    detected = signed_in.post(f"/en{NEW}/detect", data={"pasted": CSV})
    tried = signed_in.post(f"/en{NEW}/try", data={**fields(detected.text), "id": "wizard-release"})
    told = signed_in.post(f"/en{NEW}/review", data={**fields(tried.text), **WORDS, "release.by": "", "themes": ["ENVI"]})
    assert told.status_code == 422
    assert "released by: missing (release.by)" in told.text
    assert "Feinstaub an zwei Straßen" in told.text  # what was answered is not asked again
    hidden = signed_in.post(
        f"/en{NEW}/review",
        data={
            **fields(told.text),
            **WORDS,
            "release.by": "",
            "release.legal_basis": "",
            "access": "internal",
            "purpose": "x",
            "themes": ["ENVI"],
        },
    )
    assert hidden.status_code == 200


def test_data_on_people_need_purpose_and_confirmation_and_are_hidden_then(signed_in: httpx.Client) -> None:
    rows = "Nr;Ansprechpartner;Betrag\n1;Erika Muster;5\n2;Max Muster;6\n"
    detected = signed_in.post(f"{NEW}/detect", data={"pasted": rows})
    assert "Erika" not in re.sub(r'name="sample" value="[^"]*"', "", detected.text)
    form = {**fields(detected.text), "id": "wizard-people", "becomes-1": "property"}
    assert "brauchen einen Zweck" in signed_in.post(f"{NEW}/try", data=form).text
    kept = signed_in.post(f"{NEW}/try", data={**form, "purpose": "Erreichbarkeit", "confirmed": "yes"})
    assert kept.status_code == 200
    assert 'ansprechpartner = {title = "Ansprechpartner", access = "restricted"}' in fields(kept.text)["toml"]
    assert fields(kept.text)["purpose"] == "Erreichbarkeit"


def test_device_addresses_are_never_kept(signed_in: httpx.Client) -> None:
    detected = signed_in.post(f"{NEW}/detect", data={"pasted": "Nr;MAC\n1;02:00:5e:10:00:01\n2;02:00:5e:10:00:02\n"})
    form = {**fields(detected.text), "id": "wizard-mac", "becomes-1": "property", "purpose": "x", "confirmed": "yes"}
    refused = signed_in.post(f"{NEW}/try", data=form)
    assert refused.status_code == 422
    assert "wird nie gespeichert" in refused.text


def test_the_kind_can_be_changed_and_the_mapping_follows(signed_in: httpx.Client) -> None:
    detected = signed_in.post(f"{NEW}/detect", data={"pasted": CSV})
    changed = signed_in.post(f"{NEW}/detect", data={**fields(detected.text), "kind": "table"})
    assert fields(changed.text)["kind"] == "table"
    assert {value for name, value in fields(changed.text).items() if name.startswith("becomes-")} == {"property", "drop"}
    tried = signed_in.post(f"{NEW}/try", data={**fields(changed.text), "id": "wizard-kind"})
    assert 'kind = "table"' in fields(tried.text)["toml"]


def test_rejects_are_told_with_their_reasons(signed_in: httpx.Client) -> None:
    detected = signed_in.post(f"{NEW}/detect", data={"pasted": CSV + "A;01.02.2026 20:00;9999999,5;\n"})
    tried = signed_in.post(f"{NEW}/try", data={**fields(detected.text), "id": "wizard-rejects"})
    assert re.search(r"1 × result: 9999999.5 µg/m³ liegt außerhalb von 0 bis [^<]+<", tried.text), tried.text


def test_a_private_address_is_refused_in_one_sentence(signed_in: httpx.Client, web_server: WebServer) -> None:
    for address in (f"{web_server.url}/x.csv", "mqtt://127.0.0.1:1/a/#", "http://169.254.169.254/latest/meta-data"):
        refused = signed_in.post(f"{NEW}/detect", data={"address": address})
        assert refused.status_code == 422
        assert "private or reserved network" in refused.text
    assert web_server.asked == []


@pytest.mark.parametrize("address", ["file:///etc/passwd", "ftp://x.example/a", "/etc/passwd", "mqtt://u:geheim@x.example/a"])
def test_other_addresses_are_no_sources(signed_in: httpx.Client, address: str) -> None:
    refused = signed_in.post(f"{NEW}/detect", data={"address": address})
    assert refused.status_code == 422
    assert "root:" not in refused.text


def test_an_operator_can_not_read_files_or_secrets_of_the_machine(signed_in: httpx.Client, portal_city: City, portal_address: str) -> None:
    text = walked(signed_in, "wizard-machine")
    local = text.replace('type = "push"', 'type = "file"\npath = "/etc/passwd"')
    secret = text.replace('type = "push"', 'type = "http"\nurl = "https://x.example/"\nauth = { value = "${STADTHUB_DATABASE_URL}" }')
    for wrong in (local, secret):
        refused = signed_in.post(f"{NEW}/save", data={"toml": wrong})
        assert refused.status_code == 422
        assert "ask an administrator" in refused.text
    allowed = text.replace('type = "push"', 'type = "http"\nurl = "https://x.example/"\nauth = { value = "Bearer ${FEED_KEY}" }')
    assert signed_in.post(f"{NEW}/save", data={"toml": allowed}).status_code == 303
    catalog = Catalog(portal_city.settings.database)
    admin = catalog.create_token("wizard-admin", Role.ADMIN)
    catalog.close()
    with httpx.Client(base_url=portal_address, timeout=60, headers={**FORM, "Authorization": f"Bearer {admin}"}) as client:
        assert client.post(f"{NEW}/save", data={"toml": local.replace("wizard-machine", "wizard-local")}).status_code == 303


def test_nobody_else_gets_in_and_no_foreign_page(portal_address: str, portal_city: City) -> None:
    steps = ("template", "detect", "try", "review", "save")
    with httpx.Client(base_url=portal_address, timeout=60, headers=FORM) as client:
        assert client.get(NEW).status_code == 401
        assert {client.post(f"{NEW}/{step}").status_code for step in steps} == {401}
        client.cookies.set("stadthub_session", portal_city.reader_token)
        assert {client.post(f"{NEW}/{step}").status_code for step in steps} == {403}
        client.cookies.set("stadthub_session", portal_city.token)
        foreign = {"Sec-Fetch-Site": "cross-site", "Origin": "https://elsewhere.example"}
        assert {client.post(f"{NEW}/{step}", headers=foreign).status_code for step in steps} == {403}
        assert client.post("/operator/feeds/air/edit", headers=foreign).status_code == 403


def test_a_template_becomes_a_feed(signed_in: httpx.Client) -> None:
    page = signed_in.get(f"{NEW}?template=gbfs-system")
    wrong = signed_in.post(f"{NEW}/template", data={**fields(page.text), "url": "nothing"})
    assert wrong.status_code == 422
    described = signed_in.post(
        f"{NEW}/template", data={**fields(page.text), "url": "https://gbfs.example.org/status.json", "id": "wizard-bikes"}
    )
    reviewed = signed_in.post(f"{NEW}/review", data={**fields(described.text), **WORDS, "themes": ["TRAN"]})
    assert reviewed.status_code == 200, reviewed.text
    assert 'decoder = "gbfs"' in fields(reviewed.text)["toml"]


@pytest.mark.parametrize("sample", ["", "x", "eJyrVkrOSFSyUlAqS8wpTVWqBQAtlgTZ", "A" * 5000])
def test_a_sample_that_got_lost_begins_again(signed_in: httpx.Client, sample: str) -> None:
    answer = signed_in.post(f"{NEW}/try", data={"sample": sample})
    assert answer.status_code == 422
    assert "begin again" in answer.text


def test_too_large_a_form_is_refused(signed_in: httpx.Client) -> None:
    assert signed_in.post(f"{NEW}/detect", files={"file": ("a.csv", b"a;b\n" * 3_000_000)}).status_code == 413
    assert signed_in.post(f"{NEW}/save", data={"toml": "#" * 1_100_000}).status_code == 413


def test_a_feed_file_is_edited_with_its_comments_and_never_over_somebody_elses_change(signed_in: httpx.Client, portal_city: City) -> None:
    assert signed_in.post(f"{NEW}/save", data={"toml": walked(signed_in, "wizard-edit")}).status_code == 303
    edit = "/operator/feeds/wizard-edit/edit"
    form = fields(signed_in.get(edit).text)
    changed = {**form, "toml": form["toml"].replace("[source]", "# our own remark\n[source]")}
    wrong = signed_in.post(edit, data={**form, "toml": form["toml"].replace("delimiter", "delimitter"), "only": "yes"})
    assert wrong.status_code == 422
    assert "did you mean delimiter?" in wrong.text
    other = signed_in.post(edit, data={**form, "toml": form["toml"].replace('id = "wizard-edit"', 'id = "wizard-other"')})
    assert other.status_code == 422
    assert signed_in.post(edit, data=changed).status_code == 303
    assert "# our own remark" in (portal_city.settings.feeds / "wizard-edit.toml").read_text("utf-8")
    late = signed_in.post(edit, data={**form, "toml": form["toml"].replace("Umweltamt", "Bauamt")})
    assert late.status_code == 422
    assert "has changed meanwhile" in late.text
    assert signed_in.get("/operator/feeds/nothing/edit").status_code == 404


def test_the_whole_way_in_a_browser_is_accessible_and_ends_at_the_feed(visit: Look, axe: str, portal_city: City, tmp_path: Path) -> None:
    sample = tmp_path / "browser.csv"
    sample.write_text(CSV, "utf-8")
    with visit(portal_city.token) as seen:
        page = seen.go("/en/operator").page

        def checked() -> None:
            for look in ("light", "dark"):
                page.emulate_media(color_scheme=look)
                assert violations(page, axe) == [], (page.url, look)
            page.set_viewport_size({"width": 320, "height": 640})
            assert page.evaluate("document.documentElement.scrollWidth") <= 320
            page.set_viewport_size({"width": 1280, "height": 900})

        page.get_by_role("link", name="New feed").click()
        checked()
        page.get_by_label("or a file").set_input_files(sample)
        page.get_by_role("button", name="Detect").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("This was detected")
        checked()
        page.get_by_label("Name of the feed").fill("wizard-browser")
        page.get_by_label("Name of the dataset").fill("wizard-browser")
        page.get_by_label("Unit of PM10 [µg/m³]").fill("mg/m3")
        page.get_by_label("Unit of PM10 [µg/m³]").fill("ug/m3")
        page.get_by_role("button", name="Try it").click()
        expect(page.get_by_text("removed before anything is stored").first).to_be_visible()
        checked()
        for place, words in WORDS.items():
            control = page.locator(f'main [name="{place}"]')
            if place == "license":
                control.select_option(words)
            else:
                control.fill(words)
        page.get_by_role("button", name="Next").click()
        expect(page.get_by_text("The file is right.")).to_be_visible()
        checked()
        page.get_by_role("button", name="Save").click()
        expect(page).to_have_url(re.compile("/en/operator/feeds/wizard-browser$"))
        page.get_by_role("link", name="Edit the feed file").click()
        checked()
        assert seen.foreign == []
        assert seen.complaints == []
    assert load_feed(portal_city.settings.feeds / "wizard-browser.toml").source.type == "push"


def test_an_address_within_reach_becomes_a_feed(portal_city: City, web_server: WebServer) -> None:
    web_server.answers["/luft.csv"] = Answer(CSV.encode())
    settings = portal_city.settings.model_copy(update={"allowed_hosts": ("127.0.0.1/32",)})
    with served(create_app(settings)) as address, httpx.Client(base_url=address, timeout=60, headers=FORM) as client:
        client.cookies.set("stadthub_session", portal_city.token)
        detected = client.post(f"{NEW}/detect", data={"address": f"{web_server.url}/luft.csv"})
        assert detected.status_code == 200
        tried = client.post(f"{NEW}/try", data={**fields(detected.text), "id": "wizard-fetched"})
    assert 'every = "PT1H"' in fields(tried.text)["toml"]
    assert len(web_server.asked) == 1
