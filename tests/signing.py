"""How providers sign their calls, after their documentation and not after the hub."""

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping
from typing import Any


def by_twilio(url: str, form: Mapping[str, str], secret: str, *, digest: str = "sha1") -> str:
    """The address, then each field's name and value, in their order."""
    text = url + "".join(f"{name}{value}" for name, value in sorted(form.items()))
    return base64.b64encode(hmac.digest(secret.encode(), text.encode(), digest)).decode()


def token(body: bytes, secret: str, *, head: Mapping[str, object] | None = None, **claims: object) -> str:
    """The JWT that goes with a body of Vonage's Messages API. A claim that is None is left out."""
    said: dict[str, Any] = {"iss": "Vonage", "payload_hash": hashlib.sha256(body).hexdigest(), **claims}
    written = [head or {"alg": "HS256", "typ": "JWT"}, {name: each for name, each in said.items() if each is not None}]
    signed = ".".join(_encoded(json.dumps(each).encode()) for each in written)
    return f"{signed}.{_encoded(hmac.digest(secret.encode(), signed.encode(), 'sha256'))}"


def signed(parameters: Mapping[str, str], secret: str, method: str = "md5hash") -> dict[str, str]:
    """Parameters of Vonage's SMS API's calls, with their signature."""
    text = "".join(f"&{name}={value.replace('&', '_').replace('=', '_')}" for name, value in sorted(parameters.items()))
    if method == "md5hash":
        signature = hashlib.md5(f"{text}{secret}".encode()).hexdigest()
    else:
        signature = hmac.new(secret.encode(), text.encode(), method).hexdigest()
    return {**parameters, "sig": signature.upper()}


def _encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
