"""A package as somebody says it becomes a document as it is kept, or all of CKAN's sentences on what is wrong with it."""

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

import orjson

from stadthub_catalog import resource_formats, wording
from stadthub_catalog.refusals import Invalid, Missing
from stadthub_catalog.uploads import Kept
from stadthub_catalog.wording import Wrong

Said = Mapping[str, Any]
Document = dict[str, Any]

#: The scheme of an address; browsers read over what stands before it.
_SCHEME = re.compile(r"[\x00-\x20]*([a-zA-Z][a-zA-Z0-9+.\-]*):")
#: Schemes that run something in a reader's browser instead of leading somewhere.
_RUNNING = ("javascript", "data", "vbscript", "blob", "file")
_MOST_RESOURCES = 5000


@dataclass(frozen=True, slots=True)
class Ground:
    """What a package is read against: the document that stands (empty for a new one), the names of all groups by name and id,
    the vocabularies' ids by name and id, and whether a resource's id is another package's."""

    now: str
    before: Said = field(default_factory=dict)
    groups: Mapping[str, str] = field(default_factory=dict)
    vocabularies: Callable[[], Mapping[str, str]] = dict
    taken: Callable[[UUID], bool] = lambda _: False


def document(said: Said, name: str, ground: Ground) -> Document:
    """The document of a package that bears this name; Invalid with every mistake."""
    wrong: dict[str, Any] = {}
    made: Document = {"title": said.get("title") or name}
    _keep(made, wrong, "title", wording.text, made["title"])
    for key, rule in wording.PACKAGE.items():
        _keep(made, wrong, key, rule, said.get(key))
    made["type"] = said.get("type") or ground.before.get("type") or "dataset"
    _keep(made, wrong, "type", wording.text, made["type"])
    made["private"] = wording.truth(said["private"]) if said.get("private") is not None else bool(ground.before.get("private"))
    made["creator_user_id"] = ground.before.get("creator_user_id")
    made["extras"] = _extras(said.get("extras"), wrong)
    made["tags"] = _tags(said, ground, wrong)
    made["groups"] = _groups(said, ground, wrong)
    made["resources"] = _resources(said, ground, wrong)
    if wrong:
        raise Invalid(ordered(wrong))
    return made


def resource(said: Said, old: Said | None, ground: Ground) -> Document:
    """One resource as it is kept; `old` is the one with its id that stands. Invalid."""
    wrong: dict[str, Any] = {}
    made: Document = {}
    for key, (rule, default) in wording.RESOURCE.items():
        value = said.get(key)
        made[key] = default
        if value is not None and value != "":
            _keep(made, wrong, key, rule, value)
    for key in sorted(said):
        if key not in wording.RESOURCE and key != "upload":
            _keep(made, wrong, key, _kept, said[key])
    _identify(made, wrong, old, ground)
    _lead(made, wrong, old)
    _hold(made, said, old)
    if not made["format"] and not said.get("id"):
        made["format"] = resource_formats.media_type(made["url"]) or ""
    made["format"] = resource_formats.spelled(made["format"])
    made["state"] = "active"
    made["package_id"], made["position"] = None, 0
    if wrong:
        raise Invalid(ordered(wrong))
    made["created"] = (old or {}).get("created") or made["created"] or ground.now
    stands = old is not None and {**made, "metadata_modified": None} == {**old, "metadata_modified": None}
    made["metadata_modified"] = old["metadata_modified"] if stands and old is not None else ground.now
    return made


def ordered(wrong: Mapping[str, Any]) -> dict[str, Any]:
    """The mistakes in CKAN's order: fields by name, then rows of lists; a list ends with its last mistake."""
    told = {key: _ended(value) for key, value in wrong.items()}
    return {key: told[key] for key in sorted(told, key=lambda key: (isinstance(told[key][0], dict), key))}


def _ended(value: Any) -> Any:
    while isinstance(value, list) and value and value[-1] == {}:
        value = value[:-1]
    return value


def _keep(made: Document, wrong: dict[str, Any], key: str, rule: Callable[[Any], Any], value: Any) -> None:
    """Keep the value under this key if it fits its rule, else its sentence."""
    try:
        made[key] = rule(value)
    except Wrong as error:
        wrong[key] = [str(error)]


def _kept(value: Any) -> Any:
    """What CKAN has no field for, as it is."""
    if isinstance(value, str | int | float | bool | None):
        return wording.text(value) if isinstance(value, str) else value
    if "\\u0000" in orjson.dumps(value, default=str).decode():
        raise Wrong("Null characters are not allowed")
    return value


def _identify(made: Document, wrong: dict[str, Any], old: Said | None, ground: Ground) -> None:
    """Give the resource its id: its own, or a new one."""
    if "id" in wrong:
        return
    key = made["id"] or uuid4()
    if old is None and ground.taken(key):
        wrong["id"] = ["Resource id already exists."]
    made["id"] = str(key)


def _lead(made: Document, wrong: dict[str, Any], old: Said | None) -> None:
    """Where the resource is: an uploaded file stays where it is kept, and an address without a scheme is one of the web."""
    url = "".join((made["url"] or "").split()) if isinstance(made["url"], str) else ""
    made["url"] = url
    if old is not None and old["url_type"] == "upload" and made["url_type"] == "upload" and not url.startswith("/"):
        made["url"] = old["url"]
        return
    scheme = _SCHEME.match(url)
    if scheme is not None and scheme[1].lower() in _RUNNING:
        wrong["url"] = ["Please provide a valid URL"]
    elif url and scheme is None and not made["url_type"]:
        made["url"] = f"http://{url.lstrip('/')}"


