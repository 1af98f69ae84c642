"""What derived datasets are made of, and whether they can be: inputs that are missing, circles, more open than their inputs."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta

from stadthub_lake.derivation import named_in
from stadthub_schemas.dataset import Dataset, Kind
from stadthub_schemas.derived import Derived, input_name
from stadthub_schemas.errors import FeedError, QueryError


@dataclass(frozen=True, slots=True)
class Model:
    """A derived dataset's file together with the datasets that its SQL names."""

    derived: Derived
    inputs: tuple[str, ...]
    inputs_kept_for: timedelta | None = None


@dataclass(frozen=True, slots=True)
class Lineages:
    """The models that can be computed, with their datasets; and for each of the others the sentences why not, by id."""

    models: Mapping[str, Model]
    datasets: Mapping[str, Dataset]
    wrong: Mapping[str, tuple[str, ...]]


def read_model(derived: Derived, file_name: str) -> Model:
    """The model with what it reads; FeedError if its SQL may not be run."""
    try:
        names = named_in(derived.sql)
    except QueryError as error:
        raise FeedError(f"{file_name}: {error}") from error
    return Model(derived, tuple(sorted({input_name(name) for name in names})))


def trace(models: Mapping[str, Model], described: Mapping[str, Dataset]) -> Lineages:
    """Which of these models (by id) can be computed over the datasets that feeds describe and over each other."""
    datasets = dict(described)
    made: dict[str, Model] = {}
    wrong: dict[str, tuple[str, ...]] = {}
    waiting = dict(models)
    before = -1
    while waiting and before != len(waiting):
        before = len(waiting)
        for key, model in list(waiting.items()):
            if not all(name in datasets for name in model.inputs):
                continue
            del waiting[key]
            mistakes = tuple(_mistakes(model, datasets))
            if mistakes:
                wrong[key] = mistakes
                continue
            inputs = [datasets[name] for name in model.inputs]
            kept = [one.metadata.kept_for for one in inputs if one.metadata.kept_for is not None]
            made[key] = replace(model, inputs_kept_for=min(kept, default=None))
            datasets[model.derived.dataset] = model.derived.described(inputs)
    results = {model.derived.dataset for model in models.values()}
    for key, model in waiting.items():
        wrong[key] = tuple(_unmet(model, datasets, results))
    return Lineages(made, {key: datasets[model.derived.dataset] for key, model in made.items()}, wrong)


def _mistakes(model: Model, datasets: Mapping[str, Dataset]) -> Iterator[str]:
    derived = model.derived
    if not model.inputs:
        yield "sql: it reads no dataset"
    if derived.dataset in datasets:
        yield f"dataset: {derived.dataset} comes from another file already: a derived dataset has one file"
    inputs = [datasets[name] for name in model.inputs]
    yield from derived.oversteps(inputs)
    if derived.bucket is not None and any(one.kind is not Kind.TIMESERIES for one in inputs):
        yield "bucket: all that it reads must be timeseries: leave it out, then everything is computed each time"


def _unmet(model: Model, datasets: Mapping[str, Dataset], results: set[str]) -> Iterator[str]:
    """Why the inputs of a model are not there: nobody makes them, or they wait for one another."""
    missing = [name for name in model.inputs if name not in datasets]
    nowhere = [name for name in missing if name not in results]
    if nowhere:
        yield f"sql: there is no dataset {', '.join(nowhere)}: no file of the folder describes it"
    elif model.derived.dataset in missing:
        yield f"sql: {model.derived.dataset} is made of itself"
    else:
        yield f"sql: {', '.join(missing)} can't be computed, or is itself made of {model.derived.dataset}: mend its file, or break the circle"
