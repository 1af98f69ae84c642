"""Other names of DataStore tables: each is a small file that says which resource it means, so that no two resources get the same one."""

from collections.abc import Sequence
from pathlib import Path
from urllib.parse import quote

from stadthub_catalog.refusals import Invalid
from stadthub_lake.storage import make_folder, read_json, storing, sync_folder, write_json

#: Beside the datasets of the lake; no dataset can bear this name.
FOLDER = "_aliases"


def resource_of(root: Path, alias: str) -> str | None:
    """The resource that the alias means."""
    said = read_json(_file(root, alias)) if len(alias) <= 200 else None
    return None if said is None else str(said["resource"])


def check(root: Path, resource: str, aliases: Sequence[str]) -> None:
    """Invalid for one that another resource has."""
    for alias in aliases:
        if resource_of(root, alias) not in (None, resource):
            raise Invalid({"alias": [f'The alias "{alias}" already exists.']})


def put(root: Path, resource: str, aliases: Sequence[str], old: Sequence[str]) -> None:
    """Let the resource have these aliases in place of the old ones."""
    with storing("aliases"):
        make_folder(root / FOLDER)
        for alias in aliases:
            write_json(_file(root, alias), {"alias": alias, "resource": resource})
        for alias in set(old) - set(aliases):
            _file(root, alias).unlink(missing_ok=True)
        sync_folder(root / FOLDER)


def all_of(root: Path) -> dict[str, str]:
    """All aliases with their resources."""
    found = [read_json(file) for file in sorted((root / FOLDER).glob("*.json"))]
    return {str(one["alias"]): str(one["resource"]) for one in found if one and "alias" in one}


def _file(root: Path, alias: str) -> Path:
    return root / FOLDER / f"{quote(alias, safe='')}.json"
