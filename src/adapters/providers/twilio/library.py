"""Twilio's own library, as the hub uses it."""

from typing import Any

import twilio.rest.api  # noqa: F401 - its library would load this with the first text, which would be late then
from twilio.rest import Client

from adapters.providers.twilio.account import TwilioAccount
from adapters.providers.twilio.http_client import HttpClient


def client_of(account: TwilioAccount, http: HttpClient, *, api_base_url: str | None) -> Any:  # noqa: ANN401 - it has no types
    """`api_base_url` is for another place than Twilio's own."""
    client = Client(
        account.username,
        account.password,
        account.sid,
        http_client=http,
        # The library would read its own variables from the hub's environment.
        environment={"TWILIO_EDGE": "", "TWILIO_REGION": ""},
    )
    if api_base_url is not None:
        client.api.base_url = api_base_url
    return client
