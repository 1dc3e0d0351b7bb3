"""The console as browsers ask for it: who gets in, what they see, and what others cannot make it do."""

import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from http.cookies import SimpleCookie
from urllib.parse import urlsplit

import httpx
import pytest
import pytest_asyncio
from sqlalchemy import insert

from adapters.sql.tables import inbound_messages
from domain.model.access import Scope
from domain.model.program_key import KeyTerms
from domain.model.sender import SenderAddress
from tests.http import PUBLIC_URL, Credentials, Hub, Office, a_hub
from tests.receiver import a_receiver

NUMBER = "+19706904544"
SCRIPT = "<script>alert(1)</script>"
HOSTILE = f"{SCRIPT}\"'><img src=x onerror=alert(1)>"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def hub(shared_database_url: str) -> AsyncIterator[Hub]:
    """On SQLite without a prefix, on PostgreSQL with one."""
    prefix = "" if shared_database_url.startswith("sqlite") else "/cwis463"
    keys = "tests:" + "0123456789abcdef" * 3
    async with a_hub(
        shared_database_url,
        public_url=f"{PUBLIC_URL}{prefix}",
        encryption_keys=keys,
        webhook_private_networks="127.0.0.0/8",
    ) as hub:
        yield hub


@dataclass(frozen=True)
class Browser:
    """A browser's cookies and manners: it says which site's page posts a form. Redirects are not followed."""

    hub: Hub
    client: httpx.AsyncClient

    @property
    def origin(self) -> str:
        parts = urlsplit(self.hub.container.settings().public_url)
        return f"{parts.scheme}://{parts.netloc}"

    async def get(self, path: str, **parameters: str) -> httpx.Response:
        return await self.client.get(f"/console/{path}", params=parameters)

    async def post(
        self,
        path: str,
        fields: Mapping[str, str],
        *,
        origin: str | None = "",
        form_key: str | None = None,
        **files: str,
    ) -> httpx.Response:
        """`origin` is the hub's own where none is given, None to say none; `form_key` that of the last sign-in."""
        headers = {} if origin is None else {"Origin": origin or self.origin}
        key = await self.form_key() if form_key is None else form_key
        uploads = {name: (f"{name}.csv", text, "text/csv") for name, text in files.items()} or None
        return await self.client.post(
            f"/console/{path}", data={"FormKey": key, **fields}, files=uploads, headers=headers
        )

    async def form_key(self) -> str:
        """As each page has it, to sign out with."""
        first = await self.client.get((await self.get("")).headers["location"].removeprefix(self.hub.base_path))
        found = re.search(r'name="FormKey" value="(\w+)"', first.text)
        return found[1] if found else ""

    async def sign_in(self, credentials: Credentials, **fields: str) -> httpx.Response:
        return await self.client.post(
            "/console/sign-in", data={**credentials.login, **fields}, headers={"Origin": self.origin}
        )


@asynccontextmanager
async def a_browser(
    hub: Hub, credentials: Credentials | None = None, *, address: str = "127.0.0.1"
) -> AsyncIterator[Browser]:
    async with hub.client_at(address) as client:
        browser = Browser(hub, client)
        if credentials is not None:
            response = await browser.sign_in(credentials)
            assert response.status_code == 303, response.text
        yield browser


def cookie_of(response: httpx.Response) -> tuple[str, Mapping[str, str]]:
    """Its value, and what is said about it."""
    ((_, morsel),) = SimpleCookie(response.headers["set-cookie"]).items()
    return morsel.value, morsel


async def an_operator(hub: Hub, *, everything: bool = False) -> Credentials:
    """With `everything` it may do what programs do, too."""
    program, key = await hub.container.create_program()(
        name="Operations",
        provider="sandbox",
        sender=SenderAddress("Operators"),
        key_terms=KeyTerms(scopes=frozenset(Scope if everything else {Scope.OPERATOR})),
    )
    return Credentials(program.id, program.sid, key.value)


async def test_the_session_is_a_cookie_that_scripts_and_other_sites_do_not_get(hub: Hub) -> None:
    async with a_browser(hub) as browser:
        token, said = cookie_of(await browser.sign_in(await hub.create_program()))

    assert token.count(".") == 2
    assert said["httponly"]
    assert said["secure"]
    assert said["samesite"] == "lax"
    assert said["path"] == f"{hub.base_path}/console"
    assert 0 < int(said["max-age"]) <= 24 * 3_600


