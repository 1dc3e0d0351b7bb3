"""Schemathesis makes requests out of the document, and holds a real hub's answers against it."""

import asyncio
import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from adapters.sql.database import Database
from domain.model.access import Scope
from domain.model.credentials import NO_CREDENTIALS, ProviderAccount
from domain.model.limit import Limit
from domain.model.pace import Pace
from domain.model.program_key import KeyHash, KeyTerms, ProgramKey
from entrypoints.http.contract import Contract
from tests.builders import Store, a_program
from tests.http import Credentials, RunningHub, a_running_hub

SCHEMATHESIS = Path(sys.executable).with_name("schemathesis")
CONFIGURATION = Path(__file__).with_name("schemathesis.toml")

CONTRACT = Contract.load()
OF_PROVIDERS = ("--include-tag", "Callbacks")
OF_PROGRAMS = ("--exclude-tag", "Callbacks")
# Where it is answered with 404, that is for the event: on a walk that would be taken for the webhook just made.
REPLAY = "replayWebhookEvents"
OF_OFFICES = (*OF_PROGRAMS, "--exclude-tag", "Operators", "--exclude-operation-id", REPLAY)
# Those whose links have to be followed.
WITH_LINKS = (*OF_OFFICES, "--exclude-tag", "Webhooks", "--exclude-tag", "Templates")
OF_OPERATORS = ("--include-tag", "Operators")
EVERY_PHASE = "examples,coverage,fuzzing,stateful"
# Of a program of its own, which the document does not name: it is not to shut itself out.
AN_OPERATOR = Credentials("service-desk", "service-desk", "an-operator-is-whoever-has-this-long-key")

# They need two things that belong together, which chance seldom has at hand: their own tests have them.
NEED_OTHERS = {"attachToLimit", "detachFromLimit", "removeSender", "setProviderCredentials"}
# What an operator is told names its own program: it would suspend that.
LEARNS_NOTHING = "".join(
    f"\n[phases.{phase}.extra-data-sources]\nresponses = false\n" for phase in ("examples", "coverage", "fuzzing")
)
# Enough for every link of the document to be followed, whatever chance has it.
WALKS = 300
# Where no link has to be followed: without a token all calls of a walk are answered with the same 401, and an operator
# comes upon the key that it has logged in with sooner or later, and revokes it.
FEW_WALKS = 30
# Where chance leads depends on the seed, and on what else there is in the code.
MORE_SEEDS = ("464", "465", "466", "467")


def test_the_document_is_kept_with_a_bearer_token(postgres_url: str, tmp_path: Path) -> None:
    with a_hub_to_try_out(postgres_url) as hub:
        token = hub.log_in(the_documents_program())

        assert_whole_walks(hub, tmp_path, "--header", f"Authorization: Bearer {token}")
        alone = ("--header", f"Authorization: Bearer {token}", "--include-operation-id", REPLAY, "--warnings", "off")
        tried_out(hub, tmp_path, *alone, phases="examples,coverage,fuzzing")
        assert statuses_of(hub)["logIn"] >= {200, 400, 401, 415}
        assert statuses_of(hub)["sendTextMessage"] >= {200, 400, 401, 403, 415, 422}
        assert statuses_of(hub)["previewTextMessage"] >= {200, 400, 401, 403, 415, 422}
        assert statuses_of(hub)["cancelTextMessage"] >= {200, 400, 401, 404}
        assert statuses_of(hub)["listDeliveries"] >= {200, 400, 401, 404, 422}
        assert statuses_of(hub)["importOptOuts"] >= {200, 400, 401, 415}
        assert statuses_of(hub)["exportTextMessages"] >= {200, 400, 401, 422}


def test_the_document_is_kept_with_the_token_alone_and_under_a_prefix(sqlite_url: str, tmp_path: Path) -> None:
    with a_hub_to_try_out(sqlite_url, prefix="/cwis463") as hub:
        token = hub.log_in(the_documents_program())

        # What single requests are answered with does not depend on how the token is written.
        assert_whole_walks(hub, tmp_path, "--header", f"Authorization: {token}", phases="examples,stateful")


