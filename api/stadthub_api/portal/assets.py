"""The built front end: the address of each script and style, by the hashed name that its content gave it."""

import json
from functools import cache
from pathlib import Path

STATIC = Path(__file__).parent / "static"
BUILT = STATIC / "built"
URL = "/static"


@cache
def _manifest() -> dict[str, str]:
    """Name to hashed name; empty where the front end is not built: pages then come without style, but they come."""
    file = BUILT / "manifest.json"
    return dict(json.loads(file.read_text("utf-8"))) if file.is_file() else {}


def address(name: str) -> str:
    """Where a script or style is fetched from."""
    return f"{URL}/built/{_manifest().get(name, name)}"
