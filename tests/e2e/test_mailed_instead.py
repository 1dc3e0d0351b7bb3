"""An office tries its program out: it is mailed what would be texted, and its provider hears of nothing."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from urllib.parse import quote

import httpx

from entrypoints.stand_ins.certificates import Certificate
from tests.e2e.running import Caller, Credentials, HubProcess, Site, eventually, smshub
from tests.e2e.sending import ENCRYPTION_KEYS
from tests.e2e.stand_in import StandIn, pasted
from tests.import_path import import_path
from tests.mailing import FROM, PASSWORD, USER, a_mail_server_beside

SENDER = "+15005550006"
TO = "office@example.org"
TEXT = "A text that nobody else shall read."
FIRST, SECOND, OPTED_OUT = "+19706904544", "+19706904545", "+19706904546"


def outcomes(caller: Caller, message: str) -> Sequence[tuple[str, str]]:
    return [(each["Status"], each["Reason"]) for each in caller.deliveries(message)]


def set_mail_to(site: Site, program_id: str, address: str) -> None:
    done = smshub("programs", "set", "--program", program_id, "--mail-to", address, environment=site.environment)
    assert (done.exit_code, done.stderr) == (0, "")


def assert_not_shown(hub: HubProcess, *secrets: str) -> None:
    shown = hub.output + hub.errors + hub.get("/metrics").text
    assert [each for each in secrets if each in shown] == []


def test_an_office_is_mailed_what_would_be_texted_until_that_is_over(sqlite_url: str, tmp_path: Path) -> None:
    certificate = Certificate(tmp_path / "mail")
    stand_in = StandIn(tmp_path, "twilio")
    try:
        with a_mail_server_beside(starttls=certificate.server(), login=True) as server:
            login = f"{quote(USER, safe='')}:{quote(PASSWORD, safe='')}"
            settings = {"mail_url": f"smtp://{login}@localhost:{server.port}", "mail_from": FROM}
            with Site(sqlite_url, tmp_path, encryption_keys=ENCRYPTION_KEYS, **settings) as site:
                site.environment |= {"PYTHONPATH": import_path(), "SSL_CERT_FILE": str(certificate.file)}
                site.environment |= stand_in.told["Environment"]
                hub, caller, program_id = an_office(site, stand_in.told)
                set_mail_to(site, program_id, TO)
                caller.post("/api/Subscribers", {"PhoneNumber": OPTED_OUT, "DoNotText": True})

                tried_out = caller.send([FIRST, SECOND, OPTED_OUT], TEXT)
                eventually(lambda: caller.counts(tried_out) == {"delivered": 2, "blocked": 1})
                assert outcomes(caller, tried_out)[0] == ("delivered", "mailed-instead")
                alone = caller.send([FIRST], TEXT)
                eventually(lambda: caller.counts(alone) == {"delivered": 1})
                told = caller.get(f"/api/TextMessages/{alone}").json()["SentResult"]
                assert taken_by_provider(stand_in.told) == 0

                set_mail_to(site, program_id, "none")
                texted = caller.send([FIRST], TEXT)
                eventually(lambda: taken_by_provider(stand_in.told) == 1)
                eventually(lambda: caller.counts(texted).keys() <= {"sent", "delivered"})
                assert_not_shown(hub, TEXT, TO, FIRST[2:], FROM, PASSWORD, login)
                assert hub.metric('smshub_attempts_total{outcome="accepted",provider="mail"}') == 3
    finally:
        stand_in.kill()

    assert told == "Delivered. It was sent by e-mail instead, as the program is being tried out."
    assert server.texts == sorted(f"Text to {number} from {SENDER}" for number in (FIRST, SECOND, FIRST))
    assert all(str(each.get_content()).startswith(TEXT) for each in server.mails)
    assert (set(server.recipients), server.encrypted) == ({TO}, [True] * 3)


def an_office(site: Site, told: Mapping[str, str]) -> tuple[HubProcess, Caller, str]:
    created = json.loads(pasted(f"{told['CreateProgram']} --rate 20 --output json", site.environment))
    hub = site.serve().until_ready()
    credentials = Credentials(created["ProgramId"], created["ProgramSID"], created["ProgramKey"])
    return hub, site.caller(hub, credentials), created["ProgramId"]


def taken_by_provider(told: Mapping[str, str]) -> int:
    return len(httpx.get(f"{told['Url']}/_control/log").raise_for_status().json())
