from typing import Any

from aiohttp import ClientError, ClientResponseError, ClientSSLError
from twilio.base.exceptions import TwilioException

from adapters.providers.http_answers import check_of
from adapters.providers.twilio.account import TwilioAccount
from adapters.providers.twilio.http_client import AnswerTooLong, Call, HttpClient
from adapters.providers.twilio.library import client_of
from domain.model.credentials import Credentials
from domain.model.credentials_check import ACCEPTED, CredentialsCheck, not_asked, refused
from domain.ports.credentials_checker import CredentialsChecker

_STOPPED = {"suspended", "closed"}


class TwilioChecker(CredentialsChecker):
    """Fetches the account or, since API keys of the usual kind may not
    (https://www.twilio.com/docs/iam/api-keys/keys-in-console), looks into its log of messages.
    """

    def __init__(self, *, api_base_url: str | None, timeout_s: float = 10.0, connect_timeout_s: float = 5.0) -> None:
        self._api_base_url = api_base_url
        self._timeout_s = timeout_s
        self._connect_timeout_s = connect_timeout_s

    async def __call__(self, credentials: Credentials) -> CredentialsCheck:
        account = TwilioAccount.of(credentials)
        http = HttpClient(connections=1, connect_timeout_s=self._connect_timeout_s, answer_timeout_s=self._timeout_s)
        call = Call()
        try:
            with call.under_way():
                return await _asked(account, client_of(account, http, api_base_url=self._api_base_url))
        except TwilioException:
            return check_of(call.status or 0)
        except Exception as error:  # noqa: BLE001 - of whatever a provider or a network may do, none is ours
            return not_asked(_trouble(error))
        finally:
            await http.close()


async def _asked(account: TwilioAccount, client: Any) -> CredentialsCheck:  # noqa: ANN401 - the library has no types
    if account.username != account.sid:
        await client.messages.list_async(limit=1, page_size=1)
        return ACCEPTED
    fetched = await client.api.v2010.accounts(account.sid).fetch_async()
    if fetched.sid != account.sid:
        return not_asked("unreadable-answer")
    return refused("account-stopped") if fetched.status in _STOPPED else ACCEPTED


def _trouble(error: Exception) -> str:
    match error:
        case TimeoutError():
            return "no-answer"
        case ClientSSLError():
            return "no-secure-connection"
        case ClientResponseError() | AnswerTooLong():
            return "unreadable-answer"
        case ClientError() | OSError():
            return "no-connection"
        case _:
            return "unreadable-answer"
