"""A signing key is replaced while the hub works: at each moment every replica takes the tokens of every other."""

from pathlib import Path

import httpx

from tests.e2e.running import SIGNING_KEYS, HubProcess, Site, smshub
from tests.import_path import import_path


def test_no_token_is_refused_while_replicas_are_replaced_one_by_one(postgres_url: str, tmp_path: Path) -> None:
    ring = tmp_path / "signing-keys"
    ring.write_text(SIGNING_KEYS)
    with Site(postgres_url, tmp_path, signing_keys_file=str(ring)) as site:
        del site.environment["SMSHUB_SIGNING_KEYS"]
        site.environment["PYTHONPATH"] = import_path()
        program = site.program()
        replicas = [each.until_ready() for each in [site.api(), site.api()]]
        tokens = [site.caller(each, program).token for each in replicas]
        for _step in ("add", "use"):
            rotate(ring, site)
            for place in range(len(replicas)):
                replicas[place].stop()
                replicas[place] = site.api().until_ready()
                tokens += [site.caller(each, program).token for each in replicas]
                assert {status(each, token) for each in replicas for token in tokens} == {200}

        rotate(ring, site, "--step", "drop")
        replicas[0].stop()
        replicas[0] = site.api().until_ready()

        assert status(replicas[0], tokens[-1]) == 200, "of the new key"
        assert status(replicas[0], tokens[0]) == 401, "of the old one, which was dropped too early"
        assert status(replicas[0], site.caller(replicas[0], program).token) == 200


def rotate(ring: Path, site: Site, *more: str) -> None:
    its = ("--ring", "signing", "--file", str(ring))
    result = smshub("keys", "rotate", *its, *more, environment=site.environment)
    assert result.exit_code == 0, result.output


def status(at: HubProcess, token: str) -> int:
    headers = {"Authorization": f"Bearer {token}"}
    return httpx.get(f"{at.url}/api/TextMessages", headers=headers, trust_env=False).status_code
