"""Which feed files are in force when several want the same."""

from pathlib import Path

import pytest

from stadthub_pipelines.folder import FeedFolder
from tests.pipelines.running import PUSH_FEED


@pytest.mark.parametrize("newcomer", ['id = "air"', 'id = "aaa"'])
def test_a_new_file_never_pushes_out_the_feed_that_had_the_id_or_the_dataset(tmp_path: Path, newcomer: str) -> None:
    (tmp_path / "town.toml").write_text(PUSH_FEED, "utf-8")
    folder = FeedFolder(tmp_path)
    first = folder.look()
    (tmp_path / "aaa.toml").write_text(PUSH_FEED.replace('id = "air"', newcomer).replace("title = ", "title = 'Other' #", 1), "utf-8")
    look = folder.look()
    assert first is not None
    assert look is not None
    assert look.feeds == first.feeds
    assert "aaa.toml" in look.wrong["aaa"]


def test_after_a_restart_the_file_that_bears_the_name_keeps_the_id(tmp_path: Path) -> None:
    for name in ("aaa", "air"):
        (tmp_path / f"{name}.toml").write_text(PUSH_FEED.replace("title = ", f"title = '{name}' #", 1), "utf-8")
    look = FeedFolder(tmp_path).look()
    assert look is not None
    assert look.feeds["air"].title == "air"
    assert "aaa.toml" in look.wrong["aaa"]
