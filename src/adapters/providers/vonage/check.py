import asyncio
import ssl

from adapters.providers.http_answers import check_of
from adapters.providers.vonage.account import VonageAccount
from adapters.providers.vonage.library import Hosts, ask_about
from adapters.providers.vonage.transport import Question
from domain.model.credentials import Credentials
from domain.model.credentials_check import ACCEPTED, CredentialsCheck, not_asked
from domain.ports.credentials_checker import CredentialsChecker

# What a text without a recipient is refused with by an API that has let its sender in.
_LET_IN = {400, 402, 422}


class VonageChecker(CredentialsChecker):
    """`tls` says who is believed to be Vonage; None: as the machine does."""

    def __init__(
        self,
        *,
        hosts: Hosts,
        timeout_s: float = 10.0,
        connect_timeout_s: float = 5.0,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._hosts = hosts
        self._timeout_s = timeout_s
        self._connect_timeout_s = connect_timeout_s
        self._tls = tls

    async def __call__(self, credentials: Credentials) -> CredentialsCheck:
        return await asyncio.to_thread(self._asked, credentials)

    def _asked(self, credentials: Credentials) -> CredentialsCheck:
        account = VonageAccount.of(credentials)
        question = Question(
            self._tls or ssl.create_default_context(),
            connect_timeout_s=self._connect_timeout_s,
            answer_timeout_s=self._timeout_s,
        )
        try:
            ask_about(account, question, hosts=self._hosts)
        except Exception as error:  # noqa: BLE001 - of whatever a provider or a network may do, none is ours
            if question.status is None:
                return not_asked(_trouble(error))
        status = question.status or 0
        return ACCEPTED if account.by_application and status in _LET_IN else check_of(status)


def _trouble(error: Exception) -> str:
    match error:
        case TimeoutError():
            return "no-answer"
        case ssl.SSLError():
            return "no-secure-connection"
        case OSError():
            return "no-connection"
        case _:
            return "unreadable-answer"
