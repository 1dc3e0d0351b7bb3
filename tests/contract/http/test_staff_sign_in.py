"""Persons sign in at the console with a real identity provider, as their browsers do."""

import asyncio
import re
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from http.cookies import SimpleCookie
from urllib.parse import parse_qsl, urlencode, urlsplit

import httpx
import pytest
import pytest_asyncio

from domain.model.staff import Role, StaffRole
from tests.contract.http.test_console import Browser, an_operator
from tests.contract.http.test_console_pages import made_program, paths
from tests.contract.http.test_keys import WITHIN_S
from tests.http import PUBLIC_URL, Hub, Office, a_hub
from tests.identity_provider import ADA, BEN, EVE, NORA, OLGA, OTHER_CLIENT, IdentityProvider, an_identity_provider

NUMBER = "+19706904544"
CALLBACK = "/console/sign-in/callback"
ELSEWHERE = ["//evil.example/", "https://evil.example/", "/\\evil.example", "..%2fapi", "sign-in/begin"]


@pytest.fixture(scope="module")
def provider() -> Iterator[IdentityProvider]:
    with an_identity_provider(hub_url=PUBLIC_URL) as provider:
        yield provider


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def hub(shared_database_url: str, provider: IdentityProvider) -> AsyncIterator[Hub]:
    keys = "tests:" + "0123456789abcdef" * 3
    async with a_hub(
        shared_database_url, **provider.settings, contact="sms@campus.example", encryption_keys=keys
    ) as hub:
        yield hub


@pytest_asyncio.fixture(loop_scope="module")
async def housing(hub: Hub) -> AsyncIterator[Office]:
    """A program that Ada sends for, and Ben reads."""
    office = await hub.an_office()
    given = [
        await give(hub, "housing-senders", Role.SENDER, office.id),
        await give(hub, "housing-readers", Role.READER, office.id),
    ]
    yield office
    for each in given:
        await hub.container.operate_staff_roles().remove(each.id)


async def give(hub: Hub, group: str, role: Role, program_id: str | None = None) -> StaffRole:
    return await hub.container.operate_staff_roles().put(StaffRole(group=group, role=role, program_id=program_id))


@asynccontextmanager
async def a_person(hub: Hub, provider: IdentityProvider, login: str) -> AsyncIterator[Browser]:
    async with a_stranger(hub) as browser:
        response = await sign_in(browser, provider, login)
        assert response.status_code == 303, response.text
        yield browser


@asynccontextmanager
async def a_stranger(hub: Hub) -> AsyncIterator[Browser]:
    async with hub.client_at("127.0.0.1") as client:
        yield Browser(hub, client)


@asynccontextmanager
async def an_operator_in_person(hub: Hub, provider: IdentityProvider) -> AsyncIterator[Browser]:
    role = await give(hub, "/sms/operators", Role.OPERATOR)
    async with a_person(hub, provider, OLGA) as browser:
        yield browser
    await hub.container.operate_staff_roles().remove(role.id)


async def begin(browser: Browser, **parameters: str) -> str:
    """Where the browser is sent to."""
    response = await browser.get("sign-in/begin", **parameters)
    assert response.status_code == 303, response.text
    return str(response.headers["location"])


async def come_back(browser: Browser, address: str) -> httpx.Response:
    assert address.startswith(f"{PUBLIC_URL}{CALLBACK}?"), address
    return await browser.client.get(address)


async def sign_in(browser: Browser, provider: IdentityProvider, login: str, **parameters: str) -> httpx.Response:
    return await come_back(browser, await provider.answer(await begin(browser, **parameters), login))


def altered(address: str, **parameters: str | None) -> str:
    """With other parameters; None leaves one out."""
    parts = urlsplit(address)
    query = {**dict(parse_qsl(parts.query)), **parameters}
    return parts._replace(query=urlencode({name: each for name, each in query.items() if each is not None})).geturl()


def parameter(address: str, name: str) -> str:
    return dict(parse_qsl(urlsplit(address).query))[name]


def cookies_of(response: httpx.Response) -> dict[str, str]:
    """Those that are set, and not deleted."""
    read = SimpleCookie()
    for each in response.headers.get_list("set-cookie"):
        read.load(each)
    return {name: morsel.value for name, morsel in read.items() if morsel.value}


