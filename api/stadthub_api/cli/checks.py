"""What is wrong with feed files: each by itself, and where they contradict one another."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from stadthub_ingest import registry
from stadthub_ingest.reducing import counts_people
from stadthub_pipelines.lineage import Model, read_model, trace
from stadthub_schemas.dataset import Dataset
from stadthub_schemas.derived import Derived, load_file
from stadthub_schemas.errors import FeedError, NotFound
from stadthub_schemas.feed import Feed


@dataclass(frozen=True, slots=True)
class Checked:
    """One feed file: its feed or its model, unless that can't be read, and a sentence for each mistake."""

    path: Path
    feed: Feed | None
    mistakes: tuple[str, ...] = ()
    model: Model | None = None
    dataset: Dataset | None = None

    @property
    def id(self) -> str | None:
        """The id of what stands in it."""
        if self.model is not None:
            return self.model.derived.id
        return None if self.feed is None else self.feed.id


def feed_files(folder: Path) -> list[Path]:
    """The feed files of this folder; NotFound if there is no such folder."""
    if not folder.is_dir():
        raise NotFound(f"There is no folder {folder} for feed files: make it, or name another with --data-dir or STADTHUB_FEEDS_DIR")
    return sorted(folder.glob("*.toml"))


def check_files(paths: Iterable[Path], beside: Iterable[Path] = ()) -> list[Checked]:
    """All mistakes of all files, in their order. `beside`: files whose datasets may be read too, but whose mistakes are not asked for."""
    checked: list[Checked] = []
    first: dict[str, Feed] = {}
    files: dict[str, str] = {}
    for path in paths:
        one = _check_file(path)
        if one.feed is not None:
            found = [*one.mistakes, *_contradictions(path.name, one.feed, first, files)]
            first.setdefault(one.feed.dataset, one.feed)
            files.setdefault(one.feed.id, path.name)
            one = Checked(path, one.feed, tuple(found))
        elif one.model is not None:
            found = [*one.mistakes, *_twice(path.name, one.model.derived.id, files)]
            files.setdefault(one.model.derived.id, path.name)
            one = Checked(path, None, tuple(found), one.model)
        checked.append(one)
    there = {one.path.resolve() for one in checked}
    return _traced(checked, [_check_file(path) for path in beside if path.resolve() not in there])


def _traced(checked: list[Checked], beside: list[Checked]) -> list[Checked]:
    """The same with what can only be said of a derived dataset beside all others."""
    everything = [*checked, *beside]
    described = [one.feed.described() for one in everything if one.feed is not None]
    models = {str(number): one.model for number, one in enumerate(everything) if one.model is not None}
    lineages = trace(models, {one.name: one for one in described if one is not None})
    return [
        one
        if one.model is None
        else Checked(
            one.path,
            None,
            (*one.mistakes, *(f"{one.path.name}: {sentence}" for sentence in lineages.wrong.get(str(number), ()))),
            lineages.models.get(str(number), one.model),
            lineages.datasets.get(str(number)),
        )
        for number, one in enumerate(checked)
    ]


def _check_file(path: Path) -> Checked:
    try:
        feed = load_file(path)
        if isinstance(feed, Derived):
            return Checked(path, None, (), read_model(feed, path.name))
    except FeedError as error:
        return Checked(path, None, tuple(str(error).splitlines()))
    try:
        registry.read_options(feed)
    except FeedError as error:
        lines = str(error).splitlines()
        return Checked(path, feed, tuple(line if line.startswith(path.name) else f"{path.name}: {line}" for line in lines))
    if feed.metadata is not None and feed.metadata.privacy is None and counts_people(feed):
        return Checked(
            path, feed, (f"{path.name}: metadata.privacy: missing: decoder {feed.decoder} reads of people: say purpose and legal_basis",)
        )
    return Checked(path, feed)


def _contradictions(name: str, feed: Feed, first: dict[str, Feed], files: dict[str, str]) -> Iterable[str]:
    """Where this feed and the ones before it can't all be right."""
    yield from _twice(name, feed.id, files)
    other = first.get(feed.dataset)
    if other is None:
        return
    if other.kind is not feed.kind:
        yield f"{name}: kind: dataset {feed.dataset} is of kind {other.kind} in feed {other.id}: feeds of one dataset have one kind"
    if other.metadata is not None and feed.metadata is not None:
        yield f"{name}: metadata: feed {other.id} describes dataset {feed.dataset} already: leave it out here"


def _twice(name: str, key: str, files: dict[str, str]) -> Iterable[str]:
    if key in files:
        yield f"{name}: id: {key} is the id of {files[key]} too: give each feed its own"
