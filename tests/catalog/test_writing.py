"""CKAN's actions that write: what is kept, what is refused in which words, who may do what, and what is noted of it."""

import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stadthub_catalog import Catalog, Site
from stadthub_catalog.actions import Answer, Caller, answer
from stadthub_catalog.refusals import Invalid, Missing, NotAuthorized, Refusal, WrongMethod
from stadthub_catalog.uploads import Upload
from stadthub_pipelines.uploads import UploadFolder
from stadthub_schemas.access import ANYBODY, Principal, Role
from tests.catalog.samples import publish

SITE = Site("Daten Musterstadt", "https://daten.musterstadt.example")
ADMIN = Principal("admin", Role.ADMIN)


class Desk:
    """A catalogue with one organisation, and a short way to call actions on it."""

    def __init__(self, catalog: Catalog, folder: Path) -> None:
        self.catalog = catalog
        self.url = catalog.database.url.render_as_string(hide_password=False)
        self.tokens: dict[str, str] = {}
        self.uploads = UploadFolder(folder / "uploads", 1)
        self("organization_create", name="amt", title="Amt")

    def __call__(self, action: str, who: Principal = ADMIN, **said: Any) -> Any:
        return self.answer(action, said, who).result

    def answer(self, action: str, said: Mapping[str, Any], who: Principal = ADMIN) -> Answer:
        """What the action answers, with what it changed."""
        return answer(self.catalog, action, said, Caller(who), SITE, self.uploads)

    def holder(self, name: str, role: Role = Role.PUBLISHER, **joins: str) -> Principal:
        """Somebody with a token who is a member of these organisations."""
        self.tokens[name] = self.catalog.create_token(name, role)
        for organization, capacity in joins.items():
            self("organization_member_create", id=organization, username=name, role=capacity)
        return self.again(name)

    def again(self, name: str) -> Principal:
        """Who that is now."""
        return self.catalog.principal(self.tokens[name])


@pytest.fixture
def desk(quick_catalog: Catalog, tmp_path: Path) -> Desk:
    """An empty catalogue with the organisation `amt`."""
    return Desk(quick_catalog, tmp_path)


@pytest.fixture
def any_desk(catalog: Catalog, tmp_path: Path) -> Desk:
    """The same on each kind of database."""
    return Desk(catalog, tmp_path)


FULL: dict[str, Any] = {
    "name": "gaerten",
    "owner_org": "amt",
    "title": "Gärten",
    "notes": "Alle Kleingärten",
    "license_id": "dl-by-de/2.0",
    "author": "Amt",
    "maintainer_email": "amt@musterstadt.example",
    "version": "1",
    "tags": [{"name": "Garten"}, {"name": "Feinstaub PM10"}],
    "extras": [{"key": "b", "value": "2"}, {"key": "a", "value": "1"}],
    "groups": [{"name": "envi"}],
    "resources": [{"url": "e.x/a.csv", "format": "text/csv", "name": "A", "own": "kept"}, {"url": "http://e.x/b.json"}],
    "nonsense": "dropped",
    "num_tags": 99,
}


def test_what_was_written_here_is_what_others_read_from_the_database(any_desk: Desk) -> None:
    spatial = '{"type":"Point","coordinates":[7.5,51.25]}'
    extras = [{"key": "spatial", "value": spatial}, {"key": "temporal_start", "value": "2020-02"}]
    odd = {"url": "https://e.x/c", "own": {"z": [1, 2.5, None], "a": 1e300}, "last_modified": "2020-01-02T03:04:05.678"}
    any_desk("package_create", **{**FULL, "extras": extras, "resources": [*FULL["resources"], odd]})
    any_desk("package_create", name="anders", owner_org="amt", private=True)
    any_desk("package_patch", id="gaerten", title="Gärten am Fluß", tags=[{"name": "Fluß"}], state="draft")
    any_desk("package_patch", id="anders", notes="neu")
    others = Catalog(any_desk.url)
    assert any_desk.catalog.entry("anders") == others.entry("anders")
    assert any_desk.catalog.shelf.hidden("gaerten") == others.shelf.hidden("gaerten")
    told = answer(others, "package_show", {"id": "gaerten"}, Caller(ADMIN), SITE, None).result
    assert repr(any_desk("package_show", id="gaerten")) == repr(told)
    others.close()


