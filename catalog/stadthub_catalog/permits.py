"""What the caller of an action may do to a package, an organisation or the hub: asked of the one rule, refused in CKAN's words."""

from typing import Any
from uuid import UUID

from stadthub_catalog.asked import Asked
from stadthub_catalog.entry import Entry, Organization, State
from stadthub_catalog.refusals import Invalid, Missing, NotAuthorized
from stadthub_catalog.teams import TeamSort
from stadthub_schemas.access import Action, may, may_lead, runs
from stadthub_schemas.dataset import Kind
from stadthub_schemas.errors import NotFound


def refused(asked: Asked, what: str) -> NotAuthorized:
    """CKAN's sentence; the name of nobody is empty in it."""
    return NotAuthorized(f"Access denied: User {asked.principal.name} not authorized to {what}")


def standing(asked: Asked, wanted: str, absent: str = "Not found") -> Entry:
    """The entry of that name or id, whatever its state; Missing."""
    for look in (asked.shelf.entry, asked.shelf.hidden):
        try:
            return look(wanted)
        except NotFound:
            continue
    raise Missing(absent)


def readable(asked: Asked, wanted: str) -> Entry:
    """The entry of that name or id; Missing, or NotAuthorized if the caller may not see it."""
    entry = standing(asked, wanted)
    if not shows(asked, entry):
        raise refused(asked, f"read package {entry.id}")
    return entry


def shows(asked: Asked, entry: Entry) -> bool:
    """Whether the caller may see it: what is not active, if he may write it."""
    return may(asked.principal, Action.SEE, entry.dataset).allowed and (entry.state is State.ACTIVE or writes(asked, entry))


def writes(asked: Asked, entry: Entry) -> bool:
    """Whether the caller may change what the catalogue says of the dataset; what a feed brings is its operator's."""
    action = Action.WRITE if entry.dataset.kind is Kind.FILES else Action.OPERATE
    return may(asked.principal, action, entry.dataset).allowed


def writable(asked: Asked, wanted: str, what: str = "edit package", absent: str = "Not found") -> Entry:
    """The entry if the caller may change it here; Missing, NotAuthorized, or Invalid if a feed file describes it."""
    entry = standing(asked, wanted, absent)
    if not writes(asked, entry):
        raise refused(asked, f"{what} {entry.id}")
    if entry.document is None:
        raise Invalid(
            {"message": f"{entry.name}: the feed file {entry.feed!r} describes this dataset: change it there, not through the API"}
        )
    return entry


def owning(asked: Asked, resource: str) -> tuple[Entry, dict[str, Any]]:
    """The dataset of a resource, and the resource as it is kept or told; Missing."""
    absent = f'Not found: Resource "{resource}" was not found.'
    try:
        entry, one = asked.shelf.any_distribution(resource)
    except NotFound as error:
        raise Missing(absent) from error
    return entry, asked.package(entry)["resources"][entry.distributions.index(one)]


def team(asked: Asked, sort: TeamSort, wanted: str, absent: str = "Not found") -> Organization:
    """The organisation or group of that name or id, whatever its state; Missing."""
    there = asked.shelf.organizations() if sort == "organization" else asked.shelf.groups()
    found = there.get(wanted)
    if found is None:
        try:
            key = UUID(wanted)
        except ValueError:
            raise Missing(absent) from None
        found = next((one for one in there.values() if one.id == key), None)
    if found is None:
        raise Missing(absent)
    return found


def led(asked: Asked, sort: TeamSort, wanted: str, what: str) -> Organization:
    """The same, if the caller may change it; NotAuthorized."""
    found = team(asked, sort, wanted)
    if not may_lead(asked.principal, sort, found.name).allowed:
        raise refused(asked, f"{what} {found.id}" if what.endswith(("organization", "group")) else what)
    return found


def run(asked: Asked, what: str = "") -> None:
    """NotAuthorized unless the caller runs the hub."""
    if not runs(asked.principal):
        raise refused(asked, what) if what else NotAuthorized("Access denied")
