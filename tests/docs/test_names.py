"""Every setting, command, decoder and key that exists is in the documentation, and what it names exists."""

import re
from pathlib import Path
from urllib.parse import parse_qsl

import pytest
import typer
from typer.core import TyperGroup
from typer.main import get_command

from stadthub_api.app import create_app
from stadthub_api.cli.app import COMMANDS, app
from stadthub_catalog.land_portals import MAPPINGS
from stadthub_ingest import registry
from stadthub_ingest.accesspoints import Kept
from stadthub_ingest.feature_json import Featured
from stadthub_lake.derivation import CALENDAR
from stadthub_pipelines.mistakes import check_text
from stadthub_schemas.dataset import ColumnWords, Contact, Metadata, Privacy, Publisher, Release
from stadthub_schemas.derived import Derived
from stadthub_schemas.exchange import PARTS, PROTOCOLS
from stadthub_schemas.expect import Expect
from stadthub_schemas.feed import Feed, FileSource, HttpSource, MqttSource, Paging, PushSource, Rules, TokenAuth, UploadSource
from stadthub_schemas.schedule import Schedule
from stadthub_schemas.settings import Settings
from stadthub_schemas.vocabularies import FREQUENCIES, LICENSES, THEMES

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text("utf-8")
FEEDS = (ROOT / "docs" / "feeds.md").read_text("utf-8")
MAKEFILE = (ROOT / "Makefile").read_text("utf-8")
PAGES = sorted(ROOT.glob("*.md")) + sorted((ROOT / "docs").glob("*.md"))

#: What begins with a slash and is a place on a disk or the language of a page.
NO_ADDRESS = ("/en/", "/work", "/var", "/etc", "/opt", "/backup", "/run")
PAGES_OF_PORTAL = (
    "/wlan",
    "/measured",
    "/operator",
    "/operator/privacy",
    "/en",
    "/datasets/{dataset}/things/{thing}",
    "/datasets/{name}/badge.svg",
    "/datasets/{name}/badge.json",
    "/operator/feeds/new",
    "/operator/import",
    "/operator/gaps",
    "/operator/feeds/{feed}/edit",
)
PATHS = [
    *create_app(Settings()).openapi()["paths"],
    *PAGES_OF_PORTAL,
    "/",
    "/api/docs",
    "/distributions/{dataset}/{file}",
    "/api/v1/feeds/{feed}/push",
]

MODELS = (
    Feed,
    MqttSource,
    HttpSource,
    PushSource,
    FileSource,
    UploadSource,
    Paging,
    TokenAuth,
    Rules,
    Expect,
    Schedule,
    Metadata,
    Publisher,
    Contact,
    ColumnWords,
    Privacy,
    Release,
)


def commands() -> list[str]:
    """All commands as they are typed."""
    whole = get_command(app)
    assert isinstance(whole, TyperGroup)
    context = typer.Context(whole)
    names = []
    for name in COMMANDS:
        command = whole.get_command(context, name)
        names += [f"{name} {inner}" for inner in command.commands] if isinstance(command, TyperGroup) else [name]
    return names


@pytest.mark.parametrize("name", Settings.model_fields)
def test_every_setting_is_in_the_readme(name: str) -> None:
    assert f"`STADTHUB_{name.upper()}`" in README


@pytest.mark.parametrize("name", Settings.model_fields)
def test_a_default_that_the_readme_names_is_the_one_of_the_code(name: str) -> None:
    told = re.search(rf"^\| `STADTHUB_{name.upper()}` \| `([^`]*)` \|", README, re.MULTILINE)
    default = Settings.model_fields[name].default
    if told is not None and not told[1].startswith("http") and default is not None:
        assert type(default)(told[1]) == default


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_address_of_the_hub_that_is_named_exists(page: Path) -> None:
    routes = [re.compile(re.sub(r"\\{[^}]*\\}", "[^/]+", re.escape(path)) + "$") for path in PATHS]
    text = page.read_text("utf-8")
    named = re.findall(r"127\.0\.0\.1:8000(/[^\s'\"?`)#]*)", text) + re.findall(r"`(?:GET |POST )?(/[a-z][^\s`?]*)`", text)
    shown = [path.rstrip(".") for path in named if not path.startswith(NO_ADDRESS)]
    assert [path for path in shown if not any(route.match(path) for route in routes)] == []


