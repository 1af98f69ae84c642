"""The table of CKAN's actions in the documentation says what the hub does now."""

from pathlib import Path

import pytest

from tests.clients.compatibility import ACTIONS, DOCUMENT, compared, table
from tests.clients.differences import DIFFERENCES, TIERS
from tests.clients.test_ckan_recorded import _FILE

NAMES = [name for names in TIERS.values() for name in names]


def test_every_action_stands_in_one_place_of_the_table() -> None:
    assert len(NAMES) == len(set(NAMES)) == 172
    assert set(ACTIONS) <= set(NAMES)
    assert set(DIFFERENCES) <= set(NAMES)
    text = DOCUMENT.read_text("utf-8")
    assert [name for name in NAMES if f"| `{name}` |" not in text] == []


@pytest.mark.skipif(not _FILE.is_file(), reason="no recorded answers: set SHARED_DIR to the folder with contracts/")
def test_the_table_says_what_the_hub_answers(tmp_path: Path) -> None:
    assert table(compared(tmp_path)) == DOCUMENT.read_text("utf-8"), "the table is old: make compatibility"
