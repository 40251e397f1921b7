"""streaming/bus/mishaps.py"""

import logging

import pytest

from streaming.bus.mishaps import Mishaps, outline
from streaming.errors import ContractError, OperatorError, RequestError, TransientError
from tests.support.snapshots import snapshot


@pytest.mark.parametrize("error", [ContractError("no"), RequestError("no"), KeyError("x"), RecursionError(), OSError()])
def test_whatever_one_message_raises_is_counted_and_skipped(error):
    mishaps = Mishaps("A reader")
    for message in (b"{}", snapshot()):
        with mishaps.skipping(message):
            raise error
    assert mishaps.count == 2 and mishaps.last


@pytest.mark.parametrize("error", [TransientError("away"), OperatorError("act"), KeyboardInterrupt()])
def test_what_is_not_about_the_message_passes(error):
    mishaps = Mishaps("A reader")
    with pytest.raises(type(error)), mishaps.skipping(b"{}"):
        raise error
    assert mishaps.count == 0


def test_the_log_hears_of_the_1st_2nd_4th_8th_and_never_of_the_content(caplog):
    mishaps = Mishaps("A reader")
    with caplog.at_level(logging.WARNING):
        for _ in range(100):
            with mishaps.skipping(b'{"token": "secret-4711"}'):
                raise ValueError
    assert len(caplog.records) == 7
    assert "secret" not in caplog.text and "4711" not in caplog.text


def test_an_outline_tells_shape_and_length_only():
    assert outline(b'{"spot": 6400.5, "x": "\xc3\xa9\n"}') == ('28 bytes, {"xxxx": 0000.0, "x": "x?"}')
