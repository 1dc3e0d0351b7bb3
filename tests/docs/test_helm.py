"""Commands of Helm's in the documentation name values that the chart takes."""

import shlex
from itertools import pairwise
from typing import Any

import pytest
import yaml

from tests.chart.rendering import helm, render
from tests.docs.markdown import PAGES, SHELL, Block, blocks

_CHART = "helm/sms-hub"
SHOWN = [each for page in PAGES for each in blocks(page) if each.language == SHELL]
COMMANDS = [
    (each, words)
    for each in SHOWN
    for line in each.text.replace("\\\n", " ").splitlines()
    if line.startswith("helm ") and _CHART in (words := shlex.split(line, comments=True))
]
# `values.yaml` of a page is the first that the page shows.
IMAGE = {"image": {"repository": "registry.example/sms-hub"}}


def given(block: Block, words: list[str]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    if "--values" in words:
        values |= next(yaml.safe_load(each.text) for each in blocks(block.page) if each.language == "yaml")
    for option, argument in pairwise(words):
        if option == "--set":
            name, _, value = argument.partition("=")
            *path, last = name.split(".")
            below = values
            for step in path:
                below = below.setdefault(step, {})
            below[last] = yaml.safe_load(value)
    return values


@pytest.mark.parametrize(("block", "words"), COMMANDS, ids=[each.place for each, _ in COMMANDS])
def test_the_chart_takes_what_the_command_gives_it(block: Block, words: list[str]) -> None:
    assert render(given(block, words)).objects


def test_the_chart_refuses_a_value_that_it_does_not_have() -> None:
    with pytest.raises(helm.HelmValuesError):
        render(IMAGE | {"demos": {"enabled": True}})


def test_commands_are_found() -> None:
    assert COMMANDS