def test_a_package_is_kept_as_it_was_said_in_the_spelling_of_ckan(desk: Desk) -> None:
    made = desk("package_create", **FULL)
    assert made == desk("package_show", ANYBODY, id="gaerten")
    assert [one["key"] for one in made["extras"]] == ["a", "b"]
    assert [(one["url"], one["format"], one.get("own")) for one in made["resources"]] == [
        ("http://e.x/a.csv", "CSV", "kept"),
        ("http://e.x/b.json", "JSON", None),
    ]
    assert "nonsense" not in made
    assert made["num_tags"] == 2
    assert made["creator_user_id"] == desk("user_show", id="admin")["id"]


def test_what_is_shown_may_be_given_back_and_changes_nothing(desk: Desk) -> None:
    made = desk("package_create", **FULL)
    again = desk.answer("package_update", made)
    assert (again.result, again.changed) == (made, ())
    changed = desk.answer("package_update", {**made, "title": "Neu"})
    assert [str(key) for key in changed.changed] == [made["id"]]
    assert changed.result["metadata_modified"] > made["metadata_modified"]
    assert [one["metadata_modified"] for one in changed.result["resources"]] == [one["metadata_modified"] for one in made["resources"]]


def test_an_update_empties_what_is_not_said_but_keeps_resources_and_groups(desk: Desk) -> None:
    desk("package_create", **FULL)
    bare = desk("package_update", id="gaerten", name="gaerten", owner_org="amt")
    assert (bare["title"], bare["notes"], bare["tags"], bare["extras"]) == ("gaerten", None, [], [])
    assert (bare["num_resources"], [one["name"] for one in bare["groups"]]) == (2, ["envi"])
    assert desk("package_update", id="gaerten", resources=[])["num_resources"] == 0
    patched = desk("package_patch", id="gaerten", notes="Wieder da")
    assert (patched["title"], patched["notes"]) == ("gaerten", "Wieder da")


@pytest.mark.parametrize(
    ("said", "field", "sentence"),
    [
        ({"name": None}, "name", "Missing value"),
        ({"name": "Ü"}, "name", "Must be at least 2 characters long"),
        ({"name": "Gärten"}, "name", "Must be purely lowercase alphanumeric (ascii) characters and these symbols: -_"),
        ({"name": "x" * 101}, "name", "Name must be a maximum of 100 characters long"),
        ({"name": "search"}, "name", "That name cannot be used"),
        ({"name": 7}, "name", "Names must be strings"),
        ({"name": "da"}, "name", "That URL is already in use."),
        ({"owner_org": None}, "owner_org", "An organization must be provided"),
        ({"owner_org": "nope"}, "owner_org", "Organization does not exist"),
        ({"maintainer_email": "nope"}, "maintainer_email", "Email nope is not a valid format"),
        ({"version": "1" * 101}, "version", "Version must be a maximum of 100 characters long"),
        ({"notes": "a\x00b"}, "notes", "Null characters are not allowed"),
        ({"id": "nope"}, "id", "Invalid id provided"),
        ({"extras": [{"key": "a", "value": "1"}, {"key": "a", "value": "2"}]}, "extras_validation", 'Duplicate key "a"'),
    ],
)
def test_what_is_wrong_is_told_in_the_words_of_ckan(desk: Desk, said: dict[str, Any], field: str, sentence: str) -> None:
    desk("package_create", name="da", owner_org="amt")
    with pytest.raises(Invalid) as caught:
        desk("package_create", **{**FULL, **said})
    assert caught.value.form() == {field: [sentence], "__type": "Validation Error"}


def test_all_mistakes_are_told_at_once_each_in_its_place(desk: Desk) -> None:
    with pytest.raises(Invalid) as caught:
        desk(
            "package_create",
            name="X",
            tags=[{"name": "gut"}, {"name": "a"}, {"name": "auch gut"}],
            extras=[{"key": "a"}, {"key": "title", "value": "x"}],
            resources=[{"url": "http://e.x"}, {"size": "viel", "url": "javascript:alert(1)", "last_modified": "gestern"}],
        )
    wrong = caught.value.fields
    assert list(wrong) == ["name", "owner_org", "extras", "resources", "tags"]
    assert wrong["tags"] == [{}, {"name": ['Tag "a" length is less than minimum 2']}]
    assert wrong["extras"] == [{"value": ["Missing value"]}, {"key": ["There is a schema field with the same name"]}]
    assert wrong["resources"][1] == {
        "size": ["Invalid integer"],
        "url": ["Please provide a valid URL"],
        "last_modified": ["Date format incorrect"],
    }
    with pytest.raises(Missing):
        desk("package_show", id="X")


