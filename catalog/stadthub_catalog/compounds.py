"""German compounds: which words a long word is made of, as far as all of its parts are known."""

from collections.abc import Callable

from stadthub_catalog.folding import stem

#: Shorter words are not taken apart, and shorter parts are none.
_LEAST, _LEAST_PART = 6, 3
_MOST_PARTS = 4

#: Words that stand in German compounds of cities' data and mean the same there, so that they count even where the catalogue
#: doesn't hold them by themselves.
_PARTS = """
    abfall abfuhr abgabe ablauf abwasser adresse alter amt anlage anmeldung anschluss antrag anwohner anzahl arbeit art asyl
    aufenthalt aufgabe aufkommen aufsicht ausbau ausgabe ausgleich auskunft auslaender ausland ausleihe aussen auszahlung
    auto automat bad bahn band bau baum bedarf beet befragung begleit begruenung behaelter behinderten behoerde belastung
    belegung beleuchtung beratung bereich berg bericht beruf beschluss bestand bestattung betrag betreuung betrieb
    bevoelkerung bezirk bezug bibliothek bilanz biotop blatt boden bogen brand bruecke brunnen buch buerger buero bus
    container dach daten deich denkmal dienst dorf druck ebene ehe eigen eignung einkauf einkommen einrichtung einsatz
    eintrag einwohner einzel eis elektro eltern energie entwicklung erde erfassung ergebnis erhebung erholung ernaehrung
    ertrag erzeugung fahr fahrrad fahrt fahrzeug fall familie farbe fassade feld fernwaerme fest feuer film finanz fisch
    flaeche fluechtling flug fluss foerderung form forst fracht frau freigabe freizeit fremd fuehrung fuss gang garage garten
    gas gast gebaeude gebiet geburt gefaess gefahr gehoelz gehweg gelaende gemeinde gemeinschaft genehmigung geraet gericht
    gesamt geschaeft geschwindigkeit gesundheit gewaesser gewerbe glas gleis grad grafik grenze gruen grund gruppe hafen
    halle halte haltestelle handel handwerk haupt haus haushalt hebe hilfe hitze hoch hochschule hoehe hof holz hort hotel
    hund impf industrie inhalt insel jahr jugend kalender kanal karte kasse kataster keller kennzahl kind kinder kirche
    klasse klima klinik knoten kontrolle kosten kraft kranken kreis kreuzung kultur kunst kurs lade laden laerm lage lager
    land landschaft last laub leben lehre lehrer leih leistung leitung leuchte licht liegenschaft linie liste luft maerkte
    mangel markt mast mauer melde meldung mensch mess messe messung miete mitglied mittel mittelwert mobil mobilitaet modell
    moebel monat muell museum musik nacht name natur netz not nutzung ober objekt ordnung ort pacht park parken pegel pendler
    personal pflanze pflege plan planung platz politik polizei post potenzial preis presse pumpe quartier quelle quote rad
    radweg rahmen rand rat rathaus raum recht regel regen register reihe reinigung rettung richtung richtwert ring route ruhe
    sache saeule salz sammel sammlung sanierung satz schacht schaden schall schatten schiff schild schloss schnee schueler
    schul schule schutz schutzgebiet schwimm see sektor sicherheit siedlung sitzung solar sonne sozial spende sperrung
    spiegel spiel spielplatz sport sprache spur staat stadt stand standort station statistik statt stau stein stelle steuer
    stoff strasse strecke streife strom studie stunde system tabelle tag tarif taxi technik teich teil telefon temperatur
    termin theater ticket tier tisch titel tonne tour tourismus traeger treff trink turm turn uebergang ueberwachung ufer uhr
    umfang umfrage umleitung umwelt unfall unter unterkunft unterlage unternehmen unterricht urlaub veranstaltung verband
    verbrauch verein verfahren vergabe verkehr verlauf verleih vermessung versammlung verschmutzung versicherung versorgung
    verwaltung verzeichnis viertel vogel vorhaben vorname waerme wahl wald wand wappen ware warte wasser wechsel weg weide
    weiher wein welt werbung werk werkstatt wert wetter wiese wild wind wirtschaft woche wohn wohnung zaehl zaehler zaehlung
    zahl zahn zeichen zeit zelle zentrum ziel zone zubringer zug zugang zulassung zusammenarbeit zustand zweck
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
