"""What is answered with 200 is the hub's, once, whoever asks how often and whatever becomes of its processes."""

import asyncio
import itertools
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path
from signal import SIGTERM

import httpx
import pytest

from tests.conftest import PostgresServer, migrate
from tests.e2e.running import Caller, HubProcess, Site, e164, eventually
from tests.patience import PATIENCE_S

TOGETHER = 64
CALLERS = 6

# The sandbox takes texts to it, and is never heard of them again.
NEVER_SETTLED = "+15005550023"


@pytest.fixture
def cluster(postgres_url: str, tmp_path: Path) -> Iterator[Site]:
    with Site(postgres_url, tmp_path) as site:
        yield site


@pytest.fixture
def site(database_url: str, tmp_path: Path) -> Iterator[Site]:
    with Site(database_url, tmp_path) as site:
        yield site


def a_text(text: str = "Hello", *, count: int = 1) -> Mapping[str, object]:
    return {"Message": text, "PhoneNumber": ",".join(e164(count))}


def keyed(key: str) -> Mapping[str, str]:
    return {"Idempotency-Key": key}


def post_at_once(
    caller: Caller, processes: Sequence[HubProcess], requests: Mapping[str, Sequence[Mapping[str, object]]]
) -> Mapping[str, Sequence[httpx.Response]]:
    """Posts each key's texts all at the same time, to the processes in turn; one key after the other."""

    async def post_each() -> Mapping[str, Sequence[httpx.Response]]:
        headers = {"Authorization": f"Bearer {caller.token}"}
        async with httpx.AsyncClient(headers=headers, verify=False, timeout=PATIENCE_S, trust_env=False) as client:
            return {
                key: await asyncio.gather(
                    *(
                        client.post(f"{process.url}/api/TextMessages", json=text, headers=keyed(key))
                        for process, text in zip(itertools.cycle(processes), texts, strict=False)
                    )
                )
                for key, texts in requests.items()
            }

    return asyncio.run(post_each())


def assert_one_accepted(answers: Sequence[httpx.Response]) -> httpx.Response:
    """All that are not told to ask again have the same answer: which is that."""
    accepted = [answer for answer in answers if answer.status_code == 200]
    others = [answer.json()["type"] for answer in answers if answer.status_code != 200]
    assert set(others) <= {"idempotency-key-in-use"}, Counter(others)
    assert accepted
    assert len({answer.content for answer in accepted}) == 1
    assert [answer.headers.get("Idempotency-Replayed") for answer in accepted].count(None) <= 1
    return accepted[0]


@pytest.mark.parametrize(("keys", "count"), [(10, 1), (3, 200)])
def test_equal_requests_with_one_key_are_one_message_at_whichever_process_they_arrive(
    cluster: Site, keys: int, count: int
) -> None:
    apis = [cluster.api(), cluster.api()]
    caller = cluster.caller(apis[0].until_ready(), cluster.program())
    apis[1].until_ready()
    texts = {f"key-{index}": a_text(f"Text {index}", count=count) for index in range(keys)}

    answers = post_at_once(caller, apis, {key: [text] * TOGETHER for key, text in texts.items()})

    accepted = {key: assert_one_accepted(answers[key]) for key in texts}
    log = caller.everything(page=5)
    assert {each["Id"] for each in log} == {answer.json()["Id"] for answer in accepted.values()}
    assert len(log) == keys
    assert [each["Counts"] for each in log] == [{"queued": count}] * keys
    for key, text in texts.items():
        again = caller.post("/api/TextMessages", text, headers=keyed(key))
        assert (again.status_code, again.content) == (200, accepted[key].content)
        other = caller.post("/api/TextMessages", {**text, "Message": "Another"}, headers=keyed(key))
        assert (other.status_code, other.json()["type"]) == (422, "idempotency-key-reused")
    assert len(caller.everything()) == keys