def test_names_go_with_their_package_and_ids_stay(desk: Desk) -> None:
    key = str(uuid4())
    made = desk("package_create", **{**FULL, "id": key})
    assert made["id"] == key
    desk("package_patch", id=key, name="neu")
    assert desk("package_show", id=key)["name"] == "neu"
    with pytest.raises(Missing):
        desk("package_show", id="gaerten")


def test_what_a_feed_file_describes_is_changed_there(desk: Desk) -> None:
    publish(desk.catalog)
    for action in ("package_update", "package_patch", "package_delete", "dataset_purge"):
        with pytest.raises(Invalid, match="feed file 'baeume'"):
            desk(action, id="baeume", title="Neu")
    assert desk("follow_dataset", id="baeume")["object_id"] == desk("package_show", id="baeume")["id"]


def test_drafts_private_and_deleted_ones_are_for_those_who_may_write(desk: Desk) -> None:
    desk("package_create", name="entwurf", owner_org="amt", state="draft")
    desk("package_create", name="privat", owner_org="amt", private=True)
    desk("package_create", name="weg", owner_org="amt")
    desk("package_delete", id="weg")
    editor, member = desk.holder("eva", amt="editor"), desk.holder("mia", Role.READER, amt="member")
    stranger = desk.holder("tom", Role.READER)
    for name, seen in (("entwurf", (ADMIN, editor)), ("weg", (ADMIN, editor)), ("privat", (ADMIN, editor, member))):
        for who in (ADMIN, editor, member, stranger, ANYBODY):
            if who in seen:
                assert desk("package_show", who, id=name)["name"] == name
            else:
                with pytest.raises(NotAuthorized, match=f"User {who.name} not authorized to read package"):
                    desk("package_show", who, id=name)
    everything = {"include_private": True, "include_drafts": True, "include_deleted": True}
    assert desk("package_list", editor, **everything) == ["entwurf", "privat", "weg"]
    assert desk("package_list", stranger, **everything) == []
    assert desk("package_patch", id="weg", state="active")["state"] == "active"


def test_editors_write_in_their_own_organisation_and_nobody_else_does(desk: Desk) -> None:
    desk("organization_create", name="bad")
    editor, member, nobody = desk.holder("eva", amt="editor"), desk.holder("mia", amt="member"), desk.holder("pia")
    desk("package_create", editor, name="meins", owner_org="amt")
    for said in ({"owner_org": "bad"}, {"owner_org": "amt", "id": str(uuid4())}):
        with pytest.raises(Invalid):
            desk("package_create", editor, name="anders", **said)
    with pytest.raises(Invalid, match="cannot add a dataset"):
        desk("package_owner_org_update", editor, id="meins", organization_id="bad")
    for who in (member, nobody, ANYBODY):
        with pytest.raises(NotAuthorized, match="not authorized to create packages"):
            desk("package_create", who, name="fremd", owner_org="amt")
        for action in ("package_update", "package_patch", "resource_create", "package_delete"):
            with pytest.raises(NotAuthorized):
                desk(action, who, id="meins", package_id="meins", url="http://e.x")
    for action in ("organization_create", "user_create", "vocabulary_create", "dataset_purge", "resource_view_clear"):
        with pytest.raises(NotAuthorized):
            desk(action, editor, id="meins", name="neu")
    desk("package_collaborator_create", id="meins", user_id="pia", capacity="editor")
    helper = desk.again("pia")
    assert desk("package_patch", helper, id="meins", notes="hilft")["notes"] == "hilft"
    desk("organization_member_create", id="bad", username="pia", role="member")
    with pytest.raises(Invalid, match="cannot add a dataset"):
        desk("package_owner_org_update", desk.again("pia"), id="meins", organization_id="bad")


def test_a_package_goes_only_into_groups_of_which_one_is_a_member(desk: Desk) -> None:
    editor = desk.holder("eva", amt="editor")
    desk("group_create", name="verkehr")
    desk("package_create", editor, name="ampeln", owner_org="amt", groups=[{"name": "tran"}])
    with pytest.raises(NotAuthorized, match="not authorized to edit these groups"):
        desk("package_patch", editor, id="ampeln", groups=[{"name": "verkehr"}])
    desk("group_member_create", id="verkehr", username="eva", role="member")
    member = desk.again("eva")
    assert [one["name"] for one in desk("package_patch", member, id="ampeln", groups=[{"name": "verkehr"}])["groups"]] == ["verkehr"]
    with pytest.raises(Missing, match="Group was not found"):
        desk("package_patch", id="ampeln", groups=[{"name": "nope"}])


