"""Kills writers of the token file at random instants and reads what is left: `python -m tests.benchmarks.token_crash`.

Each writer saves numbered tokens as fast as it can and reports every save that has returned. After the kill the file
must hold a whole token: the last one reported or one newer, never an older one, half of one, or none. Every third
writer encrypts. Runs in a process of its own, without threads, so that it may fork.
"""

import argparse
import os
import random
import signal
import sys
import tempfile
import time
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

from pydantic import SecretStr

from streaming.schwab.login.cipher import new_key
from streaming.schwab.login.token_store import TokenStore
from streaming.schwab.login.tokens import Token

LOGIN_AT = datetime(2026, 8, 17, 12, 0, tzinfo=UTC)
REPORT_BYTES = 8


def numbered(number: int) -> Token:
    """A token long enough for several disk blocks, every part of which shows its number."""
    return Token(f"access-{number}." * 1500, f"refresh-{number}", login_at=LOGIN_AT, id_token=f"id-{number}." * 500)


def number_of(token: Token | None) -> int:
    """The number of a whole token; AssertionError for anything else."""
    assert token is not None, "the token is gone"
    number = int(token.refresh_token.removeprefix("refresh-"))
    assert token == numbered(number), f"token {number} is not whole"
    return number


def write_for_ever(path: Path, key: SecretStr | None, first: int, report: int) -> None:
    """Save one token after another, reporting each that is stored."""
    store, number = TokenStore(path, key=key), first
    while True:
        store.save(numbered(number))
        os.write(report, number.to_bytes(REPORT_BYTES, "big"))
        number += 1


def kill_a_writer(path: Path, key: SecretStr | None, first: int, wait_s: float) -> int:
    """Start a writer, kill it after `wait_s` of work, and return the last number it reported."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        try:
            write_for_ever(path, key, first, writing)
        finally:
            os._exit(1)
    os.close(writing)
    last = int.from_bytes(os.read(reading, REPORT_BYTES), "big")  # it is at work
    time.sleep(wait_s)
    os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status), "the writer died by itself"
    while len(report := os.read(reading, REPORT_BYTES)) == REPORT_BYTES:
        last = int.from_bytes(report, "big")
    os.close(reading)
    return last


def run(folder: Path, kills: int, seed: int) -> Counter[str]:
    """Kill writers one after another; AssertionError at the first token that is not whole or too old."""
    path, key, rng = folder / "tokens" / "schwab_token.json", SecretStr(new_key()), random.Random(seed)
    TokenStore(path).save(numbered(0))
    found, number = Counter[str](), 0
    for attempt in range(kills):
        encrypting = attempt % 3 == 0
        last = kill_a_writer(path, key if encrypting else None, number + 1, rng.uniform(0, 0.012))
        number = number_of(TokenStore(path, key=key).load())
        assert number in {last, last + 1}, f"{last} was stored, {number} is there"
        found["the new one" if number > last else "the old one"] += 1
        leftovers = list(path.parent.glob("*.tmp"))
        found["half-written files beside it"] += bool(leftovers)
        for leftover in leftovers:
            leftover.unlink()
    found["tokens stored"] = number
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--folder", type=Path, default=None)
    arguments = parser.parse_args()
    began_s = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        found = run(arguments.folder or Path(folder), arguments.kills, arguments.seed)
    print(f"{arguments.kills} writers killed in {time.monotonic() - began_s:.1f} s; every token left was whole")
    for name, count in sorted(found.items()):
        print(f"  {name}: {count}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
