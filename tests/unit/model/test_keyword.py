import pytest

from domain.model.keyword import Keyword

OPT_OUTS = """
STOP|stop|Stop.| stop |\u201cSTOP\u201d|'stop'|STOP!!!|\U0001f6d1 STOP \U0001f6d1|\uff33\uff34\uff2f\uff30
STOPALL|stop all|Stop-All|UNSUBSCRIBE|Cancel|END|quit|QUIT.|revoke|REVOKE|OPT OUT|opt-out|OptOut|opt_out
Stop please|Please STOP!|remove me|Arrêt|ARRÊTER|Alto
"""
LOOK_ALIKES = """
end of class?|please don't stop|Stop by my office|the bus stop|nonstop|stopp|cancel my 3pm|yes please|I can't start
help me move|info@example.edu|s t o p|| |?|\U0001f6d1|ok|Don\u2019t unsubscribe me|st\x00op
"""


def each(table: str) -> list[str]:
    return table.strip("\n").replace("\n", "|").split("|")


@pytest.mark.parametrize("text", each(OPT_OUTS))
def test_words_that_mean_no_more_texts(text: str) -> None:
    assert Keyword.of(text) is Keyword.OPT_OUT


@pytest.mark.parametrize("text", ["START", "start.", "Unstop", "YES", "yes!", "opt in", "Subscribe"])
def test_words_that_mean_texts_again(text: str) -> None:
    assert Keyword.of(text) is Keyword.OPT_IN


@pytest.mark.parametrize("text", ["HELP", "help?", "Info", "AYUDA"])
def test_words_that_ask_who_texts(text: str) -> None:
    assert Keyword.of(text) is Keyword.HELP


@pytest.mark.parametrize("text", [*each(LOOK_ALIKES), "STOP " * 100])
def test_look_alikes_are_no_keywords(text: str) -> None:
    assert Keyword.of(text) is None
