"""How Twilio signs its calls, after its documentation and not after the hub."""

import base64
import hmac
from collections.abc import Mapping


def signature(url: str, form: Mapping[str, str], secret: str, *, digest: str = "sha1") -> str:
    """The address, then each field's name and value, in their order."""
    signed = url + "".join(f"{name}{value}" for name, value in sorted(form.items()))
    return base64.b64encode(hmac.digest(secret.encode(), signed.encode(), digest)).decode()
