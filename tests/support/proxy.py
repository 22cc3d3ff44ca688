"""An HTTP proxy, through which a client reaches a port that its test may not bind."""

import socket
import threading

from support.broker import PATIENCE


class Relay:
    """Accepts on a free port and serves each client in a thread, by `_serve`."""

    def __init__(self):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()

    def _accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=[client], daemon=True).start()


class Proxy(Relay):
    """Answers CONNECT and passes bytes on, whatever host and port were asked for, to `port` of this machine."""

    def __init__(self, port):
        self.target = port
        #: What was asked for, and the first bytes that the client sent through.
        self.asked, self.opening = [], []
        super().__init__()

    def _serve(self, client):
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            head += client.recv(1) or b"\r\n\r\n"
        self.asked.append(head.split(b" ")[1].decode())
        server = socket.create_connection(("127.0.0.1", self.target), PATIENCE)
        client.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        threading.Thread(target=pass_on, args=[server, client], daemon=True).start()
        pass_on(client, server, self.opening)


def pass_on(source, sink, opening=None):
    """Until one of them ends; the first bytes are kept in `opening`."""
    try:
        while data := source.recv(65536):
            if opening is not None:
                opening.append(data)
                opening = None
            sink.sendall(data)
    except OSError:
        pass
    for end in (source, sink):
        end.close()
