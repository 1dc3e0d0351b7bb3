"""What users and operators see of the sandbox when it takes nothing from a sender."""

from pathlib import Path

from tests.e2e.running import Site, e164, eventually, smshub

NO_CREDIT = "+15005550030"
ADD_SENDER = ("programs", "add-sender", "--provider", "sandbox", "--rate", "20", "--sender", NO_CREDIT, "--program")


def test_a_sender_without_credit_is_barred_and_keeps_its_queue_while_others_go_on(
    database_url: str, tmp_path: Path
) -> None:
    with Site(database_url, tmp_path) as site:
        hub = site.serve().until_ready()
        program = site.program(rate="20")
        assert smshub(*ADD_SENDER, program.program_id, environment=site.environment).exit_code == 0
        caller = site.caller(hub, program)

        message_id = caller.send(e164(10), Sender=NO_CREDIT)
        (line,) = eventually(lambda: hub.logged("sender_barred"))
        caller.until_delivered(caller.send(e164(2)), 2)

        assert (line["provider"], line["reason"], line["times"]) == ("sandbox", "no-credit", 1)
        assert caller.counts(message_id) == {"queued": 10}
        assert "no-credit" in {each["Reason"] for each in caller.deliveries(message_id)}
        status, told = hub.readiness()
        assert (status, told["checks"]["barred_senders"]) == (200, {str(line["sender"]): "no-credit"})
        assert hub.metric("smshub_barred_senders") == 1
        assert hub.metric('smshub_sender_bars_total{provider="sandbox",reason="no-credit"}') == 1
        listed = smshub("senders", "list", environment=site.environment).stdout.splitlines()
        assert ["barred: no-credit" in each for each in listed if NO_CREDIT in each] == [True]
        assert caller.cancel(message_id)["Canceled"] == 10


def test_with_failover_another_sender_sends_what_it_cannot(database_url: str, tmp_path: Path) -> None:
    other = "+19705550101"
    with Site(database_url, tmp_path) as site:
        hub = site.serve().until_ready()
        program = site.program(sender=NO_CREDIT, rate="20")
        further = ("programs", "add-sender", "--provider", "sandbox", "--rate", "20", "--sender", other)
        for command in (further, ("programs", "set", "--failover", "on")):
            done = smshub(*command, "--program", program.program_id, environment=site.environment)
            assert done.exit_code == 0, done.stderr
        caller = site.caller(hub, program)

        message_id = caller.send(e164(10))
        caller.until_delivered(message_id, 10)
        pinned_id = caller.send(e164(2), Sender=NO_CREDIT)

        assert {each["Sender"] for each in caller.deliveries(message_id)} == {other}
        assert {each["Sender"] for each in caller.deliveries(pinned_id)} == {NO_CREDIT}
        assert caller.counts(pinned_id) == {"queued": 2}
        taken_over = hub.logged("delivery_failed_over")
        assert {line["message"] for line in taken_over} == {message_id}
        assert {(line["sender"], line["reason"]) for line in taken_over} == {(program.sender_id, "no-credit")}
        assert hub.metric('smshub_failovers_total{provider="sandbox",reason="no-credit"}') == 10