def assert_refused(response: httpx.Response, browser: Browser) -> None:
    assert response.status_code == 403, response.text
    assert "begin it again" in response.text
    assert cookies_of(response) == {}
    assert "__Secure-smshub-console" not in browser.client.cookies


class TestSigningIn:
    async def test_a_person_sees_the_one_program_that_their_group_has(
        self, hub: Hub, provider: IdentityProvider, housing: Office
    ) -> None:
        async with a_person(hub, provider, ADA) as browser:
            first = await browser.get("")
            page = await browser.client.get(first.headers["location"])

        assert first.headers["location"] == f"/console/programs/{housing.id}/overview"
        assert page.status_code == 200
        assert "City Hall" in page.text
        assert "ada" in page.text

    async def test_the_page_to_sign_in_offers_both(self, hub: Hub) -> None:
        async with a_stranger(hub) as browser:
            page = await browser.get("sign-in", next="messages?status=failed")

        assert "Sign in with Campus login" in page.text
        assert "sign-in/begin?next=messages%3Fstatus%3Dfailed" in page.text
        assert "ProgramSID" in page.text

    async def test_a_hub_without_a_provider_offers_none(self, shared_database_url: str) -> None:
        async with a_hub(shared_database_url) as hub, a_stranger(hub) as browser:
            page = await browser.get("sign-in")
            nowhere = [await browser.get("sign-in/begin"), await browser.get("sign-in/callback")]

        assert "Sign in with" not in page.text
        assert [each.status_code for each in nowhere] == [404, 404]

    async def test_what_the_browser_keeps_is_no_scripts_and_no_other_sites_business(
        self, hub: Hub, provider: IdentityProvider
    ) -> None:
        async with a_stranger(hub) as browser:
            pending = await browser.get("sign-in/begin")
            session = await come_back(browser, await provider.answer(pending.headers["location"], ADA))

        for response, name in ((pending, "__Secure-smshub-sign-in"), (session, "__Secure-smshub-console")):
            (line,) = [each for each in response.headers.get_list("set-cookie") if each.startswith(f"{name}=ey")]
            assert {"HttpOnly", "Secure", "SameSite=lax", "Path=/console"} <= set(line.split("; "))
        assert f"{name}=ey" not in pending.text + session.text
        assert "__Secure-smshub-sign-in" not in browser.client.cookies

    async def test_the_provider_is_asked_with_pkce_and_with_what_is_new_each_time(self, hub: Hub) -> None:
        async with a_stranger(hub) as browser:
            first, second = await begin(browser), await begin(browser)

        assert parameter(first, "code_challenge_method") == "S256"
        assert parameter(first, "redirect_uri") == f"{PUBLIC_URL}{CALLBACK}"
        for name in ("state", "nonce", "code_challenge"):
            assert len(parameter(first, name)) == 43
            assert parameter(first, name) != parameter(second, name)

    async def test_whoever_wanted_a_page_comes_to_it(
        self, hub: Hub, provider: IdentityProvider, housing: Office
    ) -> None:
        async with a_stranger(hub) as browser:
            asked = await browser.get("messages", status="failed")
            page = await browser.client.get(asked.headers["location"])
            found = re.search(r'href="([^"]*sign-in/begin[^"]*)"', page.text)
            assert found is not None
            sent = await browser.client.get(found[1])
            back = await come_back(browser, await provider.answer(sent.headers["location"], ADA))
            shown = await browser.client.get(back.headers["location"])

        assert back.headers["location"] == "/console/messages?status=failed"
        assert shown.headers["location"] == f"/console/programs/{housing.id}/messages?status=failed"

    @pytest.mark.parametrize("following", ELSEWHERE)
    async def test_nobody_is_led_elsewhere(self, hub: Hub, provider: IdentityProvider, following: str) -> None:
        async with a_stranger(hub) as browser:
            back = await sign_in(browser, provider, ADA, next=following)

        assert back.headers["location"] == "/console/"

    async def test_below_a_path_all_of_it_stays_there(self, shared_database_url: str) -> None:
        url = f"{PUBLIC_URL}/cwis463"
        with an_identity_provider(hub_url=url) as other:
            async with a_hub(shared_database_url, public_url=url, **other.settings) as hub, a_stranger(hub) as browser:
                begun = await browser.get("sign-in/begin", next="messages")
                back = await browser.client.get(await other.answer(begun.headers["location"], NORA))

        assert back.headers["location"] == "/cwis463/console/messages"
        for each in (*begun.headers.get_list("set-cookie"), *back.headers.get_list("set-cookie")):
            assert "Path=/cwis463/console" in each

    @pytest.mark.parametrize("auth_method", ["client_secret_basic", "client_secret_post"])
    async def test_groups_may_stand_in_the_id_token_and_the_secret_may_be_posted(
        self, shared_database_url: str, auth_method: str
    ) -> None:
        with an_identity_provider(claims_in_id_token=True, auth_method=auth_method) as other:
            async with a_hub(shared_database_url, **other.settings) as hub:
                office = await hub.an_office()
                role = await give(hub, "library-senders", Role.SENDER, office.id)
                async with a_person(hub, other, BEN) as browser:
                    first = await browser.get("")
                await hub.container.operate_staff_roles().remove(role.id)

        assert first.headers["location"] == f"/console/programs/{office.id}/overview"

    async def test_a_group_alone_is_a_list_of_one_and_an_address_that_nobody_showed_to_be_theirs_is_no_name(
        self, hub: Hub, provider: IdentityProvider, housing: Office
    ) -> None:
        async with a_person(hub, provider, EVE) as browser:
            page = await browser.get(f"programs/{housing.id}/overview")

        assert page.status_code == 200
        assert f'<span class="who">{EVE}</span>' in page.text

    async def test_whoever_has_no_role_is_told_their_groups_and_whom_to_ask(
        self, hub: Hub, provider: IdentityProvider, housing: Office
    ) -> None:
        async with a_person(hub, provider, NORA) as browser:
            page = await browser.get("")
            others = await browser.get(f"programs/{housing.id}/overview")
            key = re.search(r'name="FormKey" value="(\w+)"', page.text)
            assert key is not None
            out = await browser.post("sign-out", {}, form_key=key[1])

        assert page.status_code == 403
        assert "<code>gardeners</code>" in page.text
        assert "&lt;script&gt;alert(1)" in page.text
        assert "mailto:sms@campus.example" in page.text
        assert others.status_code == 404
        assert out.status_code == 200

    async def test_who_signs_out_is_led_on_to_the_provider(
        self, hub: Hub, provider: IdentityProvider, housing: Office
    ) -> None:
        async with a_person(hub, provider, ADA) as browser:
            page = await browser.get(f"programs/{housing.id}/overview")
            key = re.search(r'name="FormKey" value="(\w+)"', page.text)
            assert key is not None
            refused = await browser.post("sign-out", {}, form_key="0" * 64)
            out = await browser.post("sign-out", {}, form_key=key[1])
            again = await browser.get("")
        found = re.search(r'<a href="([^"]+)">Sign out of Campus login', out.text)
        assert found is not None
        async with httpx.AsyncClient() as client:
            theirs = await client.get(found[1].replace("&amp;", "&"))

        assert refused.status_code == 403
        assert again.headers["location"] == "/console/sign-in"
        assert theirs.status_code == 200, theirs.text

    async def test_a_session_comes_to_its_end(self, shared_database_url: str, provider: IdentityProvider) -> None:
        settings = {**provider.settings, "oidc_session_lifetime": "PT2S"}
        async with a_hub(shared_database_url, **settings) as hub, a_stranger(hub) as browser:
            back = await sign_in(browser, provider, NORA)
            async with asyncio.timeout(60):
                # Asked with the cookie itself: a browser has dropped it by then.
                while (await kept(hub, back)).status_code == 403:  # noqa: ASYNC110 - the hub is asked each time
                    await asyncio.sleep(0.2)
            page = await kept(hub, back)

        assert page.headers["location"] == "/console/sign-in"


