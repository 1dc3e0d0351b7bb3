"""A hub that sends through a stand-in for Twilio, all in processes of their own, and an audit of what came of it."""

import asyncio
import json
import os
import subprocess
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import httpx
from click.testing import Result

from domain.model.credentials import Credentials as ProviderCredentials
from domain.model.pace import Pace
from domain.model.sender import SenderAddress
from entrypoints.container import Container, close
from entrypoints.settings import Settings
from entrypoints.stand_ins.twilio import ACCOUNT_SID, AUTH_TOKEN
from tests.conftest import Console
from tests.e2e.running import SMSHUB, Caller, Credentials, HubProcess, Site, e164, eventually, smshub
from tests.import_path import import_path
from tests.patience import PATIENCE_S

ENCRYPTION_KEYS = "test:ltcvWOyflsooh0Bg1Wz109C952zzEqNouXX0UxEHW6U"

# Of two texts that leave at the right distance the first may be read late: on two cores that a dozen processes share,
# by some milliseconds. Whoever sends two at once, or a slot too early, is off by far more.
ARRIVAL_JITTER_S = 0.015

# On such a machine the stand-in itself may be held up for longer. Then the hub's own log is asked when the two left: on
# the clock that its processes share, which they read from the database to a millisecond or so.
_HELD_UP_S = 0.5
_DEPARTURE_JITTER_S = 0.003

# What is claimed is up to 0.75 s ahead; it goes out whatever is set meanwhile, and may be 0.1 s late.
RESERVED_S = 0.85

# By then it has arrived, on a busy machine too.
ARRIVED_S = 2.0

# As long as the hub waits for a provider's answer.
ANSWER_TIMEOUT_S = 10.0


def senders(number: int) -> list[str]:
    """So many sender numbers, always the same."""
    return [f"+1970556{index:04}" for index in range(number)]


@dataclass(frozen=True, slots=True)
class Arrival:
    """One text at the provider. `at_s` is monotonic, on the clock that all processes of a machine share; `sid` is None
    where it was not taken.
    """

    at_s: float
    sender: str
    to: str
    sid: str | None
    status: int


@dataclass(frozen=True, slots=True)
class Row:
    """A delivery as it is stored."""

    id: int
    sender: str
    number: str
    state: str
    attempt: int
    resends: int
    reason: str | None
    reference: str | None


class StandIn:
    """The provider's stand-in in a process of its own."""

    def __init__(self, folder: Path, *arguments: str) -> None:
        with (folder / "stand-in.err").open("w") as err:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.stand_ins", "twilio", *arguments],
                env={"PATH": os.environ["PATH"], "PYTHONPATH": import_path()},
                stdout=subprocess.PIPE,
                stderr=err,
                text=True,
            )
        assert self._process.stdout is not None
        self.url = f"http://127.0.0.1:{json.loads(self._process.stdout.readline())['port']}"
        self._http = httpx.Client(base_url=self.url, verify=False, timeout=PATIENCE_S, trust_env=False)

    @property
    def arrivals(self) -> Sequence[Arrival]:
        """In the order in which they came."""
        return [
            Arrival(
                at_s=each["at_ns"] / 1e9, sender=each["sender"], to=each["to"], sid=each["sid"], status=each["status"]
            )
            for each in self._http.get("/_control/log").json()
        ]

    def does(self, behaviour: str, **how: object) -> None:
        """To the next text, or as `how` says."""
        answer = self._http.post("/_control", json={"behaviour": behaviour, **how})
        assert answer.status_code == 200, answer.text

    def close(self) -> None:
        self._http.close()
        self._process.kill()
        self._process.wait()
        assert self._process.stdout is not None
        self._process.stdout.close()


