"""A real identity provider, as a process of its own."""

import json
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from tests.ports import free_port

MODULES = Path(__file__).parents[2] / "requirements" / "npm"
CLIENT_ID, CLIENT_SECRET = "sms-hub", "a secret of tests: +/%&="
OTHER_CLIENT = "payroll"
_PROGRAM = Path(__file__).with_name("provider.mjs")

PERSONS: Mapping[str, Mapping[str, Any]] = {
    "1001": {"preferred_username": "ada", "email": "ada@campus.example", "groups": ["housing-senders"]},
    "1002": {"preferred_username": "ben", "groups": ["housing-readers", "library-senders"]},
    "1003": {"preferred_username": "olga", "groups": ["/sms/operators"]},
    "1004": {"preferred_username": "nora", "groups": ["gardeners", "<script>alert(1)</script>"]},
    "1005": {"email": "eve@campus.example", "email_verified": False, "groups": "housing-readers"},
}
ADA, BEN, OLGA, NORA, EVE = PERSONS


@dataclass
class IdentityProvider:
    """`port` is its own for good: it can be stopped, and started again with other keys."""

    hub_url: str = "https://hub.example"
    port: int = field(default_factory=free_port)
    persons: Mapping[str, Mapping[str, Any]] = field(default_factory=lambda: PERSONS)
    keys: Sequence[str] = ("first",)
    claims_in_id_token: bool = False
    auth_method: str = "client_secret_basic"
    process: "subprocess.Popen[str] | None" = None

    @property
    def issuer(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def settings(self) -> Mapping[str, str]:
        """Those of a hub that has it."""
        return {
            "oidc_issuer": self.issuer,
            "oidc_client_id": CLIENT_ID,
            "oidc_client_secret": CLIENT_SECRET,
            "oidc_name": "Campus login",
        }

    def start(self) -> None:
        node = shutil.which("node")
        if node is None or not (MODULES / "node_modules" / "oidc-provider").exists():
            pytest.skip("There is no Node.js with oidc-provider: `make test-all` installs it.")
        client = {
            "client_secret": CLIENT_SECRET,
            "redirect_uris": [f"{self.hub_url}/console/sign-in/callback"],
            "post_logout_redirect_uris": [f"{self.hub_url}/console/sign-in"],
            "token_endpoint_auth_method": self.auth_method,
        }
        told = {
            "issuer": self.issuer,
            "port": self.port,
            "modules": str(MODULES),
            "clients": [{**client, "client_id": each} for each in (CLIENT_ID, OTHER_CLIENT)],
            "keys": list(self.keys),
            "persons": self.persons,
            "authMethod": self.auth_method,
            "claimsInIdToken": self.claims_in_id_token,
        }
        self.process = subprocess.Popen(
            [node, str(_PROGRAM), json.dumps(told)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        assert self.process.stdout is not None
        assert self.process.stdout.readline() == "listening\n"

    def stop(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.communicate()
            self.process = None

    async def answer(self, address: str, login: str, *, refuse: bool = False) -> str:
        """Where the browser of somebody who signs in at `address` is sent back to."""
        async with httpx.AsyncClient(base_url=self.issuer, timeout=30) as browser:
            response = await browser.get(address)
            while urlsplit(response.headers.get("location", self.issuer)).netloc in {"", urlsplit(self.issuer).netloc}:
                if response.is_redirect:
                    response = await browser.get(response.headers["location"])
                else:
                    assert response.status_code == 200, response.text
                    assert re.search("<form", response.text), response.text
                    fields = {"login": login} | ({"refuse": ""} if refuse else {})
                    response = await browser.post(response.url, data=fields)
            return str(response.headers["location"])


@contextmanager
def an_identity_provider(**options: Any) -> Iterator[IdentityProvider]:  # noqa: ANN401 - those of the class
    provider = IdentityProvider(**options)
    provider.start()
    try:
        yield provider
    finally:
        provider.stop()
