"""A short way along the document with Schemathesis, for every run; test_schemathesis.py goes all of it."""

from pathlib import Path

from tests.contract.http.test_schemathesis import (
    OF_OFFICES,
    a_hub_to_try_out,
    statuses_of,
    the_documents_program,
    tried_out,
)


def test_the_documents_examples_and_a_few_walks_are_answered_as_it_says(sqlite_url: str, tmp_path: Path) -> None:
    with a_hub_to_try_out(sqlite_url, prefix="/cwis463") as hub:
        token = hub.log_in(the_documents_program())

        # So few that some operations never succeed, of which it would warn.
        options = ("--header", f"Authorization: Bearer {token}", "--warnings", "off", *OF_OFFICES)
        tried_out(hub, tmp_path, *options, phases="examples,stateful", walks=5)

        assert statuses_of(hub)["sendTextMessage"] >= {200}