def test_a_file_is_kept_with_its_resource_and_goes_with_it(desk: Desk, tmp_path: Path) -> None:
    package = desk("package_create", name="mit", owner_org="amt")
    made = desk("resource_create", package_id="mit", name="up", upload=Upload("Größe A.csv", io.BytesIO(b"a,b\n1,2\n")))
    assert made["url"] == f"{SITE.url}/dataset/{package['id']}/resource/{made['id']}/download/grosse-a.csv"
    assert (made["url_type"], made["size"], made["format"], made["mimetype"], made["position"]) == ("upload", 8, "CSV", "text/csv", 0)
    kept = tmp_path / "uploads" / made["id"]
    assert [one.name for one in kept.iterdir()] == ["grosse-a.csv"]
    assert desk("resource_patch", id=made["id"], description="x")["url"] == made["url"]
    assert desk("package_update", **desk("package_show", id="mit"))["resources"][0]["url"] == made["url"]
    with pytest.raises(Invalid, match="too large"):
        desk("resource_patch", id=made["id"], upload=Upload("riesig.csv", io.BytesIO(bytes(1_000_001))))
    desk("resource_patch", id=made["id"], upload=Upload("neu.json", io.BytesIO(b"{}")), format="JSON")
    assert [one.name for one in kept.iterdir()] == ["neu.json"]
    desk("resource_delete", id=made["id"])
    assert not kept.exists()
    assert desk("package_show", id="mit")["resources"] == []


def test_a_file_that_came_in_vain_leaves_nothing(desk: Desk, tmp_path: Path) -> None:
    desk("package_create", name="mit", owner_org="amt")
    mistakes: list[dict[str, Any]] = [{"size": "viel"}, {"upload": Upload("riesig.csv", io.BytesIO(bytes(1_000_001)))}]
    for more in mistakes:
        with pytest.raises(Invalid):
            desk("resource_create", **{"package_id": "mit", "upload": Upload("a.csv", io.BytesIO(b"a")), **more})
    assert not [one for one in (tmp_path / "uploads").rglob("*") if one.is_file()]


def test_resources_are_put_in_order_and_changed_alone(desk: Desk) -> None:
    package = desk("package_create", **FULL)
    first, second = (one["id"] for one in package["resources"])
    assert desk("package_resource_reorder", id="gaerten", order=[second])["order"] == [second, first]
    changed = desk("resource_update", id=second, url="http://e.x/c.csv", name="C")
    assert (changed["position"], changed["name"], changed["description"]) == (0, "C", None)
    with pytest.raises(Invalid) as caught:
        desk("resource_patch", id=first, size="viel")
    assert caught.value.fields == {"size": ["Invalid integer"]}
    with pytest.raises(Missing, match='Resource "nope" was not found'):
        desk("resource_delete", id="nope")


def test_a_package_is_revised_by_paths(desk: Desk) -> None:
    package = desk("package_create", **FULL)
    second = package["resources"][1]["id"]
    revised = desk.answer(
        "package_revise",
        {
            "match__name": "gaerten",
            "match__resources__0__name": "A",
            "update": '{"title": "Neu"}',
            f"update__resources__{second[:6]}__description": "die zweite",
            "update__resources__extend": [{"url": "http://e.x/d.csv"}],
            "filter": ["-extras"],
            "include": ["+title", "+resources__*__description", "-*"],
        },
    )
    assert revised.result["package"]["title"] == "Neu"
    assert [one["description"] for one in revised.result["package"]["resources"]] == [None, "die zweite", None]
    assert desk("package_show", id="gaerten")["extras"] == []
    assert len(revised.changed) == 1
    with pytest.raises(Invalid, match="does not match"):
        desk("package_revise", match={"name": "gaerten", "title": "Alt"}, update={"title": "Nie"})


def test_what_is_purged_takes_its_files_and_traces_along(desk: Desk, tmp_path: Path) -> None:
    package = desk("package_create", name="mit", owner_org="amt", title="Vertraulich")
    desk("resource_create", package_id="mit", upload=Upload("a.csv", io.BytesIO(b"a")))
    desk("dataset_purge", id="mit")
    assert not [one for one in (tmp_path / "uploads").rglob("*") if one.is_file()]
    assert "Vertraulich" not in str(desk("recently_changed_packages_activity_list"))
    with pytest.raises(Missing):
        desk("package_show", id=package["id"])
    desk("organization_purge", id="amt")
    assert desk("organization_list") == []


