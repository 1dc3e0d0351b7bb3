"""What other tests believe of the stand-in for Vonage."""

import asyncio
import json
import ssl
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Generator, Iterator, Mapping
from pathlib import Path
from typing import Any

import httpx
import jwt
import pytest

from entrypoints.stand_ins.certificates import Certificate
from entrypoints.stand_ins.vonage import (
    API_KEY,
    API_SECRET,
    APPLICATION_ID,
    MESSAGES,
    SMS,
    VonageStandIn,
    application_key,
)
from tests.patience import PATIENCE_S

ROOT = Path(__file__).parents[2]
BY_KEY = httpx.BasicAuth(API_KEY, API_SECRET)
TEXT = {"from": "19705550100", "to": "19705550000", "text": "Hello"}
MESSAGE = {**TEXT, "channel": "sms", "message_type": "text"}


@pytest.fixture
def process(tmp_path: Path) -> Iterator[httpx.Client]:
    """The stand-in as a process of its own, at a pace of a text in two seconds for each sender."""
    command = [sys.executable, "-m", "tests.stand_ins", "vonage", "--interval-us", "2000000"]
    command += ["--folder", str(tmp_path)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE) as running:
        assert running.stdout is not None
        told = json.loads(running.stdout.readline())
        believing = ssl.create_default_context(cafile=told["ca_file"])
        with httpx.Client(base_url=f"https://127.0.0.1:{told['port']}", verify=believing, auth=BY_KEY) as client:
            yield client
        running.terminate()
        assert running.wait(PATIENCE_S) == 0


@pytest.fixture
async def client(tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    certificate = Certificate(tmp_path)
    async with (
        VonageStandIn(tls=certificate.server()).running() as vonage,
        httpx.AsyncClient(base_url=vonage.url, verify=certificate.client(), auth=BY_KEY) as client,
    ):
        yield client


def test_as_a_process_it_refuses_what_comes_too_early(process: httpx.Client) -> None:
    answers = [process.post(MESSAGES, json=MESSAGE) for _ in range(2)]
    other = process.post(SMS, data={**TEXT, "from": "City Hall"})
    time.sleep(2)
    answers.append(process.post(MESSAGES, json=MESSAGE))
    early = process.post(SMS, data=TEXT)
    log = process.get("/_control/log").json()

    assert [answer.status_code for answer in answers] == [202, 429, 202]
    assert answers[1].headers["Retry-After"] == "2"
    assert statuses(other) == ["0"]
    assert statuses(early) == ["1"]
    assert [arrival["status"] for arrival in log] == [202, 429, 200, 202, 200]
    assert [arrival["sid"] is None for arrival in log] == [False, True, False, False, True]


def statuses(answer: httpx.Response) -> list[str]:
    told = answer.json()
    assert told["message-count"] == str(len(told["messages"]))
    return [part["status"] for part in told["messages"]]


async def test_only_its_own_secrets_are_taken(client: httpx.AsyncClient) -> None:
    for auth in ((API_KEY, "another"), ("another1", API_SECRET), ("", "")):
        assert (await client.post(MESSAGES, json=MESSAGE, auth=auth)).status_code == 401
        assert statuses(await client.post(SMS, data=TEXT, auth=auth)) == ["4"]


@pytest.mark.parametrize(
    ("claims", "status"),
    [
        ({}, 202),
        ({"application_id": "another"}, 401),
        ({"exp": 1_700_000_000}, 401),
        ({"jti": None}, 401),
    ],
)
async def test_applications_sign_what_they_ask(
    client: httpx.AsyncClient, claims: Mapping[str, Any], status: int
) -> None:
    now = int(time.time())
    claimed = {"application_id": APPLICATION_ID, "iat": now, "exp": now + 60, "jti": "one", **claims}
    token = jwt.encode({name: value for name, value in claimed.items() if value}, application_key()[0], "RS256")

    answer = await client.post(MESSAGES, json=MESSAGE, auth=Bearer(token))

    assert answer.status_code == status


class Bearer(httpx.Auth):
    def __init__(self, token: str) -> None:
        self._token = token

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        request.headers["Authorization"] = f"Bearer {self._token}"
        yield request


async def test_it_is_told_what_to_do_wrong(client: httpx.AsyncClient) -> None:
    await client.post("/_control", json={"behaviour": "error", "code": "1240", "count": 2, "to": TEXT["to"]})

    other = await client.post(MESSAGES, json={**MESSAGE, "to": "19705550001"})
    answers = [await client.post(MESSAGES, json=MESSAGE) for _ in range(3)]

    assert other.status_code == 202
    assert [answer.status_code for answer in answers] == [422, 422, 202]
    assert answers[0].json()["type"].endswith("#1240")


@pytest.mark.parametrize(
    "change",
    [{"to": "+19705550000"}, {"to": "0123"}, {"text": ""}, {"text": "x" * 3_201}, {"ttl": 19}, {"ttl": 604_801}],
)
async def test_it_reads_the_messages_that_it_is_sent(client: httpx.AsyncClient, change: Mapping[str, Any]) -> None:
    assert (await client.post(MESSAGES, json={**MESSAGE, **change})).json()["type"].endswith("#1020")


@pytest.mark.parametrize("change", [{"to": "+19705550000"}, {"to": "0123"}, {"ttl": "19999"}, {"ttl": "604800001"}])
async def test_it_reads_the_texts_that_it_is_sent(client: httpx.AsyncClient, change: Mapping[str, Any]) -> None:
    assert statuses(await client.post(SMS, data={**TEXT, **change})) == ["3"]


@pytest.mark.parametrize(
    ("text", "type_", "parts"),
    [("x" * 160, "text", 1), ("x" * 161, "text", 2), ("я" * 70, "unicode", 1), ("я" * 135, "unicode", 3)],
)
async def test_a_long_text_has_parts_with_references_of_their_own(
    client: httpx.AsyncClient, text: str, type_: str, parts: int
) -> None:
    answer = (await client.post(SMS, data={**TEXT, "text": text, "type": type_})).json()

    assert len({part["message-id"] for part in answer["messages"]}) == parts


async def test_there_is_nothing_else(client: httpx.AsyncClient) -> None:
    assert (await client.get(MESSAGES)).status_code == (await client.post("/v2/messages")).status_code == 404


def test_a_certificate_is_kept_as_long_as_it_is_good_for_the_hosts(tmp_path: Path) -> None:
    folder = tmp_path / "var" / "vonage"

    first, second, other = (Certificate(folder, *hosts).file.read_bytes() for hosts in ([], [], ["vonage.example"]))

    assert first == second != other
    assert Certificate(folder).file.read_bytes() == other
    assert (folder / "key.pem").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "vonage.example", "::1"])
async def test_a_certificate_is_believed_by_the_strictest_and_for_its_hosts_alone(tmp_path: Path, host: str) -> None:
    certificate = Certificate(tmp_path, "vonage.example", "::1")
    strict = certificate.client()
    strict.verify_flags |= ssl.VERIFY_X509_STRICT

    async with VonageStandIn(tls=certificate.server()).running() as vonage:
        for name, believed in ((host, True), ("api.nexmo.com", False)):
            call = asyncio.open_connection("127.0.0.1", vonage.port, ssl=strict, server_hostname=name)
            if believed:
                (await call)[1].close()
            else:
                with pytest.raises(ssl.SSLCertVerificationError):
                    await call
