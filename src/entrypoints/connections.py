"""How the hub reads HTTP off a connection."""

import re

from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

_OFFERS_HTTP_2 = re.compile(rb"\r\nupgrade:[ \t]*h2c", re.IGNORECASE)


class _PatientConnection(H11Protocol):
    """Answers an offer to change the protocol as if there were none, which RFC 9110, section 7.8, allows."""

    def _should_upgrade(self) -> bool:
        return False


class HubConnection(HttpToolsProtocol):
    """Read by httptools, as fast as can be; by h11 where the client begins with an offer of HTTP/2.

    Java's client does, wherever there is no TLS. To httptools what follows such a head is the other protocol's, so that
    the body would be lost.
    """

    _begun = False

    def data_received(self, data: bytes) -> None:
        if self._begun or not _OFFERS_HTTP_2.search(data):
            self._begun = True
            super().data_received(data)
            return
        self.connections.discard(self)
        patient = _PatientConnection(self.config, self.server_state, self.app_state, self.loop)
        self.transport.set_protocol(patient)
        patient.connection_made(self.transport)
        patient.data_received(data)
