"""What is proposed for a sample: guesses, each with its reason in both languages, and the columns as an editable table."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from stadthub_schemas.dataset import ColumnType, Kind


@dataclass(frozen=True, slots=True)
class Said:
    """A sentence in both languages."""

    de: str
    en: str

    def in_language(self, language: str) -> str:
        """The sentence in `de` or `en`."""
        return self.de if language == "de" else self.en


#: What a column can become, by the kind of the dataset: the word in feed files, German, English.
BECOMES: Mapping[Kind, Mapping[str, Said]] = {
    Kind.TIMESERIES: {
        "thing": Said("Schlüssel der Messstelle", "key of the thing"),
        "thing_name": Said("Name der Messstelle", "name of the thing"),
        "phenomenon_time": Said("Zeitpunkt", "time"),
        "value": Said("Messwert", "result"),
        "result": Said("Messwert (die Messgröße steht in einer anderen Spalte)", "result (another column names what is observed)"),
        "observed_property": Said("Name der Messgröße", "name of the observed property"),
        "unit": Said("Einheit", "unit"),
        "quality": Said("Qualität", "quality"),
        "sensor": Said("Sensor", "sensor"),
        "longitude": Said("Länge", "longitude"),
        "latitude": Said("Breite", "latitude"),
        "parameter": Said("weitere Angabe", "further fact"),
        "drop": Said("weglassen", "leave out"),
    },
    Kind.FEATURES: {
        "id": Said("Schlüssel", "key"),
        "longitude": Said("Länge", "longitude"),
        "latitude": Said("Breite", "latitude"),
        "geometry": Said("Geometrie (WKT oder GeoJSON)", "geometry (WKT or GeoJSON)"),
        "property": Said("Eigenschaft", "property"),
        "drop": Said("weglassen", "leave out"),
    },
    Kind.TABLE: {
        "key": Said("Teil des Schlüssels", "part of the key"),
        "property": Said("Spalte", "column"),
        "drop": Said("weglassen", "leave out"),
    },
}

#: What is kept of a column only once it is confirmed, with a purpose.
PERSONAL: Mapping[str, Said] = {
    "name": Said("Personenname", "name of a person"),
    "email": Said("E-Mail-Adresse", "e-mail address"),
    "phone": Said("Telefonnummer", "telephone number"),
    "iban": Said("Bankverbindung (IBAN)", "bank account (IBAN)"),
    "mac": Said("Geräteadresse (MAC)", "device address (MAC)"),
    "ip": Said("IP-Adresse", "IP address"),
    "plate": Said("Kfz-Kennzeichen", "number plate"),
    "birth": Said("Geburtsdatum", "date of birth"),
    "address": Said("Anschrift einer Person", "address of a person"),
}

#: What is never kept, whoever confirms it: these tell of people's devices and accounts.
NEVER = frozenset({"mac", "iban"})


@dataclass(frozen=True, slots=True)
class Guess:
    """One thing that was found: how sure it is (0 to 1), and why."""

    what: str
    value: str
    confidence: float
    reason: Said


@dataclass(frozen=True, slots=True)
class Field:
    """One column (or path) of the sample and what is proposed for it; `examples` are masked where they tell of people. `identifies`: it
    may be what tells the rows of a table apart, by its header and since each row has another of it."""

    place: str
    becomes: str
    name: str = ""
    unit: str | None = None
    type: ColumnType | None = None
    personal: str | None = None
    examples: tuple[str, ...] = ()
    confidence: float = 0.5
    reason: Said = Said("", "")
    identifies: bool = False


@dataclass(frozen=True, slots=True)
class Proposal:
    """A feed's reading half: decoder, kind and options; `fields` is the mapping where the decoder has one."""

    decoder: str
    kind: Kind
    options: Mapping[str, Any] = field(default_factory=dict)
    fields: Sequence[Field] = ()
    guesses: Sequence[Guess] = ()
    warnings: Sequence[Said] = ()
    key: Sequence[str] = ()
    frequency: str | None = None
    unpack: bool = True

    def value(self, what: str) -> str | None:
        """What was guessed of this, or None."""
        return next((guess.value for guess in self.guesses if guess.what == what), None)


#: The words for what is guessed.
WHATS: Mapping[str, Said] = {
    "format": Said("Format", "format"),
    "encoding": Said("Zeichensatz", "encoding"),
    "delimiter": Said("Trennzeichen", "delimiter"),
    "quote": Said("Anführungszeichen", "quote"),
    "header": Said("Kopfzeile", "header"),
    "skip_rows": Said("Zeilen davor", "lines before it"),
    "skip_footer": Said("Zeilen danach", "lines after it"),
    "decimal": Said("Dezimalzeichen", "decimal sign"),
    "thousands": Said("Tausenderzeichen", "thousands sign"),
    "missing": Said("Zeichen für fehlende Werte", "marks for missing values"),
    "times": Said("Schreibweise der Zeiten", "how times are written"),
    "time_zone": Said("Zeitzone", "time zone"),
    "interval_end": Said("Ende der Zeitspanne", "end of the interval"),
    "shape": Said("Aufbau", "shape"),
    "kind": Said("Art", "kind"),
    "rows": Said("Ort der Zeilen", "where the rows stand"),
    "crs": Said("Koordinatensystem", "reference system"),
    "geometry": Said("Geometrie", "geometry"),
    "frequency": Said("Rhythmus", "cadence"),
    "sheet": Said("Tabellenblatt", "sheet"),
}
