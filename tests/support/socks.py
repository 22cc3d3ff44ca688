"""A SOCKS5 proxy that resolves every name to this machine: for clients whose server name (SNI) is the host they connect to."""

import socket
import threading

from support.broker import PATIENCE
from support.proxy import Relay, pass_on


class Socks(Relay):
    """Passes bytes on to the port that was asked for, whatever the name."""

    def _serve(self, client):
        """RFC 1928: no authentication, CONNECT, a domain name."""
        version, methods = exactly(client, 2)
        exactly(client, methods)
        client.sendall(b"\x05\x00")
        version, command, _, kind, length = exactly(client, 5)
        assert (version, command, kind) == (5, 1, 3)
        exactly(client, length)
        port = int.from_bytes(exactly(client, 2))
        server = socket.create_connection(("127.0.0.1", port), PATIENCE)
        client.sendall(b"\x05\x00\x00\x01\x7f\x00\x00\x01" + port.to_bytes(2))
        threading.Thread(target=pass_on, args=[server, client], daemon=True).start()
        pass_on(client, server)


def exactly(sock, count):
    """So many bytes."""
    got = b""
    while len(got) < count:
        more = sock.recv(count - len(got))
        assert more, "the client went away"
        got += more
    return got
