"""Which tests take minutes, and in what order all of them run."""

import random
from collections.abc import Iterable
from itertools import groupby
from pathlib import Path

import pytest

_TESTS = Path(__file__).parent

# What `make test` leaves out, by folder or file: whatever needs a browser, other languages, Helm or Prometheus, what
# waits for processes that are killed, what fills a database. The longest come first. Single tests carry the mark
# themselves. Of each layer enough is left: all of the domain, the contract on both databases, a few whole hubs.
_LONG = (
    "contract/http/test_schemathesis.py",
    "browser",
    "docs/test_commands.py",
    "docs/test_site.py",
    "docs/test_helm.py",
    "clients",
    "e2e/test_dispatch_faults.py",
    "e2e/test_canaries.py",
    "e2e/test_accepting.py",
    "e2e/test_upgrade.py",
    "e2e/test_restore.py",
    "e2e/test_erasures.py",
    "e2e/test_schedules.py",
    "e2e/test_restart.py",
    "e2e/test_failover.py",
    "e2e/test_database_away.py",
    "e2e/test_key_rotation.py",
    "e2e/test_budgets.py",
    "e2e/test_opt_outs.py",
    "e2e/test_pooler.py",
    "e2e/test_stand_ins.py",
    "e2e/test_traces.py",
    "observability/test_live.py",
    "contract/test_query_plans.py",
    "chart",
    "old_clients",
    "samples/test_programs.py",
    "samples/test_page.py",
    "integration/test_failover.py",
    "integration/test_list_commands.py",
    "integration/test_throttle_faults.py",
    "integration/test_unknown_outcomes.py",
    "image",
)


def mark_long(items: Iterable[pytest.Item]) -> None:
    for item in items:
        if _place(item) < len(_LONG):
            item.add_marker(pytest.mark.long)


def longest_first(items: list[pytest.Item]) -> None:
    """So that no worker is left with a long one while the others have nothing to do."""
    items.sort(key=_place)


def shuffle(items: list[pytest.Item], seed: str) -> None:
    """Files among each other, and the tests of each file. Who has the same seed, has the same order."""
    chance = random.Random(seed)
    files = [list(its) for _, its in groupby(items, key=lambda item: item.path)]
    chance.shuffle(files)
    for its in files:
        chance.shuffle(its)
    items[:] = [item for its in files for item in its]


def _place(item: pytest.Item) -> int:
    """Among those that are long; behind all of them if it is not."""
    path = item.path.relative_to(_TESTS)
    parts = {path.as_posix(), *(parent.as_posix() for parent in path.parents)}
    return next((place for place, each in enumerate(_LONG) if each in parts), len(_LONG))
