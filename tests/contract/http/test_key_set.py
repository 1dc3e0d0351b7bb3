"""Others verify the hub's tokens by the public keys that it publishes, as they would any issuer's."""

from pathlib import Path

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key as new_rsa_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from tests.http import Hub, a_hub, a_running_hub

KEY_SET = "/.well-known/jwks.json"


@pytest.fixture
def files(tmp_path: Path) -> dict[str, Path]:
    """Private keys by their algorithm."""
    keys: dict[str, RSAPrivateKey | Ed25519PrivateKey] = {
        "RS256": new_rsa_key(65537, 2048),
        "EdDSA": Ed25519PrivateKey.generate(),
    }
    for algorithm, key in keys.items():
        written = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        (tmp_path / f"{algorithm}.pem").write_bytes(written)
    return {algorithm: tmp_path / f"{algorithm}.pem" for algorithm in keys}


@pytest.mark.parametrize("algorithm", ["RS256", "EdDSA"])
def test_somebody_else_verifies_a_token(sqlite_url: str, files: dict[str, Path], algorithm: str) -> None:
    """Both kinds are published; the first one signs."""
    in_order = ",".join(str(file) for name, file in sorted(files.items(), key=lambda each: each[0] != algorithm))
    with a_running_hub(sqlite_url, prefix="/cwis463", token_key_files=in_order, token_issuer="https://hub") as hub:
        office = hub.an_office()
        outside = jwt.PyJWKClient(f"{hub.url}{KEY_SET}")
        key = outside.get_signing_key_from_jwt(office.token)
        said = jwt.decode(office.token, key, [algorithm], audience="sms-hub", issuer="https://hub")
        used = hub.client.get("/api/TextMessages", headers=office.headers)
        published = outside.get_signing_keys()

    assert said["unique_name"] == office.credentials.sid
    assert used.status_code == 200
    assert {each.algorithm_name for each in published} == {"RS256", "EdDSA"}


async def test_a_token_of_before_the_switch_is_good_after_it(sqlite_url: str, files: dict[str, Path]) -> None:
    async with a_hub(sqlite_url) as before:
        office = await before.an_office()
        used = await before.get(office, "/api/TextMessages")
    async with a_hub(sqlite_url, token_key_files=str(files["EdDSA"])) as after:
        used_after = await after.get(office, "/api/TextMessages")
        token = await after.log_in(office.credentials)
        (published,) = (await after.client.get(KEY_SET)).json()["keys"]

    assert (used.status_code, used_after.status_code) == (200, 200)
    assert jwt.get_unverified_header(office.token)["alg"] == "HS256"
    assert jwt.get_unverified_header(token) == {"alg": "EdDSA", "kid": published["kid"], "typ": "JWT"}


async def test_with_signing_keys_alone_there_is_nothing_to_publish(hub: Hub) -> None:
    answer = await hub.client.get(KEY_SET)

    assert (answer.status_code, answer.json()) == (200, {"keys": []})


async def test_it_is_public_and_kept_for_a_while(hub: Hub) -> None:
    answer = await hub.client.get(KEY_SET)
    head = await hub.client.head(KEY_SET)
    post = await hub.client.post(KEY_SET)

    assert answer.headers["content-type"] == "application/jwk-set+json"
    assert answer.headers["cache-control"] == "public, max-age=300"
    assert (head.status_code, head.content) == (200, b"")
    assert (post.status_code, post.headers["allow"]) == (405, "GET, HEAD")


async def test_it_is_under_the_hubs_own_path(sqlite_url: str, files: dict[str, Path]) -> None:
    public_url = "https://hub.example/cwis463"
    async with a_hub(sqlite_url, public_url=public_url, token_key_files=str(files["RS256"])) as hub:
        under, above = await hub.client.get(KEY_SET), await hub.client.get(f"https://hub.example{KEY_SET}")

    assert (under.status_code, above.status_code) == (200, 404)
