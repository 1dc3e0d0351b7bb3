"""Vonage's own library, as far as the hub uses it: it writes requests and signs them.

What it makes of answers is too little, and for the SMS API a sentence alone, so `answers` reads them instead.
"""

import logging
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

from cryptography.hazmat.primitives.serialization import load_pem_private_key
from requests.adapters import BaseAdapter
from vonage_http_client import Auth, HttpClient, HttpClientOptions
from vonage_jwt import JwtClient
from vonage_messages import Messages
from vonage_messages.models import EncodingType, SmsOptions, WebhookVersion
from vonage_messages.models import Sms as MessagesSms
from vonage_sms import Sms, SmsMessage

from adapters.providers.vonage.account import Api, VonageAccount
from adapters.providers.vonage.callbacks import client_reference
from domain.model.message_body import Encoding
from domain.ports.sms_provider import OutgoingText

# At other levels it logs texts, numbers and credentials.
logging.getLogger("vonage").setLevel(logging.ERROR)

_SHORTEST_LIFE_S = 20
_LONGEST_LIFE_S = 604_800
_LONGEST_CALLBACK_URL = 100  # In the SMS API.

# Vonage's library has no types.
Client = Any
Written = Any


@dataclass(frozen=True, slots=True)
class Hosts:
    """Of the Messages API and of the SMS API, each with its port, unless that is 443."""

    api: str
    rest: str


class _OneRequest(HttpClient):
    """Makes the request that it is asked for, once, to the very host, and reads nothing from the environment.

    By itself the library posts again where a connection drops, as often as it may keep connections.
    """

    def __init__(self, auth: Auth, hosts: Hosts, transport: BaseAdapter) -> None:
        options = HttpClientOptions(api_host=hosts.api, rest_host=hosts.rest, pool_maxsize=1, max_retries=0)
        super().__init__(auth, options, version("vonage"))
        self._session.mount("https://", transport)
        self._session.trust_env = False
        self._session.max_redirects = 0
        self._session.headers["Accept-Encoding"] = "identity"


class _ByApplication(Auth):
    """Reads the private key once: the library by itself reads it for each text, which takes longer than all else."""

    def __init__(self, account: VonageAccount) -> None:
        super().__init__(application_id=account.name, private_key=account.secret)
        # It was looked at when the account was made.
        key = load_pem_private_key(account.secret.encode(), password=None, unsafe_skip_rsa_key_validation=True)
        self._jwt_client = JwtClient(account.name, key)


def client_of(account: VonageAccount, transport: BaseAdapter, *, hosts: Hosts) -> Client:
    """For one of the two APIs, since one that has spoken to both mixes their headers up."""
    http = _http(account, transport, hosts)
    return Messages(http) if account.api is Api.MESSAGES else Sms(http)


def ask_about(account: VonageAccount, transport: BaseAdapter, *, hosts: Hosts) -> None:
    """One request that whoever has the credentials may make, and that does nothing.

    With an API key, what it has left. Applications have nothing of the kind: theirs is a text without a recipient,
    which the Messages API refuses for that (422) where it lets the application in. Raises what the library raises.
    """
    http = _http(account, transport, hosts)
    if account.by_application:
        http.post(hosts.api, "/v1/messages", {})
    else:
        http.get(hosts.rest, "/account/get-balance", auth_type="basic")


def _http(account: VonageAccount, transport: BaseAdapter, hosts: Hosts) -> _OneRequest:
    by_key = not account.by_application
    auth = Auth(api_key=account.name, api_secret=account.secret) if by_key else _ByApplication(account)
    return _OneRequest(auth, hosts, transport)


def written(text: OutgoingText, api: Api, callback_url: str | None) -> Written:
    """As the client of the API sends it."""
    unicode = text.body.encoding is Encoding.UCS2
    life_s = None if text.valid_s is None else min(max(text.valid_s, _SHORTEST_LIFE_S), _LONGEST_LIFE_S)
    common = {
        "to": text.number.e164.removeprefix("+"),
        "from_": text.sender.value.removeprefix("+"),
        "text": text.body.text,
        "client_ref": client_reference(delivery_id=text.delivery_id, attempt=text.attempt),
    }
    if api is Api.SMS:
        return SmsMessage(
            **common,
            type="unicode" if unicode else "text",
            ttl=None if life_s is None else life_s * 1_000,
            # What is longer is not taken: receipts go to where the account has them go, then.
            callback=callback_url if callback_url and len(callback_url) <= _LONGEST_CALLBACK_URL else None,
        )
    return MessagesSms(
        **common,
        sms=SmsOptions(encoding_type=EncodingType.UNICODE if unicode else EncodingType.TEXT),
        ttl=life_s,
        webhook_url=callback_url,
        webhook_version=None if callback_url is None else WebhookVersion.V1,
    )
