"""What clients write on a connection beside their requests."""

import json

from tests.http import RunningHub

LOGIN = "/api/Login"


def test_an_offer_of_http_2_is_passed_over(running_hub: RunningHub) -> None:
    """As Java's client makes it where there is no TLS; the body comes behind the head."""
    body = json.dumps(running_hub.create_program().login).encode()
    head = [
        f"POST {LOGIN} HTTP/1.1",
        "Connection: Upgrade, HTTP2-Settings",
        f"Content-Length: {len(body)}",
        "Host: hub",
        "HTTP2-Settings: AAEAAEAAAAIAAAAAAAMAAAAAAAQBAAAAAAUAAEAAAAYABgAA",
        "Upgrade: h2c",
        "Content-Type: application/json",
    ]
    with running_hub.connection() as connection:
        statuses = []
        for _ in range(2):
            connection.send("\r\n".join([*head, "", ""]).encode())
            connection.send(body)
            statuses.append(connection.answer("POST", LOGIN).status_code)

    assert statuses == [200, 200]
    assert "Unsupported upgrade" not in running_hub.log()
