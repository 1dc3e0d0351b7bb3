"""A number that is to be forgotten is, however often those who do it are killed."""

import random
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import Console
from tests.e2e.running import Site, smshub
from tests.import_path import import_path

NUMBER, OTHER = "+16135550147", "+16135550148"
TEXTS = 5_000

# Every text has gone to the number alone, but for some, which have gone to another; all of them yesterday.
FILL = f"""
    WITH added AS (
        INSERT INTO text_messages (id, program_id, sender_id, body, recipients, created_us)
        SELECT CAST(lpad(to_hex(at.ms), 12, '0') || '70008000' || lpad(to_hex(n), 12, '0') AS uuid),
               p.id, p.sender_id, 'Hello', 1, at.ms * 1000 + n
        FROM programs p, generate_series(1, {TEXTS}) n,
             (SELECT CAST(extract(epoch FROM now() - interval '1 day') AS bigint) * 1000 AS ms) at
        RETURNING id, program_id, sender_id, created_us
    )
    INSERT INTO deliveries (message_id, position, program_id, sender_id, number, segments, state, attempt, failures,
                            enquiries, updated_us)
    SELECT id, 1, program_id, sender_id, CASE WHEN created_us % 100 = 0 THEN '{OTHER}' ELSE '{NUMBER}' END, 1,
           'delivered', 1, 0, 0, created_us
    FROM added
"""
LEFT = f"SELECT count(*) FROM deliveries WHERE number = '{NUMBER}'"


@pytest.fixture
def site(postgres_url: str, tmp_path: Path) -> Iterator[Site]:
    with Site(postgres_url, tmp_path) as site:
        site.environment["PYTHONPATH"] = import_path()
        yield site


@pytest.fixture
def console(postgres_url: str) -> Iterator[Console]:
    console = Console(postgres_url)
    yield console
    console.close()


def test_whoever_is_killed_is_followed_by_another(site: Site, console: Console) -> None:
    site.program()
    console.run(FILL)
    # As if it was asked for some minutes ago, by somebody who was killed thereupon.
    asked_us = (time.time_ns() - 300 * 10**9) // 1_000
    console.run(f"INSERT INTO erasures (number, until_us, keep_opt_outs) VALUES ('{NUMBER}', {asked_us}, true)")
    left = [TEXTS]

    while console.run("SELECT count(*) FROM erasures"):
        assert len(left) < 100, left
        dispatcher = site.dispatcher().until_ready()
        # Longer and longer, so that even on a busy machine somebody gets somewhere.
        time.sleep(random.uniform(0.0, 0.5 + len(left) / 20))
        dispatcher.kill()
        left.append(int(str(console.run(LEFT))))

    assert left == sorted(left, reverse=True)
    assert left[-1] == 0
    bodies = "SELECT count(*) FROM text_messages WHERE body = 'Hello'"
    assert console.run(bodies) == console.run(f"SELECT count(*) FROM deliveries WHERE number = '{OTHER}'")
    audit = smshub("audit", environment=site.environment).stdout
    assert f"Texts: None → {TEXTS - TEXTS // 100}, Bodies: None → {TEXTS - TEXTS // 100}" in audit
