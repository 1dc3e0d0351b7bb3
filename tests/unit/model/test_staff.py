from collections.abc import Sequence
from dataclasses import replace

import pytest

from domain.errors import PropertyRefused
from domain.model.access import Scope
from domain.model.staff import Person, Role, StaffRole, StaffSession, StaffStanding
from domain.use_cases.check_staff import grant_in
from tests.unit.builders import a_program

ADA = Person(issuer="https://idp.example", subject="1001", name="ada")


def standing(*roles: StaffRole) -> StaffStanding:
    return StaffStanding(session=StaffSession(id="1", person=ADA, began_s=0, ends_s=60), roles=roles)


def a_role(role: Role, program_id: str | None = None) -> StaffRole:
    return StaffRole(group="staff", role=role, program_id=program_id)


@pytest.mark.parametrize("group", ["", " staff", "staff\n", "a\0b", "x" * 201])
def test_a_group_has_a_name_that_can_be_read(group: str) -> None:
    with pytest.raises(PropertyRefused) as raised:
        StaffRole(group=group, role=Role.OPERATOR)
    assert raised.value.name == "Group"


@pytest.mark.parametrize(
    ("role", "program_id"), [(Role.OPERATOR, "city-hall"), (Role.READER, None), (Role.SENDER, None)]
)
def test_operators_have_no_program_and_all_others_have(role: Role, program_id: str | None) -> None:
    with pytest.raises(PropertyRefused) as raised:
        a_role(role, program_id)
    assert raised.value.name == "ProgramId"


def test_the_record_tells_who_it_was_whatever_they_are_called() -> None:
    assert ADA.signature == "ada (1001)"
    assert Person(issuer="https://idp.example", subject="ada", name="ada").signature == "ada"
    assert "ada" not in repr(ADA)


@pytest.mark.parametrize(
    ("roles", "scopes"),
    [
        ([], set()),
        ([a_role(Role.READER, "CITY-hall")], {Scope.READ}),
        ([a_role(Role.SENDER, "city-hall")], {Scope.READ, Scope.SEND}),
        ([a_role(Role.SENDER, "library")], set()),
        ([a_role(Role.READER, "city-hall"), a_role(Role.SENDER, "city-hall")], {Scope.READ, Scope.SEND}),
        ([a_role(Role.OPERATOR)], {Scope.READ, Scope.OPERATOR}),
        ([a_role(Role.OPERATOR), a_role(Role.SENDER, "library")], {Scope.READ, Scope.OPERATOR}),
        ([a_role(Role.OPERATOR), a_role(Role.SENDER, "city-hall")], {Scope.READ, Scope.SEND, Scope.OPERATOR}),
    ],
)
def test_what_somebody_may_do_in_a_program_comes_of_all_their_groups(
    roles: Sequence[StaffRole], scopes: set[Scope]
) -> None:
    grant = grant_in(a_program("city-hall"), standing(*roles))

    assert grant.scopes == scopes
    assert (grant.program_id, grant.person, grant.token_id) == ("city-hall", "ada (1001)", "1")


def test_in_a_suspended_program_operators_see_and_nobody_does_anything() -> None:
    program = replace(a_program("city-hall"), suspended=True)

    assert grant_in(program, standing(a_role(Role.SENDER, "city-hall"))).scopes == set()
    both = standing(a_role(Role.SENDER, "city-hall"), a_role(Role.OPERATOR))
    assert grant_in(program, both).scopes == {Scope.READ, Scope.OPERATOR}
