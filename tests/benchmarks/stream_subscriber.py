"""A subscriber in a process of its own: `python stream_subscriber.py REDIS_SOCKET count|latency|bursts`.

`bench:start` begins a measurement, `bench:end` prints COUNT, the monotonic second of the last event, and the 50th and
99th percentile and maximum of the lateness behind the server's stamps in microseconds: of every event, or of the last
one of every burst, whose rows have one stamp. Books of one level, which Schwab has no rows for, are not counted.
"""

import re
import socket
import sys
import time
from collections import Counter

import hiredis

STAMP_BASE = 7_000_000_000_000_000
STAMP = re.compile(rb"7\d{15}")


def last_of_bursts(late: list[tuple[int, int]]) -> list[int]:
    """The lateness of the last event of each stamp; of the large ones, without the books between two bursts."""
    sizes = Counter(stamp for stamp, _ in late)
    large = max(sizes.values(), default=0) / 2
    return list({stamp: behind for stamp, behind in late if sizes[stamp] > large}.values())


def main() -> None:
    connection = socket.socket(socket.AF_UNIX)
    connection.connect(sys.argv[1])
    connection.sendall(b"SUBSCRIBE market_data:ticks market_data:level2 bench:start bench:end\r\n")
    reader, mode = hiredis.Reader(), sys.argv[2]
    count, late, last_s = 0, [], 0.0
    while data := connection.recv(1 << 18):
        reader.feed(data)
        now_s = time.monotonic()
        now_us = int(now_s * 1e6) + STAMP_BASE
        while (message := reader.gets()) is not False:
            kind, channel, payload = message
            if kind == b"subscribe":
                if payload == 4:
                    print("ready", flush=True)
            elif channel == b"bench:start":
                count, late = 0, []
                print("started", flush=True)
            elif channel == b"bench:end":
                behind = sorted(last_of_bursts(late) if mode == "bursts" else [by for _, by in late])
                shown = (behind[len(behind) // 2], behind[len(behind) * 99 // 100], behind[-1]) if behind else (0, 0, 0)
                print(count, last_s, *shown, flush=True)
            elif channel == b"market_data:ticks" or b'"top_of_book"' not in payload:
                count, last_s = count + 1, now_s
                if mode != "count" and (found := STAMP.search(payload)) is not None:  # first images have none
                    sent_us = int(found[0])
                    late.append((sent_us, now_us - sent_us))


if __name__ == "__main__":
    main()
