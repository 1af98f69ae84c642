"""The access rule as a matrix: role, class and action."""

from typing import Any

import pytest

from stadthub_schemas.access import ANYBODY, Action, Capacity, Circle, Membership, Principal, Role, may, may_lead, runs, visible
from stadthub_schemas.dataset import TIMESERIES_COLUMNS, Dataset, Kind, Metadata


def dataset(access: str, **columns: str) -> Dataset:
    words: dict[str, Any] = {
        "title": "T",
        "description": "D",
        "license": "cc0-1.0",
        "publisher": {"name": "city", "title": "City"},
        "contact": {"name": "Desk"},
        "themes": ("ENVI",),
        "access": access,
        "columns": {name: {"access": class_} for name, class_ in columns.items()},
    }
    return Dataset(name="some", kind=Kind.TIMESERIES, metadata=Metadata.model_validate(words))


@pytest.mark.parametrize(
    ("role", "public", "internal", "restricted"),
    [
        (None, True, False, False),
        (Role.READER, True, False, False),
        (Role.ANALYST, True, True, False),
        (Role.PUBLISHER, True, True, False),
        (Role.OPERATOR, True, True, True),
        (Role.ADMIN, True, True, True),
    ],
)
def test_who_may_read_which_class(role: Role | None, public: bool, internal: bool, restricted: bool) -> None:
    principal = Principal("p", role)
    for access, allowed in (("public", public), ("internal", internal), ("restricted", restricted)):
        for action in (Action.SEE, Action.READ):
            assert may(principal, action, dataset(access)).allowed is allowed, (role, access, action)


@pytest.mark.parametrize("role", [None, *Role])
def test_writing_needs_a_publisher_and_operating_an_operator(role: Role | None) -> None:
    principal = Principal("p", role)
    assert may(principal, Action.WRITE, dataset("public")).allowed is (role in (Role.PUBLISHER, Role.OPERATOR, Role.ADMIN))
    assert may(principal, Action.OPERATE).allowed is (role in (Role.OPERATOR, Role.ADMIN))


def test_a_token_that_names_a_dataset_reads_it_and_is_anybody_elsewhere() -> None:
    scoped = Principal("app", Role.READER, datasets=frozenset({"some"}))
    assert may(scoped, Action.READ, dataset("restricted")).allowed
    other = dataset("internal").model_copy(update={"name": "other"})
    assert not may(scoped, Action.READ, other).allowed
    assert may(scoped, Action.READ, dataset("public").model_copy(update={"name": "other"})).allowed
    writer = Principal("app", Role.PUBLISHER, datasets=frozenset({"some"}))
    assert not may(writer, Action.WRITE, other).allowed


def test_a_token_narrowed_to_actions_may_do_nothing_else() -> None:
    pushes = Principal("sensor", Role.PUBLISHER, actions=frozenset({Action.WRITE}))
    assert may(pushes, Action.WRITE, dataset("public")).allowed
    assert not may(pushes, Action.READ, dataset("public")).allowed


def test_who_may_not_see_a_geometry_may_not_see_it_in_its_original_numbers() -> None:
    hidden = may(ANYBODY, Action.READ, dataset("public", geometry="restricted")).hidden
    assert hidden == {"geometry", "original_geometry"}


def test_columns_above_the_class_are_hidden() -> None:
    some = dataset("public", parameters="restricted", thing_name="internal")
    shown = {column.name for column in visible(may(ANYBODY, Action.READ, some), TIMESERIES_COLUMNS)}
    assert "parameters" not in shown
    assert "thing_name" not in shown
    assert "result" in shown
    for_analysts = visible(may(Principal("a", Role.ANALYST), Action.READ, some), TIMESERIES_COLUMNS)
    assert {"thing_name"} <= {column.name for column in for_analysts}
    assert "parameters" not in {column.name for column in for_analysts}


def _files(access: str) -> Dataset:
    return dataset(access).model_copy(update={"kind": Kind.FILES})


@pytest.mark.parametrize("capacity", [None, *Capacity])
@pytest.mark.parametrize("circle", ["organization", "group", "dataset"])
@pytest.mark.parametrize("role", list(Role))
def test_what_members_may_do_with_datasets_that_no_feed_brings(role: Role, circle: Circle, capacity: Capacity | None) -> None:
    name = "some" if circle == "dataset" else "city"
    belongs = frozenset({Membership(circle, name, capacity)} if capacity else ())
    principal = Principal("p", role, memberships=belongs)
    is_running = role in (Role.OPERATOR, Role.ADMIN)
    counts = capacity is not None and circle != "group"
    writes = is_running or (role is Role.PUBLISHER and counts and capacity is not Capacity.MEMBER)
    assert may(principal, Action.WRITE, _files("public")).allowed is writes
    assert may(principal, Action.SEE, _files("internal")).allowed is (counts or role is not Role.READER)
    assert may(principal, Action.SEE, _files("restricted")).allowed is is_running
    assert may(principal, Action.SEE, dataset("internal")).allowed is (role is not Role.READER)  # what feeds bring goes by role alone
    leads = is_running or (role is Role.PUBLISHER and capacity is Capacity.ADMIN)
    assert may_lead(principal, circle, name).allowed is leads
    assert not may_lead(Principal("p", Role.PUBLISHER, memberships=belongs), circle, "other").allowed


def test_a_narrowed_token_of_an_operator_does_not_run_the_hub() -> None:
    assert runs(Principal("p", Role.OPERATOR))
    assert not runs(Principal("p", Role.PUBLISHER))
    assert not runs(Principal("p", Role.OPERATOR, datasets=frozenset({"some"})))
    assert not runs(Principal("p", Role.OPERATOR, actions=frozenset({Action.OPERATE})))
    admin = frozenset({Membership("organization", "city", Capacity.ADMIN)})
    assert not may_lead(Principal("p", Role.PUBLISHER, datasets=frozenset({"some"}), memberships=admin), "organization", "city").allowed
    assert not may_lead(Principal("p", Role.PUBLISHER, actions=frozenset({Action.READ}), memberships=admin), "organization", "city").allowed
    assert not may(Principal("p", Role.PUBLISHER, datasets=frozenset({"x"}), memberships=admin), Action.WRITE, _files("public")).allowed