async def kept(hub: Hub, signed_in: httpx.Response) -> httpx.Response:
    """The first page, for somebody who has kept the session's cookie."""
    async with hub.client_at("127.0.0.1") as client:
        return await client.get(
            "/console/", headers={"Cookie": "; ".join(f"{name}={each}" for name, each in cookies_of(signed_in).items())}
        )


class TestWhatIsRefused:
    async def test_an_answer_that_this_browser_did_not_ask_for(self, hub: Hub, provider: IdentityProvider) -> None:
        async with a_stranger(hub) as attacker, a_stranger(hub) as victim:
            theirs = await provider.answer(await begin(attacker), NORA)
            without = await come_back(victim, theirs)
            assert_refused(without, victim)
            await begin(victim)
            with_another = await come_back(victim, theirs)
            assert_refused(with_another, victim)

    async def test_an_answer_for_the_second_time(self, hub: Hub, provider: IdentityProvider) -> None:
        async with a_stranger(hub) as browser:
            pending = (await browser.get("sign-in/begin")).headers
            answer = await provider.answer(pending["location"], ADA)
            first = await come_back(browser, answer)
            browser.client.cookies.clear()
            without = await come_back(browser, answer)
            kept_cookie = pending["set-cookie"].partition(";")[0]
            again = await browser.client.get(answer, headers={"Cookie": kept_cookie})

        assert first.status_code == 303
        assert without.status_code == again.status_code == 403
        assert cookies_of(again) == {}

    @pytest.mark.parametrize(
        "changes",
        [
            {"state": "another"},
            {"state": None},
            {"code": "made-up"},
            {"code": None},
            {"iss": "https://evil.example"},
            {"iss": None},
        ],
        ids=str,
    )
    async def test_an_answer_that_was_changed(
        self, hub: Hub, provider: IdentityProvider, changes: dict[str, str | None]
    ) -> None:
        async with a_stranger(hub) as browser:
            answer = await provider.answer(await begin(browser), ADA)
            assert_refused(await come_back(browser, altered(answer, **changes)), browser)

    @pytest.mark.parametrize("name", ["nonce", "code_challenge"])
    async def test_an_answer_to_another_question(self, hub: Hub, provider: IdentityProvider, name: str) -> None:
        async with a_stranger(hub) as browser:
            asked, other = await begin(browser), await begin(browser)
            mixed = altered(other, **{name: parameter(asked, name)})
            assert_refused(await come_back(browser, await provider.answer(mixed, ADA)), browser)

    async def test_a_code_for_another_client(self, hub: Hub, provider: IdentityProvider) -> None:
        async with a_stranger(hub) as browser:
            theirs = altered(await begin(browser), client_id=OTHER_CLIENT)
            assert_refused(await come_back(browser, await provider.answer(theirs, ADA)), browser)

    async def test_an_answer_of_another_provider(self, hub: Hub, provider: IdentityProvider) -> None:
        with an_identity_provider(hub_url=PUBLIC_URL) as other:
            async with a_stranger(hub) as browser:
                asked = (await begin(browser)).replace(provider.issuer, other.issuer)
                answer = await other.answer(asked, OLGA)
                assert_refused(await come_back(browser, answer), browser)
                await begin(browser)
            async with a_stranger(hub) as browser:
                asked = (await begin(browser)).replace(provider.issuer, other.issuer)
                answer = altered(await other.answer(asked, OLGA), iss=provider.issuer)
                assert_refused(await come_back(browser, answer), browser)

    async def test_somebody_who_refuses_is_told_nothing_that_the_address_says(
        self, hub: Hub, provider: IdentityProvider
    ) -> None:
        async with a_stranger(hub) as browser:
            answer = await provider.answer(await begin(browser), ADA, refuse=True)
            response = await come_back(browser, answer)
            assert_refused(response, browser)

        assert "error=access_denied" in answer
        assert "refused</script>" not in response.text

    async def test_what_is_kept_for_one_thing_is_good_for_no_other(
        self, hub: Hub, provider: IdentityProvider, housing: Office
    ) -> None:
        async with a_stranger(hub) as browser:
            started = await browser.get("sign-in/begin")
            session = await come_back(browser, await provider.answer(started.headers["location"], ADA))
            (pending,), (person,) = cookies_of(started).values(), cookies_of(session).values()
        by_person = [
            await hub.client.get(f"/api/{path}", headers={"Authorization": f"Bearer {person}"})
            for path in ("TextMessages", "Programs", "OptOuts")
        ]
        async with hub.client_at("127.0.0.1") as client:
            as_session = await client.get("/console/", headers={"Cookie": f"__Secure-smshub-console={pending}"})
        async with a_stranger(hub) as browser:
            answer = await provider.answer(await begin(browser), ADA)
            browser.client.cookies.clear()
            as_pending = [
                await browser.client.get(answer, headers={"Cookie": f"__Secure-smshub-sign-in={token}"})
                for token in (person, housing.token)
            ]

        assert [each.status_code for each in by_person] == [401, 401, 401]
        assert as_session.headers["location"] == "/console/sign-in"
        assert [each.status_code for each in as_pending] == [403, 403]

    async def test_a_session_of_a_provider_that_the_hub_has_no_longer(
        self, shared_database_url: str, hub: Hub, provider: IdentityProvider
    ) -> None:
        async with a_stranger(hub) as browser:
            back = await sign_in(browser, provider, NORA)
        settings = {**provider.settings, "oidc_issuer": "https://another.example"}
        async with a_hub(shared_database_url, **settings) as other, a_hub(shared_database_url) as none:
            pages = [await kept(each, back) for each in (other, none)]

        assert (await kept(hub, back)).status_code == 403
        assert [each.headers["location"] for each in pages] == ["/console/sign-in"] * 2


