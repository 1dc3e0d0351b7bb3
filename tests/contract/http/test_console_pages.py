"""Pages of the console by the list of them: each is kept from those whom it is not for, and none runs what is in it."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from starlette.routing import Route

from entrypoints.http.console.routes import console_routes
from entrypoints.terms import written
from tests.contract.http.test_console import HOSTILE, NUMBER, SCRIPT, Browser, a_browser, an_operator, reviewed
from tests.http import PUBLIC_URL, Hub, a_hub

WITHOUT_SESSION = {"sign-in"}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def hub(shared_database_url: str) -> AsyncIterator[Hub]:
    async with a_hub(shared_database_url, public_url=PUBLIC_URL) as hub:
        yield hub


def paths(hub: Hub, method: str) -> list[str]:
    """Below the console, with something in place of what differs."""
    filled = {"program_id": "nobody", "id": "01890a5d-ac96-774b-bcce-b302099a8057", "name": "some"}
    found = []
    for route in console_routes("", PUBLIC_URL, hub.container.console(), contact=""):
        if isinstance(route, Route) and method in (route.methods or ()) and route.path.startswith("/console/"):
            values = {each: filled.get(each, "1") for each in route.param_convertors}
            found.append(route.path.removeprefix("/console/").format(**values))
    return [path for path in found if path not in WITHOUT_SESSION]


async def test_nobody_sees_a_page_without_signing_in(hub: Hub) -> None:
    async with a_browser(hub) as browser:
        answers = {path: (await browser.get(path)).status_code for path in paths(hub, "GET")}
        posted = {path: (await browser.post(path, {}, form_key="")).status_code for path in paths(hub, "POST")}

    assert len(answers) > 30
    assert set(answers.values()) | set(posted.values()) == {303}


async def test_no_form_is_taken_from_another_site_or_without_its_key(hub: Hub) -> None:
    theirs = await hub.create_program()
    async with a_browser(hub, await an_operator(hub, everything=True)) as browser:
        key = await browser.form_key()
        answers = {}
        for path in (each.replace("nobody", theirs.program_id) for each in paths(hub, "POST")):
            elsewhere = await browser.post(path, {}, origin="https://evil.example", form_key=key)
            answers[path] = elsewhere.status_code, (await browser.post(path, {}, form_key="0" * 64)).status_code

    # What programs do is for nobody else, with their own forms or without.
    not_for_operators = [path for path, statuses in answers.items() if statuses == (404, 404)]
    for path in not_for_operators:
        assert path.startswith(f"programs/{theirs.program_id}/")
        assert answers.pop(path)
    assert len(answers) > 25
    assert set(answers.values()) == {(403, 403)}


async def test_operators_pages_are_for_operators(hub: Hub) -> None:
    async with a_browser(hub, await hub.create_program()) as browser:
        key = await browser.form_key()
        theirs = ("programs", "senders", "audit", "new-program")
        answers = {path: (await browser.get(path)).status_code for path in paths(hub, "GET") if path.startswith(theirs)}
        for path in paths(hub, "POST"):
            if path.startswith(theirs):
                answers[f"POST {path}"] = (await browser.post(path, {}, form_key=key)).status_code

    assert len(answers) > 20
    assert set(answers.values()) == {403}


async def test_what_is_no_page_or_takes_no_such_method_is_told_on_a_page(hub: Hub) -> None:
    async with a_browser(hub, await hub.create_program()) as browser:
        nowhere = [
            await browser.get("nowhere"),
            await browser.get("messages/1/2/3/4"),
            await browser.client.put("/console/nowhere"),
            await browser.get("templates/nobodys"),
            await browser.get(f"templates/{HOSTILE.replace('/', '')}"),
        ]
        wrong = [await browser.client.delete("/console/overview"), await browser.get("sign-out")]

    for page in (*nowhere, *wrong):
        assert page.headers["content-type"].startswith("text/html")
        assert "script-src 'self';" in page.headers["content-security-policy"]
        assert SCRIPT not in page.text
    assert [page.status_code for page in nowhere] == [404] * 5
    assert "Sign out" in nowhere[0].text
    assert [(page.status_code, page.headers["allow"]) for page in wrong] == [(405, "GET, HEAD"), (405, "POST")]


async def test_pages_have_no_script_or_style_of_their_own(hub: Hub) -> None:
    async with a_browser(hub, await an_operator(hub, everything=True)) as browser:
        pages = {path: await browser.get(path) for path in paths(hub, "GET")}

    for path, page in pages.items():
        assert "unsafe" not in page.headers["content-security-policy"], path
        assert page.text.count("<script") == page.text.count('<script src="/assets/'), path
        assert " style=" not in page.text, path
        assert "<style" not in page.text, path


async def test_templates_show_what_is_written_in_them(hub: Hub) -> None:
    async with a_browser(hub, await hub.create_program()) as browser:
        made = await browser.post("templates", {"Name": "hostile", "Message": f"{HOSTILE} {{{{Name}}}}"})
        pages = [
            await browser.get("templates"),
            await browser.get("templates/hostile"),
            await browser.get("send", template="hostile"),
            await browser.post("templates/hostile/preview", {"Value.Name": HOSTILE}),
            await browser.post("new-template/measure", {"Message": f"{HOSTILE}{{{{Name}}}}é"}),
            await browser.post("templates", {"Name": HOSTILE, "Message": HOSTILE}),
        ]

    assert made.headers["location"] == "/console/templates/hostile"
    for page in pages[:4]:
        assert "&lt;script&gt;" in page.text
    for page in pages:
        assert SCRIPT not in page.text


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"Name": "", "Message": "Hello"}, "A template&#39;s name is"),
        ({"Name": "empty", "Message": " "}, "blank"),
        ({"Name": "odd", "Message": "Hello {{Na me}}"}, "The braces at character 7"),
        ({"Name": "TAKEN", "Message": "Hello"}, "has a template of this name already"),
    ],
)
async def test_what_is_no_template_is_told_beside_it(hub: Hub, fields: dict[str, str], told: str) -> None:
    async with a_browser(hub, await hub.create_program()) as browser:
        await browser.post("templates", {"Name": "taken", "Message": "Hello"})
        page = await browser.post("templates", fields)

    assert page.status_code in {409, 422}
    assert told in page.text
    assert "aria-invalid" in page.text


async def test_templates_of_others_are_not_there(hub: Hub) -> None:
    mine, operators = await hub.create_program(), await an_operator(hub)
    async with (
        a_browser(hub, mine) as browser,
        a_browser(hub, await hub.create_program()) as other,
        a_browser(hub, operators) as operator,
    ):
        await browser.post("templates", {"Name": "mine", "Message": "Hello {{Name}}"})
        answers = [
            await other.get("templates/mine"),
            await other.post("templates/mine", {"Message": "Changed"}),
            await other.post("templates/mine/retire", {}),
            await other.post("templates/mine/preview", {"Value.Name": "Ann"}),
        ]
        at = f"programs/{mine.program_id}/templates"
        seen = await operator.get(f"{at}/mine")
        tried = await operator.post(f"{at}/mine/preview", {"Value.Name": "Ann"})
        # Operators see them, and change none.
        changed = await operator.post(f"{at}/mine", {"Message": "Changed"})
        still = await browser.get("templates/mine")

    assert [each.status_code for each in answers] == [404] * 4
    assert "Hello {{Name}}" in seen.text
    assert "Hello Ann" in tried.text
    assert changed.status_code == 404
    assert "Changed" not in still.text


async def test_logs_run_nothing_in_a_spreadsheet(hub: Hub) -> None:
    async with a_browser(hub, await hub.create_program()) as browser:
        for text in ("=1+1", "@SUM(1)", "-2+3", "+cmd|' /C calc'!A0", "\t=1+1"):
            await browser.post("send", await reviewed(browser, {"Message": text, "Recipients": NUMBER}))
        csv = await browser.get("messages.csv")

    assert len(csv.text.splitlines()) == 6
    for cell in ("=1+1", "@SUM(1)", "-2+3", "+cmd|"):
        assert f"'{cell}" in csv.text
        assert f",{cell}" not in csv.text
        assert f'"{cell}' not in csv.text


async def made_program(browser: Browser, **fields: str) -> tuple[int, str]:
    usual = {"Name": "Parks", "Sender": "Parks", "Provider": "sandbox", "Rate": "", "Credentials": ""}
    page = await browser.post("programs", {**usual, **fields})
    return page.status_code, page.text


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"Name": ""}, "aria-invalid"),
        ({"Sender": HOSTILE}, "A sender is a phone number"),
        ({"Rate": "fast"}, "A pace is written as"),
        ({"Provider": "nobody"}, "There is no such provider."),
        ({"Provider": "twilio", "Sender": "+19705550777"}, "needs the credentials"),
        ({"Credentials": "[secret"}, "Credentials are a JSON object"),
    ],
)
async def test_what_is_no_program_is_told_beside_it(hub: Hub, fields: dict[str, str], told: str) -> None:
    async with a_browser(hub, await an_operator(hub)) as browser:
        before = len(await hub.container.list_programs()())
        status, page = await made_program(browser, **fields)

    assert status in {409, 422}
    assert told in page
    assert "secret" not in page
    assert SCRIPT not in page
    assert len(await hub.container.list_programs()()) == before


async def test_a_program_is_made_with_a_key_that_is_shown_once(hub: Hub) -> None:
    operator = await an_operator(hub)
    async with a_browser(hub, operator) as browser:
        status, page = await made_program(browser, Name=f"Parks {HOSTILE}")
        (program,) = [each for each in await hub.container.list_programs()() if each.name.startswith("Parks ")]
        again = await browser.get(f"programs/{program.id}/program")
    (event, *_) = (await hub.container.list_audit_events()(program_id=program.id, before=None, limit=1)).items

    assert status == 200
    assert "smshub_live_" in page
    assert SCRIPT not in page + again.text
    assert 'class="address"' not in again.text
    assert (event.action, event.actor.name, event.actor.via) == ("program.created", operator.program_id, "console")


async def test_terms_are_changed_one_by_one_and_all_others_stay(hub: Hub) -> None:
    program = await hub.create_program()
    at = f"programs/{program.program_id}/terms"
    async with a_browser(hub, await an_operator(hub)) as browser:
        await browser.post(at, {"Name": "City Hall", "DailySegments": "500", "Countries": "US,CA", "Failover": "on"})
        await browser.post(at, {"Notice": "Reply STOP to opt out.", "Retention": "P30D", "Countries": ""})
        bad = await browser.post(at, {"MonthlySegments": "lots", "Notice": HOSTILE})
        form = await browser.get(at)
    terms = (await hub.container.show_program()(program.program_id)).terms

    assert (terms.daily_segments, terms.countries, terms.failover) == (500, None, True)
    assert (terms.notice, terms.retention.days if terms.retention else None) == ("Reply STOP to opt out.", 30)
    assert bad.status_code == 422
    assert "That is no number." in bad.text
    assert "&lt;script&gt;" in bad.text
    assert 'value="P30D"' in form.text


async def test_every_term_is_asked_for(hub: Hub) -> None:
    program = await hub.container.show_program()((await hub.create_program()).program_id)
    async with a_browser(hub, await an_operator(hub)) as browser:
        form = await browser.get(f"programs/{program.id}/terms")

    for name in written(program.terms):
        assert f'name="{name}"' in form.text


async def test_a_programs_senders_are_added_changed_and_removed(hub: Hub) -> None:
    program = await hub.create_program()
    at = f"programs/{program.program_id}"
    async with a_browser(hub, await an_operator(hub)) as browser:
        bad = await browser.post(f"{at}/senders", {"Sender": "12", "Provider": "sandbox"})
        await browser.post(f"{at}/senders", {"Sender": "Extra", "Provider": "sandbox", "Rate": "3/s"})
        first, second = (await hub.container.show_program()(program.program_id)).senders
        slow = await browser.post(f"senders/{second.id}", {"Rate": "slow", "Backlog": ""})
        late = await browser.post(f"senders/{second.id}", {"Rate": "1/s", "Backlog": "PT11H"})
        await browser.post(f"senders/{second.id}", {"Rate": "4/s", "Backlog": "", "OptOutReplies": "provider"})
        changed = (await hub.container.survey_senders().one(second.id)).sender
        own = await browser.post(f"{at}/senders/{first.id}/remove", {})
        await browser.post(f"{at}/senders/{second.id}/remove", {})
        gone = [await browser.get("senders/999999"), await browser.post("senders/999999", {"Rate": "1/s"})]
    left = (await hub.container.show_program()(program.program_id)).senders

    assert [each.status_code for each in (bad, slow, late)] == [422, 422, 422]
    assert "ten hours" in late.text
    assert (str(changed.pace), changed.opt_out_replies.value) == ("4/s", "provider")
    assert own.status_code == 409
    assert [each.id for each in left] == [first.id]
    assert [each.status_code for each in gone] == [404, 404]


async def test_a_program_sees_its_own_keys_alone(hub: Hub) -> None:
    mine, theirs = await hub.create_program(), await hub.create_program()
    (other_key,) = await hub.container.operate_keys().of(theirs.program_id)
    async with a_browser(hub, mine) as browser:
        page = await browser.get("keys")
        key = await browser.form_key()
        revoked = await browser.post(f"programs/{theirs.program_id}/keys/{other_key.id}/revoke", {}, form_key=key)

    assert mine.sid in page.text
    assert other_key.hint not in page.text
    assert mine.key not in page.text
    assert "Yes, revoke it" not in page.text
    assert revoked.status_code == 403