async def test_whoever_is_not_signed_in_signs_in_first_and_comes_back(hub: Hub) -> None:
    async with a_browser(hub) as browser:
        asked = await browser.get("messages", status="failed")
        shown = await browser.client.get(asked.headers["location"].removeprefix(hub.base_path))
        following = re.search(r'name="next" value="([^"]*)"', shown.text)
        assert following is not None
        back = await browser.sign_in(await hub.create_program(), next=following[1])
        page = await browser.client.get(back.headers["location"].removeprefix(hub.base_path))

    assert asked.status_code == 303
    assert back.headers["location"] == f"{hub.base_path}/console/messages?status=failed"
    assert page.status_code == 200


async def test_wrong_credentials_are_told_and_nothing_is_set(hub: Hub) -> None:
    credentials = await hub.create_program()
    async with a_browser(hub) as browser:
        answers = [
            await browser.sign_in(Credentials("", credentials.sid, "wrong")),
            await browser.sign_in(Credentials("", HOSTILE, "wrong")),
            await browser.sign_in(Credentials("", "", "")),
        ]

    for each in answers:
        assert each.status_code == 401
        assert "do not belong together" in each.text
        assert "set-cookie" not in each.headers
        assert "<script>alert" not in each.text


async def test_who_guesses_is_held_up_as_at_the_interface(hub: Hub) -> None:
    credentials = await hub.create_program()
    wrong = Credentials("", credentials.sid, "wrong")
    async with a_browser(hub, address="198.51.100.9") as browser:
        answers = [await browser.sign_in(wrong) for _ in range(62)]

    assert answers[-1].status_code == 429
    assert int(answers[-1].headers["retry-after"]) >= 1


@pytest.mark.parametrize(
    "following",
    [
        "https://evil.example",
        "//evil.example",
        "/\\evil.example",
        "\\evil.example",
        "../../docs",
        "javascript:alert(1)",
        "messages\r\nSet-Cookie: a=b",
        "@evil.example",
        "sign-out",
    ],
)
async def test_nobody_is_sent_elsewhere_after_signing_in(hub: Hub, following: str) -> None:
    async with a_browser(hub) as browser:
        response = await browser.sign_in(await hub.create_program(), next=following)
        shown = await browser.get("sign-in", next=following)

    assert response.headers["location"] == f"{hub.base_path}/console/"
    assert 'name="next" value=""' in shown.text


async def test_each_sign_in_begins_another_session(hub: Hub) -> None:
    credentials = await hub.create_program()
    async with a_browser(hub) as browser:
        first, _ = cookie_of(await browser.sign_in(credentials))
        second, _ = cookie_of(await browser.sign_in(credentials))

    assert first != second


async def test_a_session_that_somebody_else_has_made_up_is_none(hub: Hub) -> None:
    async with a_browser(hub) as browser:
        browser.client.cookies.set("__Secure-smshub-console", "made.up.token", path=f"{hub.base_path}/console")
        before = await browser.get("overview")
        token, _ = cookie_of(await browser.sign_in(await hub.create_program()))

    assert before.status_code == 303
    assert token != "made.up.token"


async def test_signing_out_clears_the_cookie(hub: Hub) -> None:
    async with a_browser(hub, await hub.create_program()) as browser:
        response = await browser.post("sign-out", {})
        after = await browser.get("overview")

    value, said = cookie_of(response)
    assert (value, said["max-age"]) == ("", "0")
    assert after.status_code == 303


async def test_a_suspended_program_and_a_revoked_key_end_sessions(hub: Hub) -> None:
    suspended, revoked = await hub.create_program(), await hub.create_program()
    async with a_browser(hub, suspended) as one, a_browser(hub, revoked) as other:
        await hub.container.pause().suspend(suspended.program_id, suspended=True)
        (key,) = await hub.container.operate_keys().of(revoked.program_id)
        await hub.container.operate_keys().revoke(revoked.program_id, key.id)
        answers = [await one.get("overview"), await other.get("overview")]

    assert [each.status_code for each in answers] == [303, 303]


