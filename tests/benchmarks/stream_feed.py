"""The streamer of the benchmark, in a process of its own: `python -m tests.benchmarks.stream_feed lab|ROWS`.

Serves one client over a bare socket, because a WebSocket library on this side would be the limit. Prints its port, and
`ready` once the books are subscribed. Then each line on standard input is `COUNT RATE`: COUNT units of the mix (frames
of the lab, bursts of Schwab's) are sent at RATE a second (0: as fast as the client takes them), and
`ROWS EVENTS BEGAN_S TOOK_S` is printed. At up to a few bursts a second the books come once more between two of them.
"""

import base64
import hashlib
import json
import select
import socket
import sys
import time
from collections.abc import Sequence
from itertools import cycle, islice

from tests.benchmarks.stream_frames import Mix, Unit, mix_named, stamp, websocket_frame

_TEXT = 1
_KEY = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_CHUNK = 64
_PING_EVERY = 2_000
_NAP_S = 0.0002
_FASTEST_PACED = 100
"""Units a second that are sent one by one at their times."""
_BOOKS = "NASDAQ_BOOK"


class Client:
    """The one connection."""

    def __init__(self, connection: socket.socket, mix: Mix) -> None:
        self.socket = connection
        self._mix = mix
        self._bytes = b""

    def _take(self, size: int) -> bytes:
        while len(self._bytes) < size:
            data = self.socket.recv(1 << 16)
            if not data:
                raise SystemExit(0)
            self._bytes += data
        taken, self._bytes = self._bytes[:size], self._bytes[size:]
        return taken

    def shake_hands(self) -> None:
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            head += self._take(1)
        headers = dict(line.split(": ", 1) for line in head.decode().split("\r\n")[1:] if line)
        key = {name.lower(): value for name, value in headers.items()}["sec-websocket-key"]
        accept = base64.b64encode(hashlib.sha1((key + _KEY).encode()).digest()).decode()
        self.socket.sendall(
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Accept: {accept}\r\n\r\n".encode()
        )

    def next_text(self) -> bytes:
        """The next text frame."""
        while True:
            code, body = self._next_frame()
            if code == _TEXT:
                return body

    def _next_frame(self) -> tuple[int, bytes]:
        """The next frame's kind and body; a ping is answered."""
        first, second = self._take(2)
        size = second & 0x7F
        if size >= 126:
            size = int.from_bytes(self._take(2 if size == 126 else 8), "big")
        mask, masked = self._take(4), self._take(size)
        body = bytes(byte ^ mask[n % 4] for n, byte in enumerate(masked))
        if first & 0x0F == 8:
            raise SystemExit(0)
        if first & 0x0F == 9:
            self.socket.sendall(b"\x8a" + bytes([len(body)]) + body)
        return first & 0x0F, body

    def serve_requests(self) -> None:
        """Accept everything until all symbols are subscribed, and the books of the shares."""
        wanted = {service: set(keys) for service, keys in self._mix.symbols.items()}
        wanted[_BOOKS] = set(wanted["LEVELONE_EQUITIES"])
        while any(wanted.values()):
            for service, keys in self._accept(self.next_text()):
                wanted.get(service, set()).difference_update(keys)

    def _accept(self, text: bytes) -> list[tuple[str, Sequence[str]]]:
        """Answer these requests; what each is about."""
        asked = []
        for request in json.loads(text)["requests"]:
            names = ("service", "command", "requestid")
            answer = {name: request[name] for name in names} | {"content": {"code": 0, "msg": "OK"}}
            self.socket.sendall(websocket_frame(json.dumps({"response": [answer]}).encode()))
            service, keys = request["service"], request["parameters"].get("keys", "").split(",")
            if service in self._mix.symbols:
                self.socket.sendall(self._mix.image_frame(service, keys))
            asked.append((service, keys))
        return asked

    def answer(self) -> None:
        """What the client has sent meanwhile: a ping, or a request that it had left when all symbols were there."""
        if select.select([self.socket], [], [], 0)[0]:
            kind, body = self._next_frame()
            if kind == _TEXT:
                self._accept(body)


def send(client: Client, units: Sequence[Unit], rate: int) -> tuple[float, float]:
    """Send these and return when this began and how long it took, in monotonic seconds."""
    chunk = max(1, _CHUNK // units[0].rows)
    waiting = iter(units)
    began, sent, rows = time.monotonic(), 0, 0
    while sent < len(units):
        due = min(int((time.monotonic() - began) * rate) - sent if rate else chunk, len(units) - sent, 4 * chunk)
        if due <= 0:
            time.sleep(_NAP_S)
            continue
        now, together = stamp(), list(islice(waiting, due))
        client.socket.sendall(b"".join(unit.stamped(now) for unit in together))
        before, rows = rows, rows + sum(unit.rows for unit in together)
        if before // _PING_EVERY != rows // _PING_EVERY:
            client.answer()
        sent += due
    return began, time.monotonic() - began


def send_paced(client: Client, units: Sequence[Unit], rate: float) -> tuple[float, float]:
    """Send each at its time; the same."""
    began = time.monotonic()
    for place, unit in enumerate(units):
        time.sleep(max(0.0, began + place / rate - time.monotonic()))
        client.socket.sendall(unit.stamped(stamp()))
        client.answer()
    return began, time.monotonic() - began


def main() -> None:
    mix = mix_named(sys.argv[1])
    with socket.create_server(("127.0.0.1", 0)) as listener:
        print(listener.getsockname()[1], flush=True)
        connection, _ = listener.accept()
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    client = Client(connection, mix)
    client.shake_hands()
    client.serve_requests()
    print("ready", flush=True)
    while line := sys.stdin.readline():
        count, rate = map(int, line.split())
        units = list(islice(cycle(mix.units), count))
        if 0 < rate <= _FASTEST_PACED:
            pairs = zip(units, cycle(mix.between), strict=False)
            units = [one for pair in pairs for one in pair]
            began, took = send_paced(client, units, 2 * rate)
        else:
            began, took = send(client, units, rate)
        print(sum(unit.rows for unit in units), sum(unit.events for unit in units), began, took, flush=True)


if __name__ == "__main__":
    main()
