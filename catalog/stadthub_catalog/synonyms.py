"""Words that mean the same to somebody who searches: the list that comes with the hub, and the operator's own."""

from collections.abc import Iterable, Sequence
from pathlib import Path

from stadthub_catalog.folding import stem, words
from stadthub_schemas.errors import SettingsError

_OURS = Path(__file__).with_name("synonyms.txt")

Phrase = tuple[str, ...]


class Synonyms:
    """Phrases (as the stems of their words) and what else may be said for them."""

    def __init__(self, own: Path | None = None) -> None:
        """Read our list and, if there is one, the operator's; SettingsError names the line that can't be read."""
        self._others: dict[Phrase, list[Phrase]] = {}
        self._longest = 1
        for path in (_OURS, own):
            if path is not None and path.is_file():
                self._read(path)

    def at(self, said: Sequence[str], place: int) -> tuple[int, list[Phrase]]:
        """How many words from this place on are a phrase of the list, and the folded words of the others; 1 and none if there is no such."""
        for length in range(min(self._longest, len(said) - place), 0, -1):
            found = self._others.get(_stems(said[place : place + length]))
            if found is not None:
                return length, found
        return 1, []

    def _read(self, path: Path) -> None:
        try:
            lines = path.read_text("utf-8-sig").splitlines()
        except (OSError, UnicodeDecodeError) as error:
            raise SettingsError(f"{path.name}: the list of synonyms can't be read: save it as UTF-8 text") from error
        for number, line in enumerate(lines, 1):
            said, arrow, meant = line.partition("#")[0].partition("=>")
            left, right = _phrases(said), _phrases(meant)
            if arrow and left and right:
                self._add(left, right)
            elif not arrow and len(left) > 1:
                self._add(left, left)
            elif line.partition("#")[0].strip():
                raise SettingsError(f"{path.name}: line {number} is neither `one, other` nor `one => other`: {line[:60]!r}")

    def _add(self, left: Iterable[Phrase], right: Iterable[Phrase]) -> None:
        for phrase in left:
            key = _stems(phrase)
            known = self._others.setdefault(key, [])
            known += [other for other in right if _stems(other) != key and other not in known]
            self._longest = max(self._longest, len(phrase))


def _stems(said: Sequence[str]) -> Phrase:
    return tuple(stem(word) for word in said)


def _phrases(text: str) -> list[Phrase]:
    return [found for one in text.split(",") if (found := tuple(words(one)))]
