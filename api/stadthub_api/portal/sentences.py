"""The hub's own sentences in German: why rows were refused, a source did not answer or a question makes no sense.

The hub says these in English wherever machines read too. For a German page each stands here by its fixed words; what is between them (values,
names, places) is kept. What does not stand here is shown as it was said, marked as English.
"""

import re
from collections.abc import Callable, Mapping
from functools import lru_cache

from markupsafe import Markup, escape

from stadthub_schemas.dataset import Language
from stadthub_schemas.finding import SENTENCES
from stadthub_schemas.properties import title
from stadthub_schemas.units import UNITS

#: English words and German ones, with the same placeholders. The first that fits is it, so what is longer
#: stands before what it ends like.
WORDINGS: tuple[tuple[str, str], ...] = (
    # values
    ("missing, while the other coordinate is given", "fehlt, obwohl die andere Koordinate angegeben ist"),
    ("missing, and it is part of the key", "fehlt, gehört aber zum Schlüssel"),
    ("missing, and the schema requires it", "fehlt, ist aber nach dem Schema Pflicht"),
    (
        "missing: name the property that tells features from each other in options",
        "fehlt: nennen Sie in den Optionen die Eigenschaft, die die Objekte unterscheidet",
    ),
    ("missing", "fehlt"),
    ("{value} has no letter or digit", "{value} enthält weder Buchstaben noch Ziffern"),
    ("{value} is not a number with {sign} before its fraction", "{value} ist keine Zahl mit dem Dezimalzeichen {sign}"),
    ("{value} is not a number of {things}", "{value} ist keine Anzahl ({things})"),
    ("{value} is not a number", "{value} ist keine Zahl"),
    ("{value} is not a finite number", "{value} ist keine endliche Zahl"),
    ("{value} is not a name", "{value} ist kein Name"),
    ("{value} is not an object", "{value} ist kein Objekt"),
    ("{value} is not a key", "{value} ist kein Schlüssel"),
    ("{value} is not a UCUM code that the hub knows", "{value} ist keine Einheit (UCUM), die das Portal kennt"),
    ("{value} is not a UCUM code", "{value} ist keine Einheit (UCUM)"),
    ("{given} measures {one}, {wanted} measures {other}: they can't be converted", "{given} misst {one}, {wanted} misst {other}: das lässt sich nicht umrechnen"),
    ("{value} is not of type {type}", "{value} ist nicht vom Typ {type}"),
    ("{value} is neither true nor false", "{value} ist weder wahr noch falsch"),
    ("{value} has more than 10 digits behind the point", "{value} hat mehr als 10 Nachkommastellen"),
    ("{value} is not an amount of at most 28 digits before the point", "{value} ist kein Betrag mit höchstens 28 Stellen vor dem Komma"),
    ("{value} is not an amount", "{value} ist kein Betrag"),
    ("{value} is outside {low}..{high}", "{value} liegt außerhalb von {low} bis {high}"),
    ("{value} stands twice in this payload", "{value} steht zweimal in dieser Lieferung"),
    ("{value} stands twice, and the schema forbids it", "{value} steht zweimal, und das Schema verbietet es"),
    ("{value} was decoded, but the raw bytes say {wanted}: mend the device's codec", "{value} kam heraus, aber die rohen Bytes bedeuten {wanted}: der Codec des Geräts ist falsch"),
    ("{type}: it is not a row", "{type}: das ist keine Zeile"),
    ("it is not an object", "das ist kein Objekt"),
    ("{count} fields where the header has {width}", "{count} Felder, die Kopfzeile hat {width}"),
    # times
    ("{time} lies {length} ahead", "{time} liegt {length} in der Zukunft"),
    ("{time} lies {length} back, before {earliest}", "{time} liegt {length} zurück, vor {earliest}"),
    ("{time} lies before the start", "{time} liegt vor dem Beginn"),
    ("{time} is not a time ({formats})", "{time} ist kein Zeitpunkt ({formats})"),
    ("{time} is not a time that a calendar holds", "{time} ist kein Zeitpunkt, den es im Kalender gibt"),
    ("{time} is not a time: write {example}", "{time} ist kein Zeitpunkt: schreiben Sie {example}"),
    ("{time} is not a time", "{time} ist kein Zeitpunkt"),
    ("{time} is no time in milliseconds", "{time} ist kein Zeitpunkt in Millisekunden"),
    ("{time} is not a day ({formats})", "{time} ist kein Tag ({formats})"),
    ("{time} is not a day", "{time} ist kein Tag"),
    ("{time} is not a date: write {example}", "{time} ist kein Tag: schreiben Sie {example}"),
    ("{time} has no offset: set options.times.time_zone", "{time} nennt keine Zeitzone: setzen Sie options.times.time_zone"),
    ("{time} exists twice in {zone}: set options.times.ambiguous", "{time} gibt es in {zone} zweimal: setzen Sie options.times.ambiguous"),
    ("{time} does not exist in {zone}: the clock skips it in spring", "{time} gibt es in {zone} nicht: die Uhr überspringt es im Frühjahr"),
    # places
    ("it is empty", "sie ist leer"),
    ("mended and kept: {what}", "ausgebessert und behalten: {what}"),
    ("it is not valid and can't be mended: {what}", "sie ist ungültig und lässt sich nicht ausbessern: {what}"),
    ("its coordinates are not those of a GeoJSON geometry", "ihre Koordinaten sind nicht die einer GeoJSON-Geometrie"),
    ("a coordinate is no finite number that is on the earth in any CRS", "eine Koordinate liegt in keinem Koordinatensystem auf der Erde"),
    ("{value} is not a type of geometry", "{value} ist keine Art von Geometrie"),
    ("{value} is not a geometry", "{value} ist keine Geometrie"),
    ("{value} is not WKT", "{value} ist kein WKT"),
    # payloads and files
    ("it is not JSON: {error}", "das ist kein JSON: {error}"),
    ("it is not XML: {error}", "das ist kein XML: {error}"),
    ("it is not a JSON object", "das ist kein JSON-Objekt"),
    ("it is not a GeoJSON object", "das ist kein GeoJSON-Objekt"),
    ("it is not a ChirpStack v4 event: {error}", "das ist kein Ereignis von ChirpStack v4: {error}"),
    ("it is not a message of The Things Stack: {error}", "das ist keine Nachricht von The Things Stack: {error}"),
    ("it is not a zip archive, or a broken one", "das ist kein Zip-Archiv, oder ein beschädigtes"),
    ("it is not a workbook (xlsx, ods)", "das ist keine Arbeitsmappe (xlsx, ods)"),
    ("it is not a Parquet file, or a broken one", "das ist keine Parquet-Datei, oder eine beschädigte"),
    ("it is a broken gzip file", "die gzip-Datei ist beschädigt"),
    ("it was never reduced, nothing of it is read", "das wurde nie gekürzt und wird nicht gelesen"),
    ("it holds no table: not even a header", "es enthält keine Tabelle, nicht einmal eine Kopfzeile"),
    ("there is no column {name}: did you mean {near}?", "die Spalte {name} fehlt: ist {near} gemeint?"),
    ("there is no column {name}: it has {names}", "die Spalte {name} fehlt: es gibt {names}"),
    ("there is no column {name}, which the schema has", "die Spalte {name} fehlt, die das Schema nennt"),
    ("there is no column {name}", "die Spalte {name} fehlt"),
    ("byte {number} is not {encoding}: set options.encoding", "Byte {number} ist nicht {encoding}: setzen Sie options.encoding"),
    ("this is a web page, not data: look on it for a link to CSV, JSON, GeoJSON or an API", "das ist eine Webseite und sind keine Daten: suchen Sie dort einen Verweis auf CSV, JSON, GeoJSON oder eine API"),
    ("this is {what}, which no decoder reads: ask the source for {other}", "das ist {what}, was hier nicht gelesen werden kann: bitten Sie die Quelle um {other}"),
    ("it is a binary format that no decoder reads: ask the source for CSV, JSON or GeoJSON", "das ist ein binäres Format, das hier nicht gelesen werden kann: bitten Sie die Quelle um CSV, JSON oder GeoJSON"),
    ("it is neither a table nor JSON, XML or geodata{what}: take an address that gives data", "das ist weder eine Tabelle noch JSON, XML oder Geodaten{what}: nehmen Sie eine Adresse, die Daten liefert"),
    ("it is bigger than {size} MB, and a file of this kind is read as a whole: {mend}", "sie ist größer als {size} MB, und eine Datei dieser Art wird als Ganzes gelesen: {mend}"),
    ("unpacked it is bigger than {size} MB, and a file of this kind is read as a whole: {mend}", "sie ist ausgepackt größer als {size} MB, und eine Datei dieser Art wird als Ganzes gelesen: {mend}"),
    ("divide it", "teilen Sie sie"),
    ("write it as NDJSON, one object a line, which is read in pieces", "schreiben Sie sie als NDJSON, ein Objekt je Zeile, das in Stücken gelesen wird"),
    ("save it as CSV, which is read in pieces", "speichern Sie sie als CSV, das in Stücken gelesen wird"),
    ("its format has no columns that could be shown (decoder {decoder}): make a feed of it", "ihr Format hat keine Spalten, die gezeigt werden könnten (Decoder {decoder}): machen Sie einen Feed daraus"),
    ("{columns}: these columns seem to tell of people, so nothing was loaded and the file is kept back: upload it without them, or say in {field} on what ground it may be published", "{columns}: diese Spalten sagen wohl etwas über Personen, darum wurde nichts geladen und die Datei zurückgehalten: laden Sie sie ohne diese hoch, oder nennen Sie in {field}, aus welchem Grund sie veröffentlicht werden darf"),
    ("of its {pages} pages not all are here: fetch it again", "von den {pages} Seiten sind nicht alle da: rufen Sie sie noch einmal ab"),
    ("quarantined with {rows} rows: {error}", "mit {rows} Zeilen in Quarantäne: {error}"),
    ("nothing in it can be read: {error}", "nichts davon ist lesbar: {error}"),
    ("{error}: the feed is frozen; mend it with renames, or set another contract", "{error}: der Feed ist eingefroren; ergänzen Sie renames, oder setzen Sie einen anderen Vertrag"),
    # sources
    ("the server answered {status}: {mend}", "der Server antwortete {status}: {mend}"),
    ("the server answered {status}", "der Server antwortete {status}"),
    ("the broker does not answer: {error}", "der Broker antwortet nicht: {error}"),
    ("the broker does not answer", "der Broker antwortet nicht"),
    ("the broker refused user name or password: mend source.username and source.password", "der Broker lehnt Benutzername oder Kennwort ab: ändern Sie source.username und source.password"),
    ("the broker refused the login (not authorized): mend source.username and source.password", "der Broker lehnt die Anmeldung ab: ändern Sie source.username und source.password"),
    ("the broker refused the client id: mend source.client_id", "der Broker lehnt die Kennung des Clients ab: ändern Sie source.client_id"),
    ("the broker refused the connection: {error}", "der Broker lehnt die Verbindung ab: {error}"),
    ("the broker refused the subscription to {names}", "der Broker lehnt das Abonnement von {names} ab"),
    ("it does not answer: {error}", "keine Antwort: {error}"),
    ("its certificate is not one to trust: {error}", "dem Zertifikat ist nicht zu trauen: {error}"),
    ("timed out", "keine Antwort in der gesetzten Zeit"),
    ("the server can't be reached", "der Server ist nicht erreichbar"),
    ("the server broke off the connection", "der Server hat die Verbindung abgebrochen"),
    ("TLS failed: the certificate is not trusted", "TLS ist gescheitert: dem Zertifikat ist nicht zu trauen"),
    ("mend source.auth", "ändern Sie source.auth"),
    ("mend source.url", "ändern Sie source.url"),
    ("the host name can't be resolved", "der Rechnername lässt sich nicht auflösen"),
    ("only http and https URLs can be fetched", "nur Adressen mit http und https lassen sich abrufen"),
    ("the answer is bigger than source.max_bytes ({size})", "die Antwort ist größer als source.max_bytes ({size})"),
    ("it is bigger than source.max_bytes ({size})", "sie ist größer als source.max_bytes ({size})"),
    ("it redirects more than {count} times", "die Adresse leitet mehr als {count} Mal weiter"),
    ("there is no such file or folder: mend source.path", "diese Datei oder diesen Ordner gibt es nicht: ändern Sie source.path"),
    ("there is no such file, or the folder is empty", "diese Datei gibt es nicht, oder der Ordner ist leer"),
    ("{name} is stored as {stored}, but {given} was given", "{name} ist als {stored} gespeichert, kam aber als {given}"),
    # what is not there
    ("nothing is at {path}", "unter {path} gibt es nichts"),
    ("there is no dataset {name}", "den Datensatz {name} gibt es nicht"),
    ("there is no thing {name} in dataset {dataset}", "die Messstelle {name} gibt es im Datensatz {dataset} nicht"),
    ("there is no feed file for {name}", "für {name} gibt es keine Feed-Datei"),
    ("there is no feed {name}", "den Feed {name} gibt es nicht"),
    ("there is no file {name}", "die Datei {name} gibt es nicht"),
    ("there is no resource {name} in this dataset", "die Ressource {name} gibt es in diesem Datensatz nicht"),
    ("there is no resource {name}", "die Ressource {name} gibt es nicht"),
    ("there is no DataStore resource {name}", "die Ressource {name} gibt es im DataStore nicht"),
    ("there is nothing named {name}", "etwas mit dem Namen {name} gibt es nicht"),
    ("there is no form {ending} of the catalogue: use one of {others}", "die Form {ending} des Katalogs gibt es nicht: es gibt {others}"),
    ("there is no template {name}: there are {others}", "die Vorlage {name} gibt es nicht: es gibt {others}"),
    ("{name} has no file {file}", "{name} hat keine Datei {file}"),
    ("the last one is {number}", "die letzte ist {number}"),
    ("{method} is not offered at {path}", "{method} gibt es unter {path} nicht"),
    # who may
    ("this needs a token with role {role} or higher", "dafür ist ein Zugangsschlüssel der Rolle {role} oder höher nötig"),
    ("this token may not {action}", "dieser Zugangsschlüssel darf das nicht ({action})"),
    ("outside the token's datasets", "für diesen Datensatz gilt der Zugangsschlüssel nicht"),
    ("this token is not known: ask the operator for a new one", "dieser Zugangsschlüssel ist nicht bekannt: bitten Sie den Betrieb um einen neuen"),
    ("the token {name} has expired: ask the operator for a new one", "der Zugangsschlüssel {name} ist abgelaufen: bitten Sie den Betrieb um einen neuen"),
    ("the token {name} was revoked: ask the operator for a new one", "der Zugangsschlüssel {name} wurde widerrufen: bitten Sie den Betrieb um einen neuen"),
    # questions
    ("there is no parameter {name}: did you mean {near}?", "den Parameter {name} gibt es nicht: ist {near} gemeint?"),
    ("there is no parameter {name}", "den Parameter {name} gibt es nicht"),
    ("{dataset} has no column {name}: use one of {others}", "{dataset} hat keine Spalte {name}: es gibt {others}"),
    ("{dataset} has no column {name}", "{dataset} hat keine Spalte {name}"),
    ("{dataset} has no column with times: start and end make no sense here", "{dataset} hat keine Spalte mit Zeitpunkten: start und end ergeben hier keinen Sinn"),
    ("{dataset} has no geometry: bbox makes no sense here", "{dataset} hat keine Geometrie: bbox ergibt hier keinen Sinn"),
    ("{name} is of type {type} and has no order", "{name} ist vom Typ {type} und hat keine Reihenfolge"),
    ("only text has parts, {name} is of type {type}", "nur Text hat Teile, {name} ist vom Typ {type}"),
    ("{text} must be a whole number from 1 to {high}", "{text} muss eine ganze Zahl von 1 bis {high} sein"),
    ("{text} must be a whole number from 1 up", "{text} muss eine ganze Zahl ab 1 sein"),
    ("four numbers are needed: west, south, east, north in degrees", "vier Zahlen sind nötig: Westen, Süden, Osten, Norden in Grad"),
    ("{text} must be four numbers: west,south,east,north in degrees", "{text} müssen vier Zahlen sein: Westen, Süden, Osten, Norden in Grad"),
    ("it belongs to another question, start again without it", "er gehört zu einer anderen Anfrage: beginnen Sie ohne ihn neu"),
    ("it is broken, or was given before the hub was renewed: start again without it", "er ist beschädigt oder veraltet: beginnen Sie ohne ihn neu"),
    ("it is broken, start again without it", "er ist beschädigt: beginnen Sie ohne ihn neu"),
    ("the data were replaced meanwhile, start again without it", "die Daten wurden inzwischen ersetzt: beginnen Sie ohne ihn neu"),
    ("{name}: it stands there twice", "{name}: das steht zweimal da"),
    ("the question took longer than {seconds} s and was stopped: {mend}", "die Anfrage dauerte länger als {seconds} s und wurde abgebrochen: {mend}"),
    ("the question needs more memory than it may have: {mend}", "die Anfrage braucht mehr Speicher, als sie haben darf: {mend}"),
    ("narrow it by a shorter time range, fewer columns or a filter", "ein kürzerer Zeitraum, weniger Spalten oder ein Filter helfen"),
    ("too many {what} are running: try again in some seconds", "zu viele Anfragen zugleich ({what}): versuchen Sie es in einigen Sekunden noch einmal"),
)  # fmt: skip

