"""What operators type about webhooks."""

import asyncio
import json
from uuid import UUID

import pytest

from domain.model.message_id import new_message_id
from domain.model.webhook import WANTED, Webhook
from domain.model.webhook_secret import WebhookSecret
from entrypoints.container import Container, close
from entrypoints.settings import Settings
from tests.e2e.running import SENDER, SIGNING_KEYS, smshub

CREATE = ("programs", "create", "--name", "City Hall", "--provider", "sandbox", "--sender", SENDER, "--output", "json")


@pytest.fixture
def environment(database_url: str) -> dict[str, str]:
    return {
        "SMSHUB_DATABASE_URL": database_url,
        "SMSHUB_SIGNING_KEYS": SIGNING_KEYS,
        "SMSHUB_ENCRYPTION_KEYS": SIGNING_KEYS,
    }


@pytest.fixture
def webhook_id(environment: dict[str, str]) -> UUID:
    """That of a program's webhook."""
    program = json.loads(smshub(*CREATE, environment=environment).stdout)
    webhook = Webhook(
        id=new_message_id(1),
        program_id=program["ProgramId"],
        url="https://office.example/hooks?key=a-secret-of-theirs",
        description=None,
        events=WANTED,
        created_us=1,
    )

    async def add() -> None:
        url, keys = environment["SMSHUB_DATABASE_URL"], environment["SMSHUB_ENCRYPTION_KEYS"]
        container = Container(settings=Settings.from_environment(database_url=url, encryption_keys=keys))
        await container.webhooks().add(webhook, WebhookSecret.new())
        await close(container)

    asyncio.run(add())
    return webhook.id


def test_they_are_listed_disabled_and_enabled(environment: dict[str, str], webhook_id: UUID) -> None:
    listed = smshub("webhooks", "list", environment=environment).stdout
    smshub("webhooks", "disable", str(webhook_id), environment=environment)
    (disabled,) = json.loads(smshub("webhooks", "list", "--output", "json", environment=environment).stdout)
    smshub("webhooks", "enable", str(webhook_id), environment=environment)
    (enabled,) = json.loads(smshub("webhooks", "list", "--output", "json", environment=environment).stdout)

    assert str(webhook_id) in listed
    assert "office.example" in listed
    assert "a-secret-of-theirs" not in listed + json.dumps(disabled)
    assert (disabled["Enabled"], disabled["DisabledReason"]) == (False, "by-operator")
    assert (enabled["Enabled"], enabled["DisabledReason"]) == (True, None)


def test_one_that_is_not_there_is_told(environment: dict[str, str]) -> None:
    result = smshub("webhooks", "enable", str(new_message_id(1)), environment=environment)

    assert result.exit_code == 1
    assert result.stderr == "Error: There is no such webhook.\n"


@pytest.mark.usefixtures("webhook_id")
def test_their_secrets_are_encrypted_with_a_newer_key(environment: dict[str, str]) -> None:
    newer = smshub("keys", "generate", "--kid", "newer", environment=environment).stdout.strip()
    both = environment | {"SMSHUB_ENCRYPTION_KEYS": f"{newer},{SIGNING_KEYS}"}

    resealed = smshub("keys", "reseal", environment=both)
    with_new_alone = smshub("keys", "reseal", environment=environment | {"SMSHUB_ENCRYPTION_KEYS": newer})
    with_old_alone = smshub("keys", "reseal", environment=environment)

    assert resealed.stdout.endswith("So are the secrets of 1 webhooks.\n")
    assert with_new_alone.exit_code == 0
    assert with_old_alone.exit_code == 1
