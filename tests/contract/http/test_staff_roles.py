"""What operators see and change of the roles of staff."""

from collections.abc import AsyncIterator
from uuid import uuid4

import pytest
import pytest_asyncio

from tests.contract.http.test_senders import an_operator, change, good, refusal
from tests.http import Hub, Office, a_hub

PATH = "/api/StaffRoles"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def hub(shared_database_url: str) -> AsyncIterator[Hub]:
    async with a_hub(shared_database_url) as hub:
        yield hub


@pytest_asyncio.fixture(loop_scope="module")
async def operator(hub: Hub) -> Office:
    return await an_operator(hub)


async def test_roles_are_given_changed_and_taken_away(hub: Hub, operator: Office) -> None:
    office, group = await hub.an_office(), f"/housing/{uuid4()}"
    body = {"Group": group, "Role": "reader", "ProgramId": office.id.upper()}
    first = good(await change(hub, operator, "PUT", PATH, body))
    second = good(await change(hub, operator, "PUT", PATH, {**body, "Role": "sender"}))
    operators = good(await change(hub, operator, "PUT", PATH, {"Group": group, "Role": "operator"}))
    listed = [each for each in good(await hub.get(operator, PATH))["Items"] if each["Group"] == group]
    removed = good(await change(hub, operator, "DELETE", f"{PATH}/{second['Id']}"))
    (event, *_) = good(await hub.get(operator, "/api/AuditEvents", ProgramId=office.id))["Items"]

    assert first == {"Id": first["Id"], "Group": group, "Role": "reader", "ProgramId": office.id}
    assert second == removed == {**first, "Role": "sender"}
    assert listed == [operators, second]
    assert operators["ProgramId"] is None
    assert refusal(await change(hub, operator, "DELETE", f"{PATH}/{second['Id']}")) == (404, "staff-role-not-found")
    assert (event["Action"], event["Actor"], event["Via"]) == ("staff-role.removed", operator.id, "api")
    assert event["Changes"] == {"Role": {"Before": "sender", "After": None}}


@pytest.mark.parametrize(
    ("changes", "status", "slug", "at"),
    [
        ({"ProgramId": "museum"}, 422, "unknown-program", "#/ProgramId"),
        ({"Role": "operator"}, 422, "invalid-value", "#/ProgramId"),
        ({"ProgramId": None}, 400, "invalid-request", "#/ProgramId"),
        ({"Group": " staff"}, 422, "invalid-value", "#/Group"),
        ({"Role": "admin"}, 400, "invalid-request", "#/Role"),
        ({"Colour": "red"}, 400, "unknown-property", "#/Colour"),
    ],
)
async def test_what_cannot_be_is_refused_by_its_place(
    hub: Hub, operator: Office, changes: dict[str, object], status: int, slug: str, at: str
) -> None:
    body = {"Group": "staff", "Role": "reader", "ProgramId": operator.id, **changes}
    answer = await change(hub, operator, "PUT", PATH, body)

    assert refusal(answer) == (status, slug)
    assert [each["pointer"] for each in answer.json()["errors"]] == [at]