def _hold(made: Document, said: Said, old: Said | None) -> None:
    """What only the hub knows of a resource stays as it stands, whatever an older description says of it: what its uploaded file is, how
    far its rows are loaded, whether it has a table. Of another file, or of none, nothing is known yet."""
    if old is None:
        return
    if old["url_type"] != "upload":
        if said.get("datastore_active") is None:
            made["datastore_active"] = bool(old.get("datastore_active"))
        return
    if made["url_type"] == "upload" and not isinstance(said.get("upload"), Kept):
        _take(made, old, (*wording.OF_FILE, *wording.OF_ROWS))
        return
    _take(made, {}, wording.OF_ROWS)
    made["datastore_active"] = made["url_type"] == "upload" and bool(old.get("datastore_active"))


def _take(made: Document, old: Said, keys: Sequence[str]) -> None:
    """Let these be as they stand, else as they are if nothing is said of them. The order of the fields stays."""
    for key in keys:
        if key in old:
            made[key] = old[key]
        elif key in wording.RESOURCE:
            made[key] = wording.RESOURCE[key][1]
        else:
            made.pop(key, None)


def _listed(said: Any) -> list[Any] | None:
    """A list that may be JSON in a text, as forms send it; None if it is no list."""
    if isinstance(said, str):
        try:
            said = orjson.loads(said)
        except orjson.JSONDecodeError:
            return None
    return said if isinstance(said, list) else [said] if isinstance(said, dict) else None


def _rows(said: Said, key: str, wrong: dict[str, Any]) -> list[Any]:
    found = _listed(said.get(key)) if said.get(key) not in (None, "") else []
    if found is None or any(not isinstance(one, dict) for one in found):
        wrong[key] = ["Only lists of dicts can be placed against subschema"]
        return []
    return found


def _extras(given: Any, wrong: dict[str, Any]) -> list[dict[str, str]]:
    rows = [one for one in _rows({"extras": given}, "extras", wrong) if not one.get("deleted")]
    mistakes: list[dict[str, Any]] = []
    made: dict[str, str] = {}
    for one in rows:
        mistake: dict[str, Any] = {}
        entry: Document = {}
        _keep(entry, mistake, "key", _extra_key, one.get("key"))
        if "value" not in one:
            mistake["value"] = ["Missing value"]
        _keep(entry, mistake, "value", wording.text, one.get("value"))
        mistakes.append(mistake)
        if not mistake and entry["value"] is not None:
            made[entry["key"]] = entry["value"]
    if any(mistakes):
        wrong["extras"] = mistakes
    twice = [key for key, count in Counter(str(one.get("key")) for one in rows).items() if count > 1]
    if twice:
        wrong["extras_validation"] = [f'Duplicate key "{twice[0]}"']
    return [{"key": key, "value": made[key]} for key in sorted(made)]


def _extra_key(value: Any) -> str:
    said = wording.text(value)
    if not said:
        raise Wrong("Missing value")
    if said in wording.TAKEN_KEYS:
        raise Wrong("There is a schema field with the same name")
    return said


def _tags(said: Said, ground: Ground, wrong: dict[str, Any]) -> list[dict[str, Any]]:
    rows = _rows(said, "tags", wrong)
    words = said.get("tag_string")
    if words:
        texts = str(words).split(",") if isinstance(words, str) else list(words)
        rows = [*rows, *({"name": str(one).strip()} for one in texts if str(one).strip())]
    mistakes: list[dict[str, Any]] = []
    made: dict[tuple[str, str], dict[str, Any]] = {}
    known = ground.vocabularies() if any(one.get("vocabulary_id") for one in rows) else {}
    for one in rows:
        mistake: dict[str, Any] = {}
        entry: Document = {}
        _keep(entry, mistake, "name", wording.tag, one.get("name"))
        list_ = one.get("vocabulary_id") or None
        if list_ is not None and str(list_) not in known:
            mistake["vocabulary_id"] = ["Tag vocabulary was not found."]
        mistakes.append(mistake)
        if not mistake:
            key = known[str(list_)] if list_ is not None else None
            made[entry["name"], key or ""] = {"name": entry["name"], "vocabulary_id": key}
    if any(mistakes):
        wrong["tags"] = mistakes
    return [made[key] for key in sorted(made)]


def _groups(said: Said, ground: Ground, wrong: dict[str, Any]) -> list[str]:
    """The names of the groups; those that stand if nothing is said of them."""
    if said.get("groups") is None:
        return list(ground.before.get("groups", ()))
    made = []
    for one in _rows(said, "groups", wrong):
        key = str(one.get("id") or one.get("name") or "")
        found = ground.groups.get(key) or ground.groups.get(str(one.get("name") or ""))
        if found is None:
            raise Missing("Not found: Group was not found.")
        made.append(found)
    return sorted(set(made))


def _resources(said: Said, ground: Ground, wrong: dict[str, Any]) -> list[Document]:
    """The resources; those that stand if nothing is said of them, as CKAN has it since 2.12."""
    standing: Sequence[Said] = ground.before.get("resources", ())
    if said.get("resources") is None:
        return [dict(one) for one in standing]
    known = {one["id"]: one for one in standing}
    made: list[Document] = []
    mistakes: list[dict[str, Any]] = []
    rows = _rows(said, "resources", wrong)
    if len(rows) > _MOST_RESOURCES:
        wrong["resources"] = [f"A dataset may have {_MOST_RESOURCES} resources at most"]
        return []
    for one in rows:
        try:
            made.append(resource(one, known.get(str(one.get("id"))), ground))
            mistakes.append({})
        except Invalid as error:
            mistakes.append(dict(error.fields))
    if any(mistakes):
        wrong["resources"] = mistakes
    elif len({one["id"] for one in made}) < len(made):
        wrong["resources"] = ["Two resources have the same id"]
    return made
