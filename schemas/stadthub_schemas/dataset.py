"""What a dataset is: its words, its columns, who may see it, how long it is kept."""

from datetime import date, timedelta
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import EmailStr, Field, HttpUrl, StringConstraints

from stadthub_schemas.model import CatalogName, ColumnName, Strict, Text
from stadthub_schemas.vocabularies import FrequencyId, LicenseId, ThemeId

#: A CKAN tag: 2 to 100 word characters, blanks, `-`, `_`, `.`
Keyword = Annotated[str, StringConstraints(pattern=r"^[\w \-.]{2,100}$")]


#: A category of high-value datasets, as the EU's list names it.
HvdCategory = Annotated[str, StringConstraints(pattern=r"^c_[0-9a-f]{6,8}$")]


class Kind(StrEnum):
    """The three kinds of dataset with rows in the lake (design 4), and datasets that are only files and addresses."""

    TIMESERIES = "timeseries"
    FEATURES = "features"
    TABLE = "table"
    FILES = "files"


class AccessClass(StrEnum):
    """Who may see it: everybody, the city's own people, or only those named in a token."""

    PUBLIC = "public"
    INTERNAL = "internal"
    RESTRICTED = "restricted"


class ColumnType(StrEnum):
    """The types that a column of a dataset can have, in every face and file."""

    TEXT = "text"
    INTEGER = "integer"
    NUMBER = "number"
    DECIMAL = "decimal"
    BOOLEAN = "boolean"
    DATE = "date"
    TIME = "time"
    JSON = "json"
    GEOMETRY = "geometry"


class ColumnWords(Strict):
    """What a feed file says of one column: words, unit (UCUM) and class. The type is found in the data or set here."""

    title: Text | None = None
    title_en: Text | None = None
    description: Text | None = None
    description_en: Text | None = None
    unit: str | None = None
    type: ColumnType | None = None
    access: AccessClass = AccessClass.PUBLIC


class Column(Strict):
    """One column as it is served: `type` as stored, times in UTC, geometry as CRS84 longitude, latitude."""

    name: str
    type: ColumnType
    title: str = ""
    title_en: str = ""
    description: str = ""
    description_en: str = ""
    unit: str | None = None
    access: AccessClass = AccessClass.PUBLIC


class Contact(Strict):
    """Whom to ask: a role, not a person, wherever that is possible."""

    name: Text
    email: EmailStr | None = None
    url: HttpUrl | None = None


class Publisher(Strict):
    """The organisation that answers for a dataset; `name` is its key in the catalogue."""

    name: CatalogName
    title: Text
    description: str = ""
    url: HttpUrl | None = None
    contact: Contact | None = None


Language = Literal["de", "en"]

#: What is kept of people's devices where a feed file says nothing else, in German and English.
KEPT = ("Anzahl verbundener Geräte je Zugangspunkt und Zeitraum", "number of connected devices for each access point and span of time")


class Privacy(Strict):
    """The `[metadata.privacy]` of a feed file: why people are counted at all, and what nobody is shown. Art. 30 GDPR wants to know."""

    purpose: Text
    purpose_en: Text | None = None
    legal_basis: Text = Field(description="such as: Art. 6 (1) e GDPR with the city's statute")
    categories: tuple[Text, ...] = Field(default=(KEPT[0],), min_length=1, description="which data are kept")
    retention: timedelta | None = Field(default=None, gt=timedelta(0), description="how long; absent: as `metadata.retention` says")
    k: int = Field(default=5, ge=2, le=1000, description="counts below it are shown to the city's own people only")
    counts: tuple[str, ...] = Field(
        default=(),
        description="what counts people beside wifi_clients: observed properties of a timeseries, columns of other datasets "
        "(also those that are computed from such counts)",
    )
    smallest: ColumnName | None = Field(
        default=None, description="the column with the smallest count behind a row: where it is below k, no count of the row is shown"
    )
    plain: tuple[str, ...] = Field(
        default=(),
        description="columns of a table or of features whose numbers tell nothing of people; other numbers are not shown to anybody",
    )
    bucket: timedelta = Field(default=timedelta(minutes=15), ge=timedelta(minutes=15), le=timedelta(days=1))
    assessment_url: HttpUrl | None = Field(default=None, description="where the data protection impact assessment stands")

    def kept(self, language: Language) -> tuple[str, ...]:
        """Which data are kept, in this language where the feed file leaves the words to us."""
        return (KEPT[1],) if language == "en" and self.categories == (KEPT[0],) else self.categories


class Release(Strict):
    """The `[metadata.release]` of a feed file: who decided that these data may be seen, when, and on which legal ground."""

    by: Text = Field(description="the office or role that decided, not necessarily a person")
    date: date
    legal_basis: Text = Field(description="such as: § 12a EGovG, or the city's open data statute")
    note: Text | None = None
    reference: Text | None = Field(default=None, description="file number or address of the written decision")