@pytest.mark.parametrize("origin", [None, "https://evil.example", "null", "https://hub.example.evil.example"])
async def test_other_sites_pages_post_nothing(hub: Hub, origin: str | None) -> None:
    credentials = await hub.create_program()
    headers = {} if origin is None else {"Origin": origin}
    async with a_browser(hub, credentials) as browser:
        response = await browser.post("sign-out", {}, origin=origin)
        signed_in = await browser.client.post("/console/sign-in", data=credentials.login, headers=headers)

    assert response.status_code == signed_in.status_code == 403
    assert "set-cookie" not in {**response.headers, **signed_in.headers}


async def test_a_form_belongs_to_its_session(hub: Hub) -> None:
    async with a_browser(hub, await hub.create_program()) as mine, a_browser(hub, await hub.create_program()) as theirs:
        assert await mine.form_key() != await theirs.form_key()
        answers = [
            await mine.post("sign-out", {}, form_key=key) for key in ("", "0" * 64, await theirs.form_key(), "é")
        ]

    assert {each.status_code for each in answers} == {403}


async def test_bodies_that_are_no_forms_are_refused(hub: Hub) -> None:
    async with a_browser(hub, await hub.create_program()) as browser:
        headers = {"Origin": browser.origin}
        path = "/console/sign-out"
        answers = [
            await browser.client.post(path, json={"a": "b"}, headers=headers),
            await browser.client.post(
                path, content=b"x" * 5_000_000, headers=headers | {"Content-Type": "application/x-www-form-urlencoded"}
            ),
            await browser.client.post(
                path, content=b"--b\r\n", headers=headers | {"Content-Type": "multipart/form-data"}
            ),
            await browser.client.post(
                path, content=b"a=%00", headers=headers | {"Content-Type": "application/x-www-form-urlencoded"}
            ),
        ]

    assert [each.status_code for each in answers] == [415, 413, 400, 400]


async def test_pages_keep_to_themselves(hub: Hub) -> None:
    async with a_browser(hub, await hub.create_program()) as browser:
        pages = [await browser.get(path) for path in ("sign-in", "overview", "messages", "messages/nobodys")]
    for page in pages:
        policy = dict(each.strip().split(" ", 1) for each in page.headers["content-security-policy"].split(";"))
        assert policy["default-src"] == policy["frame-ancestors"] == policy["base-uri"] == "'none'"
        assert policy["script-src"] == policy["style-src"] == policy["form-action"] == "'self'"
        assert page.headers["cache-control"] == "no-store"
        assert "style=" not in page.text


async def test_what_people_wrote_is_shown_as_they_wrote_it_and_never_run(hub: Hub) -> None:
    office = await hub.an_office()
    sent = (await hub.post(office, "/api/TextMessages", {"Message": HOSTILE, "PhoneNumber": NUMBER})).json()
    async with a_browser(hub, office.credentials) as browser:
        pages = [
            await browser.get("messages"),
            await browser.get(f"messages/{sent['Id']}"),
            await browser.get("messages", number=HOSTILE),
        ]

    for page in pages:
        assert "&lt;script&gt;" in page.text
        assert "<script>alert" not in page.text
        assert "<img src=x" not in page.text


async def test_another_programs_messages_are_not_there(hub: Hub) -> None:
    theirs = await hub.an_office()
    sent = (await hub.post(theirs, "/api/TextMessages", {"Message": "Secret", "PhoneNumber": NUMBER})).json()
    async with a_browser(hub, await hub.create_program()) as browser:
        answers = [
            await browser.get(f"messages/{sent['Id']}"),
            await browser.get(f"messages/{sent['Id']}/progress"),
            await browser.post(f"messages/{sent['Id']}/cancel", {}),
        ]
        log = await browser.get("messages")
        as_operator = await browser.get(f"programs/{theirs.id}/messages")

    assert [each.status_code for each in answers] == [404, 404, 404]
    assert as_operator.status_code == 403
    assert "Secret" not in log.text + as_operator.text


async def test_operators_see_every_programs_log_and_send_nothing(hub: Hub) -> None:
    office = await hub.an_office()
    sent = (await hub.post(office, "/api/TextMessages", {"Message": "Hello", "PhoneNumber": NUMBER})).json()
    async with a_browser(hub, await an_operator(hub)) as browser:
        log = await browser.get(f"programs/{office.id}/messages")
        message = await browser.get(f"programs/{office.id}/messages/{sent['Id']}")
        overview = await browser.get(f"programs/{office.id}/overview")
        own = await browser.get("messages")
        gone = await browser.get("programs/nobody/messages")

    assert "Hello" in log.text
    assert NUMBER in message.text
    assert "City Hall" in overview.text
    assert (own.status_code, gone.status_code) == (403, 404)


