"""A proxy before a plain MQTT listener that does to messages what a broker must not."""

import socket
import threading


class FaultyProxy:
    """Every tenth PUBLISH that a connection gets is dropped, sent twice or swapped with the next; `faults` counts them.

    A dropped one is acknowledged to the broker, so that it is lost for good. One that is sent twice has another packet id
    the second time: at QoS 2 the same id would be the same message.
    """

    def __init__(self, upstream_port, fault):
        self.upstream, self.fault, self.faults = upstream_port, fault, 0
        self.lock = threading.Lock()
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]

    def __enter__(self):
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.listener.close()

    def _accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            server = socket.create_connection(("127.0.0.1", self.upstream))
            for each in (client, server):
                each.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            own = set()  # ids of copies, whose acknowledgements are not the broker's business
            threading.Thread(target=self._up, args=(client, server, own), daemon=True).start()
            threading.Thread(target=self._down, args=(client, server, own), daemon=True).start()

    def _up(self, client, server, own):
        for packet in packets(client):
            kind, ident = packet[0] >> 4, packet_id(packet)
            if kind in (4, 5, 7) and ident in own:
                if kind == 5:  # PUBREC of a copy: release it
                    client.sendall(bytes([0x62, 2]) + ident.to_bytes(2, "big"))
                continue
            server.sendall(packet)
        close(client, server)

    def _down(self, client, server, own):
        count, held = 0, None
        for packet in packets(server):
            if packet[0] >> 4 != 3:
                client.sendall(packet)
                continue
            count += 1
            if held is not None:
                client.sendall(packet + held)
                held = None
            elif count % 10 == 5:
                held = self._spoil(packet, client, server, own)
            else:
                client.sendall(packet)
        close(client, server)

    def _spoil(self, packet, client, server, own):
        qos, at, ident = packet[0] >> 1 & 3, publish_id_at(packet), None
        if self.fault == "reorder":
            self._count()
            return packet
        if qos:
            ident = packet[at : at + 2]
        if self.fault == "drop":
            self._count()
            if qos == 1:
                server.sendall(bytes([0x40, 2]) + ident)
            elif qos == 2:
                server.sendall(bytes([0x50, 2]) + ident)
                own.add(int.from_bytes(ident, "big"))  # the client answers PUBREL with "not found"
                server.sendall(bytes([0x70, 2]) + ident)
            return None
        self._count()
        copy = bytearray(packet)
        if qos:
            other = int.from_bytes(ident, "big") ^ 0x4000
            own.add(other)
            copy[at : at + 2] = other.to_bytes(2, "big")
        client.sendall(packet + bytes(copy))
        return None

    def _count(self):
        with self.lock:
            self.faults += 1


def close(*sockets):
    for each in sockets:
        try:
            each.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass


def packets(source):
    """Whole packets, until the end."""
    buffer = b""
    while True:
        while (length := packet_length(buffer)) is not None and length <= len(buffer):
            yield buffer[:length]
            buffer = buffer[length:]
        try:
            more = source.recv(65536)
        except OSError:
            return
        if not more:
            return
        buffer += more


def packet_length(buffer):
    value = 0
    for index in range(1, min(len(buffer), 5)):
        value |= (buffer[index] & 0x7F) << 7 * (index - 1)
        if not buffer[index] & 0x80:
            return 1 + index + value
    return None


def header_length(packet):
    return 1 + next(index for index in range(1, 5) if not packet[index] & 0x80)


def publish_id_at(packet):
    start = header_length(packet)
    return start + 2 + int.from_bytes(packet[start : start + 2], "big")


def packet_id(packet):
    start = header_length(packet)
    return int.from_bytes(packet[start : start + 2], "big") if packet[0] >> 4 in (4, 5, 6, 7) else None