@pytest.mark.parametrize("question", re.findall(r"/aggregate\?([^'\s]+)", README))
def test_every_aggregation_of_the_readme_is_understood(question: str) -> None:
    for name, value in parse_qsl(question):
        assert name in {"bucket", "group_by", "metrics", "tz"}
        assert name != "metrics" or all(re.fullmatch(r"count|(avg|sum|min|max)\(\w+\)", one) for one in value.split(","))


@pytest.mark.parametrize("name", sorted(set(re.findall(r"STADTHUB_[A-Z_]*[A-Z]", "".join(page.read_text("utf-8") for page in PAGES)))))
def test_every_variable_that_is_named_exists(name: str) -> None:
    assert name == "STADTHUB_CONFIG" or name.removeprefix("STADTHUB_").lower() in Settings.model_fields


@pytest.mark.parametrize("name", commands())
def test_every_command_is_in_the_readme(name: str) -> None:
    assert f"`stadthub {name}" in README


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_command_that_is_named_exists(page: Path) -> None:
    named = re.findall(r"(?:`|^|\s)stadthub ([a-z]+)(?: ([a-z]+))?", re.sub(r"[A-Z]\w+", "", page.read_text("utf-8")), re.MULTILINE)
    known = commands()
    groups = {name.split()[0] for name in known if " " in name}
    unknown = [pair for pair in named if (" ".join(pair) if pair[0] in groups else pair[0]) not in known]
    assert not unknown


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_make_command_that_is_named_exists(page: Path) -> None:
    targets = set(re.findall(r"^([a-z]+):", MAKEFILE, re.MULTILINE))
    named = set(re.findall(r"(?:`|^)make ([a-z]+)", page.read_text("utf-8"), re.MULTILINE))
    assert named <= targets


@pytest.mark.parametrize("name", registry.names())
def test_every_decoder_has_its_part_with_every_option(name: str) -> None:
    part = re.search(rf"^### `{name}`\n(.*?)(?=^##|\Z)", FEEDS, re.MULTILINE | re.DOTALL)
    assert part is not None
    options = registry.find(name).Options
    family = "decoders of geodata" if issubclass(options, Featured) else "WLAN decoders" if issubclass(options, Kept) else "table decoders"
    shared = FEEDS.partition(f"### What the {family} share")[2].partition("\n### `")[0]
    missing = [key for key in registry.options_schema(name)["properties"] if f"`{key}`" not in part[1] + shared]
    assert not missing


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_every_key_of_a_feed_file_is_documented(model: type[Feed]) -> None:
    assert not [key for key in model.model_fields if f"`{key}`" not in FEEDS]


def test_every_key_and_every_word_of_a_derived_dataset_is_documented() -> None:
    page = (ROOT / "docs" / "derived.md").read_text("utf-8")
    words = [item.rpartition(" ")[2] for item in CALENDAR]
    assert not [key for key in (*Derived.model_fields, *words) if f"`{key}`" not in page]


@pytest.mark.parametrize("model", PARTS, ids=lambda model: model.__name__)
def test_every_key_of_a_harvest_and_a_publication_is_documented(model: type[Feed]) -> None:
    page = (ROOT / "docs" / "harvest.md").read_text("utf-8")
    assert not [key for key in model.model_fields if f"`{key}`" not in page]


def test_every_protocol_and_every_mapping_is_documented() -> None:
    page = (ROOT / "docs" / "harvest.md").read_text("utf-8")
    assert not [word for word in (*PROTOCOLS, *MAPPINGS) if f"`{word}`" not in page]


@pytest.mark.parametrize("text", re.findall(r"```toml\n(.*?)```", (ROOT / "docs" / "harvest.md").read_text("utf-8"), re.DOTALL))
def test_every_example_of_a_harvest_and_a_publication_is_right(text: str) -> None:
    assert check_text(text, Path("example.toml"), ()).mistakes == ()


@pytest.mark.parametrize("word", [*LICENSES, *THEMES, *FREQUENCIES])
def test_every_word_of_a_vocabulary_is_documented(word: str) -> None:
    assert f"`{word}`" in FEEDS


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_within_the_repository_leads_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text("utf-8")):
        if "://" in target:
            continue
        path, _, heading = target.partition("#")
        there = (page.parent / path) if path else page
        assert there.exists(), target
        if heading:
            headings = {re.sub(r"[^\w\- ]", "", line.lstrip("# ").lower()).replace(" ", "-") for line in _headings(there)}
            assert heading in headings, target


def _headings(page: Path) -> list[str]:
    return [line for line in page.read_text("utf-8").splitlines() if line.startswith("#")]