async def test_the_log_is_filtered_and_paged(hub: Hub) -> None:
    office = await hub.an_office()
    for number in range(27):
        await hub.post(
            office, "/api/TextMessages", {"Message": f"Text {number:02}", "PhoneNumber": f"+197069045{number:02}"}
        )
    async with a_browser(hub, office.credentials) as browser:
        first = await browser.get("messages")
        older = re.search(r'rel="next" href="\?([^"]*)"', first.text)
        assert older is not None
        second = await browser.client.get(f"/console/messages?{older[1].replace('&amp;', '&')}")
        one = await browser.get("messages", number="(970) 690-4503")
        none = await browser.get("messages", **{"from": "2020-01-01", "to": "2020-01-02"})
        bad = await browser.get("messages", number="970-690")
        odd = await browser.get("messages", status="odd", **{"from": "tomorrow", "to": "0001-01-01"})
        csv = await browser.get("messages.csv", number="(970) 690-4503")

    assert first.text.count("Text ") == 25
    assert re.findall(r"Text \d\d", second.text) == ["Text 01", "Text 00"]
    assert re.findall(r"Text \d\d", one.text) == ["Text 03"]
    assert "There are no such messages." in none.text
    assert (bad.status_code, odd.status_code) == (422, 200)
    assert "This number is too short." in bad.text
    assert csv.headers["content-type"].startswith("text/csv")
    assert csv.headers["cache-control"] == "no-store"
    assert len(csv.text.splitlines()) == 2


async def test_what_became_of_a_text_is_told_in_words(hub: Hub) -> None:
    office = await hub.an_office()
    sent = (await hub.post(office, "/api/TextMessages", {"Message": "Hello", "PhoneNumber": NUMBER})).json()
    async with a_browser(hub, office.credentials) as browser:
        before = await browser.get(f"messages/{sent['Id']}")
        canceled = await browser.post(f"messages/{sent['Id']}/cancel", {})
        after = await browser.client.get(canceled.headers["location"].removeprefix(hub.base_path))

    assert "It waits for its turn, at the pace of the sender." in before.text
    assert "data-again" in before.text
    assert "It was canceled before it was sent." in after.text
    assert "data-again" not in after.text


async def test_the_overview_counts(hub: Hub) -> None:
    office = await hub.an_office()
    await hub.post(office, "/api/TextMessages", {"Message": "Hello", "PhoneNumber": f"{NUMBER},+19706904545"})
    async with a_browser(hub, office.credentials) as browser:
        pages = [await browser.get("overview", days=days) for days in ("7", "30", "many")]

    for page in pages:
        assert page.status_code == 200
        assert re.search(r"<dt>On the way</dt><dd>2</dd>", page.text)
        assert 'class="waiting"' in page.text


async def reviewed(browser: Browser, fields: Mapping[str, str]) -> Mapping[str, str]:
    """What the form of the second look has in it."""
    page = await browser.post("send", {"do": "review", **fields})
    assert page.status_code == 200, page.text
    hidden = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', page.text))
    return {**fields, **hidden, "do": "send"}


