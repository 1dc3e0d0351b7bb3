"""What providers call: a method for each of these operations of the contract, named by its operationId."""

from dataclasses import dataclass

from starlette.responses import Response

from domain.errors import CallbackRefused
from domain.model.callback import CallbackKind
from domain.ports.callback_reader import ProviderCall
from domain.use_cases.receive_callback import ReceiveCallback
from entrypoints.http.call import Call

# Twilio is to say nothing in return: what it does not understand it tells its customer of as a fault.
_SAY_NOTHING = '<?xml version="1.0" encoding="UTF-8"?><Response/>'


@dataclass(frozen=True, kw_only=True)
class CallbackHandlers:
    receive: ReceiveCallback

    async def receiveTwilioStatus(self, call: Call) -> Response:  # noqa: N802 - the contract's own name
        return await self._keep("twilio", CallbackKind.RECEIPT, call)

    async def receiveTwilioMessage(self, call: Call) -> Response:  # noqa: N802
        await self._keep("twilio", CallbackKind.INBOUND, call)
        return Response(_SAY_NOTHING, media_type="text/xml")

    async def receiveVonageStatus(self, call: Call) -> Response:  # noqa: N802
        return await self._keep("vonage", CallbackKind.RECEIPT, call)

    async def receiveVonageMessage(self, call: Call) -> Response:  # noqa: N802
        return await self._keep("vonage", CallbackKind.INBOUND, call)

    async def receiveVonageReceipt(self, call: Call) -> Response:  # noqa: N802
        return await self._keep("vonage-sms", CallbackKind.RECEIPT, call)

    async def receiveVonageReceiptByQuery(self, call: Call) -> Response:  # noqa: N802
        return await self._keep("vonage-sms", CallbackKind.RECEIPT, call)

    async def receiveVonageSms(self, call: Call) -> Response:  # noqa: N802
        return await self._keep("vonage-sms", CallbackKind.INBOUND, call)

    async def receiveVonageSmsByQuery(self, call: Call) -> Response:  # noqa: N802
        return await self._keep("vonage-sms", CallbackKind.INBOUND, call)

    async def _keep(self, source: str, kind: CallbackKind, call: Call) -> Response:
        received = call.received
        if received is None:
            raise CallbackRefused("no-signature")
        provider_call = ProviderCall(
            kind=kind, url=received.url, headers=received.headers, fields=received.fields, body=received.body
        )
        await self.receive(source, provider_call)
        return Response(status_code=204)
