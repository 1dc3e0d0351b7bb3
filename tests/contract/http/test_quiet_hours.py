"""A program's texting hours, as its clients meet them."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from domain.model.terms import Terms
from domain.model.texting_hours import TextingHours
from tests.http import a_hub

TEXTS = "/api/TextMessages"
IN_DENVER = "+19706904544"


def hours_to_come() -> TextingHours:
    """A quarter hour in Denver, five to six hours from now."""
    later = datetime.now(ZoneInfo("America/Denver")) + timedelta(hours=6)
    return TextingHours.parse(f"{later.hour:02}:00-{later.hour:02}:15")


async def test_a_text_waits_for_the_hours_and_says_so(database_url: str) -> None:
    async with a_hub(database_url) as hub:
        office = await hub.an_office()
        await hub.container.change_program()(office.id, lambda _: Terms(texting_hours=hours_to_come()))
        async with hub.dispatching():
            told = (await hub.post(office, TEXTS, {"Message": "Hello", "PhoneNumber": IN_DENVER})).json()
            summary = (await hub.get(office, f"{TEXTS}/{told['Id']}")).json()
            [waits] = (await hub.get(office, f"{TEXTS}/{told['Id']}/Deliveries")).json()["Items"]

            await hub.container.change_program()(office.id, lambda _: Terms())
            sent = await hub.outcome(office, told["Id"])

    sentence = "It is sent when your program's texting hours begin where the recipient is."
    assert (told["Status"], told["SendSuccessful"]) == ("scheduled", True)
    assert summary["SentResult"] == f"Scheduled. {sentence}"
    completed = datetime.fromisoformat(told["EstimatedCompletionAt"]).astimezone(ZoneInfo("America/Denver"))
    assert completed.minute < 15
    assert timedelta(hours=4) < completed - datetime.now(completed.tzinfo) < timedelta(hours=7)
    assert (waits["Status"], waits["Reason"]) == ("scheduled", "quiet-hours")
    assert (sent["Status"], sent["SentResult"]) == ("delivered", "Delivered.")
