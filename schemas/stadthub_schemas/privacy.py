"""The words of data protection, German and English: what is never kept where people are counted, and what protects the rest."""

from stadthub_schemas.dataset import Language

#: A phrase in both languages.
Phrase = tuple[str, str]

#: Of a feed that counts people's devices nothing of this is ever written (docs/privacy.md, tests/privacy).
NEVER_KEPT: tuple[Phrase, ...] = (
    (
        "MAC-Adressen und andere Gerätekennungen, auch nicht gekürzt oder verschlüsselt",
        "MAC addresses and other device ids, not even cut or hashed",
    ),
    ("IP-Adressen", "IP addresses"),
    ("Namen, E-Mail-Adressen, Telefonnummern", "names, e-mail addresses, telephone numbers"),
    ("Namen von Geräten und von Netzen, nach denen Geräte fragen", "names of devices and of networks that devices ask for"),
    ("wo ein Gerät war und wohin es ging", "where a device was and where it went"),
)

#: What protects counts of people; `{k}` and `{bucket}` are the dataset's.
COUNTED_MEASURES: tuple[Phrase, ...] = (
    (
        "Vor dem ersten Schreiben bleibt durch eine Positivliste nur, was gezählt wird",
        "an allow-list keeps only what is counted before anything is written",
    ),
    ("Zugangspunkte stehen unter Pseudonymen; der Schlüssel liegt getrennt", "access points bear pseudonyms whose key lies apart"),
    ("Anzahlen unter {k} sehen nur Befugte der Stadt", "counts below {k} are shown to the city's own people only"),
    ("Zeiten sind auf {bucket} Minuten vergröbert", "times are cut to {bucket} minutes"),
    ("Teile einer Summe werden nicht neben ihr gezeigt", "parts of a total are not shown beside it"),
)

#: What protects everything on the hub.
MEASURES: tuple[Phrase, ...] = (
    (
        "Jeder Zugriff wird an einer Stelle entschieden; ohne Erlaubnis gibt es nichts",
        "every access is decided in one place; without permission there is nothing",
    ),
    (
        "Zugangsschlüssel liegen nur als Prüfsumme vor, mit Rolle, Umfang und Ablauf",
        "tokens are kept as checksums only, with role, scope and end",
    ),
    (
        "Löschungen und Eingriffe stehen in einem fälschungssicheren Protokoll",
        "deletions and interventions stand in a tamper-evident audit",
    ),
    ("Abstürze hinterlassen kein Speicherabbild", "a crash leaves no memory image"),
    ("Das Zugriffsprotokoll kürzt IP-Adressen", "the access log shortens IP addresses"),
)

#: Who the people are that a feed counts.
SUBJECTS: Phrase = ("Personen, deren Geräte gezählt werden", "people whose devices are counted")


def spoken(phrase: Phrase, language: Language) -> str:
    """The phrase in one of the languages."""
    return phrase[language == "en"]
