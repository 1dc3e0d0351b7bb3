"""Programs that may send, and what they log in with."""

import http.client
import json
from collections.abc import Sequence
from dataclasses import dataclass

from domain.model.credentials import Credentials
from domain.model.pace import Pace
from domain.model.sender import SenderAddress
from entrypoints.stand_ins.twilio import ACCOUNT_SID, AUTH_TOKEN
from tests.benchmarks.store import a_store

_CREDENTIALS = {"twilio": Credentials({"account_sid": ACCOUNT_SID, "auth_token": AUTH_TOKEN}), "sandbox": None}


@dataclass(frozen=True, kw_only=True)
class Office:
    """A program to be created. Those of one `sender` share it, and with it its rate."""

    sender: str
    rate: str | None = None
    provider: str = "sandbox"


@dataclass(frozen=True, kw_only=True)
class Created:
    program_id: str
    sender_id: int
    program_sid: str
    program_key: str


def offices(count: int, *, rate: str | None = None, provider: str = "sandbox") -> Sequence[Office]:
    """Each with a sender of its own."""
    return [Office(sender=f"+1720{5_550_000 + each}", rate=rate, provider=provider) for each in range(count)]


async def create(database_url: str, wanted: Sequence[Office]) -> Sequence[Created]:
    """The database is brought to the right schema first."""
    async with a_store(database_url) as container:
        await container.schema().migrate()
        await container.clock().synchronise()
        created = []
        for each, office in enumerate(wanted):
            program, key = await container.create_program()(
                name=f"Office {each}",
                provider=office.provider,
                sender=SenderAddress(office.sender),
                pace=None if office.rate is None else Pace.parse(office.rate),
                credentials=_CREDENTIALS[office.provider],
            )
            created.append(
                Created(
                    program_id=program.id, sender_id=program.sender.id, program_sid=program.sid, program_key=key.value
                )
            )
        return created


def log_in(port: int, created: Created) -> str:
    """A token."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        login = json.dumps({"ProgramSID": created.program_sid, "ProgramKey": created.program_key})
        connection.request("POST", "/api/Login", login, {"Content-Type": "application/json"})
        answer = connection.getresponse()
        content = answer.read()
        if answer.status != 200:
            raise PermissionError(f"The hub answers a login with {answer.status}.")
        return str(json.loads(content))
    finally:
        connection.close()