async def test_a_text_is_sent_once_however_often_somebody_clicks(hub: Hub) -> None:
    office = await hub.an_office()
    async with a_browser(hub, office.credentials) as browser:
        fields = await reviewed(browser, {"Message": "Hello", "Recipients": NUMBER})
        answers = [await browser.post("send", fields) for _ in range(3)]

    assert len({each.headers["location"] for each in answers}) == 1
    assert len((await hub.get(office, "/api/TextMessages")).json()["Items"]) == 1


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"Message": "", "Recipients": NUMBER}, "The message is blank."),
        ({"Message": "x" * 1_601, "Recipients": NUMBER}, "The message is longer than 1600 characters."),
        ({"Message": "Hello", "Recipients": ""}, "There is no number to send to."),
        ({"Message": "Hello", "Recipients": ",".join(["1"] * 10_001)}, "There are 10001 numbers"),
        ({"Message": "Hello", "Recipients": NUMBER, "SendAt": "2020-01-01T10:00"}, "The time has passed."),
        ({"Message": "Hello", "Recipients": NUMBER, "SendAt": "soon"}, "The time cannot be read."),
        ({"Message": "Hello", "Recipients": NUMBER, "Sender": "+17205550000"}, "none of this program"),
        ({"Template": "none", "Recipients": NUMBER}, "no such template"),
        ({"Template": HOSTILE, "Recipients": NUMBER}, "A template&#39;s name is"),
        ({"Message": "Hello", "List": "Name\nAnn\n"}, "The file has no column PhoneNumber."),
        ({"Message": "Hello", "List": "x" * 200_000}, "The file is no valid CSV."),
    ],
)
async def test_what_cannot_be_sent_is_told_beside_what_was_typed(
    hub: Hub, fields: Mapping[str, str], told: str
) -> None:
    office = await hub.an_office()
    async with a_browser(hub, office.credentials) as browser:
        answers = [await browser.post("send", {"do": do, **fields}) for do in ("review", "send")]

    for answer in answers[:1] if "SendAt" in fields and "2020" in fields["SendAt"] else answers:
        assert answer.status_code in {400, 422}, answer.text
        assert told in answer.text
        assert "<script>alert" not in answer.text
    assert answers[1].status_code in {400, 422}
    assert (await hub.get(office, "/api/TextMessages")).json()["Items"] == []


async def test_lists_come_by_any_column_and_delimiter(hub: Hub) -> None:
    office = await hub.an_office()
    lists = [
        "Name;Mobile phone\nAnn;970-690-4544\n",
        "PHONE_NUMBER\r\n'+19706904544\r\n",
        f"{NUMBER}\n",
        "x\tcell\nAnn\t9706904544",
    ]
    async with a_browser(hub, office.credentials) as browser:
        for text in lists:
            page = await browser.post("send", {"do": "review", "Message": "Hello"}, List=text)
            assert "Send to 1 number" in page.text, text


async def test_a_key_that_may_only_read_sends_and_changes_nothing(hub: Hub) -> None:
    credentials = await hub.create_program()
    _, key = await hub.container.operate_keys().issue(credentials.program_id, KeyTerms(scopes=frozenset({Scope.READ})))
    async with a_browser(hub, Credentials(credentials.program_id, credentials.sid, key.value)) as browser:
        page = await browser.get("opt-outs")
        answers = [
            await browser.get("send"),
            await browser.post("send", {"do": "send", "Message": "Hello", "Recipients": NUMBER}),
            await browser.post("opt-outs", {"Number": NUMBER}),
            await browser.post("opt-outs/import", {"List": NUMBER}),
        ]

    assert page.status_code == 200
    assert "Opt somebody out" not in page.text
    assert {each.status_code for each in answers} == {403}


async def test_a_key_that_may_only_send_is_told_that_it_has_sent(hub: Hub) -> None:
    office = await hub.an_office()
    _, key = await hub.container.operate_keys().issue(office.id, KeyTerms(scopes=frozenset({Scope.SEND})))
    async with a_browser(hub, Credentials(office.id, office.credentials.sid, key.value)) as browser:
        fields = await reviewed(browser, {"Message": "Hello", "Recipients": NUMBER})
        sent = await browser.post("send", fields)
        log = await browser.get("messages")

    assert "Accepted for 1 number." in sent.text
    assert log.status_code == 403
    assert len((await hub.get(office, "/api/TextMessages")).json()["Items"]) == 1


async def test_lists_of_opt_outs_run_nothing_in_a_spreadsheet(hub: Hub) -> None:
    async with a_browser(hub, await hub.create_program()) as browser:
        for index, wording in enumerate(("=1+1", "@SUM(1)", "-2+3", "+cmd|' /C calc'!A0")):
            await browser.post("opt-outs", {"Number": f"+1970690454{index}", "Wording": wording})
        csv = await browser.get("opt-outs.csv")
        again = await browser.post("opt-outs/import", {}, List=csv.text)

    for line in csv.text.splitlines()[1:]:
        number, _, wording, *_ = line.split(",")
        assert number.startswith("+1970")
        assert wording.strip('"').startswith("'")
    assert "0 added, 4 were there already." in again.text


