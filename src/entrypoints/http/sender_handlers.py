"""What operators call about senders and the accounts that own them."""

from dataclasses import dataclass

from starlette.responses import Response

from domain.errors import ProgramNotFound, naming
from domain.model.credentials import Credentials
from domain.model.sender import OptOutReplies
from domain.use_cases.add_sender import AddSender
from domain.use_cases.operate_accounts import OperateAccounts
from domain.use_cases.operate_senders import ChangeSender, Pause
from domain.use_cases.survey_senders import SurveySenders
from entrypoints.durations import read_duration
from entrypoints.http import sender_representations as shown
from entrypoints.http.answers import as_json, as_list
from entrypoints.http.call import Call
from entrypoints.http.operators import acting_for, credentials_of, pace_of, sender_of
from entrypoints.http.problems import RequestFault


@dataclass(frozen=True, kw_only=True)
class SenderHandlers:
    survey: SurveySenders
    add: AddSender
    change: ChangeSender
    pause: Pause
    accounts: OperateAccounts

    async def listSenders(self, _call: Call) -> Response:  # noqa: N802 - the contract's own name
        return as_list([shown.sender(each) for each in await self.survey()])

    async def getSender(self, call: Call) -> Response:  # noqa: N802
        return await self._answer(call.parameters["SenderId"])

    async def addSender(self, call: Call) -> Response:  # noqa: N802
        body = call.posted_by(call.grant)
        sender, pace = sender_of(body), pace_of(body)
        with acting_for(call):
            try:
                _, added = await self.add.attach(
                    body["ProgramId"],
                    provider=body["Provider"],
                    sender=sender,
                    pace=pace,
                    credentials=credentials_of(body),
                )
            except ProgramNotFound:
                detail = "There is no program with this id."
                fault = {"pointer": "#/ProgramId", "detail": detail}
                raise RequestFault(422, "unknown-program", "Unknown program", detail, [fault]) from None
        return await self._answer(added.id)

    async def changeSender(self, call: Call) -> Response:  # noqa: N802
        body = call.posted_by(call.grant)
        pace = pace_of(body)
        with acting_for(call), naming("Backlog"):
            sender = await self.change(
                call.parameters["SenderId"],
                pace=pace,
                backlog=read_duration(body["Backlog"]) if "Backlog" in body else None,
                opt_out_replies=OptOutReplies(body["OptOutReplies"]) if "OptOutReplies" in body else None,
            )
        return await self._answer(sender.id)

    async def pauseSender(self, call: Call) -> Response:  # noqa: N802
        return await self._paused(call, paused=True)

    async def resumeSender(self, call: Call) -> Response:  # noqa: N802
        return await self._paused(call, paused=False)

    async def listProviderAccounts(self, _call: Call) -> Response:  # noqa: N802
        return as_list([shown.account(each) for each in await self.accounts.all()])

    async def setProviderCredentials(self, call: Call) -> Response:  # noqa: N802
        credentials = Credentials(call.posted_by(call.grant)["Credentials"])
        with acting_for(call), naming("Credentials"):
            account = await self.accounts.set_credentials(call.parameters["AccountId"], credentials)
        return as_json(shown.account(account))

    async def checkProviderAccount(self, call: Call) -> Response:  # noqa: N802
        account, check = await self.accounts.check(call.parameters["AccountId"])
        return as_json(shown.credentials_check(account, check))

    async def _paused(self, call: Call, *, paused: bool) -> Response:
        with acting_for(call):
            sender = await self.pause.sender(call.parameters["SenderId"], paused=paused)
        return await self._answer(sender.id)

    async def _answer(self, sender_id: int) -> Response:
        return as_json(shown.sender(await self.survey.one(sender_id)))
