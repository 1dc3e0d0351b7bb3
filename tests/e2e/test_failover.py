"""Dispatchers that are killed while one sender's texts become another's."""

from pathlib import Path

from tests.e2e.running import Site, assert_none_twice, e164, eventually, smshub

NO_CREDIT, OTHER = "+15005550030", "+19705550101"
RATE = "200"
TEXTS = 2_000


def test_a_dispatcher_that_is_killed_while_it_hands_over_loses_and_doubles_nothing(
    database_url: str, tmp_path: Path
) -> None:
    with Site(database_url, tmp_path, enquiry_delays="PT1S,PT1S") as site:
        program = site.program(sender=NO_CREDIT, rate=RATE)
        further = ("programs", "add-sender", "--provider", "sandbox", "--rate", RATE, "--sender", OTHER)
        for command in (further, ("programs", "set", "--failover", "on")):
            done = smshub(*command, "--program", program.program_id, environment=site.environment)
            assert done.exit_code == 0, done.stderr
        caller = site.caller(site.api().until_ready(), program)
        message_id = caller.send(e164(TEXTS))

        first = site.dispatcher().until_ready()
        eventually(lambda: first.logged("delivery_failed_over"))
        first.kill()
        second = site.dispatcher()
        caller.until_delivered(message_id, TEXTS)

        assert {each["Sender"] for each in caller.deliveries(message_id)} == {OTHER}
        by_other = [each for one in (first, second) for each in one.attempts if each.sender != program.sender_id]
        assert_none_twice(by_other)