class TestTheProviderAway:
    async def test_people_are_told_and_all_else_goes_on(self, shared_database_url: str) -> None:
        with an_identity_provider(hub_url=PUBLIC_URL) as other:
            async with a_hub(shared_database_url, **other.settings) as hub:
                async with a_stranger(hub) as browser, a_stranger(hub) as late:
                    back = await sign_in(browser, other, NORA)
                    answer = await other.answer(await begin(late), NORA)
                    other.stop()
                    too_late = await come_back(late, answer)
                    office = await hub.an_office()
                    sent = await hub.post(office, "/api/TextMessages", {"Message": "Hi", "PhoneNumber": NUMBER})
                    still = await kept(hub, back)
                other.start()
                async with a_stranger(hub) as browser:
                    again = await sign_in(browser, other, NORA)

        assert too_late.status_code == 503
        assert int(too_late.headers["retry-after"]) > 0
        assert "at the moment" in too_late.text
        assert sent.status_code == 200
        assert still.status_code == 403
        assert again.status_code == 303

    async def test_a_hub_starts_without_it(self, shared_database_url: str) -> None:
        away = IdentityProvider()
        async with a_hub(shared_database_url, **away.settings) as hub, a_stranger(hub) as browser:
            page = await browser.get("sign-in")
            begun = await browser.get("sign-in/begin", next="messages")
            by_key = await browser.sign_in(await hub.create_program())

        assert page.status_code == 200
        assert begun.status_code == 503
        assert "Sign in with Campus login" in begun.text
        assert "sign-in/begin?next=messages" in begun.text
        assert by_key.status_code == 303

    async def test_new_keys_of_the_providers_are_found(self, hub: Hub, provider: IdentityProvider) -> None:
        provider.stop()
        provider.keys = ("second",)
        provider.start()
        async with a_stranger(hub) as browser:
            assert (await sign_in(browser, provider, NORA)).status_code == 303


