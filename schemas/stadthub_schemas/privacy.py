"""The words of data protection, German and English: what is never kept where people are counted, and what protects the rest."""

from dataclasses import dataclass

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


@dataclass(frozen=True, slots=True)
class HubProcessing:
    """What the hub itself processes of people, in the words of Art. 30 GDPR."""

    title: Phrase
    purpose: Phrase
    legal_basis: Phrase
    subjects: Phrase
    categories: Phrase
    recipients: Phrase
    retention: Phrase


_SECURITY: Phrase = (
    "Art. 6 Abs. 1 Buchst. e DSGVO in Verbindung mit Art. 32 DSGVO und dem Datenschutzgesetz des Landes",
    "Art. 6 (1) e GDPR with Art. 32 GDPR and the state's data protection act",
)
_OPERATION: Phrase = ("Betrieb des Portals", "those who run the portal")

HUB_PROCESSINGS: dict[str, HubProcessing] = {
    "hub-tokens": HubProcessing(
        ("Zugangsschlüssel und Anmeldung", "Tokens and sign-in"),
        ("Zugriff auf das beschränken, was jemand sehen oder tun darf", "to confine everybody to what they may see or do"),
        _SECURITY,
        ("Inhaberinnen und Inhaber von Zugangsschlüsseln", "holders of tokens"),
        (
            "Name und Zweck des Schlüssels, Rolle, Umfang, Ablauf, letzte Benutzung",
            "name and purpose of the token, role, scope, end, last use",
        ),
        _OPERATION,
        (
            "bis der Eintrag gelöscht wird; zurückgezogene Schlüssel bleiben als Nachweis stehen",
            "until the entry is deleted; revoked ones stay as proof",
        ),
    ),
    "hub-audit": HubProcessing(
        ("Protokoll der Eingriffe und Löschungen", "Audit of interventions and deletions"),
        ("Nachweisen, wer was geändert hat und dass gelöscht wurde", "to prove who changed what, and that was deleted what had to be"),
        _SECURITY,
        ("Personen, die den Betrieb verantworten", "people who run the hub"),
        ("Name des Zugangsschlüssels, Handlung, Gegenstand, Zeit", "name of the token, action, object, time"),
        _OPERATION,
        ("unbegrenzt, weil jeder Eintrag die früheren beglaubigt", "without end, since each entry vouches for those before it"),
    ),
    "hub-access-log": HubProcessing(
        ("Zugriffsprotokoll des Servers", "Access log of the server"),
        ("Störungen und Angriffe erkennen", "to notice faults and attacks"),
        _SECURITY,
        ("Personen, die das Portal oder die Schnittstellen benutzen", "people who use the portal or the APIs"),
        (
            "Zeit, Adresse der Seite ohne Parameter, Ergebnis, gekürzte IP-Adresse (/24 oder /48)",
            "time, address of the page without parameters, result, shortened IP address (/24 or /48)",
        ),
        _OPERATION,
        ("wie im Protokolldienst des Betriebssystems eingestellt", "as the log service of the operating system is set"),
    ),
}


def spoken(phrase: Phrase, language: Language) -> str:
    """The phrase in one of the languages."""
    return phrase[language == "en"]
