"""How the welcome page puts things."""

from datetime import timedelta

import pytest

from entrypoints.http.pages.samples import SAMPLES, block
from entrypoints.http.pages.welcome import in_words


@pytest.mark.parametrize(
    ("duration", "words"),
    [
        (timedelta(days=182), "182 days"),
        (timedelta(days=2), "2 days"),
        (timedelta(days=1), "24 hours"),
        (timedelta(hours=36), "36 hours"),
        (timedelta(hours=1), "60 minutes"),
        (timedelta(minutes=90), "90 minutes"),
        (timedelta(minutes=1), "60 seconds"),
        (timedelta(seconds=1), "1 second"),
        (timedelta(seconds=3_601), "3601 seconds"),
    ],
)
def test_durations_are_told_in_words(duration: timedelta, words: str) -> None:
    assert in_words(duration) == words


def test_code_is_shown_to_the_letter() -> None:
    shown = block("sample", 'A "label"', "python", "\n\nif a < b and c:\n\tprint('&amp;')\n\n")

    assert 'aria-label="A &#34;label&#34;"' in shown
    assert shown.striptags() == "if a < b and c: print('&amp;')"
    assert "\n\n" in shown[: shown.index('<span class="k">')], "empty lines at its beginning stay"


def test_every_sample_has_a_name_of_its_own() -> None:
    assert len({each.name for each in SAMPLES}) == len({each.file for each in SAMPLES}) == len(SAMPLES)