def test_the_document_is_kept_without_a_token(sqlite_url: str, tmp_path: Path) -> None:
    with a_hub_to_try_out(sqlite_url) as hub:
        # It would warn that nearly everything is answered with 401, which is what this is about.
        options = ("--warnings", "off", *OF_PROGRAMS)
        tried_out(hub, tmp_path, *options, phases="examples,fuzzing,stateful", walks=FEW_WALKS)

        statuses = statuses_of(hub)
        guarded = {each.id for each in CONTRACT.operations.values() if not each.is_callback} - {"logIn"}
        assert {name: statuses[name] for name in guarded} == {name: {401} for name in guarded}
        assert statuses["logIn"] >= {200, 400, 401}


def test_the_document_is_kept_by_what_providers_call(sqlite_url: str, tmp_path: Path) -> None:
    with a_hub_to_try_out(sqlite_url) as hub:
        # Nothing is signed, so everything is refused.
        options = ("--warnings", "off", "--max-examples", "40", *OF_PROVIDERS)
        tried_out(hub, tmp_path, *options, phases="examples,coverage,fuzzing")

        statuses = statuses_of(hub)
        called = {each.id for each in CONTRACT.operations.values() if each.is_callback}
        assert statuses.keys() >= called
        to_come_again = {"receiveVonageStatus", "receiveVonageMessage"}
        for name in called:
            refused = 503 if name in to_come_again else 403
            assert refused in statuses[name] <= {400, refused, 415}


def test_the_document_is_kept_by_what_operators_call(postgres_url: str, tmp_path: Path) -> None:
    with a_hub_to_try_out(postgres_url) as hub:
        token = hub.log_in(AN_OPERATOR)

        # Whether all of them succeed at some time is looked at below.
        options = ("--header", f"Authorization: Bearer {token}", "--warnings", "off", *OF_OPERATORS)
        tried_out(hub, tmp_path, *options, walks=FEW_WALKS, more=LEARNS_NOTHING)

        statuses = statuses_of(hub)
        called = {each.id for each in CONTRACT.operations.values() if each.is_operators}
        assert {name for name in called if 200 not in statuses[name]} <= NEED_OTHERS


def the_documents_program() -> Credentials:
    example = CONTRACT.document["components"]["schemas"]["Credentials"]["example"]
    content = CONTRACT.operations["sendTextMessage"].definition["requestBody"]["content"]["application/json"]
    program_id = content["examples"]["firstHub"]["value"]["ProgramId"].lower()
    return Credentials(program_id, example["ProgramSID"], example["ProgramKey"])


def a_hub_to_try_out(database_url: str, *, prefix: str = "") -> Any:  # noqa: ANN401
    credentials = the_documents_program()

    async def add_program() -> None:
        database = Database(database_url)
        key_hash = KeyHash(ProgramKey(credentials.key).hash())
        await Store.on(database).programs.add(a_program(credentials.program_id, sid=credentials.sid, key_hash=key_hash))
        operator_hash = KeyHash(ProgramKey(AN_OPERATOR.key).hash())
        operator = a_program(AN_OPERATOR.program_id, sid=AN_OPERATOR.sid, key_hash=operator_hash)
        terms = KeyTerms(scopes=frozenset({Scope.OPERATOR}))
        await Store.on(database).programs.add(replace(operator, key_terms=terms))
        account = ProviderAccount(f"AC{'0123456789abcdef' * 2}", NO_CREDENTIALS)
        await Store.on(database).programs.add(a_program("library", provider="twilio", account=account))
        await Store.on(database).limits.put(Limit(name="campaign", pace=Pace.parse("1")))
        await database.close()

    asyncio.run(add_program())
    return a_running_hub(
        database_url,
        prefix=prefix,
        logins_per_minute=100_000,
        encryption_keys="tests:2m15kAzYUrCdetZjLmSmOBfL2bDs_RPmkqNJP7Mo8OM",
        # Nobody answers there.
        twilio_api_base_url="http://127.0.0.1:9",
        vonage_api_host="127.0.0.1:9",
        vonage_rest_host="127.0.0.1:9",
    )


