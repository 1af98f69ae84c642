"""CKAN's actions on views of resources: kept and told as they are said; the portal draws its own."""

from dataclasses import replace
from typing import Any
from uuid import UUID, uuid4

from stadthub_catalog import belongings, wording
from stadthub_catalog.asked import Asked
from stadthub_catalog.belongings import View
from stadthub_catalog.entry import Entry
from stadthub_catalog.parameters import names, required
from stadthub_catalog.permits import owning, refused, run, shows, writes
from stadthub_catalog.refusals import Invalid, Missing
from stadthub_catalog.wording import Wrong

#: What a view must and may say beside its kind; everything else is kept as its configuration.
_COMPUTED = ("id", "resource_id", "package_id")
_MOST = 100


def resource_view_list(asked: Asked) -> list[dict[str, Any]]:
    """The views of a resource.

    id: the resource.
    """
    key = required(asked.parameters, "id", told="id")
    entry, _ = _seen(asked, key)
    return [_told(one, entry) for one in belongings.views(asked.catalog.database, UUID(key))]


def resource_view_show(asked: Asked) -> dict[str, Any]:
    """One view of a resource.

    id: its id.
    """
    one = _view(asked)
    entry, _ = _seen(asked, str(one.resource))
    return _told(one, entry)


def resource_view_create(asked: Asked) -> dict[str, Any]:
    """Add a view to a resource.

    resource_id: the resource; title, view_type: what it is; description, and whatever belongs to its kind.
    """
    key = required(asked.parameters, "resource_id", told="resource_id")
    entry = _written(asked, key)
    there = belongings.views(asked.catalog.database, UUID(key))
    if len(there) >= _MOST:
        raise Invalid({"resource_id": [f"A resource may have {_MOST} views at most"]})
    made = View(uuid4(), UUID(key), max((one.place for one in there), default=-1) + 1, _said(asked))
    return _put(asked, made, entry)


def resource_view_update(asked: Asked) -> dict[str, Any]:
    """Write a view anew.

    id: its id; everything else as for resource_view_create.
    """
    one = _view(asked)
    entry = _written(asked, str(one.resource))
    kind = {"view_type": one.body["view_type"]} if "view_type" not in asked.parameters else {}
    return _put(asked, replace(one, body=_said(replace(asked, parameters={**asked.parameters, **kind}))), entry)


def resource_view_delete(asked: Asked) -> None:
    """Take a view away.

    id: its id.
    """
    one = _view(asked)
    _written(asked, str(one.resource))
    with asked.catalog.database.keeping() as connection:
        belongings.drop_views(connection, [one.id])


def resource_view_reorder(asked: Asked) -> dict[str, Any]:
    """Put the views of a resource into another order; those that are not named follow.

    id: the resource; order: the ids of the views.
    """
    key = required(asked.parameters, "id", told="id")
    _written(asked, key)
    there = {str(one.id): one for one in belongings.views(asked.catalog.database, UUID(key))}
    wanted = names(asked.parameters, "order")
    if not wanted or len(set(wanted)) < len(wanted) or not set(wanted) <= set(there):
        raise Invalid({"order": ["One or more views is not in the resource"]})
    ordered = [*wanted, *(one for one in there if one not in wanted)]
    with asked.catalog.database.keeping() as connection:
        for place, one in enumerate(ordered):
            belongings.put_view(connection, replace(there[one], place=place))
    return {"id": key, "order": ordered}


def resource_view_clear(asked: Asked) -> None:
    """Take all views of the hub away, or those of some kinds: for those who run it.

    view_types: only these.
    """
    run(asked)
    with asked.catalog.database.keeping() as connection:
        belongings.clear_views(connection, names(asked.parameters, "view_types"))


def package_create_default_resource_views(asked: Asked) -> list[dict[str, Any]]:
    """The portal draws every resource that it can without being told: no views are made.

    package: the dataset.
    """
    del asked
    return []


def resource_create_default_resource_views(asked: Asked) -> list[dict[str, Any]]:
    """The portal draws every resource that it can without being told: no views are made.

    resource: the resource.
    """
    del asked
    return []


def _seen(asked: Asked, key: str) -> tuple[Entry, dict[str, Any]]:
    entry, one = owning(asked, key)
    if not shows(asked, entry):
        raise refused(asked, f"read resource {key}")
    return entry, one


def _written(asked: Asked, key: str) -> Entry:
    """The dataset of the resource, if the caller may write it: views hang on those of feeds too."""
    entry, _ = owning(asked, key)
    if not writes(asked, entry):
        raise refused(asked, f"edit resource {key}")
    return entry


def _view(asked: Asked) -> View:
    try:
        found = belongings.view_of(asked.catalog.database, UUID(required(asked.parameters, "id", told="id")))
    except ValueError:
        raise Missing from None
    if found is None:
        raise Missing
    return found


def _said(asked: Asked) -> dict[str, Any]:
    """What is said of a view; Invalid with every mistake."""
    wrong: dict[str, Any] = {key: ["Missing value"] for key in ("title", "view_type") if not asked.parameters.get(key)}
    made: dict[str, Any] = {"description": "", **{key: value for key, value in asked.parameters.items() if key not in _COMPUTED}}
    for key, value in made.items():
        try:
            made[key] = wording.text(value) if isinstance(value, str) else value
        except Wrong as error:
            wrong[key] = [str(error)]
    if wrong:
        raise Invalid(wrong)
    return made


def _put(asked: Asked, one: View, entry: Entry) -> dict[str, Any]:
    with asked.catalog.database.keeping() as connection:
        belongings.put_view(connection, one)
    return _told(one, entry)


def _told(one: View, entry: Entry) -> dict[str, Any]:
    head = {key: one.body.get(key) for key in ("title", "description", "view_type")}
    rest = {key: value for key, value in one.body.items() if key not in head}
    return {"id": str(one.id), "resource_id": str(one.resource), **head, **rest, "package_id": str(entry.id)}


VIEW_READS = {"resource_view_list": resource_view_list, "resource_view_show": resource_view_show}
VIEW_WRITES = {
    "resource_view_create": resource_view_create,
    "resource_view_update": resource_view_update,
    "resource_view_delete": resource_view_delete,
    "resource_view_reorder": resource_view_reorder,
    "resource_view_clear": resource_view_clear,
    "package_create_default_resource_views": package_create_default_resource_views,
    "resource_create_default_resource_views": resource_create_default_resource_views,
}
