import pytest

from bot.past_days import take_rank, take_record
from streaming.errors import RequestError
from tests.support.host import Host, make_settings, make_snapshot


async def test_without_a_history_its_setting_is_named():
    host = Host(make_settings(), reports=None)
    host.snapshots.latest_by_ticker = {"SPX": make_snapshot("SPX")}
    services = host.make_bot().services
    with pytest.raises(RequestError, match="No history is kept") as caught:
        await take_rank(services, "SPX", weight="oi", channel_id=None)
    assert "GEX_HISTORY=true" in caught.value.remedy
    with pytest.raises(RequestError, match="No history is kept"):
        await take_record(services, None, level=None, days=5, channel_id=None)
