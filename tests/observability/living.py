"""A hub that does in half a minute a bit of everything that can be seen on its dashboards."""

import json
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx

from tests.e2e.running import Caller, Credentials, HubProcess, Site, e164, eventually, smshub
from tests.e2e.sending import ENCRYPTION_KEYS
from tests.e2e.stand_in import StandIn, pasted
from tests.import_path import import_path
from tests.observability.watching import Alertmanager, OnCall, Prometheus
from tests.ports import free_port

# Of the sandbox: each fails in another way.
MAGIC = [f"+150055500{each}" for each in ("01", "09", "10", "11", "13", "14", "15", "20", "21", "22")]
WITHOUT_CREDIT = "+15005550030"
UNDELIVERABLE = "+15005550020"
OPTED_OUT = "+19706904545"

# Long enough to come in parts.
LONG = "A text that somebody answered with at some length. " * 5


@dataclass
class Life:
    """`watched` are the ports of all processes that will ever be, so that Prometheus need not be told of new ones."""

    site: Site
    stand_in: StandIn
    prometheus: Prometheus
    on_call: OnCall
    watched: list[int]
    began_s: float = field(default_factory=time.time)

    def dispatcher(self) -> HubProcess:
        return self.site.start("dispatcher", internal_port=self.watched.pop()).until_ready()


@contextmanager
def a_life(database_url: str, folder: Path) -> Iterator[tuple[Life, HubProcess]]:
    """And its one API process. Vonage's SMS API, by its stand-in, is the provider that has most to tell."""
    with ExitStack() as at_end:
        on_call = OnCall()
        at_end.callback(on_call.close)
        alertmanager = Alertmanager(folder, on_call.url)
        at_end.callback(alertmanager.close)
        port, internal_port, watched = free_port(), free_port(), [free_port(), free_port()]
        jobs = {"sms-hub-api": [internal_port], "sms-hub-dispatcher": list(watched)}
        prometheus = Prometheus(folder, jobs, alertmanager, patience="2s")
        at_end.callback(prometheus.close)
        public_url = f"http://127.0.0.1:{port}"
        told = [*("--api", "sms", "--sms-calls", "json", "--signature-method", "sha256")]
        stand_in = StandIn(folder, "vonage", *told, "--inbound-url", f"{public_url}/callbacks/vonage/sms/inbound")
        at_end.callback(stand_in.kill)
        settings = {"encryption_keys": ENCRYPTION_KEYS, "enquiry_delays": "PT0.5S,PT0.5S", "public_url": public_url}
        site = at_end.enter_context(Site(database_url, folder, **settings))
        site.environment |= {"PYTHONPATH": import_path(), **stand_in.told["Environment"]}
        api = site.start("api", port=port, internal_port=internal_port).until_ready()
        yield Life(site, stand_in, prometheus, on_call, watched), api


def live(life: Life, api: HubProcess) -> None:
    """Texts of all kinds, mistakes of clients, calls of providers; then a dispatcher is killed, and another comes."""
    first = life.dispatcher()
    _post(life, api)
    slow = _queue(life, api)
    eventually(lambda: len(first.attempts) > 60 and first.logged("delivery_failed_over"))
    # Seen by Prometheus, twice.
    time.sleep(2.5)
    before = len(life.on_call.told)
    first.kill()
    eventually(
        lambda: life.on_call.names(since=before) >= {"SmsHubSendingLate", "SmsHubDispatcherMissing"},
        what="told of it",
    )
    second = life.dispatcher()
    # Once more, so that what is new in it is counted from nought; it also takes over what the first one had.
    _post(life, api)
    eventually(lambda: slow.get("/api/TextMessages").status_code == 200)
    rescued = 'smshub_rescued_total{state="queued"}', 'smshub_rescued_total{state="unknown"}'
    eventually(lambda: any(second.metric(each) for each in rescued), what="taken over")
    time.sleep(3)


def _post(life: Life, api: HubProcess) -> None:
    vonage = program(life, api)
    vonage.send([*e164(15, first=100), UNDELIVERABLE])
    library = life.site.program(name="Library", sender="+19705550101", rate="20")
    _run(life, "programs", "set", "--program", library.program_id, "--daily-segments", "1000")
    sandbox = life.site.caller(api, library)
    sandbox.post("/api/Subscribers", {"PhoneNumber": OPTED_OUT, "DoNotText": True})
    # Nobody gives such a name out.
    assert sandbox.post("/api/Webhooks", {"Url": "https://office.invalid/hooks"}).status_code == 200
    sandbox.send([*e164(30), *MAGIC, OPTED_OUT])
    sandbox.send(e164(1), SendAt=(datetime.now(UTC) + timedelta(hours=1)).isoformat())
    text = {"Message": "Once", "PhoneNumber": "9706904544"}
    for _ in range(3):
        assert sandbox.post("/api/TextMessages", text, headers={"Idempotency-Key": "once"}).status_code == 200
    assert sandbox.post("/api/TextMessages", {**text, "PhoneNumber": "CALL"}).status_code == 422
    assert sandbox.post("/api/TextMessages/Preview", text).status_code == 200
    wrong = Caller(api.url, Credentials("", sandbox.credentials.program_sid, "wrong"))
    assert wrong.log_in().status_code == 401
    wrong.http.close()
    _callbacks(life, api)


def program(life: Life, api: HubProcess) -> Caller:
    """Of the stand-in's."""
    created = json.loads(
        pasted(f"{life.stand_in.told['CreateProgram']} --rate 20 --output json", life.site.environment)
    )
    return life.site.caller(api, Credentials(created["ProgramId"], created["ProgramSID"], created["ProgramKey"]))


def _callbacks(life: Life, api: HubProcess) -> None:
    """One in Twilio's name that it did not make, and texts that people send back, one of them in parts."""
    assert httpx.post(f"{api.url}/callbacks/twilio/inbound", data={"Body": "Hello"}).status_code == 403
    pasted(life.stand_in.told["TextBack"], {})
    pasted(life.stand_in.told["TextBack"].replace("Body=STOP", f"'Body={LONG}'"), {})


def _queue(life: Life, api: HubProcess) -> Caller:
    """A sender with far more to send than it may, under a daily cap; and one without credit, with another beside it."""
    slow = life.site.caller(api, life.site.program(name="Bursar", sender="+19705550102", rate="2"))
    _run(life, "limits", "set", "campaign", "--rate", "2/s", "--daily", "2000", "--zone", "America/Chicago")
    _run(life, "limits", "attach", "campaign", "--sender", "+19705550102")
    slow.send(e164(200))
    moved = life.site.program(name="Gym", sender=WITHOUT_CREDIT)
    program = ("--program", moved.program_id)
    _run(life, "programs", "add-sender", *program, "--sender", "+19705550103", "--provider", "sandbox")
    _run(life, "programs", "set", *program, "--failover", "on")
    life.site.caller(api, moved).send(e164(3))
    return slow


def _run(life: Life, *arguments: str) -> None:
    result = smshub(*arguments, environment=life.site.environment)
    assert result.exit_code == 0, result.output
