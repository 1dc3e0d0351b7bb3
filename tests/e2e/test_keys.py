"""A key that is revoked at one replica is refused by all of them, within five seconds."""

import json
import time
from pathlib import Path

import httpx

from tests.e2e.running import Credentials, Site, smshub
from tests.import_path import import_path

# About when a request is begun, however long it takes.
WITHIN_S = 5.0


def test_a_revoked_key_ends_its_tokens_at_every_replica(postgres_url: str, tmp_path: Path) -> None:
    with Site(postgres_url, tmp_path) as site:
        site.environment["PYTHONPATH"] = import_path()
        replicas = [site.api().until_ready() for _ in range(2)]
        first = site.program()
        its = ("--program", first.program_id)
        issued = json.loads(told(site, "programs", "issue-key", *its, "--output", "json"))
        second = Credentials(first.program_id, first.program_sid, issued["ProgramKey"], first.sender_id)
        # Each replica has seen both keys' tokens, and remembers them.
        tokens = [site.caller(replicas[0], each).token for each in (first, second)]
        urls = [each.url for each in replicas]
        assert {status(url, token) for url in urls for token in tokens} == {200}

        told(site, "programs", "revoke-key", *its, "--key", str(issued["KeyId"]))
        revoked_s = asked_s = time.monotonic()
        while {status(url, tokens[1]) for url in urls} != {401}:
            assert asked_s < revoked_s + WITHIN_S
            time.sleep(0.05)
            asked_s = time.monotonic()

        assert [status(url, tokens[0]) for url in urls] == [200, 200], "the other key's tokens are good still"
        (kept, ended) = json.loads(told(site, "programs", "list-keys", *its, "--output", "json"))
        assert (kept["RevokedAt"], ended["RevokedAt"] is None) == (None, False)
        assert ended["LastUsedAt"] is not None


def status(url: str, token: str) -> int:
    answer = httpx.get(f"{url}/api/TextMessages", headers={"Authorization": f"Bearer {token}"}, trust_env=False)
    return answer.status_code


def told(site: Site, *arguments: str) -> str:
    result = smshub(*arguments, environment=site.environment)
    assert result.exit_code == 0, result.output
    return result.stdout