def test_every_write_stands_in_the_audit_chain_and_in_the_streams(desk: Desk) -> None:
    package = desk("package_create", **FULL)
    desk("package_patch", id="gaerten", title="Neu")
    desk("package_delete", id="gaerten")
    kinds = [one["activity_type"] for one in desk("package_activity_list", id="gaerten")]
    assert kinds == ["deleted package", "changed package", "new package"]
    changed = desk("package_activity_list", id="gaerten")[1]
    assert '-  "title": "Gärten"' in desk("activity_diff", id=changed["id"], object_type="package")["diff"]
    assert desk("activity_data_show", id=changed["id"], object_type="package")["title"] == "Neu"
    assert [(one.what, one.who) for one in desk.catalog.audited("ckan.", 3)] == [
        ("ckan.deleted-package", "admin"),
        ("ckan.changed-package", "admin"),
        ("ckan.new-package", "admin"),
    ]
    assert desk.catalog.verify_audit() == len(desk.catalog.audited("", 100))
    assert package["id"] not in str(desk("recently_changed_packages_activity_list", ANYBODY))


def test_what_was_private_then_stays_so_in_the_streams(desk: Desk) -> None:
    desk("package_create", name="privat", owner_org="amt", private=True, notes="geheim")
    desk("package_patch", id="privat", notes="offen", private=False)
    desk("bulk_update_private", datasets=["privat"], org_id="amt")
    desk("bulk_update_public", datasets='["privat"]', org_id="amt")
    assert "geheim" in str(desk("package_activity_list", id="privat"))
    [last, first] = desk("package_activity_list", ANYBODY, id="privat")
    assert {one["data"]["package"]["notes"] for one in (last, first)} == {"offen"}


def test_organisations_and_groups_are_written_and_shown(desk: Desk) -> None:
    desk("group_create", name="verkehr", title="Verkehr", extras=[{"key": "a", "value": "1"}])
    desk("package_create", name="ampeln", owner_org="amt", groups=[{"name": "verkehr"}])
    shown = desk("group_show", ANYBODY, id="verkehr", include_datasets=True)
    assert (shown["package_count"], shown["packages"][0]["name"], shown["extras"]) == (1, "ampeln", [{"key": "a", "value": "1"}])
    assert [one["name"] for one in desk("package_show", id="ampeln")["groups"]] == ["verkehr"]
    assert desk("organization_patch", id="amt", title="Amt für Ampeln")["title"] == "Amt für Ampeln"
    assert desk("package_show", id="ampeln")["organization"]["title"] == "Amt für Ampeln"
    for action in ("organization_delete", "organization_purge"):
        with pytest.raises(Invalid, match="while it still has datasets"):
            desk(action, id="amt")
    for name in ("amt", "verkehr", "envi"):
        with pytest.raises(Invalid, match="Group name already exists"):
            desk("group_create", name=name)
    desk("member_delete", id="verkehr", object="ampeln", object_type="package")
    assert desk("package_show", id="ampeln")["groups"] == []
    desk("group_delete", id="verkehr")
    assert "verkehr" not in desk("group_list")


def test_users_are_known_to_those_who_work_together(desk: Desk) -> None:
    desk("user_create", name="ina", fullname="Ina", email="ina@musterstadt.example")
    boss, editor = desk.holder("bea", amt="admin"), desk.holder("eva", amt="editor")
    desk("organization_member_create", boss, id="amt", username="ina", role="member")
    assert {one["name"]: one["capacity"] for one in desk("organization_show", editor, id="amt")["users"]} == {
        "admin": "admin",
        "bea": "admin",
        "eva": "editor",
        "ina": "member",
    }
    assert desk("organization_show", ANYBODY, id="amt")["users"] == []
    assert desk("member_list", ANYBODY, id="amt") == []
    with pytest.raises(NotAuthorized):
        desk("organization_member_create", editor, id="amt", username="ina", role="admin")
    assert desk("user_show", id="ina")["email"] == "ina@musterstadt.example"
    assert "ina@" not in str([desk("user_list", boss), desk("organization_show", boss, id="amt")])
    for action in ("user_list", "user_show", "user_autocomplete"):
        with pytest.raises(NotAuthorized):
            desk(action, ANYBODY, id="ina", q="i")


