"""Tables in the documentation that repeat what the code says: they must say the same."""

import re
from pathlib import Path

from adapters.providers.sandbox.magic_numbers import MAGIC_NUMBERS, MAGIC_SENDERS
from domain.model.reasons import SENTENCES
from entrypoints.http import problems
from entrypoints.stand_ins import fates, twilio_numbers, vonage_numbers

DOCS = Path(__file__).parents[2] / "docs"


def table(name: str) -> list[list[str]]:
    rows = [line for line in (DOCS / name).read_text(encoding="utf-8").splitlines() if line.startswith("| `")]
    return [[cell.strip().strip("`") for cell in row.strip("|").split(" | ")] for row in rows]


def test_every_magic_number_and_sender_of_the_sandbox_is_documented_as_it_is() -> None:
    magic = [*MAGIC_NUMBERS.items(), *MAGIC_SENDERS.items()]
    assert table("sandbox.md") == [[number, fate.meaning] for number, fate in magic]


def test_every_magic_number_and_sender_of_the_stand_ins_is_documented_as_it_is() -> None:
    recipients = (twilio_numbers.RECIPIENTS, vonage_numbers.RECIPIENTS, vonage_numbers.SMS_RECIPIENTS)
    senders = (twilio_numbers.SENDERS, vonage_numbers.SENDERS, vonage_numbers.SMS_SENDERS)
    magic = [[number, does, *(_code(each[number]) for each in recipients)] for number, does in fates.RECIPIENTS.items()]
    magic += [[number, does, *(_code(each[number]) for each in senders)] for number, does in fates.SENDERS.items()]
    assert [row for row in table("stand-ins.md") if row[0].startswith("+")] == magic


def _code(fate: fates.Fate) -> str:
    """That of the refusal or of the last receipt; 0 is none."""
    refusal = fate.answers[0]
    code = refusal.code if refusal else fate.receipts[-1].code if fate.receipts else None
    return "" if code in {None, "0"} else str(code)


def test_every_reason_is_documented_with_its_sentence() -> None:
    assert [tuple(row[:2]) for row in table("providers.md")] == list(SENTENCES.items())


def test_every_problem_that_a_caller_can_meet_is_documented_with_its_status() -> None:
    documented = {slug: int(status) for slug, status, _ in table("problems.md")}
    known = {error.slug: status for error, (status, _) in problems._KNOWN.items()}
    known |= {slug: status for status, (slug, _, _) in problems._BY_STATUS.items()}
    source = "".join(file.read_text(encoding="utf-8") for file in Path(problems.__file__).parent.glob("*.py"))
    made_at_the_edge = re.findall(r'RequestFault\(\s*(\d{3}), "([a-z-]+)"', source)
    known |= {slug: int(status) for status, slug in made_at_the_edge}
    assert documented == known
