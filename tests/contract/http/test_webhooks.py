"""Programs keep their webhooks by the interface."""

from collections.abc import Mapping
from typing import Any
from uuid import uuid4

import pytest
import pytest_asyncio

from tests.http import PUBLIC_URL, Hub, Office, a_hub

pytestmark = pytest.mark.asyncio(loop_scope="module")

WEBHOOKS = "/api/Webhooks"
URL = "https://office.example/hooks"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def hub(shared_database_url: str) -> Any:  # noqa: ANN401
    keys = "tests:" + "0123456789abcdef" * 3
    async with a_hub(shared_database_url, public_url=PUBLIC_URL, encryption_keys=keys) as hub:
        yield hub


async def made(hub: Hub, office: Office, **properties: object) -> Mapping[str, Any]:
    response = await hub.post(office, WEBHOOKS, {"Url": URL, **properties})
    assert response.status_code == 200, response.text
    assert response.headers["cache-control"] == "no-store"
    webhook: Mapping[str, Any] = response.json()
    return webhook


async def change(hub: Hub, office: Office, webhook: Mapping[str, Any], **properties: object) -> Any:  # noqa: ANN401
    return await hub.client.patch(f"{WEBHOOKS}/{webhook['Id']}", json=properties, headers=office.headers)


async def test_the_secret_is_told_when_it_is_made_and_never_again(hub: Hub) -> None:
    office = await hub.an_office()
    webhook = await made(hub, office, Description="Appointments", Events=["message.failed", "message.sent"])
    path = f"{WEBHOOKS}/{webhook['Id']}"

    read = (await hub.get(office, path)).json()
    listed = (await hub.get(office, WEBHOOKS)).json()["Items"]
    rotated = (await hub.post(office, f"{path}/RotateSecret")).json()

    assert webhook["Secret"].startswith("whsec_")
    assert read == {name: value for name, value in webhook.items() if name != "Secret"}
    assert listed == [read]
    assert read["Events"] == ["message.sent", "message.failed"]
    assert rotated["Secret"] not in {webhook["Secret"], None}
    async with hub.container.database().reading() as connection:
        dump = await connection.exec_driver_sql("SELECT secret, old_secret FROM webhooks")
        assert webhook["Secret"].encode() not in b"".join(bytes(each) for row in dump for each in row if each)


async def test_one_is_changed_disabled_and_enabled(hub: Hub) -> None:
    office = await hub.an_office()
    webhook = await made(hub, office, Description="Appointments")

    changed = (await change(hub, office, webhook, Url=f"{URL}/new", Description="", Events=["message.sent"])).json()
    disabled = (await change(hub, office, webhook, Enabled=False)).json()
    enabled = (await change(hub, office, webhook, Enabled=True)).json()
    refused = await change(hub, office, webhook, Url="https://10.0.0.1/")

    assert (changed["Url"], changed["Description"], changed["Events"]) == (f"{URL}/new", None, ["message.sent"])
    assert (disabled["Enabled"], disabled["DisabledReason"]) == (False, "by-program")
    assert enabled == changed
    assert refused.status_code == 422


async def test_one_is_deleted(hub: Hub) -> None:
    office = await hub.an_office()
    webhook = await made(hub, office)
    path = f"{WEBHOOKS}/{webhook['Id']}"

    deleted = await hub.client.delete(path, headers=office.headers)

    assert deleted.json()["Id"] == webhook["Id"]
    assert (await hub.get(office, path)).status_code == 404
    assert (await hub.get(office, WEBHOOKS)).json() == {"Items": [], "NextCursor": None}


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "", None),
        ("PATCH", "", {"Enabled": False}),
        ("DELETE", "", None),
        ("POST", "/RotateSecret", None),
        ("GET", "/Attempts", None),
        ("POST", "/Replay", {"Since": "2025-11-22T00:00:00Z"}),
        ("POST", "/Replay", {"EventId": str(uuid4())}),
        ("POST", "/Test", None),
    ],
)
async def test_another_programs_is_not_found(hub: Hub, method: str, path: str, body: object) -> None:
    mine, others = await hub.an_office(), await hub.an_office()
    webhook = await made(hub, others)

    response = await hub.client.request(method, f"{WEBHOOKS}/{webhook['Id']}{path}", json=body, headers=mine.headers)

    assert response.status_code == 404
    assert response.json()["type"] == "webhook-not-found"
    assert (await hub.get(others, f"{WEBHOOKS}/{webhook['Id']}")).json()["Enabled"] is True
    assert (await hub.get(mine, WEBHOOKS)).json()["Items"] == []


async def test_a_test_is_an_event_that_can_be_replayed(hub: Hub) -> None:
    office = await hub.an_office()
    path = f"{WEBHOOKS}/{(await made(hub, office))['Id']}"

    event_id = (await hub.post(office, f"{path}/Test")).json()["EventId"]
    one = await hub.post(office, f"{path}/Replay", {"EventId": event_id})
    none = await hub.post(office, f"{path}/Replay", {"Since": "2025-11-22T00:00:00Z"})
    unclear = [
        await hub.post(office, f"{path}/Replay", body)
        for body in ({}, {"EventId": event_id, "Since": "2025-11-22T00:00:00Z"})
    ]

    assert (one.json(), none.json()) == ({"Replayed": 1}, {"Replayed": 0})
    assert [each.json()["type"] for each in unclear] == ["replay-unclear"] * 2


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"Url": ""},
        {"Url": "https://office.example/a b"},
        {"Url": f"https://office.example/{'a' * 2_000}"},
        {"Url": URL, "Events": []},
        {"Url": URL, "Events": ["message.sent", "message.read"]},
        {"Url": URL, "Events": ["webhook.test"]},
        {"Url": URL, "Events": [["message.sent"]]},
        {"Url": URL, "Events": [{"message.sent": 1}]},
        {"Url": URL, "Events": "message.sent"},
        {"Url": URL, "Description": "a" * 201},
        {"Url": URL, "Secret": "whsec_mine"},
    ],
)
async def test_what_does_not_match_the_document_is_refused(hub: Hub, body: Mapping[str, object]) -> None:
    response = await hub.post(await hub.an_office(), WEBHOOKS, body)

    assert response.status_code == 400


async def test_a_hub_without_a_key_keeps_no_secrets(sqlite_url: str) -> None:
    async with a_hub(sqlite_url) as hub:
        response = await hub.post(await hub.an_office(), WEBHOOKS, {"Url": URL})

    assert (response.status_code, response.json()["type"]) == (422, "encryption-keys-missing")
    assert "SMSHUB_ENCRYPTION_KEYS" in response.json()["detail"]