async def test_an_opt_out_by_the_console_says_so_in_the_record(hub: Hub) -> None:
    office = await hub.an_office()
    async with a_browser(hub, office.credentials) as browser:
        done = await browser.post("opt-outs", {"Number": "(970) 690-4544", "Wording": HOSTILE})
        bad = await browser.post("opt-outs", {"Number": "12"})
        unreadable = await browser.post("opt-outs/import", {}, List="Name\nAnn\n")
    (opt_out,) = (await hub.get(office, "/api/OptOuts")).json()["Items"]

    assert "gets no more texts from you" in done.text
    assert "<script>alert" not in done.text
    assert (opt_out["PhoneNumber"], opt_out["Wording"]) == (NUMBER, HOSTILE)
    assert opt_out["Actor"] == f"program {office.id}, by its console"
    assert (bad.status_code, unreadable.status_code) == (422, 400)


async def test_replies_are_shown_as_they_were_written(hub: Hub) -> None:
    office = await hub.an_office()
    async with hub.container.database().writing() as connection:
        sender = (await hub.container.show_program()(office.id)).sender
        await connection.execute(
            insert(inbound_messages).values(
                program_id=office.id, sender_id=sender.id, number=NUMBER, body=HOSTILE, received_us=1, callback_id=1
            )
        )
    async with a_browser(hub, office.credentials) as browser, a_browser(hub, await hub.create_program()) as other:
        page = await browser.get("inbound")
        none = await browser.get("inbound", number="+19706904599")
        theirs = await other.get("inbound")

    assert "&lt;script&gt;" in page.text
    assert "<script>alert" not in page.text
    assert "There are none from this number." in none.text
    assert "There are none so far." in theirs.text


OPERATORS = ("programs", "senders", "audit", "programs/{id}/program", "programs/{id}/webhooks")
OPERATORS_FORMS = ("pause", "suspend", "keys", "keys/1/revoke", "webhooks/0/replay")


async def test_operators_pages_are_nobody_elses(hub: Hub) -> None:
    other = await hub.create_program()
    async with a_browser(hub, await hub.create_program()) as browser:
        answers = [await browser.get(path.format(id=other.program_id)) for path in OPERATORS]
        answers += [await browser.post(f"programs/{other.program_id}/{path}", {}) for path in OPERATORS_FORMS]
        answers.append(await browser.post("senders/1/pause", {"do": "pause"}))
        first = await browser.get("overview")

    assert {each.status_code for each in answers} == {403}
    assert "Audit" not in first.text
    assert len(await hub.container.operate_keys().of(other.program_id)) == 1


async def test_what_operators_do_stands_in_the_record(hub: Hub) -> None:
    program, operator = await hub.create_program(), await an_operator(hub)
    at = f"programs/{program.program_id}"
    async with a_browser(hub, operator) as browser:
        await browser.post(f"{at}/pause", {"do": "pause"})
        await browser.post(f"{at}/suspend", {"do": "suspend"})
        page = await browser.get(f"{at}/program")
        await browser.post(f"{at}/suspend", {"do": "reinstate"})
        issued = await browser.post(f"{at}/keys", {"Name": HOSTILE, "Kind": "test"})
        record = await browser.get("audit", program=program.program_id)
    key = re.search(r"smshub_test_\w{38}", issued.text)
    events = (await hub.container.list_audit_events()(program_id=program.program_id, before=None, limit=10)).items

    assert "It is paused" in page.text
    assert "It is suspended" in page.text
    assert key is not None
    assert "<script>alert" not in issued.text
    assert [each.action for each in events][:4] == [
        "key.issued",
        "program.reinstated",
        "program.suspended",
        "program.paused",
    ]
    assert {(each.actor.name, each.actor.via, each.actor.address) for each in events[:4]} == {
        (operator.program_id, "console", "127.0.0.1")
    }
    assert "program.suspended" in record.text
    assert key[0] not in record.text


async def test_a_third_key_is_refused_in_words(hub: Hub) -> None:
    program = await hub.create_program()
    async with a_browser(hub, await an_operator(hub)) as browser:
        answers = [await browser.post(f"programs/{program.program_id}/keys", {"Kind": "live"}) for _ in range(2)]
        odd = await browser.post(f"programs/{program.program_id}/keys/x/revoke", {})
        gone = await browser.post(f"programs/{program.program_id}/keys/999999/revoke", {})

    assert [each.status_code for each in answers] == [200, 422]
    assert "revoke one first" in answers[1].text
    assert (odd.status_code, gone.status_code) == (404, 404)


