"""Many SSE clients in one process: raw sockets and epoll, so that the load costs less than what it measures.

`python -m bench.listeners HOST PORT PATH ENCODING CLIENTS DECODED` connects, says `ready` on stdout, and reads until
its standard input tells how many events each client must get, and all have got them; then it prints what came of it.

Of DECODED clients every event's place is read. Of the others events are counted; where they are compressed (ENCODING
`gzip`), what a client got counts as all events if it is, byte by byte, what a decoded one got: its length and CRC-32.
"""

from __future__ import annotations

import json
import re
import select
import socket
import sys
import time
import zlib
from dataclasses import dataclass, field
from typing import Any, Final

_BEGINS: Final = b"\nid:"
_PLACE: Final = re.compile(rb"\nid:(\d+)-(\d+)\n")
_TAIL: Final = 64
"""A place may be cut in two by a read; it is shorter than this."""
GZIP_HEAD: Final = 10
"""Bytes of the head of a gzip body."""
READ_BYTES: Final = 1 << 20
IDLE_S: Final = 20.0
"""So long without an event, and nothing more is coming."""


@dataclass
class Client:
    """One connection: how many events it got; of a decoded one their places and how old they were (s)."""

    socket: socket.socket
    decoded: bool
    zipped: bool
    events: int = 0
    bytes: int = 0
    crc: int = 0
    tail: bytes = b""
    closed: bool = False
    places: list[tuple[int, int]] = field(default_factory=list)
    ages: list[float] = field(default_factory=list)
    unread: bytes = b""
    unpacker: Any = field(default_factory=lambda: zlib.decompressobj(-zlib.MAX_WBITS))

    def take(self, block: memoryview, now: float) -> None:
        """Count what a read gave."""
        self.bytes += len(block)
        if self.zipped:
            self.crc = zlib.crc32(block, self.crc)
            if not self.decoded:
                return
            text = self.tail + self.unpacked(bytes(block))
        else:
            text = self.tail + bytes(block)
        if not self.decoded:
            self.events += text.count(_BEGINS)
            self.tail = text[-len(_BEGINS) + 1 :]
            return
        end = 0
        for match in _PLACE.finditer(text):
            ms, number = int(match[1]), int(match[2])
            self.places.append((ms, number))
            self.ages.append(now - ms / 1000)
            self.events += 1
            end = match.end() - 1
        self.tail = text[max(end, len(text) - _TAIL) :]

    def unpacked(self, block: bytes) -> bytes:
        """The text in whole chunks of what was read."""
        self.unread += block
        text = []
        while b"\r\n" in self.unread:
            size, _, rest = self.unread.partition(b"\r\n")
            length = int(size, 16)
            if len(rest) < length + 2:
                break
            text.append(self.unpacker.decompress(rest[:length]))
            self.unread = rest[length + 2 :]
        return b"".join(text)


def connected(host: str, port: int, path: str, encoding: str, *, decoded: bool) -> Client:
    """Return a client whose answer has begun."""
    connection = socket.create_connection((host, port), timeout=30)
    asked = f"GET {path} HTTP/1.1\r\nHost: {host}\r\nAccept-Encoding: {encoding}\r\n\r\n"
    connection.sendall(asked.encode())
    begun = b""
    # The head, and the first chunk: before the first event there is no more.
    while not (b"\r\n\r\n" in begun and begun.endswith(b"\r\n") and not begun.endswith(b"\r\n\r\n")):
        got = connection.recv(4096)
        begun += got
        if not got or (b"\r\n\r\n" in begun and not begun.startswith(b"HTTP/1.1 200")):
            raise ConnectionError(f"no stream: {begun[:200]!r}")
    connection.setblocking(False)
    client = Client(connection, decoded, encoding == "gzip", tail=b"\n")
    if client.zipped and decoded:
        first = begun.partition(b"\r\n\r\n")[2]
        client.unpacked(_without_head(first))
    return client


def _without_head(chunk: bytes) -> bytes:
    """The first chunk without the head of the compressed body: the unpacker is told what it is."""
    size, _, rest = chunk.partition(b"\r\n")
    body = rest[GZIP_HEAD : int(size, 16)]
    return b"%x\r\n%b\r\n" % (len(body), body)


def read_all(clients: list[Client]) -> float:
    """Read until each has as many events as standard input says, or nothing comes any more; return the seconds."""
    poll = select.epoll()
    of = {client.socket.fileno(): client for client in clients}
    for number in of:
        poll.register(number, select.EPOLLIN)
    poll.register(sys.stdin.fileno(), select.EPOLLIN)
    wanted: int | None = None
    buffer = memoryview(bytearray(READ_BYTES))
    began = heard = time.time()
    open_ones = set(of)
    while open_ones and time.time() - heard < IDLE_S and not _complete(clients, wanted):
        for number, _ in poll.poll(0.5):
            if number == sys.stdin.fileno():
                wanted = int(sys.stdin.readline())
                poll.unregister(number)
                continue
            client = of[number]
            try:
                size = client.socket.recv_into(buffer)
            except BlockingIOError:
                continue
            except ConnectionError:
                size = 0
            if not size:
                client.closed = True
                poll.unregister(number)
                open_ones.discard(number)
                continue
            heard = time.time()
            client.take(buffer[:size], heard)
    for client in clients:
        like = next((each for each in clients if each.decoded), None)
        if client.zipped and like is not None and (client.bytes, client.crc) == (like.bytes, like.crc):
            client.events = like.events
    return time.time() - began


def _complete(clients: list[Client], wanted: int | None) -> bool:
    """Whether every client has what it must get."""
    if wanted is None:
        return False
    decoded = [client for client in clients if client.decoded]
    if any(client.events < wanted for client in decoded):
        return False
    if clients[0].zipped:
        return all(client.bytes >= decoded[0].bytes for client in clients)
    return all(client.events >= wanted for client in clients)


def main() -> None:
    """Connect, read, and tell."""
    host, port, path, encoding, count, decoded = sys.argv[1:]
    clients = [
        connected(host, int(port), path, encoding, decoded=number < int(decoded))
        for number in range(int(count))
    ]
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    seconds = read_all(clients)
    told = {
        "seconds": seconds,
        "events": [client.events for client in clients],
        "bytes": sum(client.bytes for client in clients),
        "closed": sum(client.closed for client in clients),
        "ages": [age for client in clients for age in client.ages],
        "places": [client.places for client in clients if client.decoded],
    }
    sys.stdout.write(json.dumps(told) + "\n")


if __name__ == "__main__":
    main()
