"""What other tests and the benchmarks believe of the stand-in for Twilio."""

import json
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from entrypoints.stand_ins.twilio import ACCOUNT_SID, AUTH_TOKEN, TwilioStandIn
from tests.patience import PATIENCE_S

ROOT = Path(__file__).parents[2]
MESSAGES = f"/2010-04-01/Accounts/{ACCOUNT_SID}/Messages.json"
TEXT = {"From": "+19705550100", "To": "+19705550000", "Body": "Hello"}


@contextmanager
def a_client(port: int) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", auth=(ACCOUNT_SID, AUTH_TOKEN)) as client:
        yield client


@pytest.fixture
def process() -> Iterator[httpx.Client]:
    """The stand-in as a process of its own, at a pace of a text in two seconds for each sender."""
    command = [sys.executable, "-m", "tests.stand_ins", "twilio", "--port", "0", "--interval-us", "2000000"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE) as running:
        assert running.stdout is not None
        with a_client(json.loads(running.stdout.readline())["port"]) as client:
            yield client
        running.terminate()
        assert running.wait(PATIENCE_S) == 0


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    async with (
        TwilioStandIn(intervals_us={"+19705550101": 60_000_000}).running() as twilio,
        httpx.AsyncClient(base_url=twilio.url, auth=(ACCOUNT_SID, AUTH_TOKEN)) as client,
    ):
        yield client


def test_as_a_process_it_refuses_what_comes_too_early(process: httpx.Client) -> None:
    started_ns = time.monotonic_ns()
    statuses = [process.post(MESSAGES, data=TEXT).status_code for _ in range(2)]
    other = process.post(MESSAGES, data={**TEXT, "From": "+19705550199"})
    time.sleep(2)
    statuses.append(process.post(MESSAGES, data=TEXT).status_code)
    log = process.get("/_control/log").json()

    assert statuses == [201, 429, 201]
    assert other.status_code == 201
    assert [arrival["status"] for arrival in log] == [201, 429, 201, 201]
    assert [arrival["sid"] is None for arrival in log] == [False, True, False, False]
    times = [arrival["at_ns"] for arrival in log]
    assert started_ns < times[0]
    assert times == sorted(times)
    assert times[-1] < time.monotonic_ns()


async def test_a_text_that_comes_too_early_is_told_how_long_to_wait(client: httpx.AsyncClient) -> None:
    text = {**TEXT, "From": "+19705550101"}
    await client.post(MESSAGES, data=text)

    refused = await client.post(MESSAGES, data=text)

    assert (refused.json()["code"], refused.headers["Retry-After"]) == (20429, "60")


async def test_only_its_own_passwords_are_taken(client: httpx.AsyncClient) -> None:
    for auth in ((ACCOUNT_SID, "another"), ("another", AUTH_TOKEN), ("", "")):
        answer = await client.post(MESSAGES, data=TEXT, auth=auth)
        assert (answer.status_code, answer.json()["code"]) == (401, 20003)
    assert (await client.get("/_control/log")).json() == []


async def test_it_is_told_what_to_do_wrong(client: httpx.AsyncClient) -> None:
    await client.post("/_control", json={"behaviour": "error", "code": 21610, "count": 2, "to": TEXT["To"]})

    other = await client.post(MESSAGES, data={**TEXT, "To": "+19705550001"})
    codes = [(await client.post(MESSAGES, data=TEXT)).json().get("code") for _ in range(3)]

    assert other.status_code == 201
    assert codes == [21610, 21610, None]


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"To": "0123"}, 21211),
        ({"From": ""}, 21603),
        ({"Body": ""}, 21602),
        ({"Body": "x" * 1_601}, 21617),
        ({"StatusCallback": "nowhere"}, 21609),
    ],
)
async def test_it_reads_what_it_is_sent(client: httpx.AsyncClient, change: Mapping[str, str], code: int) -> None:
    assert (await client.post(MESSAGES, data={**TEXT, **change})).json()["code"] == code


async def test_it_lists_what_it_has(client: httpx.AsyncClient) -> None:
    sids = [(await client.post(MESSAGES, data=TEXT)).json()["sid"] for _ in range(5)]
    await client.post(MESSAGES, data={**TEXT, "To": "+19705550001"})
    listed, target = [], f"{MESSAGES}?To=%2B19705550000&PageSize=2"
    while target:
        page = (await client.get(target)).json()
        listed += [message["sid"] for message in page["messages"]]
        target = page["next_page_uri"]

    assert listed == sids[::-1]
    by_sender = await client.get(MESSAGES, params={"From": "+19705550177"})
    not_sent_yet = await client.get(MESSAGES, params={"DateSent>": "2020-01-01"})
    assert by_sender.json()["messages"] == not_sent_yet.json()["messages"] == []