def test_tokens_are_made_listed_and_revoked(desk: Desk) -> None:
    desk("user_create", name="ina")
    desk("organization_member_create", id="amt", username="ina", role="editor")
    made = desk("api_token_create", user="ina", name="laptop")
    ina = desk.catalog.principal(made["token"])
    assert (ina.name, ina.role) == ("ina", Role.PUBLISHER)
    assert desk("package_create", ina, name="von-ina", owner_org="amt")["creator_user_id"] == desk("user_show", id="ina")["id"]
    [listed] = desk("api_token_list", ina, user_id="ina")
    assert (listed["id"], listed["name"]) == (made["id"], "laptop")
    assert made["token"] not in str(listed)
    with pytest.raises(NotAuthorized):
        desk("api_token_create", ina, user="ina", name="mehr")
    with pytest.raises(NotAuthorized):
        desk("api_token_list", ina, user_id="admin")
    desk("api_token_revoke", ina, jti=made["id"])
    desk("api_token_revoke", jti="nope")
    with pytest.raises(Exception, match="revoked"):
        desk.catalog.principal(made["token"])


def test_views_vocabularies_and_relationships_are_kept(desk: Desk) -> None:
    package = desk("package_create", **FULL)
    key = package["resources"][0]["id"]
    views = [desk("resource_view_create", resource_id=key, title=title, view_type="text_view", more=1)["id"] for title in ("A", "B")]
    desk("resource_view_reorder", id=key, order=[views[1]])
    assert [one["title"] for one in desk("resource_view_list", ANYBODY, id=key)] == ["B", "A"]
    assert desk("resource_view_update", id=views[0], title="C")["title"] == "C"
    desk("resource_view_delete", id=views[1])
    assert desk("resource_view_show", ANYBODY, id=views[0])["package_id"] == package["id"]
    made = desk("vocabulary_create", name="orte", tags=[{"name": "Nord"}])
    desk("tag_create", name="Süd", vocabulary_id="orte")
    assert desk("tag_list", ANYBODY, vocabulary_id="orte") == ["Nord", "Süd"]
    tagged = desk("package_patch", id="gaerten", tags=[{"name": "Nord", "vocabulary_id": made["id"]}])
    assert tagged["tags"][0]["vocabulary_id"] == made["id"]
    desk("package_create", name="kind", owner_org="amt")
    desk("package_relationship_create", subject="kind", object="gaerten", type="child_of")
    [told] = desk("package_relationships_list", ANYBODY, id="gaerten")
    assert told == {"subject": "gaerten", "type": "parent_of", "object": "kind", "comment": ""}


def test_a_dataset_shows_how_it_is_related_to_what_the_caller_may_know_of(desk: Desk) -> None:
    keys = {name: desk("package_create", name=name, owner_org="amt")["id"] for name in ("eltern", "kind")}
    desk("package_create", name="geheim", owner_org="amt", private=True)
    for subject in ("kind", "geheim"):
        desk("package_relationship_create", subject=subject, object="eltern", type="child_of", comment="Teil")
    [told] = desk("package_show", ANYBODY, id="kind")["relationships_as_subject"]
    assert told == {
        "id": told["id"],
        "subject_package_id": keys["kind"],
        "object_package_id": keys["eltern"],
        "type": "child_of",
        "comment": "Teil",
        "state": "active",
    }
    assert desk("package_show", ANYBODY, id="eltern")["relationships_as_object"] == [told]
    shown = desk("package_show", id="eltern")
    assert len(shown["relationships_as_object"]) == 2
    again = desk.answer("package_update", shown)
    assert (again.result, again.changed) == (shown, ())


def test_what_a_feed_brings_stands_in_the_groups_that_its_file_names(desk: Desk) -> None:
    desk("group_create", name="thema", title="Thema")
    publish(desk.catalog, "baeume", groups=("thema", "spaeter"))
    assert [one["name"] for one in desk("package_show", id="baeume")["groups"]] == ["envi", "thema"]
    assert [one["name"] for one in desk("group_package_show", ANYBODY, id="thema")] == ["baeume"]
    assert desk("group_show", ANYBODY, id="thema")["package_count"] == 1
    assert desk("package_search", ANYBODY, fq="groups:thema")["count"] == 1
    with pytest.raises(Invalid, match="name the group in `groups` of the feed file"):
        desk("member_create", id="thema", object="baeume", object_type="package", capacity="public")


def test_a_theme_is_a_group_of_every_hub_and_stays_as_it_is(desk: Desk) -> None:
    shown = desk("group_show", ANYBODY, id="just")
    assert (shown["package_count"], shown["title"]) == (0, "Justiz, Rechtssystem und öffentliche Sicherheit")
    assert desk("group_update", **desk("group_show", id="just")) == shown
    with pytest.raises(Invalid, match="theme of the European list"):
        desk("group_patch", id="just", title="Anders")
    with pytest.raises(NotAuthorized):
        desk("group_patch", desk.holder("leo"), id="just", title="Anders")


