import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.frames import DATA_OPCODES, Opcode
from websockets.protocol import CLIENT, Protocol, State

from streaming.schwab.wire.splitter import FrameSplitter

LIMIT = 100_000


def split(chunks, max_size=LIMIT):
    """What a splitter hands over, in order: ("text", payload) or ("other", bytes)."""
    seen = []
    splitter = FrameSplitter(
        lambda text: seen.append(("text", text)), lambda raw: seen.append(("other", raw)), max_size=max_size
    )
    for chunk in chunks:
        splitter.feed(chunk)
    return seen


def frame(opcode, payload, *, fin=True, rsv1=False, mask=False):
    """One frame, broken ones too, which the library would not make."""
    size, long = len(payload), 0x80 * mask
    head = bytes([0x80 * fin | 0x40 * rsv1 | opcode])
    if size < 126:
        head += bytes([long | size])
    elif size < 1 << 16:
        head += bytes([long | 126]) + size.to_bytes(2, "big")
    else:
        head += bytes([long | 127]) + size.to_bytes(8, "big")
    return head + (b"mask" if mask else b"") + payload


def text(payload):
    return frame(Opcode.TEXT, payload)


@pytest.mark.parametrize("size", [0, 1, 125, 126, 127, 65_535, 65_536, LIMIT])
def test_texts_of_every_length_arrive_whole(size):
    assert split([text(b"x" * size) + text(b"after")]) == [("text", b"x" * size), ("text", b"after")]


def test_pings_closes_and_fragments_go_to_the_library_as_they_came():
    ping, start, end = frame(Opcode.PING, b"p"), frame(Opcode.TEXT, b"a", fin=False), frame(Opcode.CONT, b"b")
    close = frame(Opcode.CLOSE, b"\x03\xe8")
    raw = text(b"1") + start + ping + end + text(b"2") + close
    assert split([raw]) == [
        ("text", b"1"), ("other", start), ("other", ping), ("other", end), ("text", b"2"), ("other", close),
    ]  # fmt: skip


def test_a_text_inside_fragments_is_the_librarys_to_refuse():
    start = frame(Opcode.TEXT, b"a", fin=False)
    assert split([start + text(b"b")]) == [("other", start), ("other", text(b"b"))]


def test_a_compressed_frame_is_the_librarys_to_refuse():
    assert split([frame(Opcode.TEXT, b"a", rsv1=True)]) == [("other", frame(Opcode.TEXT, b"a", rsv1=True))]


@pytest.mark.parametrize("bad", [text(b"x" * (LIMIT + 1)), frame(Opcode.TEXT, b"masked", mask=True)])
def test_after_a_frame_too_long_or_masked_everything_goes_to_the_library(bad):
    assert split([text(b"1") + bad[:50], bad[50:], text(b"2")]) == [
        ("text", b"1"), *[("other", raw) for raw in (bad[:50], bad[50:], text(b"2")) if raw],
    ]  # fmt: skip


def test_whoever_gives_up_gets_the_rest_as_it_is():
    seen = []

    def refuse(raw):
        seen.append(raw)
        splitter.give_up()

    splitter = FrameSplitter(seen.append, refuse, max_size=LIMIT)
    splitter.feed(text(b"1") + frame(Opcode.CLOSE, b"") + text(b"2"))
    assert seen == [b"1", frame(Opcode.CLOSE, b""), text(b"2")]


KINDS = st.sampled_from([Opcode.TEXT, Opcode.TEXT, Opcode.TEXT, Opcode.CONT, Opcode.BINARY, Opcode.PING, Opcode.CLOSE])
FRAMES = st.lists(
    st.builds(frame, KINDS, st.binary(max_size=300), fin=st.booleans(), rsv1=st.sampled_from([False] * 9 + [True])),
    max_size=12,
)


@given(FRAMES, st.randoms(use_true_random=False))
def test_however_bytes_are_cut_the_library_alone_reads_the_same(frames, rng):
    raw = b"".join(frames)
    cuts = sorted(rng.randrange(len(raw) + 1) for _ in range(5)) if raw else []
    chunks = [raw[start:end] for start, end in zip([0, *cuts], [*cuts, len(raw)], strict=True)]
    alone, helped = reader(), reader()
    alone.receive_data(raw)
    seen = []

    def leave(rest):
        helped.receive_data(rest)
        seen.extend(data_frames(helped))
        if helped.state is not State.OPEN:
            splitter.give_up()

    splitter = FrameSplitter(lambda payload: seen.append((Opcode.TEXT, payload, True)), leave, max_size=LIMIT)
    for chunk in chunks:
        splitter.feed(chunk)
    assert seen == data_frames(alone)
    assert (helped.state, helped.close_rcvd, helped.close_sent) == (alone.state, alone.close_rcvd, alone.close_sent)


def reader():
    return Protocol(CLIENT, state=State.OPEN, max_size=LIMIT)


def data_frames(protocol):
    events = [event for event in protocol.events_received() if event.opcode in DATA_OPCODES]
    return [(event.opcode, bytes(event.data), event.fin) for event in events]
