"""Words as a search compares them: without case and accents, ä as ae, and cut down to their stems."""

import re
import unicodedata
from functools import lru_cache

from Stemmer import Stemmer

#: Longer words are cut: nobody looks for them, and they would make the index large.
_LONGEST = 60

_WORD = re.compile(r"[^\W_]+")
_SIGNS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss", "æ": "ae", "ø": "oe", "œ": "oe", "μ": "u"})

#: Words that say nothing about what somebody looks for, in both languages.
_STOP = """aber alle als am an auf aus bei beim bis das dass dem den der des die ein eine einem einen einer eines es fuer gibt hat haben
ich im in ins ist kann mit nach nicht oder sich sie sind so ueber um und unter vom von vor was welche welcher welches wie wir wo
wird wurde zu zum zur zwischen a about all an and any are as at be by do for from has have how in is it its of on or per that the
their there these this to was what when where which who with"""
STOP = frozenset(_STOP.split())

#: Its calls hold the interpreter, so that threads do not meet in it; the results are kept here, not in it.
_GERMAN = Stemmer("german", 0)


def words(text: str) -> list[str]:
    """The words of a text, each as `fold` has it."""
    return [fold(word) for word in _WORD.findall(unicodedata.normalize("NFKC", text).lower())]


@lru_cache(maxsize=131_072)
def fold(word: str) -> str:
    """A word in small letters without accents, with ae for ä and ss for ß."""
    if word.isascii():
        return word[:_LONGEST]
    plain = unicodedata.normalize("NFD", unicodedata.normalize("NFC", word).translate(_SIGNS))
    return "".join(sign for sign in plain if not unicodedata.combining(sign))[:_LONGEST]


@lru_cache(maxsize=262_144)
def stem(word: str) -> str:
    """The stem of a folded word: the same for Baum, Bäume, Baeume and baume; for Kita and Kitas, city and cities."""
    if word.endswith("seen") and len(word) > 5:
        word = word[:-2] + "um"  # Museen, Museum
    found = str(_GERMAN.stemWord(word))
    if len(found) > 3 and found.endswith("s") and found[-2] in "aeoy":
        found = found[:-1]
    return found[:-1] + "i" if len(found) > 3 and found.endswith("y") else found