def test_who_belongs_to_an_organisation_is_said_with_it(desk: Desk) -> None:
    desk("user_create", name="gerda")
    desk("organization_create", name="neu", users=[{"name": "gerda", "capacity": "editor"}])
    there = {one["name"]: one["capacity"] for one in desk("organization_show", id="neu")["users"]}
    assert there == {"admin": "admin", "gerda": "editor"}
    desk("organization_patch", id="neu", title="Neu")
    assert len(desk("organization_show", id="neu")["users"]) == 2
    desk("organization_patch", id="neu", users=[{"name": "gerda", "capacity": "admin"}])
    assert [(one["name"], one["capacity"]) for one in desk("organization_show", id="neu")["users"]] == [("gerda", "admin")]
    assert "users" not in desk("organization_show", id="neu", include_users=False)
    for users in ([{"name": "nobody"}], [{"name": "gerda", "capacity": "king"}], "gerda", [None]):
        with pytest.raises(Invalid):
            desk("organization_patch", id="neu", users=users)


def test_only_those_who_run_the_hub_bring_times_and_makers_along(desk: Desk) -> None:
    gerda = desk.holder("gerda", amt="editor")
    maker = desk("user_show", id="gerda")["id"]
    said = {
        "owner_org": "amt",
        "metadata_created": "2020-01-01T00:00:00",
        "metadata_modified": "2021-01-01T00:00:00",
        "creator_user_id": maker,
        "resources": [{"id": str(uuid4()), "url": "https://e.x/a", "metadata_modified": "2022-01-01T00:00:00"}],
        "state": "deleted",
    }
    made = desk("package_create", name="alt", **said)
    assert (made["metadata_created"], made["metadata_modified"]) == ("2020-01-01T00:00:00.000000", "2021-01-01T00:00:00.000000")
    assert (made["creator_user_id"], made["resources"][0]["metadata_modified"]) == (maker, "2022-01-01T00:00:00.000000")
    assert made["state"] == "deleted"
    with pytest.raises(NotAuthorized):
        desk("package_show", ANYBODY, id="alt")
    mine = desk("package_create", gerda, name="neu", **{**said, "resources": [], "creator_user_id": desk("user_show", id="admin")["id"]})
    assert mine["creator_user_id"] == maker
    assert mine["metadata_created"] == mine["metadata_modified"] > "2026"


def test_what_one_follows_stands_on_the_dashboard(desk: Desk) -> None:
    desk("package_create", **FULL)
    reader = desk.holder("leo", Role.READER)
    desk("follow_dataset", reader, id="gaerten")
    with pytest.raises(Invalid, match="already following"):
        desk("follow_dataset", reader, id="gaerten")
    assert desk("am_following_dataset", reader, id="gaerten") is True
    assert desk("dataset_follower_count", ANYBODY, id="gaerten") == 1
    desk("package_patch", id="gaerten", title="Neu")
    assert desk("dashboard_new_activities_count", reader) == 2
    desk("dashboard_mark_activities_old", reader)
    assert desk("dashboard_new_activities_count", reader) == 0
    assert [one["name"] for one in desk("dataset_followee_list", reader, id="leo")] == ["gaerten"]
    desk("unfollow_dataset", reader, id="gaerten")
    assert desk("dataset_follower_count", ANYBODY, id="gaerten") == 0


@pytest.mark.parametrize("action", ["job_list", "config_option_update", "task_status_show", "get_site_user", "file_create"])
def test_what_runs_a_ckan_itself_is_not_offered(desk: Desk, action: str) -> None:
    for who in (ADMIN, ANYBODY):
        with pytest.raises(NotAuthorized):
            desk(action, who)


def test_nothing_is_changed_by_get(desk: Desk) -> None:
    with pytest.raises(WrongMethod):
        answer(desk.catalog, "package_create", FULL, Caller(ADMIN, only_reads=True), SITE, None)