_FIELD = re.compile(r"\{(\w+)\}")
#: Placeholders that may be sentences or lists; in all others stands no colon, so that what stands before a sentence is no part of it.
_LONG = frozenset({"error", "mend", "what", "names", "others", "near"})
#: Those that may be one of these sentences.
_SENTENCES = frozenset({"error", "mend"})
_LENGTH = re.compile(r"(\d+) (year|day|hour|minute|second)(s?)")
_LENGTHS = {"year": ("Jahr", "Jahre"), "day": ("Tag", "Tage"), "hour": ("Stunde", "Stunden"), "minute": ("Minute", "Minuten"), "second": ("Sekunde", "Sekunden")}  # fmt: skip
_OBSERVED = re.compile(r"\((\w+)\)\Z")
_LINE = re.compile(r"line (\d+)")
#: So many places may stand before a sentence, as in `phenomenon_time: line 3: …`.
_DEEP = 4


def _pattern(english: str) -> re.Pattern[str]:
    """The sentence as a pattern: its fixed words, and anything where a placeholder stands."""
    parts = _FIELD.split(english)
    fields = ("" if place % 2 == 0 else f"(?P<{part}>{'.+?' if part in _LONG else '(?:(?!: ).)+?'})" for place, part in enumerate(parts))
    words = (re.escape(part) if place % 2 == 0 else "" for place, part in enumerate(parts))
    return re.compile("".join(map("".join, zip(words, fields, strict=True))), re.DOTALL)


