"""CKAN's actions on following datasets, groups and users. Who follows what is shown to nobody but the followers themselves."""

from collections.abc import Callable
from functools import partial
from typing import Any
from uuid import UUID

from stadthub_catalog import belongings
from stadthub_catalog.asked import Asked
from stadthub_catalog.belongings import Followed
from stadthub_catalog.packages import stamp
from stadthub_catalog.parameters import required, text
from stadthub_catalog.permits import readable, refused, run, team
from stadthub_catalog.refusals import Invalid, Missing, NotAuthorized
from stadthub_catalog.user_words import account_named, short
from stadthub_schemas.access import runs

#: What can be followed: CKAN's word in the names of its actions, what we keep, and the word in their lists.
_KINDS: dict[str, Followed] = {"dataset": "dataset", "group": "group", "organization": "group", "user": "user"}


def _target(asked: Asked, word: str) -> UUID:
    """What is meant by the parameter `id`, if the caller may know of it; Missing."""
    wanted = required(asked.parameters, "id", told="id")
    if word == "dataset":
        return readable(asked, wanted).id
    if word == "user":
        if asked.principal.role is None:
            raise NotAuthorized("Access denied: this hub shows its users to those who work with them: send a token")
        return account_named(asked, wanted).id
    for sort in ("organization", "group"):
        try:
            return team(asked, sort, wanted).id
        except Missing:
            continue
    raise Missing


def _follow(word: str, asked: Asked) -> dict[str, Any]:
    target, who = _target(asked, word), asked.account()
    if target == who.id:
        raise Invalid({"message": "You cannot follow yourself"})
    with asked.catalog.database.keeping() as connection:
        if not belongings.follow(connection, _KINDS[word], target, who.id):
            raise Invalid({"message": f"You are already following {text(asked.parameters, 'id')}"})
    return {"follower_id": str(who.id), "object_id": str(target), "datetime": stamp(who.created)}


def _unfollow(word: str, asked: Asked) -> None:
    target, who = _target(asked, word), asked.account()
    with asked.catalog.database.keeping() as connection:
        if not belongings.unfollow(connection, _KINDS[word], target, who.id):
            raise Missing(f"Not found: You are not following {text(asked.parameters, 'id')}.")


def _am_following(word: str, asked: Asked) -> bool:
    if asked.principal.role is None:
        raise NotAuthorized("Access denied: You must be logged in to follow something.")
    return asked.account().id in belongings.followers(asked.catalog.database, _target(asked, word))


def _count(word: str, asked: Asked) -> int:
    try:
        return belongings.follower_count(asked.catalog.database, _target(asked, word))
    except NotAuthorized:
        raise Missing from None


def _followers(word: str, asked: Asked) -> list[dict[str, Any]]:
    run(asked, f"read the followers of this {word}")
    found = belongings.followers(asked.catalog.database, _target(asked, word))
    return [short(account_named(asked, str(key))) for key in found]


def _followees(words: tuple[str, ...], asked: Asked) -> list[dict[str, Any]]:
    """What a user follows and the caller may know of, as dicts with what it is."""
    who = account_named(asked, text(asked.parameters, "id") or asked.principal.name)
    if who.name != asked.principal.name and not runs(asked.principal):
        raise refused(asked, "read what this user follows")
    told = []
    for kind, target in belongings.followed(asked.catalog.database, who.id):
        one = _told(asked, kind, target)
        if one is not None and one["type"] in words:
            told.append(one)
    return told


def _told(asked: Asked, kind: Followed, target: UUID) -> dict[str, Any] | None:
    key = str(target)
    try:
        if kind == "dataset":
            package = asked.package(readable(asked, key))
            return {"type": "dataset", "display_name": package["title"] or package["name"], "dict": package}
        if kind == "user":
            account = short(account_named(asked, key))
            return {"type": "user", "display_name": account["display_name"], "dict": account}
    except (Missing, NotAuthorized):
        return None
    for one in asked.shelf.organizations().values():
        if one.id == target:
            return {
                "type": "organization",
                "display_name": one.title or one.name,
                "dict": {"id": key, "name": one.name, "title": one.title},
            }
    for one in asked.shelf.groups().values():
        if one.id == target:
            return {"type": "group", "display_name": one.title or one.name, "dict": {"id": key, "name": one.name, "title": one.title}}
    return None


def _followee_count(words: tuple[str, ...], asked: Asked) -> int:
    return len(_followees(words, asked))


def _followee_list(words: tuple[str, ...], asked: Asked) -> list[Any]:
    found = _followees(words, asked)
    return [one["dict"] for one in found] if len(words) == 1 else found


def _made(function: Callable[..., Any], word: Any, doc: str) -> Callable[[Asked], Any]:
    """The action for one kind of thing, with its help."""
    action = partial(function, word)
    action.__doc__ = doc
    return action


_ALL = ("dataset", "group", "organization", "user")
_FOLLOWED = {"": _ALL, "dataset_": ("dataset",), "group_": ("group",), "organization_": ("organization",), "user_": ("user",)}

FOLLOW_READS: dict[str, Callable[[Asked], Any]] = {
    **{f"am_following_{word}": _made(_am_following, word, f"Whether you follow a {word}.\n\nid: its name or id.") for word in _ALL},
    **{f"{word}_follower_count": _made(_count, word, f"How many follow a {word}.\n\nid: its name or id.") for word in _ALL},
    **{
        f"{word}_follower_list": _made(_followers, word, f"Who follows a {word}: for those who run the hub.\n\nid: its name or id.")
        for word in _ALL
    },
    **{
        f"{before}followee_count": _made(_followee_count, words, "How many things a user follows.\n\nid: the user.")
        for before, words in _FOLLOWED.items()
    },
    **{
        f"{before}followee_list": _made(_followee_list, words, "What a user follows.\n\nid: the user.")
        for before, words in _FOLLOWED.items()
    },
}
FOLLOW_WRITES: dict[str, Callable[[Asked], Any]] = {
    **{
        f"follow_{word}": _made(_follow, word, f"Follow a {word}: what is done to it stands on your dashboard.\n\nid: its name or id.")
        for word in _ALL
    },
    **{f"unfollow_{word}": _made(_unfollow, word, f"Follow a {word} no longer.\n\nid: its name or id.") for word in _ALL},
}
