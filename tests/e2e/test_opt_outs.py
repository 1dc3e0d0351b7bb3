"""People who text STOP while texts to them are on their way."""

import json
import random
import sqlite3
import time
from collections import defaultdict
from pathlib import Path

import httpx

from tests.e2e.running import Caller, Credentials, Site, e164, eventually
from tests.e2e.sending import ENCRYPTION_KEYS
from tests.e2e.stand_in import StandIn, pasted
from tests.import_path import import_path
from tests.ports import free_port

SENDER = "+15005550006"
PEOPLE = 60
TEXTS = 3


def test_nothing_is_sent_to_anybody_after_their_stop_is_recorded(sqlite_url: str, tmp_path: Path) -> None:
    port = free_port()
    public_url = f"http://127.0.0.1:{port}"
    stand_in = StandIn(tmp_path, "twilio", "--inbound-url", f"{public_url}/callbacks/twilio/inbound")
    settings = {"encryption_keys": ENCRYPTION_KEYS, "public_url": public_url}
    try:
        with Site(sqlite_url, tmp_path, **settings) as site:
            site.environment |= {"PYTHONPATH": import_path(), **stand_in.told["Environment"]}
            created = json.loads(pasted(f"{stand_in.told['CreateProgram']} --rate 30 --output json", site.environment))
            hub = site.start("serve", port=port).until_ready()
            caller = site.caller(hub, Credentials(created["ProgramId"], created["ProgramSID"], created["ProgramKey"]))
            people = e164(PEOPLE)
            messages = [caller.send(people, f"Text {index}") for index in range(TEXTS)]

            # In another order than that of the queue: some are at rest, some are claimed, some are being sent.
            for number in random.Random(8).sample(people, PEOPLE):
                said = {"From": number, "To": SENDER, "Body": "STOP"}
                assert httpx.post(f"{stand_in.told['Url']}/_control/inbound", data=said).is_success
                time.sleep(0.05)
            eventually(lambda: all(ended(caller, message) for message in messages))
            # The provider has heard them, too, and says so where it was asked to send after that.
            eventually(lambda: stops(caller) == PEOPLE)

            sent_at = defaultdict(list)
            with sqlite3.connect(sqlite_url.removeprefix("sqlite:///")) as database:
                numbers = dict(database.execute("SELECT id, number FROM deliveries"))
                stopped_at = dict(database.execute("SELECT number, at_us FROM consent_events WHERE method = 'text'"))
            for attempt in hub.attempts:
                sent_at[numbers[attempt.delivery]].append(attempt.at_us)
            blocked = sum(caller.counts(message).get("blocked", 0) for message in messages)
    finally:
        stand_in.kill()

    assert stopped_at.keys() == set(people)
    late = {number: at for number, at in sent_at.items() if max(at) > stopped_at[number]}
    assert late == {}
    assert 0 < blocked < PEOPLE * TEXTS, "some were stopped, and some were not"


def ended(caller: Caller, message: str) -> bool:
    return caller.counts(message).keys() <= {"delivered", "blocked"}


def stops(caller: Caller) -> int:
    items = caller.get("/api/OptOuts?Limit=1000").json()["Items"]
    return sum(each["Method"] == "text" for each in items)
