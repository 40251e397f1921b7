"""Orders at the worker's desk, and the worker's pipes."""

import subprocess
import sys
import time
from io import BytesIO
from pathlib import Path

from streaming.engine.protocol import (
    ANSWERS,
    ENCODER,
    Compute,
    Computed,
    Near,
    NearSymbols,
    OrderRefused,
    Ready,
    Rehearse,
    Setup,
    Take,
)
from streaming.engine.worker import OrderDesk
from streaming.process.framing import HEADER, frame
from streaming.symbols import parse_ticker
from tests.support.chains import ASOF

ROOT = Path(__file__).resolve().parents[3]
SETUP = Setup((parse_ticker("SPX"),), "full")
NOISY = "import streaming.engine.worker as w; w.OrderDesk._answer = lambda *a: (print('noise'), 1 / 0); w.main()"


def test_orders_are_answered_in_kind():
    desk = OrderDesk()
    assert desk.carry_out(SETUP, b"") == Ready()
    assert desk.carry_out(Take([("$SPX", 5660.0, 1)], []), b"") is None
    assert desk.carry_out(Rehearse("SPX", ASOF), b"") is None
    assert desk.carry_out(Compute("SPX", ASOF), b"") == Computed(None)
    assert desk.carry_out(Near(5), b"") == NearSymbols(())


def test_an_order_that_breaks_is_answered_with_its_reason(capsys):
    answer = OrderDesk().carry_out(Compute("NDX", ASOF), b"")
    assert answer == OrderRefused("KeyError", "'NDX'")
    assert "Traceback" in capsys.readouterr().err
    assert OrderDesk().carry_out(Rehearse("NDX", ASOF), b"") is None, "nobody waits for an answer"
    assert "Traceback" in capsys.readouterr().err


def run(code: str, *orders: bytes) -> tuple[list[object], bytes]:
    done = subprocess.run(
        [sys.executable, "-c", code], input=b"".join(orders), capture_output=True, cwd=ROOT, timeout=30, check=True
    )
    pipe, answers = BytesIO(done.stdout), []
    while prefix := pipe.read(HEADER.size):
        answers.append(ANSWERS.decode(pipe.read(*HEADER.unpack(prefix))))
    return answers, done.stderr


def test_it_ends_when_its_input_closes_and_answers_in_order():
    orders = [frame(ENCODER.encode(order)) for order in (SETUP, Near(1), Compute("SPX", ASOF))]
    answers, _ = run("import streaming.engine.worker as w; w.main()", *orders)
    assert answers == [Ready(), NearSymbols(()), Computed(None)]


def test_what_is_printed_never_ends_up_between_the_frames():
    answers, errors = run(NOISY, frame(ENCODER.encode(SETUP)), frame(ENCODER.encode(SETUP)))
    assert [answer.kind for answer in answers] == ["ZeroDivisionError"] * 2
    assert errors.count(b"noise") == 2


TIDY = """
import sys, streaming.engine.worker as w
w.OrderDesk.tidy = lambda self: sys.stderr.write("tidied ") and False
w.main()
"""


def test_a_quiet_moment_is_used_and_orders_that_wait_come_first():
    order = frame(ENCODER.encode(SETUP))
    process = subprocess.Popen(
        [sys.executable, "-c", TIDY], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=ROOT
    )
    process.stdin.write(order * 5)
    process.stdin.flush()
    for _ in range(5):
        process.stdout.read(*HEADER.unpack(process.stdout.read(HEADER.size)))
    time.sleep(0.3)
    _, errors = process.communicate(timeout=10)
    assert errors == b"tidied "
