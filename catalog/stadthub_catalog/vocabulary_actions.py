"""CKAN's actions on vocabularies, which are lists of keywords kept by hand, and on how datasets are related to each other."""

from typing import Any
from uuid import UUID

from stadthub_catalog import belongings, packages, wording
from stadthub_catalog.asked import Asked
from stadthub_catalog.parameters import required, text
from stadthub_catalog.permits import readable, run, shows, standing, writable
from stadthub_catalog.refusals import Invalid, Missing
from stadthub_catalog.wording import Wrong

#: How one dataset may be related to another, and what that is the other way round.
_RELATED = {
    "depends_on": "dependency_of",
    "derives_from": "has_derivation",
    "links_to": "linked_from",
    "child_of": "parent_of",
}
_TURNED = {turned: straight for straight, turned in _RELATED.items()}
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


def package_relationship_create(asked: Asked) -> dict[str, Any]:
    """Say how a dataset is related to another.

    subject, object: the two; type: depends_on, dependency_of, derives_from, has_derivation, links_to, linked_from, child_of, parent_of;
    comment.
    """
    subject, other, kind = _pair(asked)
    comment = text(asked.parameters, "comment")
    with asked.catalog.database.keeping() as connection:
        belongings.relate(connection, *_straight(subject, kind, other), comment)
    return {"subject": str(subject), "object": str(other), "type": kind, "comment": comment}


def package_relationship_delete(asked: Asked) -> None:
    """Say that a dataset is no longer related to another so.

    subject, object: the two; type: how.
    """
    subject, other, kind = _pair(asked)
    with asked.catalog.database.keeping() as connection:
        if not belongings.unrelate(connection, *_straight(subject, kind, other)):
            raise Missing


def package_relationships_list(asked: Asked) -> list[dict[str, Any]]:
    """How a dataset is related to others that the caller may know of.

    id: the dataset; id2: only to this one; rel: only so.
    """
    entry = readable(asked, required(asked.parameters, "id", told="id"))
    only, kind = text(asked.parameters, "id2"), text(asked.parameters, "rel")
    told = []
    for subject, type_, other, comment in belongings.relationships(asked.catalog.database, entry.id):
        is_subject = subject == entry.id
        far = standing(asked, str(other if is_subject else subject))
        how = type_ if is_subject else _RELATED[type_]
        if shows(asked, far) and only in ("", far.name, str(far.id)) and kind in ("", how):
            told.append({"subject": entry.name, "type": how, "object": far.name, "comment": comment})
    return told


def _pair(asked: Asked) -> tuple[UUID, UUID, str]:
    """The two datasets, both of which the caller may change, and how they are related; Invalid."""
    subject = writable(asked, required(asked.parameters, "subject", told="subject"))
    other = readable(asked, required(asked.parameters, "object", told="object"))
    kind = required(asked.parameters, "type", told="type")
    if kind not in _RELATED and kind not in _TURNED:
        raise Invalid({"type": [f"Value must be one of {', '.join((*_RELATED, *_TURNED))}"]})
    return subject.id, other.id, kind


def _straight(subject: UUID, kind: str, other: UUID) -> tuple[UUID, UUID, str]:
    """The relationship in the way in which it is kept."""
    return (subject, other, kind) if kind in _RELATED else (other, subject, _TURNED[kind])


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
    "package_relationships_list": package_relationships_list,
}
VOCABULARY_WRITES = {
    "vocabulary_create": vocabulary_create,
    "vocabulary_update": vocabulary_update,
    "vocabulary_delete": vocabulary_delete,
    "tag_create": tag_create,
    "tag_delete": tag_delete,
    "package_relationship_create": package_relationship_create,
    "package_relationship_update": package_relationship_create,
    "package_relationship_delete": package_relationship_delete,
}
