"""The examples in the documentation are right: feed files are read, settings files are taken."""

import re
import tomllib
from pathlib import Path

import pytest

from stadthub_ingest import registry
from stadthub_lake.derivation import named_in
from stadthub_schemas.derived import Derived, parse_file
from stadthub_schemas.feed import parse_feed
from stadthub_schemas.settings import load_settings

ROOT = Path(__file__).parents[2]
BLOCKS = [
    (page.name, block)
    for page in [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
    for block in re.findall(r"^```toml\n(.*?)^```", page.read_text("utf-8"), re.MULTILINE | re.DOTALL)
]
DERIVED = [block for _, block in BLOCKS if re.search(r"^sql = ", block, re.MULTILINE)]
FEEDS = [block for _, block in BLOCKS if re.search(r"^decoder = ", block, re.MULTILINE)]
#: What a part of a feed file needs to be a whole one.
HEAD = 'id = "example"\ntitle = "Example"\ndataset = "example"\nsource = { type = "push" }\n'
SETTINGS = [block for _, block in BLOCKS if re.match(r"data_dir = ", block)]


@pytest.mark.parametrize(("page", "block"), BLOCKS, ids=[f"{page}-{number}" for number, (page, _) in enumerate(BLOCKS)])
def test_every_toml_example_can_be_read(page: str, block: str) -> None:
    assert tomllib.loads(block), page


@pytest.mark.parametrize("block", FEEDS)
def test_every_feed_example_is_right(block: str) -> None:
    whole = block if block.startswith("id = ") else HEAD + block
    registry.read_options(parse_feed(whole, "example.toml"))


@pytest.mark.parametrize("block", DERIVED)
def test_every_derived_example_is_right(block: str) -> None:
    model = parse_file(block, "example.toml")
    assert isinstance(model, Derived)
    assert named_in(model.sql)


@pytest.mark.parametrize("block", SETTINGS)
def test_every_settings_example_is_taken(block: str, tmp_path: Path) -> None:
    file = tmp_path / "stadthub.toml"
    file.write_text(block, "utf-8")
    assert load_settings({}, file).feeds_dir is not None


def test_there_are_such_examples() -> None:
    assert FEEDS
    assert SETTINGS
