"""Which texts go first."""

import random

from domain.model.priority import Priority


def test_urgent_texts_go_before_normal_ones_and_these_before_bulk() -> None:
    shuffled = random.sample(list(Priority), len(Priority))
    assert sorted(shuffled) == [Priority.URGENT, Priority.NORMAL, Priority.BULK]
