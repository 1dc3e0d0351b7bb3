"""Which texts go first."""

from domain.model.priority import Priority


def test_urgent_texts_go_before_normal_ones_and_these_before_bulk() -> None:
    first_to_last = [Priority.URGENT, Priority.NORMAL, Priority.BULK]
    assert sorted([Priority.BULK, Priority.NORMAL, Priority.URGENT]) == first_to_last