def test_of_different_requests_that_race_with_one_key_one_is_accepted_and_the_others_are_refused(cluster: Site) -> None:
    apis = [cluster.api(), cluster.api()]
    caller = cluster.caller(apis[0].until_ready(), cluster.program())
    apis[1].until_ready()
    keys = [f"key-{index}" for index in range(10)]
    contestants = [a_text(f"Text {index // 4}") for index in range(TOGETHER)]

    answers = post_at_once(caller, apis, dict.fromkeys(keys, contestants))

    for key in keys:
        accepted = assert_one_accepted(
            [
                each
                for each in answers[key]
                if each.status_code != 422 or each.json()["type"] != "idempotency-key-reused"
            ]
        )
        won = accepted.json()["Message"]
        equal = {
            each.status_code for each, text in zip(answers[key], contestants, strict=True) if text["Message"] == won
        }
        assert equal <= {200, 409}
    assert len(caller.everything()) == len(keys)


class Load:
    """So many callers at once, who post one text after the other, each under its own key, which is its text as well.

    A caller who gets no answer asks the next process with the same key; what none has answered is `pending`.
    """

    def __init__(self, token: str, urls: Sequence[str]) -> None:
        self.answers: dict[str, list[httpx.Response]] = defaultdict(list)
        self.pending: set[str] = set()
        self.repeated: set[str] = set()
        self._headers = {"Authorization": f"Bearer {token}"}
        self._urls = urls
        self._stopping = threading.Event()

    @contextmanager
    def under_way(self) -> Iterator[None]:
        with ThreadPoolExecutor(CALLERS) as pool:
            callers = [pool.submit(self._post_one_after_the_other, caller) for caller in range(CALLERS)]
            try:
                yield
            finally:
                self._stopping.set()
        for caller in callers:
            caller.result()

    def until_answered(self, more: int) -> None:
        wanted = len(self.answers) + more
        eventually(lambda: len(self.answers) >= wanted, what=f"{wanted} answers")

    def repeat(self, keys: Sequence[str]) -> None:
        """Once more, to any of the processes: by now all of them answer."""
        with self._client() as client:
            for key, url in zip(keys, itertools.cycle(self._urls), strict=False):
                answer = self._answer(client, url, key)
                assert answer is not None, key
                self.answers[key].append(answer)
                self.pending.discard(key)

    def _post_one_after_the_other(self, caller: int) -> None:
        with self._client() as client:
            for turn in itertools.count(caller):
                # Pauses, since a process that starts needs its share of the machine.
                if self._stopping.wait(0.005):
                    return
                self._post(client, f"caller-{caller}-text-{turn}", first=turn)

    def _post(self, client: httpx.Client, key: str, *, first: int) -> None:
        self.pending.add(key)
        for again in range(len(self._urls)):
            if again:
                self.repeated.add(key)
            answer = self._answer(client, self._urls[(first + again) % len(self._urls)], key)
            if answer is not None:
                self.answers[key].append(answer)
                self.pending.discard(key)
                return
        # Nobody is there, and will not be for a while.
        time.sleep(0.2)

    def _answer(self, client: httpx.Client, url: str, key: str) -> httpx.Response | None:
        try:
            answer = client.post(f"{url}/api/TextMessages", json=a_text(key), headers=keyed(key))
        except httpx.TransportError:
            return None
        if answer.status_code in {409, 503}:
            return None
        assert answer.status_code == 200, answer.text
        return answer

    def _client(self) -> httpx.Client:
        return httpx.Client(headers=self._headers, verify=False, timeout=PATIENCE_S, trust_env=False)


def assert_in_the_log_once(caller: Caller, load: Load) -> None:
    log = caller.everything(page=200)
    keys = Counter(each["Message"] for each in log)
    assert not [key for key, count in keys.items() if count > 1]
    assert set(keys) <= set(load.answers) | load.pending
    ids = {each["Message"]: each["Id"] for each in log}
    for key, answers in load.answers.items():
        assert {answer.json()["Id"] for answer in answers} == {ids.get(key)}, key
        assert len({answer.content for answer in answers}) == 1


