"""The one access decision: may this principal do this to that dataset, and what of it does it get?

A pure function, called by every face (design 5). Deny by default. Private things answer as if absent: a face turns a
refused `READ` into NotFound unless its standard says otherwise (CKAN: 403).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Literal

from stadthub_schemas.dataset import AccessClass, Column, Dataset, Kind
from stadthub_schemas.query import SMALLEST, SUPPRESSED, WIFI_CLIENTS, Suppression


class Action(StrEnum):
    """What can be done. `SEE` is to know that it exists, `READ` to get rows, `WRITE` to push rows, `OPERATE` to run the hub."""

    SEE = "see"
    READ = "read"
    WRITE = "write"
    OPERATE = "operate"


class Role(StrEnum):
    """What a token's holder is; each role may do what the ones before it may."""

    READER = "reader"
    ANALYST = "analyst"
    PUBLISHER = "publisher"
    OPERATOR = "operator"
    ADMIN = "admin"


#: Those who run the hub may do everything in its catalogue.
RUNNING = frozenset({Role.OPERATOR, Role.ADMIN})

_RANK = {role: rank for rank, role in enumerate(Role)}
_NEEDS = {Action.SEE: Role.READER, Action.READ: Role.READER, Action.WRITE: Role.PUBLISHER, Action.OPERATE: Role.OPERATOR}


class Capacity(StrEnum):
    """What somebody is in an organisation or group, or for one dataset; each may do what the ones before it may."""

    MEMBER = "member"
    EDITOR = "editor"
    ADMIN = "admin"


_CAPACITY = {capacity: rank for rank, capacity in enumerate(Capacity)}

Circle = Literal["organization", "group", "dataset"]


@dataclass(frozen=True, slots=True)
class Membership:
    """That somebody belongs to an organisation, a group, or the people of one dataset."""

    circle: Circle
    name: str
    capacity: Capacity


_IN_DATASTREAM = frozenset({"thing", "observed_property"})


@dataclass(frozen=True, slots=True)
class Principal:
    """Who asks. Without a role: anybody. `datasets`, `columns`, `actions` are a token's scope; None: not narrowed. `memberships` are
    those of the token's holder: they matter below the operator's role."""

    name: str = ""
    role: Role | None = None
    datasets: frozenset[str] | None = None
    columns: frozenset[str] | None = None
    actions: frozenset[Action] | None = None
    memberships: frozenset[Membership] = frozenset()


ANYBODY = Principal()


@dataclass(frozen=True, slots=True)
class Decision:
    """The answer: `columns` None means all of them; `hidden` are the columns that this principal must never see; `suppression`
    says which counts, None: all may be seen exactly."""

    allowed: bool
    reason: str = ""
    columns: frozenset[str] | None = None
    hidden: frozenset[str] = field(default_factory=frozenset)
    suppression: Suppression | None = None

    def shows(self, column: str) -> bool:
        """Whether this column may be seen."""
        return self.allowed and column not in self.hidden and (self.columns is None or column in self.columns)


def may(principal: Principal, action: Action, dataset: Dataset | None = None) -> Decision:
    """Decide. `dataset` None asks about the hub itself (only OPERATE makes sense for it)."""
    if principal.actions is not None and action not in principal.actions:
        return Decision(False, f"this token may not {action}")
    if dataset is None:
        return _by_role(principal, action)
    if principal.datasets is not None and dataset.name not in principal.datasets:
        narrowed = Principal()  # outside its scope a token is anybody
        return may(narrowed, action, dataset) if action in (Action.SEE, Action.READ) else Decision(False, "outside the token's datasets")
    if action in (Action.WRITE, Action.OPERATE):
        return _written(principal, dataset) if action is Action.WRITE and dataset.kind is Kind.FILES else _by_role(principal, action)
    if not _sees(principal, dataset.metadata.access) and not _belongs(principal, dataset):
        return Decision(False, f"{dataset.name} is {dataset.metadata.access}")
    hidden = frozenset(name for name, words in dataset.metadata.columns.items() if not _sees(principal, words.access))
    if dataset.kind is Kind.TIMESERIES and hidden & _IN_DATASTREAM:
        hidden |= {"datastream"}  # its key spells them out
    if "geometry" in hidden:
        hidden |= {"original_geometry"}  # the same place in other numbers
    return Decision(True, columns=principal.columns, hidden=hidden, suppression=_suppression(principal, dataset))


