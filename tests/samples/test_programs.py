"""The samples that run by themselves do what they are shown for, exactly as they are shown."""

import os
from dataclasses import replace
from pathlib import Path
from shutil import which

import pytest

from tests.harmful_proxy import LOGIN, TEXTS, Call, Harm, ProxiedHub
from tests.http import Credentials
from tests.programs import Ended
from tests.samples.conftest import Copied

NUMBER = "(970) 690-4544"
MESSAGE = 'Grüße: "Room 5" costs $HOME & <more>, it\'s 5\\6'


def assert_sent_once(hub: ProxiedHub, program: Credentials, ended: Ended) -> None:
    assert ended.status == 0, ended.complaint
    (text,) = hub.texts_of(program)
    assert (text["PhoneNumber"], text["Message"]) == ("+19706904544", MESSAGE)
    told, outcome = ended.output.splitlines()
    assert told.startswith(f"{text['Id']} is ")
    assert outcome in {"Waiting to be sent.", "Being sent.", "Sent.", "Delivered."}
    assert hub.proxy.calls[-1] == Call("GET", f"{TEXTS}/{text['Id']}", 200)


def assert_failed(ended: Ended, saying: str, *, program: Credentials) -> None:
    assert ended.status != 0
    assert saying in ended.complaint
    assert "Traceback" not in ended.complaint
    assert "   at " not in ended.complaint
    assert program.key not in ended.output + ended.complaint


def test_it_sends_a_text(sample: Copied, hub: ProxiedHub) -> None:
    program = hub.running.create_program()

    ended = sample.send(program, NUMBER, MESSAGE)

    assert_sent_once(hub, program, ended)
    assert hub.proxy.statuses(LOGIN) == hub.proxy.statuses(TEXTS) == [200]


def test_it_logs_in_again_when_its_token_has_expired(sample: Copied, hub: ProxiedHub) -> None:
    program = hub.running.create_program()
    hub.proxy.harms.append(Harm.EXPIRED_TOKEN)

    ended = sample.send(program, NUMBER, MESSAGE)

    assert_sent_once(hub, program, ended)
    assert hub.proxy.statuses(TEXTS) == [401, 200]
    assert hub.proxy.statuses(LOGIN) == [200, 200]


def test_a_text_whose_answer_was_lost_is_sent_once(sample: Copied, hub: ProxiedHub) -> None:
    program = hub.running.create_program()
    hub.proxy.harms.append(Harm.LOST_ANSWER)

    ended = sample.send(program, NUMBER, MESSAGE)

    assert_sent_once(hub, program, ended)
    assert hub.proxy.statuses(TEXTS) == [200, 200]


def test_it_says_so_when_there_is_no_answer_at_all(sample: Copied, hub: ProxiedHub) -> None:
    program = hub.running.create_program()
    hub.proxy.harms.extend([Harm.LOST_ANSWER] * 10)

    ended = sample.send(program, NUMBER, MESSAGE)

    assert_failed(ended, "", program=program)
    assert ended.complaint.strip()
    assert set(hub.proxy.statuses(TEXTS)) == {200}
    assert len(hub.texts_of(program)) == 1


def test_it_does_not_ask_for_ever_for_a_token_that_is_good(sample: Copied, hub: ProxiedHub) -> None:
    program = hub.running.create_program()
    hub.proxy.harms.extend([Harm.EXPIRED_TOKEN] * 10)

    ended = sample.send(program, NUMBER, MESSAGE)

    assert_failed(ended, "token-refused: ", program=program)
    assert hub.proxy.statuses(TEXTS) == [401, 401]


def test_a_wrong_key_is_complained_of_in_the_hubs_words(sample: Copied, hub: ProxiedHub) -> None:
    program = replace(hub.running.create_program(), key="this-is-not-its-key")

    ended = sample.send(program, NUMBER, MESSAGE)

    said = "credentials-refused: ProgramSID and ProgramKey do not belong together."
    assert_failed(ended, said, program=program)
    assert hub.proxy.calls == [Call("POST", LOGIN, 401)]


def test_a_refused_number_is_complained_of_in_the_hubs_words(sample: Copied, hub: ProxiedHub) -> None:
    program = hub.running.create_program()

    ended = sample.send(program, "970-690", MESSAGE)

    assert_failed(ended, "recipients-refused: 1 of the numbers cannot be texted.", program=program)
    assert hub.texts_of(program) == []


@pytest.mark.parametrize("sample", ["curl"], indirect=True)
def test_neither_key_nor_token_stands_on_a_command_line(sample: Copied, hub: ProxiedHub, tmp_path: Path) -> None:
    program = hub.running.create_program()
    seen = tmp_path / "seen"
    for tool in ("curl", "jq"):
        wrapper = tmp_path / tool
        wrapper.write_text(f'#!/bin/sh\necho "{tool} $*" >>"{seen}"\nexec {which(tool)} "$@"\n', encoding="utf-8")
        wrapper.chmod(0o755)

    ended = sample.send(program, NUMBER, MESSAGE, PATH=f"{tmp_path}:{os.environ['PATH']}")

    assert_sent_once(hub, program, ended)
    command_lines = seen.read_text(encoding="utf-8")
    assert command_lines.count("curl ") == 3
    assert program.key not in command_lines
    assert "Bearer ey" not in command_lines


@pytest.mark.parametrize("sample", ["wordpress"], indirect=True)
def test_wordpress_keeps_its_token_from_text_to_text(sample: Copied, hub: ProxiedHub) -> None:
    program = hub.running.create_program()

    ended = sample.send(program, NUMBER, "One", "Two")

    assert ended.status == 0, ended.complaint
    assert [text["Message"] for text in hub.texts_of(program)] == ["Two", "One"]
    assert hub.proxy.statuses(LOGIN) == [200]
