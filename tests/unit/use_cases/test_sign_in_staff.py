"""What is kept of a person's groups, and whose session is good. Other tests go there and back with real providers."""

import time
from collections.abc import Mapping, Sequence
from datetime import timedelta

import pytest

from adapters.staff_tokens import JwtStaffTokens
from domain.errors import SignInRefused, StaffRoleNotFound, TokenRefused
from domain.model.sign_in import Challenge
from domain.model.staff import Person, Role, StaffRole
from domain.ports.identity_provider import IdentityProvider
from domain.use_cases.check_staff import CheckStaff
from domain.use_cases.operate_staff_roles import OperateStaffRoles
from domain.use_cases.sign_in_staff import SignInStaff
from tests.unit.fakes import InMemoryPrograms, InMemoryStaffRoles

ISSUER = "https://idp.example"
READER = StaffRole(group="housing", role=Role.READER, program_id="city-hall")


class Clock:
    def now_us(self) -> int:
        return time.time_ns() // 1_000


class Provider(IdentityProvider):
    """Vouches for somebody with these groups, whatever the answer."""

    name = "Campus login"
    issuer = ISSUER

    def __init__(self, groups: Sequence[str]) -> None:
        self._groups = tuple(groups)
        self.challenges: list[Challenge] = []

    async def address(self, challenge: Challenge) -> str:
        self.challenges.append(challenge)
        return f"{ISSUER}/auth"

    async def person(self, challenge: Challenge, answer: Mapping[str, str]) -> Person:  # noqa: ARG002 - any is good
        return Person(issuer=ISSUER, subject="1001", name="ada", groups=self._groups)

    async def sign_out_address(self) -> str | None:
        return None

    async def close(self) -> None: ...


def signing_in(groups: Sequence[str], *roles: StaffRole) -> tuple[SignInStaff, Provider]:
    provider = Provider(groups)
    use_case = SignInStaff(
        provider=provider,
        tokens=JwtStaffTokens({"new": b"n" * 32}, issuer="hub"),
        roles=InMemoryStaffRoles(*roles),
        clock=Clock(),  # type: ignore[arg-type]
        lifetime=timedelta(hours=8),
    )
    return use_case, provider


async def test_whoever_comes_back_with_the_state_goes_on_where_they_wanted() -> None:
    sign_in, provider = signing_in(["housing"])
    address, pending = await sign_in.begin("messages")
    done = await sign_in.finish(pending, {"state": provider.challenges[0].state})

    assert address == f"{ISSUER}/auth"
    assert done.following == "messages"
    assert done.session.ends_s - done.session.began_s == 8 * 3_600
    assert sign_in.tokens.read_session(done.token) == done.session


async def test_whoever_comes_back_without_it_does_not() -> None:
    sign_in, provider = signing_in(["housing"])
    _, pending = await sign_in.begin("")
    state = provider.challenges[0].state
    for kept, answer in ((None, {"state": state}), ("", {"state": state}), (pending, {}), (pending, {"state": "é"})):
        with pytest.raises(SignInRefused):
            await sign_in.finish(kept, answer)


async def test_of_too_many_groups_those_with_a_role_are_kept_and_a_cookie_holds_them() -> None:
    groups = [f"0f8fad5b-d9cb-469f-a165-{number:012}" for number in range(5_000)]
    sign_in, provider = signing_in([*groups, "housing", "housing"], READER)
    _, pending = await sign_in.begin("")
    done = await sign_in.finish(pending, {"state": provider.challenges[0].state})

    assert done.session.person.groups[0] == "housing"
    assert 20 < len(done.session.person.groups) < 100
    assert len(done.token) < 3_900


async def test_a_session_is_good_with_the_provider_that_it_came_from() -> None:
    sign_in, provider = signing_in(["housing"])
    _, pending = await sign_in.begin("")
    session = (await sign_in.finish(pending, {"state": provider.challenges[0].state})).session
    programs, roles = InMemoryPrograms(), InMemoryStaffRoles(READER)
    standing = await CheckStaff(roles=roles, programs=programs, issuer=ISSUER)(session)

    assert [each.group for each in standing.roles] == ["housing"]
    for issuer in ("", "https://another.example"):
        with pytest.raises(TokenRefused):
            await CheckStaff(roles=roles, programs=programs, issuer=issuer)(session)


async def test_a_role_is_found_by_its_group_and_program() -> None:
    roles = InMemoryStaffRoles(READER, StaffRole(group="housing", role=Role.OPERATOR))
    operate = OperateStaffRoles(roles=roles)
    for group, program_id in (("library", "city-hall"), ("housing", "library"), ("library", None)):
        with pytest.raises(StaffRoleNotFound):
            await operate.remove_of(group, program_id)

    assert (await operate.remove_of("housing", "CITY-hall")).role is Role.READER
    assert (await operate.remove_of("housing", None)).role is Role.OPERATOR
    assert await operate.all() == []
