import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.model.callback import key_of
from tests.contract.test_callbacks import a_callback


def test_a_key_is_made_of_what_names_the_event() -> None:
    assert key_of("SM1", "delivered", otherwise=b"whatever") == "SM1:delivered"


@pytest.mark.parametrize("parts", [(None, "delivered"), ("", "delivered"), (17, "delivered"), ({}, [])])
def test_where_nothing_names_it_the_whole_call_does(parts: tuple[object, ...]) -> None:
    assert key_of(*parts, otherwise=b"one") == key_of(*parts, otherwise=b"one")
    assert key_of(*parts, otherwise=b"one") != key_of(*parts, otherwise=b"other")


@given(st.lists(st.one_of(st.text(), st.integers(), st.none()), min_size=1, max_size=3), st.binary())
def test_a_key_can_be_stored_and_logged_whatever_came(parts: list[object], otherwise: bytes) -> None:
    assert re.fullmatch("[!-~]{1,200}", key_of(*parts, otherwise=otherwise))


def test_what_was_said_does_not_show() -> None:
    assert "Hello" not in repr(a_callback(fields={"Body": "Hello"}))
