"""How datasets are related to each other: CKAN's actions on it, and what of it stands in a dataset as it is shown."""

from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid5

from stadthub_catalog import belongings
from stadthub_catalog.asked import Asked
from stadthub_catalog.entry import Entry
from stadthub_catalog.parameters import required, text
from stadthub_catalog.permits import readable, shows, standing, writable
from stadthub_catalog.refusals import Invalid, Missing

#: How one dataset may be related to another, and what that is the other way round.
_RELATED = {
    "depends_on": "dependency_of",
    "derives_from": "has_derivation",
    "links_to": "linked_from",
    "child_of": "parent_of",
}
_TURNED = {turned: straight for straight, turned in _RELATED.items()}


def shown(asked: Asked, entry: Entry) -> dict[str, Any]:
    """The dataset in CKAN's words, with how it is related to others that the caller may know of."""
    told: dict[bool, list[dict[str, Any]]] = {True: [], False: []}
    for subject, kind, other, comment in belongings.relationships(asked.catalog.database, entry.id):
        far = standing(asked, str(other if subject == entry.id else subject))
        if shows(asked, far):
            told[subject == entry.id].append(
                {
                    "id": str(uuid5(NAMESPACE_URL, f"urn:stadthub:relationship:{subject}:{kind}:{other}")),
                    "subject_package_id": str(subject),
                    "object_package_id": str(other),
                    "type": kind,
                    "comment": comment,
                    "state": "active",
                }
            )
    return {**asked.package(entry), "relationships_as_subject": told[True], "relationships_as_object": told[False]}


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


RELATIONSHIP_READS = {"package_relationships_list": package_relationships_list}
RELATIONSHIP_WRITES = {
    "package_relationship_create": package_relationship_create,
    "package_relationship_update": package_relationship_create,
    "package_relationship_delete": package_relationship_delete,
}
