"""What must hold before a package is written: its id, its name, its organisation, its time, and what it is read against."""

from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from typing import Any
from uuid import UUID, uuid4

from stadthub_catalog import accounts, belongings, wording, wordings
from stadthub_catalog.asked import Asked
from stadthub_catalog.entry import Entry, Organization, State
from stadthub_catalog.packages import stamp, theme_id, theme_name
from stadthub_catalog.permits import standing, team
from stadthub_catalog.refusals import Missing
from stadthub_catalog.wording import Wrong
from stadthub_schemas.access import runs
from stadthub_schemas.errors import NotFound
from stadthub_schemas.vocabularies import THEMES

#: The themes by what they may be called as groups: their names and ids.
_OF_THEMES = {key: theme_name(theme) for theme in THEMES for key in (theme_name(theme), str(theme_id(theme)))}


def ground(asked: Asked, now: datetime, entry: Entry | None = None) -> wordings.Ground:
    """What a package that is written now is read against."""
    groups = {one.name: one.name for one in asked.shelf.groups().values() if one.state is State.ACTIVE}
    groups |= {str(one.id): one.name for one in asked.shelf.groups().values() if one.state is State.ACTIVE}
    groups |= _OF_THEMES
    before = (entry.document or {}) if entry is not None else {}

    def taken(key: UUID) -> bool:
        try:
            return asked.shelf.any_distribution(str(key)) is not None
        except NotFound:
            return False

    return wordings.Ground(stamp(now) or "", before, groups, partial(belongings.vocabulary_ids, asked.catalog.database), taken)


def new_id(asked: Asked, wrong: dict[str, Any]) -> UUID:
    """The id of a new package: a new one, or what a sysadmin chooses."""
    given = asked.parameters.get("id")
    if given in (None, ""):
        return uuid4()
    if not runs(asked.principal):
        wrong["id"] = ["The input field id was not expected."]
        return uuid4()
    return chosen_id(given, lambda key: standing(asked, key), "Dataset id already exists", wrong)


def chosen_id(given: Any, find: Callable[[str], object], taken: str, wrong: dict[str, Any]) -> UUID:
    """The id that is brought along, if it is one and `find` says that nothing bears it (Missing); else what is wrong is noted."""
    try:
        key = wording.key(given)
        find(str(key))
    except Missing:
        return key
    except Wrong as error:
        taken = str(error)
    wrong["id"] = [taken]
    return uuid4()


def named(asked: Asked, given: Any, key: UUID, wrong: dict[str, Any]) -> str:
    """The name of the package with this id: one that no other bears."""
    if given in (None, ""):
        wrong["name"] = ["Missing value"]
        return ""
    try:
        name = wording.name(given)
    except Wrong as error:
        wrong["name"] = [str(error)]
        return str(given)
    try:
        other = standing(asked, name)
    except Missing:
        return name
    if other.id != key:
        wrong["name"] = ["That URL is already in use."]
    return name


def owner_of(asked: Asked, given: Any, wrong: dict[str, Any]) -> Organization:
    """The organisation that a package is to belong to."""
    nobody = Organization(UUID(int=0), "", "", "", datetime.now(UTC))
    if given in (None, ""):
        wrong["owner_org"] = ["An organization must be provided"]
        return nobody
    try:
        found = team(asked, "organization", str(given))
    except Missing:
        found = nobody
    if found is nobody or found.state is not State.ACTIVE:
        wrong["owner_org"] = ["Organization does not exist"]
    return found


def modified_time(asked: Asked, now: datetime, before: datetime) -> datetime:
    """When the package counts as changed: now, unless a sysadmin says another time than the one that stood."""
    given = asked.parameters.get("metadata_modified")
    return now if given == stamp(before) else told_time(asked, given) or now


def told_time(asked: Asked, given: Any) -> datetime | None:
    """A time that a sysadmin brings along, from another catalogue perhaps; None if none is said, or by somebody else."""
    if not given or not runs(asked.principal):
        return None
    try:
        told = wording.time(given)
    except Wrong:
        return None
    return None if told is None else datetime.fromisoformat(told).replace(tzinfo=UTC)


def brought(asked: Asked, document: wordings.Document) -> wordings.Document:
    """The document of a new package with who made it, and when its resources were changed: what a sysadmin brings along of that, else
    the caller, and now."""
    said = asked.parameters
    maker = _maker(asked, said.get("creator_user_id")) or str(asked.account().id)
    times = {one.get("id"): one.get("metadata_modified") for one in said.get("resources") or () if isinstance(one, dict)}
    resources = [
        {**one, "metadata_modified": stamp(told_time(asked, times.get(one["id"]))) or one["metadata_modified"]}
        for one in document["resources"]
    ]
    return {**document, "creator_user_id": maker, "resources": resources}


def _maker(asked: Asked, given: Any) -> str | None:
    """The id of the account that made it elsewhere, if it is one of this hub too."""
    if not given or not runs(asked.principal):
        return None
    with asked.catalog.database.reading() as connection:
        try:
            return str(accounts.named(connection, str(given)).id)
        except NotFound:
            return None
