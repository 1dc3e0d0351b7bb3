"""Logins are counted for the hub as a whole: at two replicas as many pass as at one."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.e2e.running import HubProcess, Site
from tests.import_path import import_path

PER_MINUTE = 60


@pytest.fixture
def site(postgres_url: str, tmp_path: Path) -> Iterator[Site]:
    with Site(postgres_url, tmp_path, trusted_proxies="127.0.0.1") as site:
        site.environment["PYTHONPATH"] = import_path()
        yield site


@pytest.fixture
def replicas(site: Site) -> list[HubProcess]:
    started = [site.api() for _ in range(2)]
    return [each.until_ready() for each in started]


def log_in(at: HubProcess, sid: str, key: str, *, address: str = "192.0.2.1") -> httpx.Response:
    body = {"ProgramSID": sid, "ProgramKey": key}
    return httpx.post(f"{at.url}/api/Login", json=body, headers={"X-Forwarded-For": address}, trust_env=False)


def test_so_many_logins_a_minute_pass_whichever_replica_is_asked(site: Site, replicas: list[HubProcess]) -> None:
    program = site.program()
    who = program.program_sid, program.program_key
    answers = [log_in(replicas[turn % 2], *who) for turn in range(PER_MINUTE + 20)]
    statuses = [each.status_code for each in answers]

    assert statuses == [200] * PER_MINUTE + [429] * 20
    assert all(1 <= int(each.headers["Retry-After"]) <= 60 for each in answers[PER_MINUTE:])
    # The same program from elsewhere, and what it does with its tokens, are not held up.
    assert {log_in(each, *who, address="192.0.2.2").status_code for each in replicas} == {200}
    token = answers[0].json()
    used = httpx.get(
        f"{replicas[1].url}/api/TextMessages", headers={"Authorization": f"Bearer {token}"}, trust_env=False
    )
    assert used.status_code == 200


def test_who_guesses_at_many_programs_is_held_up_and_programs_that_were_there_before_are_not(
    site: Site, replicas: list[HubProcess]
) -> None:
    program = site.program()
    (replica, _) = replicas
    who = program.program_sid, program.program_key
    assert log_in(replica, *who).status_code == 200

    with httpx.Client(base_url=replica.url, headers={"X-Forwarded-For": "192.0.2.1"}, trust_env=False) as client:
        guesses = Counter(
            client.post("/api/Login", json={"ProgramSID": f"guess-{number}", "ProgramKey": "x"}).status_code
            for number in range(11 * PER_MINUTE)
        )

    assert guesses == {401: 10 * PER_MINUTE + 1, 429: PER_MINUTE - 1}
    assert log_in(replica, *who).status_code == 200
    assert log_in(replica, "another", "x").status_code == 429
