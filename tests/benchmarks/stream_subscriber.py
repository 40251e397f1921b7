"""A subscriber in a process of its own: `python stream_subscriber.py REDIS_SOCKET count|latency`.

`bench:start` begins a measurement, `bench:end` prints COUNT, the monotonic second of the last event, and the 50th and
99th percentile and maximum of the lateness behind the server's stamps in microseconds.
"""

import re
import socket
import sys
import time

import hiredis

STAMP_BASE = 7_000_000_000_000_000
STAMP = re.compile(rb"7\d{15}")


def main() -> None:
    connection = socket.socket(socket.AF_UNIX)
    connection.connect(sys.argv[1])
    connection.sendall(b"SUBSCRIBE market_data:ticks market_data:level2 bench:start bench:end\r\n")
    reader, latency = hiredis.Reader(), sys.argv[2] == "latency"
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
                late.sort()
                shown = (late[len(late) // 2], late[len(late) * 99 // 100], late[-1]) if late else (0, 0, 0)
                print(count, last_s, *shown, flush=True)
            else:
                count, last_s = count + 1, now_s
                if latency and (found := STAMP.search(payload)) is not None:  # first images have none
                    late.append(now_us - int(found[0]))


if __name__ == "__main__":
    main()
