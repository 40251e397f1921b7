import pytest

from streaming.sim.stream.fragments import in_pieces


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
