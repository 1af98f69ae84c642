"""Which datasets the lake holds: each has a folder with `dataset.json`, and in it the folders of its kind."""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from stadthub_lake.storage import make_folder, read_json, storing, write_json
from stadthub_schemas.dataset import Dataset, Kind
from stadthub_schemas.errors import Conflict, NotFound

FILE = "dataset.json"

#: The folders inside a dataset's folder.
OBSERVATIONS = "observations"
DATASTREAMS = "datastreams"
FEATURES = "features"
ROWS = "rows"

#: Rejects stand beside the datasets; no dataset can bear this name.
REJECTS = "_rejects"

#: The stamp of what is not there.
NOWHERE = (0, 0)


@dataclass(frozen=True, slots=True)
class Entry:
    """What `dataset.json` says."""

    name: str
    kind: Kind
    key: tuple[str, ...]
    created: datetime


def read(root: Path, dataset: str) -> Entry:
    """The entry of a dataset. NotFound if the lake has none of that name."""
    said = read_json(root / dataset / FILE) if "/" not in dataset and not dataset.startswith((".", "_")) else None
    if said is None:
        raise NotFound(f"the lake has no dataset {dataset}")
    return Entry(said["name"], Kind(said["kind"]), tuple(said["key"]), datetime.fromisoformat(said["created"]))


def stamp(root: Path, dataset: str) -> tuple[int, int]:
    """What is different once the entry was written anew or is gone: two numbers of its file."""
    try:
        status = (root / dataset / FILE).stat()
    except OSError:
        return NOWHERE
    return status.st_ino, status.st_mtime_ns


def names(root: Path) -> list[str]:
    """The names of all datasets, in order."""
    return sorted(path.parent.name for path in root.glob(f"[a-z]*/{FILE}"))


def ensure(root: Path, dataset: Dataset, now: datetime) -> Entry:
    """The entry, written if it is new. Conflict if the dataset is there with another kind."""
    try:
        there = read(root, dataset.name)
    except NotFound:
        there = Entry(dataset.name, dataset.kind, dataset.key, now.astimezone(UTC))
        _write(root, there)
        return there
    if there.kind is not dataset.kind:
        raise Conflict(f"{dataset.name}: it is a {there.kind.value} dataset and cannot become {dataset.kind.value}; choose another name")
    if there.key != dataset.key:
        there = Entry(there.name, there.kind, dataset.key, there.created)
        _write(root, there)
    return there


def make(root: Path, name: str, now: datetime) -> None:
    """Let there be a table of this name that no feed describes."""
    _write(root, Entry(name, Kind.TABLE, (), now.astimezone(UTC)))


def _write(root: Path, entry: Entry) -> None:
    with storing(entry.name):
        make_folder(root / entry.name)
        said = {"name": entry.name, "kind": entry.kind.value, "key": list(entry.key), "created": entry.created.isoformat(), "format": 1}
        write_json(root / entry.name / FILE, said)