def tried_out(
    hub: RunningHub, folder: Path, *arguments: str, phases: str = EVERY_PHASE, walks: int = WALKS, more: str = ""
) -> Path:
    """The report of a run with which Schemathesis is content. `more` is put behind its configuration."""
    report, configuration = folder / "report.ndjson", folder / "schemathesis.toml"
    tomorrow = (datetime.now(UTC) + timedelta(days=1)).isoformat(timespec="seconds")
    template = CONFIGURATION.read_text(encoding="utf-8")
    filled = template.replace("TOMORROW", tomorrow).replace("WALKS", str(walks))
    configuration.write_text(filled + more, encoding="utf-8")
    run = subprocess.run(
        [
            *(SCHEMATHESIS, "--config-file", configuration, "run", f"{hub.url}/openapi.json", "--no-color"),
            *("--checks", "all", "--phases", phases),
            *("--report", "ndjson", "--report-ndjson-path", report),
            *arguments,
        ],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert run.returncode == 0, f"\n{run.stdout}"
    assert "request_failed" not in hub.log()
    return report


def statuses_of(hub: RunningHub) -> Mapping[str, set[int]]:
    """What each operation was answered with, by the hub's own log."""
    statuses: dict[str, set[int]] = {}
    for line in hub.log().splitlines():
        entry = json.loads(line)
        if entry["event"] == "request_served":
            statuses.setdefault(entry["operation"], set()).add(entry["status"])
    return statuses


def assert_whole_walks(hub: RunningHub, folder: Path, *arguments: str, phases: str = EVERY_PHASE) -> None:
    """Whether calls that all succeeded have followed every link of the document, and several in a row."""
    walks, followed = walked(tried_out(hub, folder, *arguments, *OF_OFFICES, phases=phases))
    for seed in MORE_SEEDS:
        if documented_links() <= followed:
            break
        more = walked(tried_out(hub, folder, *arguments, *WITH_LINKS, "--seed", seed, phases="stateful"))
        walks, followed = walks | more[0], followed | more[1]
    assert documented_links() - followed == set()
    assert max(map(len, walks)) >= 3


def documented_links() -> set[str]:
    return {
        f"{operation.method.upper()} {operation.path} -> [{status}] {name} -> {target.method.upper()} {target.path}"
        for operation in CONTRACT.operations.values()
        # Chance seldom has a webhook or a template at hand, or more than a page: their own tests walk there
        # (pages: test_cancel_and_filters).
        if not operation.is_operators and "Webhooks" not in operation.path and "Templates" not in operation.path
        for status, response in operation.definition["responses"].items()
        for name, link in response.get("links", {}).items()
        if name != "next"
        for target in [CONTRACT.operations[link["operationId"]]]
    }


def walked(report: Path) -> tuple[set[tuple[str, ...]], set[str]]:
    """The walks, and the links that they followed."""
    walks: set[tuple[str, ...]] = set()
    followed: set[str] = set()
    for walk, links in walks_in(report):
        walks.add(walk)
        followed.update(links)
    return walks, followed


def walks_in(report: Path) -> Iterator[tuple[tuple[str, ...], list[str]]]:
    """The operations, and the links between them, of each chain of calls that were answered with 200."""
    for line in report.read_text(encoding="utf-8").splitlines():
        [(kind, event)] = json.loads(line).items()
        if kind == "ScenarioFinished" and event["phase"] == "stateful" and event.get("recorder"):
            recorder = event["recorder"]
            for case in recorder.get("cases", ()):
                chain = list(chain_to(case, recorder))
                if all(succeeded(each, recorder) for each in chain):
                    cases = [recorder["cases"][each] for each in reversed(chain)]
                    operations = tuple(f"{each['value']['method']} {each['value']['path']}" for each in cases)
                    yield operations, [each["transition"]["id"] for each in cases if each.get("transition")]


def chain_to(case: str | None, recorder: Mapping[str, Any]) -> Iterator[str]:
    while case is not None:
        yield case
        case = recorder["cases"][case].get("parent_id")


def succeeded(case: str, recorder: Mapping[str, Any]) -> bool:
    response = recorder["interactions"].get(case, {}).get("response")
    return response is not None and response["status_code"] == 200