class Words(Strict):
    """What the catalogue says of a dataset, as far as it is known: others' catalogues say less than our feed files. German is the
    main language."""

    title: Text
    title_en: Text | None = None
    description: str = ""
    description_en: Text | None = None
    license: str | None = None
    attribution: Text | None = None
    publisher: Publisher
    contact: Contact | None = None
    themes: tuple[ThemeId, ...] = ()
    keywords: tuple[str, ...] = ()
    update_frequency: FrequencyId | None = None
    source_url: HttpUrl | None = None
    simulated: bool = False
    access: AccessClass = AccessClass.PUBLIC
    purpose: Text | None = None
    retention: timedelta | None = Field(default=None, description="how long observations are kept; absent: for ever")
    columns: dict[ColumnName, ColumnWords] = Field(default_factory=dict)
    privacy: Privacy | None = Field(default=None, description="needed where a decoder counts people")
    release: Release | None = Field(default=None, description="who released the data; wanted for public ones")
    hvd_categories: tuple[HvdCategory, ...] | None = Field(
        default=None, min_length=1, description="categories of a high-value dataset (EU 2023/138), such as c_dd313021"
    )
    groups: tuple[CatalogName, ...] | None = Field(
        default=None, description="groups of the catalogue that were made through its API, beside the themes"
    )

    @property
    def kept_for(self) -> timedelta | None:
        """How long observations are kept: the shorter of what dataset and privacy block say; None: for ever."""
        said = (self.retention, self.privacy.retention if self.privacy else None)
        return min((one for one in said if one is not None), default=None)


class Metadata(Words):
    """The `[metadata]` of a feed file: what our own datasets must say."""

    description: Text
    license: LicenseId
    contact: Contact
    themes: tuple[ThemeId, ...] = Field(min_length=1)
    keywords: tuple[Keyword, ...] = ()
    update_frequency: FrequencyId = "IRREG"


class Lineage(Strict):
    """What a derived dataset is made of: the datasets that its SQL reads, and the SQL."""

    inputs: tuple[CatalogName, ...]
    sql: str


class Dataset(Strict):
    """A dataset as every room knows it: its name, its kind, its metadata."""

    name: CatalogName
    kind: Kind
    metadata: Words
    key: tuple[str, ...] = Field(default=(), description="the columns that tell a row of a table from the others")
    lineage: Lineage | None = Field(default=None, description="what it is derived from; absent: a feed brings it")


class Extent(Strict):
    """What the stored data cover, taken from the data: times in UTC, the box in CRS84 degrees."""

    rows: int = 0
    first_time: str | None = None
    last_time: str | None = None
    bbox: tuple[float, float, float, float] | None = None
    datastreams: int = 0
    things: int = 0


#: The columns of every `timeseries` dataset as they are queried, in this order (OGC SensorThings 1.1 section 8, flattened).
TIMESERIES_COLUMNS: tuple[Column, ...] = (
    Column(
        name="phenomenon_time",
        type=ColumnType.TIME,
        title="Zeitpunkt",
        title_en="Time",
        description="Wann gemessen wurde, in UTC",
        description_en="When it was observed, in UTC",
    ),
    Column(
        name="datastream",
        type=ColumnType.TEXT,
        title="Datenstrom",
        title_en="Datastream",
        description="Schlüssel aus Objekt und Messgröße: thing:observed_property",
        description_en="Key of thing and observed property: thing:observed_property",
    ),
    Column(
        name="thing",
        type=ColumnType.TEXT,
        title="Objekt",
        title_en="Thing",
        description="Schlüssel der Messstelle",
        description_en="Key of the thing that observes",
    ),
    Column(
        name="thing_name",
        type=ColumnType.TEXT,
        title="Name",
        title_en="Name",
        description="Name der Messstelle",
        description_en="Name of the thing",
    ),
    Column(name="observed_property", type=ColumnType.TEXT, title="Messgröße", title_en="Observed property"),
    Column(
        name="result",
        type=ColumnType.NUMBER,
        title="Wert",
        title_en="Result",
        description="Gemessener Wert in der genannten Einheit",
        description_en="What was observed, in the unit beside it",
    ),
    Column(
        name="result_text",
        type=ColumnType.TEXT,
        title="Wert (Text)",
        title_en="Result (text)",
        description="Wert, wenn er keine Zahl ist",
        description_en="The result where it is not a number",
    ),
    Column(name="unit", type=ColumnType.TEXT, title="Einheit", title_en="Unit", description="UCUM-Schlüssel", description_en="UCUM code"),
    Column(
        name="quality",
        type=ColumnType.TEXT,
        title="Qualität",
        title_en="Quality",
        description="Kennzeichen der Quelle oder der Prüfung",
        description_en="Flag of the source or of the judge",
    ),
    Column(name="longitude", type=ColumnType.NUMBER, title="Länge", title_en="Longitude", unit="deg"),
    Column(name="latitude", type=ColumnType.NUMBER, title="Breite", title_en="Latitude", unit="deg"),
    Column(
        name="received_time",
        type=ColumnType.TIME,
        title="Empfangen",
        title_en="Received",
        description="Wann der Wert ankam, in UTC",
        description_en="When the hub received it, in UTC",
    ),
    Column(name="parameters", type=ColumnType.JSON, title="Weitere Angaben", title_en="Parameters"),
)