WORDS = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=20)
TAG = st.from_regex(r"[a-zäöüß0-9 _.-]{2,20}", fullmatch=True)
VALUES = st.none() | st.booleans() | st.integers(-(2**53), 2**53) | WORDS
RESOURCE = st.fixed_dictionaries(
    {"url": WORDS.map(lambda text: f"http://e.x/{UUID(int=len(text))}")},
    optional={"name": WORDS, "format": WORDS, "description": WORDS, "size": st.integers(0, 2**50), "own": VALUES, "url_type": st.none()},
)
PACKAGE = st.fixed_dictionaries(
    {},
    optional={
        "title": WORDS,
        "notes": WORDS,
        "author": WORDS,
        "url": WORDS,
        "version": WORDS,
        "license_id": WORDS,
        "private": st.booleans(),
        "tags": st.lists(TAG, max_size=3, unique=True).map(lambda names: [{"name": name} for name in names]),
        "extras": st.dictionaries(WORDS.filter(lambda key: key.startswith("ä")) | st.uuids().map(str), WORDS, max_size=3).map(
            lambda pairs: [{"key": key, "value": value} for key, value in pairs.items()]
        ),
        "resources": st.lists(RESOURCE, max_size=3),
    },
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(said=PACKAGE)
def test_whatever_is_made_is_shown_and_given_back_the_same(desk: Desk, said: dict[str, Any]) -> None:
    name = uuid4().hex
    made = desk("package_create", **said, name=name, owner_org="amt")
    shown = desk("package_show", id=name)
    assert shown == made
    again = desk.answer("package_update", shown)
    assert again.result == shown
    assert again.changed == ()
    for key in ("notes", "author", "url", "version", "license_id"):
        assert shown[key] == said.get(key)


def test_refusals_hold_no_sql_and_no_path(desk: Desk, tmp_path: Path) -> None:
    odd = ["'", '"; DROP TABLE dataset', "\x00", "../../etc/passwd", "%00", "💥" * 200]
    for action in (
        "package_show",
        "package_update",
        "resource_patch",
        "organization_patch",
        "user_show",
        "activity_show",
        "resource_view_show",
    ):
        for one in odd:
            with pytest.raises(Refusal) as caught:
                desk(action, id=one)
            said = str(caught.value.form()).replace(one, "")
            assert "SELECT" not in said
            assert str(tmp_path) not in said


def test_the_life_of_a_package_on_each_kind_of_database(any_desk: Desk) -> None:
    desk = any_desk
    editor = desk.holder("eva", amt="editor")
    made = desk("package_create", editor, **FULL)
    desk("resource_create", editor, package_id="gaerten", upload=Upload("a.csv", io.BytesIO(b"a")))
    desk("follow_dataset", editor, id="gaerten")
    desk("resource_view_create", editor, resource_id=made["resources"][0]["id"], title="A", view_type="text_view")
    desk("vocabulary_create", name="orte", tags=[{"name": "Nord"}])
    assert desk("package_patch", editor, id="gaerten", title="Neu")["num_resources"] == 3
    assert desk("dashboard_new_activities_count", editor) >= 2
    for refused in ("a\x00b", "nope"):
        with pytest.raises(Missing):
            desk("user_show", id=refused)
    desk("package_delete", editor, id="gaerten")
    desk("dataset_purge", id="gaerten")
    desk("organization_purge", id="amt")
    assert desk.catalog.verify_audit() > 5
    desk("organization_create", name="amt")
    assert desk("package_create", **FULL)["id"] != made["id"]


_CHANGES = st.lists(
    st.tuples(st.sampled_from(["private", "public", "rename", "delete", "back", "new", "look"]), st.integers(0, 3)), max_size=12
)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(changes=_CHANGES)
def test_what_each_may_see_after_changes_is_what_a_fresh_look_shows(desk: Desk, changes: list[tuple[str, int]]) -> None:
    keys = [desk("package_create", name=uuid4().hex, owner_org="amt", private=number % 2 == 0)["id"] for number in range(4)]
    readers = (ANYBODY, ADMIN, Principal("ana", Role.ANALYST))
    for reader in readers:
        desk.catalog.shelf.visible(reader)
    said: dict[str, dict[str, Any]] = {"private": {"private": True}, "public": {"private": False}, "delete": {"state": "deleted"}}
    for change, number in changes:
        if change == "new":
            desk("package_create", name=uuid4().hex, owner_org="amt")
        elif change == "look":
            for reader in readers[number % 2 :]:
                desk.catalog.shelf.visible(reader)
        else:
            more = said.get(change, {"name": uuid4().hex} if change == "rename" else {"state": "active"})
            desk("package_patch", id=keys[number], **more)
    fresh = Catalog(desk.url)
    for reader in readers:
        assert list(desk.catalog.shelf.visible(reader)) == list(fresh.shelf.visible(reader))
        with desk.catalog.shelf.searched() as index:
            seen = {entry.name for entry in index.found(desk.catalog.shelf.seen(reader).nonzero()[0])}
        assert seen == set(fresh.shelf.visible(reader))
    fresh.close()
