"""What is wrong with feed files: each by itself, and where they contradict one another."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from stadthub_catalog.land_portals import errand_mistakes
from stadthub_ingest.judge import Judge
from stadthub_ingest.reducing import counts_people
from stadthub_pipelines.lineage import Model, read_model, trace
from stadthub_schemas.dataset import AccessClass, Dataset, Metadata
from stadthub_schemas.derived import Derived, FolderFile, load_file, parse_file
from stadthub_schemas.errors import FeedError, NotFound
from stadthub_schemas.exchange import Errand
from stadthub_schemas.feed import Feed


@dataclass(frozen=True, slots=True)
class Checked:
    """One feed file: its feed or its model, unless that can't be read, a sentence for each mistake and for what could be better."""

    path: Path
    feed: Feed | None
    mistakes: tuple[str, ...] = ()
    model: Model | None = None
    dataset: Dataset | None = None
    hints: tuple[str, ...] = ()
    errand: Errand | None = None

    @property
    def right(self) -> FolderFile | None:
        """What stands in the file, unless that can't be read."""
        return self.model.derived if self.model is not None else self.feed or self.errand

    @property
    def id(self) -> str | None:
        """The id of what stands in it."""
        return None if self.right is None else self.right.id


def feed_files(folder: Path) -> list[Path]:
    """The feed files of this folder; NotFound if there is no such folder."""
    if not folder.is_dir():
        raise NotFound(f"There is no folder {folder} for feed files: make it, or name another with --data-dir or STADTHUB_FEEDS_DIR")
    return sorted(folder.glob("*.toml"))


def check_files(paths: Iterable[Path], beside: Iterable[Path] = ()) -> list[Checked]:
    """All mistakes of all files, in their order. `beside`: files whose datasets may be read too, but whose mistakes are not asked for."""
    checked = _compared([_check_file(path) for path in paths])
    there = {one.path.resolve() for one in checked}
    return _traced(checked, [_check_file(path) for path in beside if path.resolve() not in there])


def check_text(text: str, path: Path, others: Iterable[Path]) -> Checked:
    """All mistakes of a feed file that is not written yet, also where it contradicts the others."""
    beside = [_check_file(one) for one in others if one.resolve() != path.resolve()]
    described = sorted(beside, key=lambda one: one.feed is None or one.feed.metadata is None)  # who describes a dataset comes first
    mine = _compared([*described, _check_text(text, path)])[-1]
    feed = mine.feed
    if (
        feed is not None
        and feed.metadata is None
        and not any(one.feed and one.feed.metadata and one.feed.dataset == feed.dataset for one in beside)
    ):
        lacking = f"{path.name}: metadata: no feed file describes dataset {feed.dataset}: add a [metadata] table"
        mine = replace(mine, mistakes=(*mine.mistakes, lacking))
    return _traced([mine], beside)[0]


def _compared(checked: list[Checked]) -> list[Checked]:
    """The same with what each contradicts in those before it."""
    first: dict[str, Feed] = {}
    files: dict[str, str] = {}
    found: list[Checked] = []
    for one in checked:
        name = one.path.name
        feed = one.feed
        if feed is not None:
            one = replace(one, mistakes=(*one.mistakes, *_contradictions(name, feed, first, files)))
            first.setdefault(feed.dataset, feed)
        elif one.right is not None:
            one = replace(one, mistakes=(*one.mistakes, *_twice(name, one.right.id, files)))
        if one.id is not None:
            files.setdefault(one.id, name)
        found.append(one)
    return found


def _traced(checked: list[Checked], beside: list[Checked]) -> list[Checked]:
    """The same with what can only be said of a derived dataset beside all others."""
    everything = [*checked, *beside]
    described = [one.feed.described() for one in everything if one.feed is not None]
    models = {str(number): one.model for number, one in enumerate(everything) if one.model is not None}
    lineages = trace(models, {one.name: one for one in described if one is not None})
    return [
        one
        if one.model is None
        else replace(
            one,
            mistakes=(*one.mistakes, *(f"{one.path.name}: {sentence}" for sentence in lineages.wrong.get(str(number), ()))),
            model=lineages.models.get(str(number), one.model),
            dataset=lineages.datasets.get(str(number)),
        )
        for number, one in enumerate(checked)
    ]


def _check_file(path: Path) -> Checked:
    try:
        return _check(load_file(path), path)
    except FeedError as error:
        return Checked(path, None, tuple(str(error).splitlines()))


def _check_text(text: str, path: Path) -> Checked:
    try:
        return _check(parse_file(text, path.name), path)
    except FeedError as error:
        return Checked(path, None, tuple(str(error).splitlines()))


def _check(found: FolderFile, path: Path) -> Checked:
    if not isinstance(found, Feed | Derived):
        return Checked(path, None, tuple(f"{path.name}: {one}" for one in errand_mistakes(found)), errand=found)
    hints = tuple(_hints(path.name, found.metadata))
    if isinstance(found, Derived):
        return Checked(path, None, (), read_model(found, path.name), None, hints)
    return Checked(path, found, tuple(_own_mistakes(path.name, found)), hints=hints)


def _own_mistakes(name: str, feed: Feed) -> Iterable[str]:
    """What is wrong with this feed by itself."""
    try:
        Judge(feed)
    except FeedError as error:
        yield from (line if line.startswith(name) else f"{name}: {line}" for line in str(error).splitlines())
        return
    if feed.metadata is not None and feed.metadata.privacy is None and counts_people(feed):
        yield f"{name}: metadata.privacy: missing: decoder {feed.decoder} reads of people: say purpose and legal_basis"


def _hints(name: str, words: Metadata | None) -> Iterable[str]:
    """What is right and could be better."""
    if words is not None and words.access is AccessClass.PUBLIC and words.release is None:
        yield f"{name}: metadata.release: missing: say who released these public data, when, and on which legal basis"


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
