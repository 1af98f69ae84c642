"""CKAN's actions on vocabularies, which are lists of keywords kept by hand."""

from typing import Any
from uuid import UUID

from stadthub_catalog import belongings, packages, wording
from stadthub_catalog.asked import Asked
from stadthub_catalog.parameters import required, text
from stadthub_catalog.permits import run
from stadthub_catalog.refusals import Invalid, Missing
from stadthub_catalog.wording import Wrong

_NAME_LENGTHS = (2, 100)

Vocabulary = tuple[UUID, str, list[str]]


def vocabulary_list(asked: Asked) -> list[dict[str, Any]]:
    """The vocabularies of keywords."""
    return [_told(one) for one in belongings.vocabularies(asked.catalog.database)]


def vocabulary_show(asked: Asked) -> dict[str, Any]:
    """One vocabulary of keywords.

    id: its name or id.
    """
    return _told(_vocabulary(asked, required(asked.parameters, "id", told="id")))


def vocabulary(asked: Asked, wanted: str) -> dict[str, Any]:
    """The vocabulary of that name or id with its keywords; Missing."""
    return _told(_vocabulary(asked, wanted))


def vocabulary_create(asked: Asked) -> dict[str, Any]:
    """Make a vocabulary.

    name: its name; tags: its keywords, [{name}].
    """
    run(asked)
    return _put(asked, None, required(asked.parameters, "name", told="name"), _terms(asked.parameters.get("tags") or []))


def vocabulary_update(asked: Asked) -> dict[str, Any]:
    """Write a vocabulary anew.

    id: its id; name: its name; tags: its keywords, [{name}].
    """
    run(asked)
    key, name, terms = _vocabulary(asked, required(asked.parameters, "id", told="id"))
    given = asked.parameters.get("tags")
    return _put(asked, key, text(asked.parameters, "name") or name, terms if given is None else _terms(given))


def vocabulary_delete(asked: Asked) -> None:
    """Take a vocabulary away; datasets keep the keywords that they have from it.

    id: its id.
    """
    run(asked)
    key, _, _ = _vocabulary(asked, required(asked.parameters, "id", told="id"))
    with asked.catalog.database.keeping() as connection:
        belongings.drop_vocabulary(connection, key)


def tag_create(asked: Asked) -> dict[str, Any]:
    """Add a keyword to a vocabulary.

    name: the keyword; vocabulary_id: the vocabulary.
    """
    run(asked)
    key, name, terms = _vocabulary(asked, required(asked.parameters, "vocabulary_id", told="vocabulary_id"))
    [made] = _terms([{"name": required(asked.parameters, "name", told="name")}])
    if made in terms:
        raise Invalid({"name": [f"Tag {made} already belongs to vocabulary {key}"]})
    _put(asked, key, name, [*terms, made])
    return _tag(made, key)


def tag_delete(asked: Asked) -> None:
    """Take a keyword out of its vocabulary. Keywords of no vocabulary go when no dataset bears them.

    id: the keyword; vocabulary_id: the vocabulary.
    """
    run(asked)
    wanted = required(asked.parameters, "id", told="id")
    key, name, terms = _vocabulary(asked, required(asked.parameters, "vocabulary_id", told="vocabulary_id"))
    rest = [one for one in terms if wanted not in (one, packages.tag(one, str(key))["id"])]
    if rest == terms:
        raise Missing(f'Not found: Could not find tag "{wanted}"')
    _put(asked, key, name, rest)


def _vocabulary(asked: Asked, wanted: str) -> Vocabulary:
    for one in belongings.vocabularies(asked.catalog.database):
        if wanted in (one[1], str(one[0])):
            return one
    raise Missing(f'Not found: Could not find vocabulary "{wanted}"')


def _terms(given: Any) -> list[str]:
    rows = given if isinstance(given, list) else []
    made: list[str] = []
    mistakes: list[dict[str, Any]] = []
    for one in rows:
        try:
            made.append(wording.tag(one.get("name") if isinstance(one, dict) else one))
            mistakes.append({})
        except Wrong as error:
            mistakes.append({"name": [str(error)]})
    if any(mistakes):
        raise Invalid({"tags": mistakes})
    return made


def _put(asked: Asked, key: UUID | None, name: str, terms: list[str]) -> dict[str, Any]:
    least, most = _NAME_LENGTHS
    if not least <= len(name) <= most:
        raise Invalid(
            {
                "name": [
                    f"Name must be at least {least} characters long"
                    if len(name) < least
                    else f"Name must be a maximum of {most} characters long"
                ]
            }
        )
    if any(one[1] == name and one[0] != key for one in belongings.vocabularies(asked.catalog.database)):
        raise Invalid({"name": ["That vocabulary name is already in use."]})
    with asked.catalog.database.keeping() as connection:
        made = belongings.put_vocabulary(connection, key, name, terms)
    return _told((made, name, sorted(set(terms))))


def _tag(name: str, vocabulary: UUID) -> dict[str, Any]:
    one = packages.tag(name, str(vocabulary))
    return {"id": one["id"], "name": name, "vocabulary_id": str(vocabulary), "display_name": name}


def _told(one: Vocabulary) -> dict[str, Any]:
    key, name, terms = one
    return {"id": str(key), "name": name, "tags": [_tag(each, key) for each in terms]}


VOCABULARY_READS = {
    "vocabulary_list": vocabulary_list,
    "vocabulary_show": vocabulary_show,
}
VOCABULARY_WRITES = {
    "vocabulary_create": vocabulary_create,
    "vocabulary_update": vocabulary_update,
    "vocabulary_delete": vocabulary_delete,
    "tag_create": tag_create,
    "tag_delete": tag_delete,
}
