"""The ready feed files are right, and those of public APIs are tested on payloads of their form."""

from pathlib import Path

import pytest

from stadthub_ingest.judge import Judge
from stadthub_pipelines.mistakes import check_files
from stadthub_schemas.derived import load_file
from stadthub_schemas.feed import Feed, load_feed

ROOT = Path(__file__).parents[2]
FILES = sorted((ROOT / "docs" / "feeds").glob("*.toml"))
CASES = ROOT / "tests" / "connectors"
RECORDED = ("pegelonline-water-level", "pegelonline-stations", "bright-sky")


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_ready_feed_file_is_right_and_named_in_the_list(path: Path) -> None:
    feed = load_file(path)
    if isinstance(feed, Feed):
        Judge(feed)
    assert feed.id == path.stem
    assert f"`{path.name}`" in (ROOT / "docs" / "feeds" / "README.md").read_text("utf-8")


def test_the_ready_files_fit_together() -> None:
    assert [mistake for one in check_files(FILES) for mistake in one.mistakes] == []


@pytest.mark.parametrize("name", RECORDED)
def test_a_ready_feed_file_reads_as_its_golden_folder_does(name: str) -> None:
    feed = load_feed(ROOT / "docs" / "feeds" / f"{name}.toml")
    golden = load_feed(CASES / f"{feed.decoder}-{name}" / "feed.toml")
    assert (feed.kind, feed.options) == (golden.kind, golden.options)
