"""What a hub takes from other catalogues and brings to them: files in the folder of feeds with `[harvest]` or `[publish]`."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field, SecretStr, StringConstraints, ValidationError, model_validator

from stadthub_schemas.errors import FeedError
from stadthub_schemas.feed import Positive, Secret, TokenAuth, mistakes
from stadthub_schemas.model import CatalogName, Name, Strict, Text
from stadthub_schemas.schedule import Schedule, checked_address

#: An address of the web.
Url = Annotated[str, AfterValidator(checked_address)]

#: How other catalogues are asked, and what they are, in English and in German.
PROTOCOLS: dict[str, tuple[str, str]] = {
    "ckan": ("a CKAN, by its API", "ein CKAN über seine Schnittstelle"),
    "stadthub": ("another Stadthub", "ein anderer Stadthub"),
    "dcat": ("a catalogue in DCAT: Turtle, RDF/XML or JSON-LD, also in pages", "ein Katalog in DCAT: Turtle, RDF/XML oder JSON-LD"),
    "data_json": ("a data.json, as DKAN has it", "eine data.json, wie DKAN sie hat"),
    "opendatasoft": ("an Opendatasoft (Huwise), Explore API v2.1", "ein Opendatasoft (Huwise), Explore-API v2.1"),
    "hub_search": ("a piveau, by its hub-search", "ein piveau über hub-search"),
    "arcgis_hub": ("an ArcGIS Hub, by its feed in DCAT", "ein ArcGIS Hub über seinen DCAT-Feed"),
}
Protocol = Literal["ckan", "stadthub", "dcat", "data_json", "opendatasoft", "hub_search", "arcgis_hub"]


class Mirror(Strict):
    """Which files are copied too."""

    formats: tuple[str, ...] = Field(default=("CSV", "JSON", "GeoJSON"), min_length=1, description="only files of these formats")
    max_bytes: int = Field(default=20_000_000, ge=1, description="of one file")
    total_bytes: int = Field(default=1_000_000_000, ge=1, description="of all files that one run copies")


class HarvestSource(Strict):
    """The catalogue that is harvested."""

    protocol: Protocol
    url: Url = Field(description="the address of the portal; for dcat and data_json of the document itself")
    every: Positive = timedelta(days=1)
    purpose: Literal["publish", "compare"] = Field(
        default="publish", description="publish: its datasets stand in this catalogue too; compare: they are only kept for the gap report"
    )
    parameters: dict[str, str] = Field(default_factory=dict, description="what is asked beside the paging, such as fq of a CKAN")
    organization: CatalogName | None = Field(default=None, description="the organisation that its datasets belong to here; absent: the id")
    private: bool = Field(default=False, description="true: only the city's own people see its datasets")
    license: str | None = Field(default=None, description="the licence of datasets that name none")
    threshold: float = Field(
        default=0.2, ge=0, le=1, description="the share of datasets that may be gone at once; if more are, none is withdrawn"
    )
    max_datasets: int = Field(default=100_000, ge=1)
    max_bytes: int = Field(default=50_000_000, ge=1, description="of one page")
    page_size: int = Field(default=100, ge=1, le=1000)
    timeout: Positive = timedelta(seconds=60)
    retries: int = Field(default=3, ge=0, le=10)
    auth: TokenAuth | None = None
    mirror: Mirror | None = Field(default=None, description="absent: the files stay where they are")


class DataStore(Strict):
    """Which rows are brought there too."""

    most_rows: int = Field(default=100_000, ge=1, description="the rows of larger datasets stay here")


class PublishTarget(Strict):
    """The foreign CKAN that the hub's datasets are brought to."""

    url: Url = Field(description="the address of the CKAN, without /api")
    token: Secret
    organization: Text = Field(description="name or id of the organisation there that the datasets belong to")
    every: Positive = timedelta(hours=1)
    mapping: str = Field(default="ckan", description="how that portal wants it: ckan, govdata, open-nrw, hessen, rlp, sachsen")
    datasets: tuple[str, ...] = Field(default=(), description="only these datasets; absent: all public ones of this hub")
    themes: tuple[str, ...] = Field(default=(), description="only datasets of one of these themes")
    prefix: Annotated[str, StringConstraints(pattern=r"^[a-z0-9_-]{0,40}$")] = Field(
        default="", description="what stands before each name there, so that no two cities meet"
    )
    extras: dict[str, str] = Field(default_factory=dict, description="what every dataset says there beside its own words")
    withdraw: Literal["delete", "private", "keep"] = Field(
        default="delete", description="what becomes there of a dataset that is no longer public here"
    )
    harvested: bool = Field(default=False, description="true: also datasets that this hub itself has from others")
    datastore: DataStore | None = Field(default=None, description="absent: only descriptions and addresses of files are brought there")
    timeout: Positive = timedelta(seconds=60)
    retries: int = Field(default=3, ge=0, le=10)


class Harvest(Strict):
    """One file of a catalogue that is harvested."""

    id: Name
    title: Text
    harvest: HarvestSource
    schedule: Schedule = Schedule()
    paused: bool = False

    @property
    def organization(self) -> str:
        """The name of the organisation that its datasets belong to."""
        return self.harvest.organization or self.id

    @model_validator(mode="after")
    def _schedule_fits(self) -> Self:
        _no_windows(self.schedule)
        return self


class Publish(Strict):
    """One file of a portal that this hub's datasets are brought to."""

    id: Name
    title: Text
    publish: PublishTarget
    schedule: Schedule = Schedule()
    paused: bool = False

    @model_validator(mode="after")
    def _schedule_fits(self) -> Self:
        _no_windows(self.schedule)
        return self


#: What runs beside the feeds, on a schedule of its own.
Errand = Harvest | Publish

#: The table that tells which of the two a file is.
KINDS: dict[str, type[Harvest] | type[Publish]] = {"harvest": Harvest, "publish": Publish}
PARTS: tuple[type[Strict], ...] = (Harvest, Publish, HarvestSource, PublishTarget, Mirror, DataStore)


def errand_of(document: Mapping[str, Any], file_name: str) -> Errand:
    """The harvest or the publication in a document; FeedError holds a sentence for each mistake."""
    model = next(model for key, model in KINDS.items() if key in document)
    try:
        return model.model_validate(document)
    except ValidationError as error:
        raise FeedError("\n".join(f"{file_name}: {sentence}" for sentence in mistakes(error, model, PARTS))) from error


def every_of(errand: Errand) -> timedelta:
    """How often it is done."""
    return errand.harvest.every if isinstance(errand, Harvest) else errand.publish.every


def address_of(errand: Errand) -> str:
    """The far side."""
    return errand.harvest.url if isinstance(errand, Harvest) else errand.publish.url


def secrets_of(errand: Errand) -> list[SecretStr]:
    """The secrets that it names."""
    if isinstance(errand, Publish):
        return [errand.publish.token]
    return [errand.harvest.auth.value] if errand.harvest.auth is not None else []


def _no_windows(schedule: Schedule) -> None:
    if schedule.window is not None or schedule.catch_up == "all":
        raise ValueError("schedule: a catalogue is always taken whole: leave window and catch_up out")
