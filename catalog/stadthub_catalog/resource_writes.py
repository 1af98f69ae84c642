"""CKAN's actions that write resources, one at a time: each is a change of its package. A file that comes with one is kept first."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from stadthub_catalog import resource_formats, wording, wordings
from stadthub_catalog.afresh import afresh
from stadthub_catalog.asked import Asked
from stadthub_catalog.entry import RELEASE, Entry, LoadState
from stadthub_catalog.package_grounds import ground
from stadthub_catalog.package_writes import change
from stadthub_catalog.packages import stamp
from stadthub_catalog.parameters import names, required
from stadthub_catalog.permits import owning, refused, writable, writes
from stadthub_catalog.refusals import Invalid, Missing
from stadthub_catalog.uploads import Upload, address, slug
from stadthub_schemas.errors import StadthubError

#: What of a resource a file that comes with it decides.
_OF_FILE = ("url", "url_type", "size", "hash", "last_modified", "mimetype")


@afresh
def resource_create(asked: Asked) -> dict[str, Any]:
    """Add a resource to a dataset.

    package_id: the dataset; url, name, description, format, mimetype, size, hash, resource_type, …: what is known of it; upload: a file
    (multipart/form-data), which is kept and served here.
    """
    wanted = required(asked.parameters, "package_id", told="package_id")
    entry = _entry(asked, wanted)
    said = {key: value for key, value in asked.parameters.items() if key != "package_id"}
    if "mimetype" not in said:
        said["mimetype"] = resource_formats.media_type(str(said.get("url") or ""))
    return _put(asked, entry, said, None)


@afresh
def resource_update(asked: Asked) -> dict[str, Any]:
    """Write a resource anew: what is not said is emptied.

    id: its id; everything else as for resource_create.
    """
    entry, old = _own(asked)
    return _put(asked, entry, dict(asked.parameters), old)


@afresh
def resource_patch(asked: Asked) -> dict[str, Any]:
    """Change only what is said of a resource.

    id: its id; everything else as for resource_create.
    """
    entry, old = _own(asked)
    return _put(asked, entry, {**old, **asked.parameters}, old)


@afresh
def resource_delete(asked: Asked) -> None:
    """Take a resource out of its dataset; its file is forgotten.

    id: its id.
    """
    entry, old = _own(asked, "delete resource")
    change(asked, entry, {**asked.package(entry), "resources": [one for one in _resources(entry) if one["id"] != old["id"]]})
    asked.changed.clear()


@afresh
def package_resource_reorder(asked: Asked) -> dict[str, Any]:
    """Put the resources of a dataset into another order; those that are not named follow.

    id: the dataset; order: the ids of the resources.
    """
    entry = writable(asked, required(asked.parameters, "id", told="id"))
    order = asked.parameters.get("order")
    wanted = [order] if isinstance(order, str) and not order.startswith("[") else names(asked.parameters, "order")
    there = {one["id"]: one for one in _resources(entry)}
    if len(set(wanted)) < len(wanted):
        raise Invalid({"order": "Must supply unique resource_ids"})
    if not set(wanted) <= set(there):
        raise Invalid({"order": "resource_ids do not match those in the package"})
    ordered = [*(there[key] for key in wanted), *(one for key, one in there.items() if key not in wanted)]
    change(asked, entry, {**asked.package(entry), "resources": ordered})
    asked.changed.clear()
    return {"id": str(entry.id), "order": [one["id"] for one in ordered]}


def with_file(asked: Asked, package: UUID, key: UUID, upload: Upload, said: Mapping[str, Any]) -> dict[str, Any]:
    """The resource with what follows from the file that comes with it, which is kept now. Invalid if none can be."""
    if asked.uploads is None:
        raise Invalid({"upload": ["This site keeps no files: give the url of one"]})
    kept = asked.uploads.keep(key, upload)
    format_ = said.get("format") or resource_formats.spelled(kept.name.rpartition(".")[2] if "." in kept.name else "")
    return {
        **said,
        "id": str(key),
        "url": address(package, key, kept.name),
        "url_type": "upload",
        "upload": kept,
        "size": kept.size,
        "hash": kept.sha256,
        "format": format_,
        "mimetype": kept.media_type,
        "last_modified": stamp(datetime.now(UTC)),
    }


def uploaded(asked: Asked, entry: Entry, said: Mapping[str, Any]) -> dict[str, Any]:
    """The resource of this dataset with its file, if one came among its fields: kept, once the rest of it fits."""
    upload = said.get("upload")
    rest = {key: value for key, value in said.items() if key != "upload"}
    if not isinstance(upload, Upload):
        return rest
    old = next((one for one in _resources(entry) if one["id"] == rest.get("id")), None)
    if old is not None and rest.get(RELEASE) == old.get(RELEASE) and RELEASE not in asked.parameters:
        rest.pop(RELEASE, None)  # it was said of the file before
    rest["url"] = slug(upload.file_name)
    checked = wordings.resource({**rest, "url_type": "upload"}, old, ground(asked, datetime.now(UTC), entry))
    return with_file(asked, entry.id, UUID(checked["id"]), upload, {**rest, "format": rest.get("format") or checked["format"]})


def _put(asked: Asked, entry: Entry, said: dict[str, Any], old: Mapping[str, Any] | None) -> dict[str, Any]:
    """Write this resource of the dataset, in its place or at the end; what it is then. Nothing stays of a file that came in vain."""
    upload = said.get("upload")
    said = uploaded(asked, entry, {**said, "package_id": None, "position": None})
    there = _resources(entry)
    if old is not None and old["url_type"] == "upload" and not isinstance(upload, Upload):
        said |= _kept(old) if _stays(said, old, asked) else {"url_type": None}
    said.pop("clear_upload", None)
    resources = [said if old is not None and one["id"] == old["id"] else one for one in there] if old is not None else [*there, said]
    try:
        package = change(asked, entry, {**asked.package(entry), "resources": resources})
    except Invalid as error:
        _forget_new(asked, said, old, upload)
        found = error.fields.get("resources")
        raise Invalid(
            next((one for one in found if one and isinstance(one, dict)), error.fields) if isinstance(found, list) else error.fields
        ) from error
    except StadthubError:
        _forget_new(asked, said, old, upload)
        raise
    if old is not None and old.get("load_state") == LoadState.HELD and said.get(RELEASE) != old.get(RELEASE) and asked.uploads is not None:
        asked.uploads.look_again(UUID(old["id"]))
    asked.changed.clear()
    place = len(package["resources"]) - 1 if old is None else next(i for i, one in enumerate(there) if one["id"] == old["id"])
    return dict(package["resources"][place])


def _kept(old: Mapping[str, Any]) -> dict[str, Any]:
    """What stays with a file that stays: what it is, and how far its rows are loaded."""
    return {key: old[key] for key in _OF_FILE} | {key: old[key] for key in wording.OF_ROWS if key in old}


def _stays(said: Mapping[str, Any], old: Mapping[str, Any], asked: Asked) -> bool:
    """Whether the resource still means its file: nothing is said of an address, or its own is given back."""
    url = said.get("url")
    return (not url or url in (old["url"], asked.site.absolute(old["url"]))) and not said.get("clear_upload")


def _forget_new(asked: Asked, said: Mapping[str, Any], old: Mapping[str, Any] | None, upload: Any) -> None:
    if old is None and isinstance(upload, Upload) and asked.uploads is not None:
        asked.uploads.drop(UUID(str(said["id"])))


def _resources(entry: Entry) -> list[dict[str, Any]]:
    return [dict(one) for one in (entry.document or {}).get("resources", ())]


def _entry(asked: Asked, wanted: str) -> Entry:
    """The dataset that gets a resource; Missing, NotAuthorized."""
    try:
        return writable(asked, wanted)
    except Missing:
        raise Missing("Not found: Package was not found.") from None


def _own(asked: Asked, what: str = "edit resource") -> tuple[Entry, dict[str, Any]]:
    """The dataset and the resource that is to be changed, as it is kept; Missing, NotAuthorized."""
    key = required(asked.parameters, "id", told="id")
    entry, told = owning(asked, key)
    if not writes(asked, entry):
        raise refused(asked, f"{what} {key}")
    writable(asked, str(entry.id))
    return entry, next(one for one in _resources(entry) if one["id"] == told["id"])


RESOURCE_WRITES = {
    "resource_create": resource_create,
    "resource_update": resource_update,
    "resource_patch": resource_patch,
    "resource_delete": resource_delete,
    "package_resource_reorder": package_resource_reorder,
}
