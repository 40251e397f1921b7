"""Messages in pieces, rubbish between them: one bad frame never ends a session."""

import pytest

from tests.support.stream_rig import client_rig, until

RUBBISH = (
    b"",
    b"{",
    b"\x00\x01\x02",
    b"[]",
    b"null",
    b'{"what":[]}',
    b'{"data":{}}',
    b'{"data":[{"service":"LEVELONE_FUTURES","content":[{"key":"/XX","1":\x00\x07}]}]}',
    b'{"data":[{"service":"NEW_SERVICE","content":[{"key":"A"}]}]}',
    b'{"notify":[{}]}',
    b'{"response":[{"content":{"code":77}}]}',
    b'{"data":[{"service":"ACCT_ACTIVITY","content":[{"seq":1,"key":"x","2":"Feature not supported","3":null}]}]}',
    b'{"data":[{"service":"SCREENER_EQUITY","content":[{"key":"NYSE_VOLUME_5","4":[{"symbol":"A"}]}]}]}',
)


@pytest.mark.parametrize("largest", [1, 7, 125])
async def test_a_message_in_pieces_is_one_message(tmp_path, largest):
    async with client_rig(tmp_path, symbols=("SPY", "/ES")) as rig:
        rig.sim.faults.fragment = largest
        await until(lambda: len(rig.ticks("SPY")) > 1 and len(rig.ticks("/ES")) > 1 and rig.books("SPY"))
        assert (rig.client.status.bad_frames, rig.client.status.reconnects) == (0, 0)


async def test_rubbish_is_counted_and_the_session_goes_on(tmp_path):
    async with client_rig(tmp_path, symbols=("SPY", "/ES")) as rig:
        await until(lambda: rig.state == "live")
        for frame in RUBBISH:
            await rig.sim.send_raw(frame)
        ticks = len(rig.ticks("SPY"))
        await until(lambda: len(rig.ticks("SPY")) > ticks)
        status = rig.client.status
        assert status.bad_frames == 8
        assert (status.reconnects, status.connects, rig.sim.counters["sockets"]) == (0, 1, 1)