def may_lead(principal: Principal, circle: Circle, name: str) -> Decision:
    """Whether this principal may change an organisation or group, and who belongs to it."""
    if runs(principal):
        return Decision(True)
    if principal.actions is not None and Action.WRITE not in principal.actions:
        return Decision(False, f"this token may not {Action.WRITE}")
    if principal.datasets is not None:
        return Decision(False, "outside the token's datasets")
    role = _by_role(principal, Action.WRITE)
    return role if not role.allowed or _is(principal, circle, name, Capacity.ADMIN) else Decision(False, f"this needs an admin of {name}")


def runs(principal: Principal) -> bool:
    """Whether this principal is what other catalogues call a sysadmin: an operator with a token that is not narrowed."""
    return principal.datasets is None and may(principal, Action.OPERATE).allowed and may(principal, Action.WRITE).allowed


def _written(principal: Principal, dataset: Dataset) -> Decision:
    """Datasets that no feed brings are written by the editors of their organisation, and by their own."""
    role = _by_role(principal, Action.WRITE)
    if not role.allowed or _by_role(principal, Action.OPERATE).allowed:
        return role
    owner = dataset.metadata.publisher.name
    if _is(principal, "organization", owner, Capacity.EDITOR) or _is(principal, "dataset", dataset.name, Capacity.EDITOR):
        return role
    return Decision(False, f"this needs an editor of {owner}")


def _belongs(principal: Principal, dataset: Dataset) -> bool:
    """What is internal of an organisation is for its members, whatever the role of their token."""
    if principal.role is None or dataset.kind is not Kind.FILES or dataset.metadata.access is not AccessClass.INTERNAL:
        return False
    owner = dataset.metadata.publisher.name
    return _is(principal, "organization", owner, Capacity.MEMBER) or _is(principal, "dataset", dataset.name, Capacity.MEMBER)


def _is(principal: Principal, circle: Circle, name: str, least: Capacity) -> bool:
    """Whether the principal has at least this capacity there."""
    found = (one for one in principal.memberships if one.circle == circle and one.name == name)
    return any(_CAPACITY[one.capacity] >= _CAPACITY[least] for one in found)


def _suppression(principal: Principal, dataset: Dataset) -> Suppression | None:
    """Small counts are for the city's own people: analysts and above."""
    privacy = dataset.metadata.privacy
    if privacy is None or (principal.role is not None and _RANK[principal.role] >= _RANK[Role.ANALYST]):
        return None
    if dataset.kind is Kind.TIMESERIES:
        computed = SMALLEST if dataset.lineage is not None else None  # what a feed brings is no sum of counts: nothing more is read of it
        return Suppression(privacy.k, totals=(WIFI_CLIENTS, *privacy.counts), smallest=computed)
    return Suppression(privacy.k, columns=privacy.counts, smallest=privacy.smallest, plain=(*privacy.plain, *dataset.key))


def shown(row: Mapping[str, Any], decision: Decision) -> dict[str, Any]:
    """An observation as this decision shows it: without hidden columns, without a count that must not be seen."""
    rule = decision.suppression
    said = row.get("parameters")
    smallest = said.get(rule.smallest) if rule is not None and rule.smallest and isinstance(said, Mapping) else None
    if rule is not None and rule.hides(str(row.get("observed_property")), row.get("result"), smallest):
        row = {**row, "result": None, "result_text": None, "parameters": None, "quality": SUPPRESSED}
    return {column: value for column, value in row.items() if decision.shows(column)}


def visible(decision: Decision, columns: tuple[Column, ...]) -> tuple[Column, ...]:
    """The columns that the decision shows, in their order."""
    return tuple(column for column in columns if decision.shows(column.name))


def _by_role(principal: Principal, action: Action) -> Decision:
    needed = _NEEDS[action]
    if principal.role is None or _RANK[principal.role] < _RANK[needed]:
        return Decision(False, f"this needs a token with role {needed} or higher")
    return Decision(True)


def _sees(principal: Principal, access: AccessClass) -> bool:
    """Public: anybody. Internal: any token of the hub. Restricted: a token that names its datasets, or an operator."""
    if access is AccessClass.PUBLIC:
        return True
    if principal.role is None:
        return False
    if access is AccessClass.INTERNAL:
        return _RANK[principal.role] >= _RANK[Role.ANALYST] or principal.datasets is not None
    return principal.datasets is not None or _RANK[principal.role] >= _RANK[Role.OPERATOR]
