"""Licences of what the hub is made of."""

import pytest

from upkeep.licences import Rules, licence_of, pinned, refused, rules

TAKEN = Rules(frozenset({"MIT", "Apache-2.0"}), {"silent": "MIT"})


def test_every_library_of_the_hub_has_a_licence_that_we_take() -> None:
    libraries = pinned()
    assert {"connexion", "sqlalchemy", "twilio"} <= set(libraries)
    assert list(refused(libraries, rules())) == []


@pytest.mark.parametrize("licence", ["MIT", "MIT OR GPL-3.0", "MIT AND Apache-2.0", "MIT AND (GPL-3.0 OR Apache-2.0)"])
def test_what_may_be_used_under_licences_that_are_allowed_is_taken(licence: str) -> None:
    assert TAKEN.take(licence)


@pytest.mark.parametrize("licence", ["", "GPL-3.0", "MIT AND GPL-3.0", "MIT AND (GPL-3.0 OR AGPL-3.0)", "MITIGATED"])
def test_what_may_not_is_refused(licence: str) -> None:
    assert not TAKEN.take(licence)


def test_a_library_is_refused_by_name_and_licence() -> None:
    assert list(refused(["click", "silent"], TAKEN)) == [f"click: {licence_of('click')}"]


def test_nothing_is_stated_of_libraries_that_are_not_there() -> None:
    assert rules().stated.keys() <= set(pinned())