class SendingSite(Site):
    """A site on PostgreSQL whose programs send through the stand-in."""

    def __init__(self, database_url: str, folder: Path, *, stand_in: Sequence[str] = (), **settings: str) -> None:
        self.provider = StandIn(folder, *stand_in)
        super().__init__(
            database_url,
            folder,
            encryption_keys=ENCRYPTION_KEYS,
            twilio_api_base_url=self.provider.url,
            **{"enquiry_delays": "PT0.5S,PT0.5S", **settings},
        )
        self.environment["PYTHONPATH"] = import_path()
        self._at_end.callback(self.provider.close)
        self.console = Console(database_url)
        self._at_end.callback(self.console.close)
        self._given_out = 0
        self.processes: list[HubProcess] = []

    def start(
        self,
        command: str,
        *,
        port: int | None = None,
        internal_port: int | None = None,
        program: Sequence[str | Path] = (SMSHUB,),
        **environment: str,
    ) -> HubProcess:
        started = super().start(command, port=port, internal_port=internal_port, program=program, **environment)
        self.processes.append(started)
        return started

    def office(
        self, *addresses: str, rate: str = "5", token: str = AUTH_TOKEN, on_unknown: str = "leave"
    ) -> Credentials:
        """A program that may send from all the addresses."""
        credentials = json.dumps({"account_sid": ACCOUNT_SID, "auth_token": token})
        first, *others = addresses
        created = self.run(
            *["programs", "create", "--name", "Registrar", "--sender", first, "--provider", "twilio", "--rate", rate],
            *["--on-unknown", on_unknown, "--credentials-file", "-", "--output", "json"],
            stdin=credentials,
        )
        told = json.loads(created)
        program = Credentials(told["ProgramId"], told["ProgramSID"], told["ProgramKey"], told["SenderId"])
        if others:
            asyncio.run(self._add_senders(program, others, rate=rate, credentials=credentials))
        return program

    def run(self, *arguments: str, stdin: str | None = None) -> str:
        """What a command prints that an operator types; again and again where it says that the database is too busy."""

        def done() -> Result | None:
            result = smshub(*arguments, environment=self.environment, stdin=stdin)
            return None if "try again later" in result.output else result

        result = eventually(done)
        assert result is not None
        assert result.exit_code == 0, result.output
        return result.stdout

    def fresh(self, number: int) -> list[str]:
        """Numbers that nobody on this site was sent anything."""
        first, self._given_out = self._given_out, self._given_out + number
        return e164(number, first=first)

    def post(self, caller: Caller, sender: str, number: int, **properties: object) -> str:
        """A text from the sender to so many new numbers; its id."""
        return caller.send(self.fresh(number), "Hello", Sender=sender, **properties)

    def sent(self, sender: str = "") -> int:
        """How many texts are known to be sent, of one sender or of all.

        To be asked while texts are on their way, where the stand-in is not: it would read them late meanwhile.
        """
        its = f"AND s.address = '{sender}'" if sender else ""
        sent = self.console.run(f"""
            SELECT count(*) FROM deliveries d JOIN senders s ON s.id = d.sender_id
            WHERE d.provider_reference IS NOT NULL {its}
        """)
        return int(str(sent))

    @property
    def rows(self) -> Sequence[Row]:
        """All deliveries, in the order in which they were accepted."""
        written = self.console.run("""
            SELECT coalesce(json_agg(json_build_object(
                'id', d.id, 'sender', s.address, 'number', d.number, 'state', d.state, 'attempt', d.attempt,
                'resends', d.resends, 'reason', d.reason, 'reference', d.provider_reference
            ) ORDER BY d.id), '[]')
            FROM deliveries d JOIN senders s ON s.id = d.sender_id
        """)
        return [Row(**each) for each in json.loads(str(written))]

    @property
    def states(self) -> Mapping[str, int]:
        """How many deliveries are in which state."""
        return Counter(row.state for row in self.rows)

    def until_all_are(self, *states: str, within_s: float = PATIENCE_S) -> None:
        """Until no delivery is in any other state."""

        def settled() -> bool:
            found = self.states
            assert set(found) <= set(states), dict(found)
            return True

        eventually(settled, within_s=within_s, what=f"all {states}")

    async def _add_senders(
        self, program: Credentials, addresses: Iterable[str], *, rate: str, credentials: str
    ) -> None:
        settings = {name.removeprefix("SMSHUB_").lower(): value for name, value in self.environment.items()}
        hub = Container(settings=Settings.from_environment(**settings))
        try:
            for address in addresses:
                await hub.add_sender()(
                    program.program_id,
                    provider="twilio",
                    sender=SenderAddress(address),
                    pace=Pace.parse(rate),
                    credentials=ProviderCredentials.parse(credentials),
                )
        finally:
            await close(hub)


