"""What the good payloads of a feed look like, and how another one differs from them."""

import difflib
import re
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from stadthub_ingest.shape import Shape
from stadthub_schemas.finding import Severity

#: A column that was there this often in a row is missed when it is not; one that stays away so long is no longer.
STEADY, GONE = 20, 50

#: More columns than these are not told apart.
MOST = 1000

#: How alike two names must be for one to be taken for the other's new name.
ALIKE = 0.6

#: If one column is gone and one is new, they need not be very alike.
ALIKE_ALONE = 0.3

#: The unit at the end of a column's name.
_UNIT = re.compile(r"\s*[\[(]([^\])]{1,30})[\])]\s*$")

#: Kinds of values that a column may have without being another one.
_FITS = {"number": {"integer"}, "text": {"integer", "number", "boolean", "time"}, "object": {"list"}}


@dataclass(frozen=True, slots=True)
class Difference:
    """One way in which a payload is not as usual: the words of a finding. `shape`: it is about its looks, which a contract guards."""

    kind: str
    subject: str
    severity: Severity
    details: dict[str, Any] = field(default_factory=dict)
    shape: bool = True


@dataclass(slots=True)
class Known:
    """A column that good payloads have: its kinds of values, in how many payloads in a row it was there or stayed away, how full it is."""

    kinds: list[str]
    streak: int = 1
    missed: int = 0
    filled: float = 1.0


@dataclass(slots=True)
class Profile:
    """The looks of good payloads. `payloads` is how many were looked at, `attributes` are the names in rows and features."""

    payloads: int = 0
    form: str = ""
    encodings: list[str] = field(default_factory=list)
    delimiter: str = ""
    namespaces: list[str] = field(default_factory=list)
    columns: dict[str, Known] = field(default_factory=dict)
    attributes: list[str] = field(default_factory=list)
    properties: list[str] = field(default_factory=list)

    @classmethod
    def read(cls, body: Mapping[str, Any]) -> "Profile":
        """The profile as it was kept."""
        columns = {name: Known(**known) for name, known in body.get("columns", {}).items()}
        return cls(**{**{name: value for name, value in body.items() if name in cls.__slots__}, "columns": columns})

    def kept(self) -> dict[str, Any]:
        """The profile as it is to be kept."""
        return asdict(self)

    def required(self, name: str) -> bool:
        """Whether a payload without this column is not as usual."""
        known = self.columns[name]
        return known.streak >= min(STEADY, self.payloads) and known.missed < GONE

    def learn(self, shape: Shape) -> bool:
        """Take up how a good payload looks; answer whether anything was new that later ones are compared with."""
        new = self._learn_form(shape)
        for name, seen in shape.columns.items():
            known = self.columns.get(name)
            share = seen.filled / seen.of if seen.of else 0.0
            if known is None:
                if len(self.columns) < MOST:
                    self.columns[name] = Known(sorted(seen.kinds), filled=share)
                    new = True
                continue
            new = new or not seen.kinds <= set(known.kinds)
            known.kinds = sorted({*known.kinds, *seen.kinds})
            known.streak = 1 if known.missed else known.streak + 1
            known.missed = 0
            known.filled += (share - known.filled) / min(self.payloads + 1, STEADY)
        if not shape.partial:
            for name in self.columns.keys() - shape.columns.keys():
                self.columns[name].missed += 1
        self.payloads += 1
        return new

    def adopt(self, shape: Shape) -> None:
        """Take this very payload as the new normal: what it lacks is no longer missed."""
        for name in [name for name in self.columns if name not in shape.columns]:
            del self.columns[name]
        for name, seen in shape.columns.items():
            if name in self.columns:
                self.columns[name].kinds = sorted(seen.kinds) or self.columns[name].kinds
        self.learn(shape)

    def _learn_form(self, shape: Shape) -> bool:
        before = (self.form, list(self.encodings), self.delimiter, self.namespaces)
        self.form, self.delimiter = shape.form, shape.delimiter or self.delimiter
        self.namespaces = list(shape.namespaces)
        if shape.encoding:
            self.encodings = [shape.encoding]
        return before != (self.form, self.encodings, self.delimiter, self.namespaces)

    def compare(self, shape: Shape, is_channel: Callable[[str], bool]) -> list[Difference]:
        """How this payload differs; nothing while no good one is known."""
        if not self.payloads:
            return []
        if shape.form != self.form:
            return [Difference("form_changed", "payload", Severity.ERROR, {"before": self.form, "now": shape.form})]
        found = self._forms(shape)
        if any(one.kind == "delimiter_changed" for one in found):
            return found  # with another delimiter every column is another one
        return found + self._columns(shape, is_channel)

    def _forms(self, shape: Shape) -> list[Difference]:
        found = []
        if shape.encoding and self.encodings and shape.encoding not in self.encodings:
            found.append(_changed("encoding_changed", Severity.WARNING, self.encodings[0], shape.encoding))
        if shape.delimiter and self.delimiter and shape.delimiter != self.delimiter:
            found.append(_changed("delimiter_changed", Severity.ERROR, self.delimiter, shape.delimiter))
        if set(shape.namespaces) != set(self.namespaces):
            gone, new = (sorted(set(a) - set(b)) for a, b in ((self.namespaces, shape.namespaces), (shape.namespaces, self.namespaces)))
            found.append(Difference("namespace_changed", "payload", Severity.WARNING, {"before": gone, "now": new}))
        return found

    def _columns(self, shape: Shape, is_channel: Callable[[str], bool]) -> list[Difference]:
        new = [name for name in shape.columns if name not in self.columns and not is_channel(name)]
        gone = [] if shape.partial else [name for name in self.columns if name not in shape.columns and self.required(name)]
        missing = [name for name in gone if not is_channel(name)]
        found = []
        for old, name in _renamed(missing, new, self.columns, shape).items():
            unit = _unit_only(old, name)
            details: dict[str, Any] = {"before": leaf(shape.form, old), "now": leaf(shape.form, name), "path": name}
            if unit is not None:
                details["units"] = unit
            found.append(Difference("column_renamed" if unit is None else "unit_changed", old, Severity.WARNING, details))
            missing.remove(old)
            new.remove(name)
        found += [Difference("column_missing", name, Severity.WARNING, {"kinds": self.columns[name].kinds}) for name in missing]
        found += [Difference("column_new", name, Severity.INFO, {"kinds": sorted(shape.columns[name].kinds)}) for name in new]
        return found + self._channels(shape, gone, is_channel) + self._values(shape)

    def _channels(self, shape: Shape, gone: list[str], is_channel: Callable[[str], bool]) -> list[Difference]:
        """Columns that are expected to come and go: told once for all, and guarded by no contract."""
        come = sorted(name for name in shape.columns if name not in self.columns and is_channel(name))
        left = sorted(name for name in gone if is_channel(name))
        if not come and not left:
            return []
        return [Difference("channels_changed", "channels", Severity.INFO, {"new": come[:20], "missing": left[:20]}, shape=False)]

    def _values(self, shape: Shape) -> list[Difference]:
        """Columns that are there, with other kinds of values or with none."""
        found = []
        for name, seen in shape.columns.items():
            known = self.columns.get(name)
            if known is None:
                continue
            if not seen.filled and seen.of >= 5 and known.filled >= 0.5:
                found.append(Difference("column_empty", name, Severity.WARNING, {"filled_before": round(known.filled, 2)}, shape=False))
            strange = sorted(kind for kind in seen.kinds if known.kinds and not _fits(kind, known.kinds))
            if strange:
                details = {"before": known.kinds, "now": sorted(seen.kinds)}
                found.append(Difference("column_retyped", name, Severity.WARNING, details))
        return found


