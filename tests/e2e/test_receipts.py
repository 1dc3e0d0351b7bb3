"""Receipts over real sockets, into processes that come and go."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.e2e.running import Caller, Credentials, HubProcess, Site, eventually
from tests.e2e.sending import ENCRYPTION_KEYS
from tests.e2e.stand_in import StandIn, pasted
from tests.import_path import import_path
from tests.ports import free_port

NUMBER = "+19706904544"
TAKEN_WITHOUT_AN_ANSWER = "+15005550013"
CONNECTION_DROPS = "+15005550019"
UNDELIVERABLE = "+15005550020"


class Hub:
    """A site that sends through a stand-in, which calls back at one of its processes."""

    def __init__(self, site: Site, stand_in: StandIn, port: int) -> None:
        self.site = site
        self.stand_in = stand_in
        self._port = port

    def api(self, command: str = "api") -> HubProcess:
        """The one at the public URL."""
        return self.site.start(command, port=self._port).until_ready()

    def caller(self, process: HubProcess) -> Caller:
        created = json.loads(
            pasted(f"{self.stand_in.told['CreateProgram']} --rate 20 --output json", self.site.environment)
        )
        return self.site.caller(
            process, Credentials(created["ProgramId"], created["ProgramSID"], created["ProgramKey"])
        )

    def taken(self, number: str) -> int:
        """How many texts to the number the provider was asked to send."""
        log = httpx.get(f"{self.stand_in.told['Url']}/_control/log").json()
        return sum(each["to"] == number for each in log)


@pytest.fixture
def hub(postgres_url: str, tmp_path: Path) -> Iterator[Hub]:
    """The provider's log is not asked: all that it says is by receipts, two seconds after the send."""
    stand_in, port = StandIn(tmp_path, "twilio", receipt_delay="PT2S"), free_port()
    settings = {
        "encryption_keys": ENCRYPTION_KEYS,
        "enquiry_delays": "PT1H",
        "public_url": f"http://127.0.0.1:{port}",
    }
    try:
        with Site(postgres_url, tmp_path, **settings) as site:
            site.environment |= {"PYTHONPATH": import_path(), **stand_in.told["Environment"]}
            yield Hub(site, stand_in, port)
    finally:
        stand_in.kill()


def statuses(caller: Caller, message: str) -> Mapping[str, str]:
    return {each["PhoneNumber"]: each["Status"] for each in caller.deliveries(message)}


def test_who_waits_is_told_by_the_receipt(hub: Hub) -> None:
    api = hub.api()
    hub.site.dispatcher().until_ready()
    caller = hub.caller(api)

    for number, status in ((NUMBER, "delivered"), (UNDELIVERABLE, "undelivered")):
        text = {"Message": "Hello", "PhoneNumber": number}
        told: Mapping[str, Any] = caller.post("/api/TextMessages", text, headers={"Prefer": "wait=30"}).json()
        assert (told["Status"], told["SendSuccessful"]) == (status, status == "delivered")


def test_what_was_never_answered_is_settled_by_its_receipt_and_was_sent_once(hub: Hub) -> None:
    """The one is in the air when its receipt comes, the other is unknown by then: neither is ever sent again."""
    api, dispatcher = hub.api(), hub.site.dispatcher().until_ready()
    caller = hub.caller(api)
    message = caller.send([TAKEN_WITHOUT_AN_ANSWER, CONNECTION_DROPS])

    caller.until_delivered(message, 2)

    # The hub's own record of the call that it has given up comes long after the receipt.
    def both_recorded() -> bool:
        return {line["outcome"] for line in dispatcher.logged("delivery_attempted")} == {"unknown"} and (
            len(dispatcher.logged("delivery_attempted")) == 2
        )

    eventually(both_recorded, what="both calls given up")
    assert statuses(caller, message) == dict.fromkeys((TAKEN_WITHOUT_AN_ANSWER, CONNECTION_DROPS), "delivered")
    assert [hub.taken(number) for number in (TAKEN_WITHOUT_AN_ANSWER, CONNECTION_DROPS)] == [1, 1]


def test_receipts_outlive_every_process(hub: Hub) -> None:
    """They come while no dispatcher runs, and the api that took them is killed."""
    api, dispatcher = hub.api(), hub.site.dispatcher().until_ready()
    caller = hub.caller(api)
    message = caller.send([NUMBER, UNDELIVERABLE])
    caller.until_sent(message, 2)
    dispatcher.kill()

    def all_stored() -> bool:
        assert api.metric('smshub_callbacks_total{kind="receipt",outcome="stored",provider="twilio"}') == 4
        return True

    eventually(all_stored, what="two receipts of each text")
    assert statuses(caller, message) == dict.fromkeys((NUMBER, UNDELIVERABLE), "sent")
    api.kill()
    caller.http.close()

    served = hub.api("serve")
    caller = hub.site.caller(served, caller.credentials)

    def settled() -> bool:
        return statuses(caller, message) == {NUMBER: "delivered", UNDELIVERABLE: "undelivered"}

    eventually(settled, what="settled by the next dispatcher")


def test_a_receipt_that_finds_nobody_is_made_again(hub: Hub) -> None:
    """Twilio tries once more where nobody answers: the hub may be restarted."""
    api, dispatcher = hub.api(), hub.site.dispatcher().until_ready()
    caller = hub.caller(api)
    message = caller.send([NUMBER])
    caller.until_sent(message, 1)
    api.stop()
    assert dispatcher.alive
    api = hub.api()
    caller = hub.site.caller(api, caller.credentials)

    caller.until_delivered(message, 1)
