"""Nobody sends more than a budget allows, however many ask at once and at whichever process."""

import asyncio
import itertools
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import httpx
import pytest

from tests.e2e.running import Caller, HubProcess, Site, e164, smshub
from tests.patience import PATIENCE_S

TOGETHER = 64
ROUNDS = 4
BUDGET = 500


@pytest.fixture
def cluster(postgres_url: str, tmp_path: Path) -> Iterator[Site]:
    with Site(postgres_url, tmp_path) as site:
        yield site


def post_at_once(
    caller: Caller, processes: Sequence[HubProcess], texts: Sequence[tuple[str, int]]
) -> Sequence[httpx.Response]:
    """Each text has a key and goes to so many numbers; the processes get them in turn."""

    async def post_all() -> Sequence[httpx.Response]:
        headers = {"Authorization": f"Bearer {caller.token}"}
        async with httpx.AsyncClient(headers=headers, verify=False, timeout=PATIENCE_S, trust_env=False) as client:
            return await asyncio.gather(
                *(
                    client.post(
                        f"{process.url}/api/TextMessages",
                        json={"Message": "Hello", "PhoneNumber": ",".join(e164(count))},
                        headers={"Idempotency-Key": key},
                    )
                    for process, (key, count) in zip(itertools.cycle(processes), texts, strict=False)
                )
            )

    return asyncio.run(post_all())


def sent(caller: Caller) -> int:
    return sum(each["Recipients"] for each in caller.everything())


def test_requests_at_once_never_exceed_a_budget_and_repeated_ones_count_once(cluster: Site) -> None:
    program = cluster.program()
    guards = ("--daily-segments", str(10 * BUDGET), "--monthly-segments", str(BUDGET))
    assert (
        smshub("programs", "set", "--program", program.program_id, *guards, environment=cluster.environment).exit_code
        == 0
    )
    apis = [cluster.api(), cluster.api()]
    caller = cluster.caller(apis[0].until_ready(), program)
    apis[1].until_ready()

    answers: dict[str, list[httpx.Response]] = {}
    for index in range(ROUNDS):
        # Each text is posted twice, at both processes.
        texts = [(f"{index}-{number // 2}", 5 + number // 2 % 3) for number in range(TOGETHER)]
        for (key, _), answer in zip(texts, post_at_once(caller, apis, texts), strict=True):
            answers.setdefault(key, []).append(answer)

    everything = list(itertools.chain.from_iterable(answers.values()))
    statuses = Counter(answer.status_code for answer in everything)
    assert statuses.keys() <= {200, 409, 429}, statuses
    assert statuses[200] >= 80
    assert statuses[429] >= 80
    for refused in (answer for answer in everything if answer.status_code == 429):
        assert refused.json()["type"] == "budget-exceeded"
        assert 1 <= int(refused.headers["Retry-After"]) <= 31 * 86_400
    # The smallest text, of which there were many, does not fit any more.
    assert BUDGET - 5 < sent(caller) <= BUDGET
    accepted = {answer.json()["Id"] for answer in everything if answer.status_code == 200}
    assert {each["Id"] for each in caller.everything()} == accepted
    left = BUDGET - sent(caller)
    assert caller.post("/api/TextMessages", a_text(left + 1)).status_code == 429
    if left:
        assert caller.post("/api/TextMessages", a_text(left)).status_code == 200
    told = [line["percent"] for process in apis for line in process.logged("budget_nearly_used")]
    # Once each; a great leap leaves the first out.
    assert sorted(told) in ([80, 100], [100])
    refusals = sum(process.metric("smshub_budget_refusals_total") for process in apis)
    assert refusals == statuses[429] + 1
    assert apis[0].metric(f'smshub_budget_used_ratio{{program="{program.program_id}"}}') == 1


def test_what_is_canceled_may_be_sent_anew(cluster: Site) -> None:
    program = cluster.program()
    guard = ("programs", "set", "--program", program.program_id, "--monthly-segments", "10")
    assert smshub(*guard, environment=cluster.environment).exit_code == 0
    caller = cluster.caller(cluster.api().until_ready(), program)
    first = caller.send(e164(10))

    assert caller.post("/api/TextMessages", a_text(1)).status_code == 429
    caller.cancel(first)

    assert caller.post("/api/TextMessages", a_text(10)).status_code == 200


def a_text(count: int) -> Mapping[str, object]:
    return {"Message": "Hello", "PhoneNumber": ",".join(e164(count))}