def _changed(kind: str, severity: Severity, before: str, now: str) -> Difference:
    return Difference(kind, "payload", severity, {"before": before, "now": now})


def _fits(kind: str, kinds: list[str]) -> bool:
    return any(kind == known or kind in _FITS.get(known, ()) for known in kinds)


def _renamed(missing: list[str], new: list[str], known: Mapping[str, Known], shape: Shape) -> dict[str, str]:
    """For columns that are gone the ones that are likely their new names: most alike, of one kind, each taken once."""
    enough = ALIKE_ALONE if len(missing) == len(new) == 1 else ALIKE
    pairs = [
        (_likeness(leaf(shape.form, old), leaf(shape.form, name)), old, name)
        for old in missing
        for name in new
        if _stem(shape.form, old) == _stem(shape.form, name)
        and (not known[old].kinds or not shape.columns[name].kinds or shape.columns[name].kinds & set(known[old].kinds))
    ]
    found: dict[str, str] = {}
    for likeness, old, name in sorted(pairs, key=lambda pair: (-pair[0], pair[1], pair[2])):
        if likeness >= enough and old not in found and name not in found.values():
            found[old] = name
    return found


def leaf(form: str, name: str) -> str:
    """The column's own name: of a path in JSON the last key."""
    return name.rpartition(".")[2].removesuffix("[*]") if form == "json" else name


def _stem(form: str, name: str) -> str:
    return name.rpartition(".")[0] if form == "json" else ""


def _likeness(one: str, other: str) -> float:
    first, second = _UNIT.sub("", one).casefold(), _UNIT.sub("", other).casefold()
    if first in second or second in first:
        return max(0.7, difflib.SequenceMatcher(None, first, second).ratio())
    return difflib.SequenceMatcher(None, first, second).ratio()


def _unit_only(one: str, other: str) -> list[str] | None:
    """Both units where two names differ in nothing else."""
    first, second = _UNIT.search(one), _UNIT.search(other)
    if first is None or second is None or _UNIT.sub("", one).strip().casefold() != _UNIT.sub("", other).strip().casefold():
        return None
    return [first[1], second[1]]