class TestWhatPersonsMayDo:
    async def test_a_sender_sends_and_is_named_in_the_log(
        self, hub: Hub, provider: IdentityProvider, housing: Office
    ) -> None:
        at = f"programs/{housing.id}"
        async with a_person(hub, provider, ADA) as browser:
            form = await browser.get(f"{at}/send")
            key = re.search(r'name="FormKey" value="(\w+)"', form.text)
            assert key is not None
            fields = {"do": "send", "Message": "Your key is ready.", "Recipients": NUMBER, "Key": "0" * 32}
            sent = await browser.post(f"{at}/send", fields, form_key=key[1])
            foreign = await browser.post(f"{at}/send", fields, form_key=key[1], origin="https://evil.example")
            message = await browser.client.get(sent.headers["location"])
            log = await browser.get(f"{at}/messages")
            csv = await browser.get(f"{at}/messages.csv")
            recorded = await browser.post(f"{at}/opt-outs", {"Number": NUMBER, "do": "opt-out"}, form_key=key[1])
        history = await hub.get(housing, "/api/ConsentEvents", PhoneNumber=NUMBER)
        own = await hub.get(housing, "/api/TextMessages")

        assert sent.headers["location"].startswith(f"/console/{at}/messages/")
        assert foreign.status_code == 403
        assert "<dt>Sent by</dt><dd>ada (1001)</dd>" in message.text
        assert "by ada (1001)" in log.text
        assert csv.text.splitlines()[1].endswith(",,,ada (1001)")
        assert [each["SentBy"] for each in own.json()["Items"]] == ["ada (1001)"]
        assert recorded.status_code == 200
        assert "ada (1001)" in history.text, history.text

    async def test_a_reader_reads_and_no_more(self, hub: Hub, provider: IdentityProvider, housing: Office) -> None:
        at = f"programs/{housing.id}"
        async with a_person(hub, provider, BEN) as browser:
            pages = {path: await browser.get(f"{at}/{path}") for path in ("overview", "messages", "opt-outs", "send")}
            operators = [await browser.get(path) for path in ("programs", "senders", "audit", "staff", f"{at}/program")]
            posted = await browser.post(f"{at}/opt-outs", {"Number": NUMBER}, form_key="0")
            others = await browser.get(f"programs/{(await hub.an_office()).id}/messages")

        assert {path: page.status_code for path, page in pages.items()} == {
            "overview": 200,
            "messages": 200,
            "opt-outs": 200,
            "send": 403,
        }
        assert "Opt somebody out" not in pages["opt-outs"].text
        assert [each.status_code for each in operators] == [403] * 5
        assert posted.status_code == 403
        assert others.status_code == 404

    async def test_whoever_has_two_programs_has_each_in_a_tab_of_its_own(
        self, hub: Hub, provider: IdentityProvider, housing: Office
    ) -> None:
        library = await hub.an_office()
        role = await give(hub, "library-senders", Role.SENDER, library.id)
        async with a_person(hub, provider, BEN) as browser:
            choice = await browser.get("")
            without = await browser.get("messages")
            tabs = [await browser.get(f"programs/{each.id}/send") for each in (library, housing)]
            read = [await browser.get(f"programs/{each.id}/messages") for each in (library, housing)]
        await hub.container.operate_staff_roles().remove(role.id)

        assert choice.status_code == 200
        for each in (library, housing):
            assert f"/console/programs/{each.id}/overview" in choice.text
        assert without.headers["location"] == "/console/"
        assert [each.status_code for each in tabs] == [200, 403]
        assert [each.status_code for each in read] == [200, 200]
        assert "/console/choose" in read[0].text

    async def test_a_suspended_program_is_shut_and_a_deleted_one_is_gone(
        self, hub: Hub, provider: IdentityProvider
    ) -> None:
        office = await hub.an_office()
        role = await give(hub, "housing-senders", Role.SENDER, office.id)
        async with a_person(hub, provider, ADA) as browser, an_operator_in_person(hub, provider) as operator:
            await hub.container.pause().suspend(office.id, suspended=True)
            shut = await browser.get(f"programs/{office.id}/messages")
            first = await browser.get("")
            seen = [await operator.get(f"programs/{office.id}/{path}") for path in ("program", "messages", "send")]
            await hub.container.delete_program()(office.id)
            gone = [await each.get(f"programs/{office.id}/messages") for each in (browser, operator)]
            none = await browser.get("")

        assert shut.status_code == 403
        assert "The program is suspended" in shut.text
        assert "Suspended" in first.text
        assert [each.status_code for each in seen] == [200, 200, 403]
        assert [each.status_code for each in gone] == [404, 404]
        assert none.status_code == 403
        assert role not in await hub.container.operate_staff_roles().all()

    async def test_a_role_that_another_process_takes_away_ends_within_five_seconds(
        self, shared_database_url: str, hub: Hub, provider: IdentityProvider
    ) -> None:
        office = await hub.an_office()
        role = await give(hub, "housing-senders", Role.SENDER, office.id)
        async with a_person(hub, provider, ADA) as browser, a_hub(shared_database_url) as other:
            assert (await browser.get(f"programs/{office.id}/messages")).status_code == 200
            await other.container.operate_staff_roles().remove(role.id)
            removed_s = asked_s = time.monotonic()
            while (shut := await browser.get(f"programs/{office.id}/messages")).status_code == 200:
                assert asked_s < removed_s + WITHIN_S
                await asyncio.sleep(0.1)
                asked_s = time.monotonic()

        assert shut.status_code == 404

    async def test_an_operator_runs_the_hub_and_is_named_in_the_record(
        self, hub: Hub, provider: IdentityProvider, housing: Office
    ) -> None:
        async with an_operator_in_person(hub, provider) as browser:
            first = await browser.get("")
            pages = [await browser.get(path) for path in ("programs", "senders", "audit", "staff")]
            of_program = [
                await browser.get(f"programs/{housing.id}/{path}") for path in ("program", "overview", "messages")
            ]
            key = re.search(r'name="FormKey" value="(\w+)"', pages[3].text)
            assert key is not None
            role = {"Group": "gardeners", "Role": "reader", "Program": housing.id}
            given = await browser.post("staff", role, form_key=key[1])
            wrong = await browser.post("staff", {**role, "Role": "operator"}, form_key=key[1])
            listed = await browser.get("staff")
            found = re.search(r'staff/(\d+)/remove"[^§]*?reader of gardeners', listed.text.split("gardeners", 1)[1])
            assert found is not None
            removed = await browser.post(f"staff/{found[1]}/remove", {}, form_key=key[1])
            audit = await browser.get("audit", program=housing.id)

        assert first.headers["location"] == "/console/programs"
        assert [each.status_code for each in [*pages, *of_program]] == [200] * 7
        assert "seen by an operator" in of_program[1].text
        assert (given.status_code, wrong.status_code, removed.status_code) == (303, 422, 303)
        assert "an operator of none" in wrong.text
        assert "olga (1003)" in audit.text
        assert "console-oidc" in audit.text
        assert "staff-role.removed" in audit.text

    async def test_an_operator_has_every_page_of_operators(
        self, hub: Hub, provider: IdentityProvider, housing: Office
    ) -> None:
        asked = [each.replace("nobody", housing.id) for each in paths(hub, "GET")]
        async with an_operator_in_person(hub, provider) as browser:
            statuses = {path: (await browser.get(path)).status_code for path in asked}
            nowhere = await browser.get("nowhere")

        assert {path for path, status in statuses.items() if status >= 500} == set()
        for path in ("programs", "new-program", "senders", "audit", "staff"):
            assert statuses[path] == 200
        for path in ("program", "terms", "overview", "messages", "inbound", "opt-outs", "templates", "webhooks"):
            assert statuses[f"programs/{housing.id}/{path}"] == 200
        for path in ("send", "new-template", "keys"):
            assert statuses[f"programs/{housing.id}/{path}"] == 403
        assert nowhere.status_code == 404
        assert "Sign out" in nowhere.text

    async def test_an_operator_who_is_a_reader_besides_may_call_a_webhook_again(
        self, hub: Hub, provider: IdentityProvider, housing: Office
    ) -> None:
        webhook = await hub.post(housing, "/api/Webhooks", {"Url": "https://office.example/hook"})
        at = f"programs/{housing.id}/webhooks/{webhook.json()['Id']}"
        reader = await give(hub, "/sms/operators", Role.READER, housing.id)
        async with an_operator_in_person(hub, provider) as operator, a_person(hub, provider, BEN) as reading:
            pages = [await each.get(at) for each in (operator, reading)]
            again, refused = [await each.post(f"{at}/replay", {}) for each in (operator, reading)]
        await hub.container.operate_staff_roles().remove(reader.id)

        assert ["Call again" in each.text for each in pages] == [True, False]
        assert again.status_code == 200
        assert refused.status_code == 403

    async def test_an_operator_makes_a_program_and_sees_its_key_once(
        self, hub: Hub, provider: IdentityProvider
    ) -> None:
        async with an_operator_in_person(hub, provider) as browser:
            status, page = await made_program(browser, Name="Parks", Sender="Parks")
            audit = await browser.get("audit")

        assert status == 200
        assert "seen by an operator" in page
        assert re.search(r"smshub_\w+", page)
        assert re.search(r"program\.created", audit.text)
        assert "olga (1003)" in audit.text

    async def test_operators_with_keys_have_the_page_too_and_others_do_not(self, hub: Hub) -> None:
        async with a_stranger(hub) as operator, a_stranger(hub) as office:
            await operator.sign_in(await an_operator(hub))
            await office.sign_in(await hub.create_program())
            pages = [await each.get("staff") for each in (operator, office)]
            choice = await office.get("choose")

        assert [each.status_code for each in pages] == [200, 403]
        assert choice.headers["location"] == "/console/"
