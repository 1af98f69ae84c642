"""German compounds: which words a long word is made of, as far as all of its parts are known."""

from collections.abc import Callable

from stadthub_catalog.folding import stem

#: Shorter words are not taken apart, and shorter parts are none.
_LEAST, _LEAST_PART = 6, 3
_MOST_PARTS = 4

#: Words that stand in German compounds of cities' data and mean the same there, so that they count even where the catalogue
#: doesn't hold them by themselves.
_PARTS = """
    abfall abgabe ablauf abwasser adresse alter amt anlage anschluss antrag anwohner arbeit art asyl aufgabe aufsicht ausbau
    ausgabe ausgleich auskunft ausland auslaender ausleihe aussen auto bad bahn band bau baum bedarf begleit behaelter behinderten
    behoerde belastung belegung beleuchtung bereich bericht berg beruf beschluss bestand betreuung betrieb bevoelkerung bezirk
    bibliothek biotop blatt boden bogen brand brunnen bruecke buch buerger bus container dach daten deich denkmal dienst
    dorf druck ebene ehe eigen einkommen einrichtung einwohner eis elektro eltern energie entwicklung erde ernaehrung erzeugung
    fahr fahrrad fahrt fahrzeug familie farbe feld fest feuer film finanz fisch flaeche fluechtling flug fluss form forst frau
    freizeit fremd fuehrung fuss gang garage garten gas gast gebaeude gebiet geburt gefahr gefaess gehweg gemeinde gemeinschaft
    geraet gericht gewaesser gewerbe gelaende geschwindigkeit gesundheit glas grenze grund gruen gruppe hafen halle halte haltestelle
    handel handwerk haupt haus haushalt hilfe hitze hoch hochschule hof hoehe holz hort hotel hund impf industrie insel jahr jugend
    karte kasse kataster keller kennzahl kind kinder kirche klasse klima klinik knoten kosten kraft kranken kreis kreuzung kultur kunst
    kurs laden lade land landschaft lager lage laerm last laub leben lehrer leistung leitung lehre licht liegenschaft linie liste
    luft mangel markt mauer mensch messe messung mess miete mitglied mittel mobil museum musik muell nacht name natur netz not
    nutzung objekt ordnung ort park parken park platz personal pflanze pflege plan planung platz politik polizei post preis presse
    quartier quelle rad radweg rahmen rand rat rathaus raum recht regen regel register reinigung rettung richtung ring
    route ruhe sache salz sammel sammlung satz schaden schall schatten schiff schild schloss schnee schul schule schueler schutz
    schwimm see sicherheit siedlung sitzung solar sonne sozial spende spiel spielplatz sport sprache spur staat stadt stand
    standort station statistik statt stau stein stelle steuer strasse strom stoff studie stunde tabelle tag tarif tarif taxi teich
    teil telefon temperatur theater tier titel tonne tour tourismus treff trink turm turn ueberwachung ufer uhr umfrage umwelt
    unfall unternehmen unterkunft urlaub verband verbrauch verein verfahren vergabe verkehr verleih vermessung versammlung
    versicherung versorgung verwaltung verzeichnis viertel vogel wahl wald wand wappen ware warte wasser weg weide wein welt werk
    werkstatt wert wetter wild wind wirtschaft woche wohn wohnung wohnung zaehl zaehlung zahl zahn zeit zelle zentrum zone zubringer
    zug zugang zustand zweck
"""

KNOWN = frozenset(stem(word) for word in _PARTS.split())


def parts(word: str, known: Callable[[str], bool]) -> tuple[str, ...]:
    """The stems of the words that this folded word is made of, the fewest that there are; empty if it can't be taken apart.

    `known` says whether a stem is one of the catalogue's own words.
    """
    if len(word) < _LEAST or not word.isalpha():
        return ()
    best: dict[int, tuple[str, ...]] = {0: ()}
    for start in range(len(word) - _LEAST_PART + 1):
        if start not in best or len(best[start]) >= _MOST_PARTS:
            continue
        for end in range(start + _LEAST_PART, len(word) + 1):
            if end - start == len(word):
                continue
            part = _part(word[start:end], known)
            if part and (end not in best or len(best[end]) > len(best[start]) + 1):
                best[end] = (*best[start], part)
    return best.get(len(word), ())


def _part(piece: str, known: Callable[[str], bool]) -> str:
    """The stem that this piece of a compound stands for, with or without the s that joins it; empty for none."""
    for said in (piece, piece[:-1] if piece.endswith("s") and len(piece) > _LEAST_PART else ""):
        found = stem(said) if said else ""
        if found and (found in KNOWN or (len(said) > _LEAST_PART and known(found))):
            return found
    return ""