async def test_operators_pause_a_sender(hub: Hub) -> None:
    program = await hub.container.show_program()((await hub.create_program()).program_id)
    async with a_browser(hub, await an_operator(hub)) as browser:
        await browser.post(f"senders/{program.sender.id}/pause", {"do": "pause"})
        paused = (await hub.container.survey_senders().one(program.sender.id)).sender.paused
        page = await browser.get("senders")
        await browser.post(f"senders/{program.sender.id}/pause", {"do": "resume"})
        resumed = not (await hub.container.survey_senders().one(program.sender.id)).sender.paused
        gone = await browser.post("senders/999999/pause", {"do": "pause"})

    assert paused
    assert resumed
    assert program.sender.address.value in page.text
    assert gone.status_code == 404


async def a_webhook(hub: Hub, office: Office, url: str) -> tuple[str, str]:
    """Its id, and that of an event that it is told of."""
    made = await hub.post(office, "/api/Webhooks", {"Url": url, "Description": HOSTILE})
    assert made.status_code == 200, made.text
    webhook_id = made.json()["Id"]
    event_id = (await hub.post(office, f"/api/Webhooks/{webhook_id}/Test")).json()["EventId"]
    return webhook_id, event_id


async def test_each_call_of_a_webhook_is_shown_and_made_again(hub: Hub) -> None:
    office = await hub.an_office()
    async with a_browser(hub, office.credentials) as browser, a_receiver() as receiver, hub.dispatching():
        receiver.statuses = [503]
        webhook_id, event_id = await a_webhook(hub, office, receiver.url)
        await receiver.until(1)
        failed = await browser.get(f"webhooks/{webhook_id}")
        again = await browser.post(f"webhooks/{webhook_id}/replay", {"Event": event_id})
        await receiver.until(2)
        accepted = await browser.get(f"webhooks/{webhook_id}")

    assert re.search(r"Not accepted</span> <span class=\"result\">503, ", failed.text)
    assert "1 call is made again." in again.text
    assert re.search(r">Accepted</span> <span class=\"result\">204, ", accepted.text)


async def test_another_programs_webhooks_are_not_there(hub: Hub) -> None:
    office = await hub.an_office()
    webhook_id, event_id = await a_webhook(hub, office, "https://receiver.example/hook")
    async with (
        a_browser(hub, office.credentials) as browser,
        a_browser(hub, await an_operator(hub)) as operator,
        a_browser(hub, await hub.create_program()) as other,
    ):
        pages = [await browser.get("webhooks"), await browser.get(f"webhooks/{webhook_id}")]
        seen = await operator.get(f"programs/{office.id}/webhooks/{webhook_id}")
        again = await operator.post(f"programs/{office.id}/webhooks/{webhook_id}/replay", {"Event": event_id})
        all_again = await browser.post(f"webhooks/{webhook_id}/replay", {})
        bad = [
            await browser.post(f"webhooks/{webhook_id}/replay", {"Event": "odd"}),
            await browser.get("webhooks/odd"),
            await other.get(f"webhooks/{webhook_id}"),
            await other.post(f"webhooks/{webhook_id}/replay", {"Event": event_id}),
        ]

    for page in (*pages, seen):
        assert "https://receiver.example/hook" in page.text
        assert "<script>alert" not in page.text
    assert "1 call is made again." in again.text
    assert all_again.status_code == 200
    assert [each.status_code for each in bad] == [404, 404, 404, 404]


async def test_a_programs_name_runs_nothing(hub: Hub) -> None:
    program, key = await hub.container.create_program()(
        name=HOSTILE, provider="sandbox", sender=SenderAddress("+17205559999")
    )
    async with a_browser(hub, Credentials(program.id, program.sid, key.value)) as browser:
        pages = [await browser.get("overview")]
    async with a_browser(hub, await an_operator(hub)) as browser:
        pages += [await browser.get(path.format(id=program.id)) for path in OPERATORS if path != "audit"]

    for page in pages:
        assert page.status_code == 200
        assert "&lt;script&gt;" in page.text
        assert "<script>alert" not in page.text
