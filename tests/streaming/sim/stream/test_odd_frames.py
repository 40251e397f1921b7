"""None"""

import json

import pytest

from streaming.sim.stream.odd_frames import ODDITIES, distorted, in_pieces
from tests.support.frames import data_frame, notice, response

ROWS = data_frame("LEVELONE_EQUITIES", *({"key": key, "1": 5.0, "2": 5.5, "3": 5.25} for key in ("A", "B", "C")))
ONE = data_frame("LEVELONE_EQUITIES", {"key": "A", "1": 5.0})
LOGIN = response("0", "LOGIN", 0, msg="server=x")


def rows(frame):
    return json.loads(frame)["data"][0]["content"]


def test_without_oddities_a_frame_stays_as_it_is():
    assert distorted(ROWS, ()) is ROWS


def test_messages_are_null_in_answers_and_notices():
    for frame in (LOGIN, notice(30, "Stop")):
        (items,) = json.loads(distorted(frame, {"null_messages"})).values()
        assert items[0]["content"]["msg"] is None


def test_prices_are_blank_in_every_way_and_the_last_one_stays():
    odd = rows(distorted(ROWS, {"blank_prices"}))
    assert [(row["1"], row["2"], row["3"]) for row in odd] == [("", "-", 5.25), ("-", "N/A", 5.25), ("N/A", None, 5.25)]


def test_numbers_are_texts():
    assert rows(distorted(ONE, {"texts"})) == [{"key": "A", "1": "5.0"}]


def test_odd_rows_stand_before_the_good_ones():
    odd = rows(distorted(ONE, {"odd_rows"}))
    assert odd[-1] == {"key": "A", "1": 5.0}
    assert len(odd) > 4


def test_lists_of_one_are_objects():
    odd = json.loads(distorted(ONE, {"objects"}))
    assert odd["data"]["content"] == {"key": "A", "1": 5.0}
    assert len(rows(distorted(ROWS, {"texts"}))) == 3


@pytest.mark.parametrize("frame", [ROWS, ONE, LOGIN])
def test_a_frame_holds_two_documents_behind_a_mark(frame):
    odd = distorted(frame, {"two_documents", "byte_order_mark"})
    assert odd.startswith(b"\xef\xbb\xbf{")
    documents = [json.loads(line) for line in odd.decode("utf-8-sig").splitlines()]
    assert len(documents) == 2
    kept = [row["key"] for document in documents for row in document.get("data", [{"content": []}])[0]["content"]]
    assert kept == {ROWS: ["A", "B", "C"], ONE: ["A"], LOGIN: []}[frame]


@pytest.mark.parametrize("frame", [ROWS, ONE, LOGIN, notice(12), b'{"notify":[{"heartbeat":"5"}]}'])
def test_every_frame_bears_them_all_at_once(frame):
    assert distorted(frame, set(ODDITIES)) != frame


@pytest.mark.parametrize("length", [0, 1, 125, 126, 65_535, 65_536])
def test_one_frame_states_its_length(length):
    frame = in_pieces(b"x" * length)
    head = 2 if length < 126 else 4 if length < 65_536 else 10
    assert frame[0] == 0x81
    assert frame[head:] == b"x" * length
    assert (frame[1] if head == 2 else int.from_bytes(frame[2:head])) == length


def test_pieces_continue_until_the_last_one():
    frames = in_pieces(b"abcdefgh", 3)
    assert frames == b"\x01\x03abc\x00\x03def\x80\x02gh"


def test_a_message_that_fits_is_one_frame():
    assert in_pieces(b"abc", 3) == b"\x81\x03abc"
