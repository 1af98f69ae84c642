"""The licence is the whole EUPL, and every file is under it."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_the_licence_is_the_same_in_both_places_where_it_is_looked_for() -> None:
    licence = (ROOT / "LICENSE").read_text("utf-8")
    assert licence == (ROOT / "LICENSES" / "EUPL-1.2.txt").read_text("utf-8")
    assert licence.startswith("EUROPEAN UNION PUBLIC LICENCE v. 1.2")
    assert "15.Applicable Law" in licence
    assert "Appendix" in licence


def test_reuse_finds_a_licence_for_every_file() -> None:
    done = subprocess.run([sys.executable, "-m", "reuse", "lint"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-2000:]