def kill_again_and_again(site: Site, command: str, running: Sequence[HubProcess], load: Load) -> None:
    """Kills the processes in turn, in the middle of what they are asked, and starts each again at its address."""
    processes = list(running)
    with load.under_way():
        for turn, answered in enumerate([40, 95, 33]):
            load.until_answered(answered)
            place = turn % len(processes)
            killed = processes[place]
            killed.kill()
            again = site.start(command, port=killed.port, internal_port=killed.internal_port)
            processes[place] = again.until_ready()
        load.until_answered(20)


def test_what_was_answered_survives_a_kill_and_another_process_may_be_asked_for_what_was_not(cluster: Site) -> None:
    apis = [cluster.api(), cluster.api()]
    caller = cluster.caller(apis[0].until_ready(), cluster.program())
    load = Load(caller.token, [api.url for api in apis])
    apis[1].until_ready()
    kill_again_and_again(cluster, "api", apis, load)

    assert_in_the_log_once(caller, load)
    assert load.repeated
    load.repeat([*load.pending, *sorted(load.answers)[::10]])
    assert_in_the_log_once(caller, load)


def test_what_was_answered_survives_a_kill_on_sqlite_and_what_was_not_may_be_repeated(
    sqlite_url: str, tmp_path: Path
) -> None:
    with Site(sqlite_url, tmp_path) as site:
        hub = site.serve().until_ready()
        caller = site.caller(hub, site.program())
        load = Load(caller.token, [hub.url])
        kill_again_and_again(site, "serve", [hub], load)

        assert_in_the_log_once(caller, load)
        assert load.pending
        load.repeat([*load.pending, *sorted(load.answers)[::10]])
        assert_in_the_log_once(caller, load)


def test_a_caller_who_prefers_to_wait_is_answered_with_the_outcome_as_soon_as_there_is_one(site: Site) -> None:
    caller = site.caller(site.serve().until_ready(), site.program())
    answer = caller.post("/api/TextMessages", a_text(), headers={"Prefer": "wait=30"})
    assert answer.status_code == 200, answer.text
    assert (answer.json()["Status"], answer.json()["Counts"]) == ("delivered", {"delivered": 1})
    assert answer.headers["Preference-Applied"] == "wait=30"
    assert answer.elapsed.total_seconds() < 30


def test_a_wait_that_a_stop_interrupts_is_answered_with_how_things_stand(site: Site) -> None:
    hub = site.serve().until_ready()
    credentials = site.program(rate="20")
    caller, waiting = site.caller(hub, credentials), site.caller(hub, credentials)
    with ThreadPoolExecutor(1) as pool:
        text = {"Message": "Hello", "PhoneNumber": NEVER_SETTLED}
        answering = pool.submit(waiting.post, "/api/TextMessages", text, headers={"Prefer": "wait=30"})
        eventually(lambda: [each["Status"] for each in caller.everything()] == ["sent"])
        hub.send_signal(SIGTERM)
        answer = answering.result()
    assert answer.elapsed.total_seconds() < 30
    assert answer.status_code == 200, answer.text
    assert answer.json()["Status"] == "sent"
    assert hub.ended() == 0
    assert hub.errors == ""


def test_a_wait_that_loses_the_database_does_not_tell_that_nothing_was_accepted(tmp_path: Path) -> None:
    """The text is stored: who were told to try again would send it twice."""
    with closing(PostgresServer()) as server, server.database() as url, Site(url, tmp_path) as site:
        migrate(url)
        hub = site.serve().until_ready()
        credentials = site.program()
        caller, waiting = site.caller(hub, credentials), site.caller(hub, credentials)
        with ThreadPoolExecutor(1) as pool:
            text = {"Message": "Hello", "PhoneNumber": NEVER_SETTLED}
            answering = pool.submit(waiting.post, "/api/TextMessages", text, headers={"Prefer": "wait=5"})
            eventually(lambda: [each["Status"] for each in caller.everything()] == ["sent"])
            server.stop()
            answer = answering.result()
        server.start()
        assert answer.status_code == 200, answer.text
        assert len(caller.everything()) == 1
