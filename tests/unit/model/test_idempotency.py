"""How callers may name their requests."""

import pytest

from domain.errors import InvalidValue
from domain.model.idempotency import IdempotencyKey


@pytest.mark.parametrize("value", ["x", "!~", "x" * 255, "8e03978e-40d5-43e8-bc93-6894a57f9324"])
def test_a_key_is_1_to_255_visible_characters(value: str) -> None:
    assert IdempotencyKey(value, b"").value == value


@pytest.mark.parametrize("value", ["", "x" * 256, "a b", "a\n", "\0", "\x7f", "é", "\N{FULLWIDTH DIGIT ONE}"])
def test_other_keys_are_refused(value: str) -> None:
    with pytest.raises(InvalidValue, match="is 1 to 255 visible ASCII"):
        IdempotencyKey(value, b"")


def test_a_key_shown_in_a_log_does_not_show_itself() -> None:
    assert "order" not in repr(IdempotencyKey("order-7", b""))
