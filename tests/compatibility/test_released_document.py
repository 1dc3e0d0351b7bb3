"""Clients of the last release go on working, and code that was generated from its document compiles anew."""

from tests.compatibility.breaks import breaks
from tests.compatibility.documents import authored, released


def test_no_client_of_the_last_release_breaks() -> None:
    assert breaks(released(), authored()) == [], "CONTRIBUTING.md tells what to do about it"
