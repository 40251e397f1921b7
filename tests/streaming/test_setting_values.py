"""Which source serves which ticker."""

import pytest

from streaming.setting_values import parse_source_map
from streaming.settings import StreamSettings


def settings(**values):
    return StreamSettings(_env_file=None, **values)


def test_a_ticker_comes_from_its_own_source_and_any_other_from_the_common_one():
    chosen = settings(gex_source="cboe", gex_source_map="nq:schwab, $SPX:GEXBOT")
    assert [chosen.source_of(name) for name in ("NQ_NDX", "SPX", "SPY")] == ["schwab", "gexbot", "cboe"]
    assert [ticker.name for ticker in chosen.mapped_tickers] == ["NQ_NDX", "SPX"]


def test_the_tickers_of_a_source_keep_their_order():
    chosen = settings(gex_source_map="SPY:cboe,QQQ:redis")
    tickers = settings(gex_source_map="QQQ:redis,SPX:redis,SPY:redis").mapped_tickers
    assert [ticker.name for ticker in chosen.tickers_from("schwab", tickers)] == ["SPX"]
    assert [ticker.name for ticker in chosen.tickers_from("cboe", tickers)] == ["SPY"]


@pytest.mark.parametrize(
    "pairs", [["SPX"], ["SPX:"], [":cboe"], ["SPX:yahoo"], ["S P:cboe"], ["NQ:cboe", "NQ_NDX:cboe"]]
)
def test_what_is_no_pair_or_names_a_ticker_twice_is_refused(pairs):
    with pytest.raises(ValueError, match=r"TICKER:source|is not a ticker|one source"):
        parse_source_map(pairs)


def test_the_key_is_in_no_representation():
    chosen = settings(gexbot_api_key="gexbot_custom_9f2c")
    assert "9f2c" not in repr(chosen) + str(chosen) + chosen.model_dump_json()