#: What is told of differences has its two languages already.
_DIFFERENCES = tuple(
    (english, german.rstrip(".")) for german, english in SENTENCES.values() if set(_FIELD.findall(german)) <= set(_FIELD.findall(english))
)
_PATTERNS = tuple((_pattern(english), german) for english, german in sorted((*WORDINGS, *_DIFFERENCES), key=lambda pair: "{" in pair[0]))


@lru_cache(maxsize=1000)
def german(sentence: str, deep: int = _DEEP) -> str | None:
    """The sentence in German, its values kept; None where its words are not known."""
    for pattern, words in _PATTERNS:
        found = pattern.fullmatch(sentence)
        if found is not None:
            return words.format(**{name: _value(name, value, deep) for name, value in found.groupdict().items()})
    place, colon, rest = sentence.partition(": ")
    inner = german(rest, deep - 1) if colon and deep else None
    numbered = _LINE.fullmatch(place)
    return None if inner is None else f"{f'Zeile {numbered[1]}' if numbered else place}: {inner}"


def _lengths(value: str) -> str:
    return _LENGTH.sub(lambda found: f"{found[1]} {_LENGTHS[found[2]][bool(found[3])]}", value)


def _measure(value: str) -> str:
    """A number with the symbol of its unit instead of its code."""
    number, _, code = value.rpartition(" ")
    return f"{number} {UNITS[code].symbol}" if number and code in UNITS else value


def _property(value: str) -> str:
    """A bound with the title of the observed property behind it."""
    return _OBSERVED.sub(lambda found: f"({title(found[1], 'de')})", value)


#: How what stands in some placeholders is written in German.
_SPELLED: Mapping[str, Callable[[str], str]] = {
    "length": _lengths,
    "value": _measure,
    "high": _property,
    "other": lambda value: value.replace(" or ", " oder "),
}


def _value(name: str, value: str, deep: int) -> str:
    """What stands in a placeholder: lengths of time, units and sentences in German, all else as it is."""
    if name in _SPELLED:
        return _SPELLED[name](value)
    return (german(value, deep - 1) or value) if name in _SENTENCES and deep else value


def shown(sentence: str, language: Language) -> Markup:
    """The sentence for a page in this language; marked as English where it stays so on a German page."""
    words = german(sentence) if language == "de" else sentence
    if words is not None and words.partition(" ")[0] != sentence.partition(" ")[0]:
        words = words[:1].upper() + words[1:]  # what begins with a field or an address stays as it is
    return escape(words) if words is not None else Markup('<span lang="en">{}</span>').format(sentence)