def assert_at_most_once(arrivals: Iterable[Arrival]) -> None:
    """The provider took nothing twice; each text of a test goes to a number of its own."""
    doubled = [to for to, times in Counter(each.to for each in arrivals if each.sid).items() if times > 1]
    assert not doubled


def assert_distances(site: "SendingSite", arrivals: Iterable[Arrival], *, rate: float) -> None:
    """No two texts of one sender came closer than its pace allows, be they taken or not."""
    by_sender: dict[str, list[Arrival]] = defaultdict(list)
    for each in sorted(arrivals, key=lambda each: each.at_s):
        by_sender[each.sender].append(each)
    early = [
        (sender, round(later.at_s - earlier.at_s, 4))
        for sender, its in by_sender.items()
        for earlier, later in pairwise(its)
        if later.at_s - earlier.at_s < 1 / rate - ARRIVAL_JITTER_S and not _left_apart(site, earlier, later, rate=rate)
    ]
    assert not early, f"{len(early)} closer than {1 / rate} s: {early[:5]}"


def _left_apart(site: "SendingSite", earlier: Arrival, later: Arrival, *, rate: float) -> bool:
    """Whether the hub's log says that the two left at their distance, and nothing but the first's reading was late.

    Of what a process sent right before it was killed there is no line: then it may have been so. Who sends a text too
    early by a slot, or by the guard of one that takes over, is found out all the same.
    """
    if later.at_s - earlier.at_s < 1 / rate - _HELD_UP_S:
        return False
    one_us, other_us = (_left_us(site, arrival) for arrival in (earlier, later))
    if one_us is None or other_us is None:
        return True
    return (other_us - one_us) / 1e6 >= 1 / rate - _DEPARTURE_JITTER_S


def _left_us(site: "SendingSite", arrival: Arrival) -> int | None:
    """When the hub says that it left; None where a process was killed before it could say so."""
    (delivery,) = [row.id for row in site.rows if row.number == arrival.to]
    calls = sorted(each.at_us for process in site.processes for each in process.attempts if each.delivery == delivery)
    arrivals = [each for each in site.provider.arrivals if each.to == arrival.to]
    return calls[arrivals.index(arrival)] if len(calls) == len(arrivals) else None


def audit(site: SendingSite, *, rate: float | None) -> None:
    """The provider's own record against the hub's: nothing lost, nothing doubled, nothing too close, all in agreement.

    Every delivery must have come to rest. `rate` None: the distances are the test's own matter.
    """
    rows, arrivals = site.rows, site.provider.arrivals
    assert_at_most_once(arrivals)
    taken = {each.to: each for each in arrivals if each.sid}
    sent = {row.number: row for row in rows if row.state in {"sent", "delivered"}}
    assert sent.keys() - taken.keys() == set(), "the hub takes for sent what the provider never had"
    assert taken.keys() - sent.keys() == set(), "the provider has what the hub does not know to be sent"
    assert {to: each.sid for to, each in taken.items()} == {number: row.reference for number, row in sent.items()}
    assert {to: each.sender for to, each in taken.items()} == {number: row.sender for number, row in sent.items()}
    assert {each.to for each in arrivals} <= {row.number for row in rows}
    if rate is not None:
        assert_distances(site, arrivals, rate=rate)
