"""Accounts in CKAN's words. They are shown to those who run the hub and to those who work together, never to everybody."""

from typing import Any

from stadthub_catalog import accounts
from stadthub_catalog.accounts import Account
from stadthub_catalog.asked import Asked
from stadthub_catalog.entry import Organization
from stadthub_catalog.packages import stamp
from stadthub_catalog.refusals import Missing
from stadthub_catalog.teams import TeamSort
from stadthub_schemas.access import runs
from stadthub_schemas.errors import NotFound


def user(asked: Asked, one: Account) -> dict[str, Any]:
    """An account as `user_show` gives it; its e-mail address is told to those who run the hub and to itself. No hash of it is made."""
    private = {"email": one.email} if runs(asked.principal) or one.name == asked.principal.name else {}
    key = str(one.id)
    there = (*asked.shelf.entries(), *asked.shelf.all_hidden())
    return {
        "id": key,
        "name": one.name,
        "fullname": one.fullname,
        "created": stamp(one.created),
        "about": one.about,
        "last_active": None,
        "activity_streams_email_notifications": False,
        **private,
        "sysadmin": one.sysadmin,
        "state": one.state,
        "image_url": None,
        "display_name": one.fullname or one.name,
        "email_hash": "",
        "number_created_packages": sum((entry.document or {}).get("creator_user_id") == key for entry in there),
        "image_display_url": None,
    }


def short(one: Account) -> dict[str, Any]:
    """An account as it stands in a list of members."""
    return {
        "about": one.about,
        "activity_streams_email_notifications": False,
        "created": stamp(one.created),
        "display_name": one.fullname or one.name,
        "email_hash": "",
        "fullname": one.fullname,
        "id": str(one.id),
        "image_display_url": None,
        "image_url": None,
        "last_active": None,
        "name": one.name,
        "number_created_packages": 0,
        "state": one.state,
        "sysadmin": one.sysadmin,
    }


def sees_members(asked: Asked, sort: TeamSort, own: Organization) -> bool:
    """Whether the caller may know who belongs there: who belongs himself, and who runs the hub."""
    return runs(asked.principal) or any(one.circle == sort and one.name == own.name for one in asked.principal.memberships)


def shown_members(asked: Asked, sort: TeamSort, own: Organization) -> list[dict[str, Any]]:
    """The members of an organisation or group with what they are there; nobody, for those who may not know."""
    if not sees_members(asked, sort, own):
        return []
    with asked.catalog.database.reading() as connection:
        found = accounts.members(connection, sort, [own.id])
    told = [{**short(one.account), "capacity": one.capacity.value} for one in found]
    return [{key: one[key] for key in sorted(one)} for one in told]


def account_named(asked: Asked, key: str) -> Account:
    """The account of that name or id; Missing."""
    with asked.catalog.database.reading() as connection:
        try:
            return accounts.named(connection, key)
        except NotFound as error:
            raise Missing("Not found: User not found") from error
