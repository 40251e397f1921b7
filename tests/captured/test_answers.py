"""Captured answers of Schwab's REST interface, and one of TD Ameritrade's."""

import gzip
from datetime import UTC, date, datetime

import numpy as np
import pytest

from streaming.chains.schwab import parse_chain
from streaming.schwab.rest.bodies import parse_expirations, parse_preferences, require_quotes

ASOF = datetime(2025, 5, 9, 19, 30, tzinfo=UTC)


def fixture(captured_data, name):
    return (captured_data / "schwab/rest/fixtures_2025" / name).read_bytes()


def test_the_spx_chain_is_read(captured_data):
    chain = parse_chain(fixture(captured_data, "chain_SPX_2025-05-20.json"), ticker="SPX", asof=ASOF)
    assert (len(chain), chain.spot, chain.delayed, chain.asof) == (162, 5659.91, False, ASOF)
    assert set(chain.root.tolist()) == {"SPXW"}
    assert set(chain.settle_s.tolist()) == {datetime(2025, 5, 20, 20, 0, tzinfo=UTC).timestamp()}
    row = chain.symbol.tolist().index("SPXW  250520C05660000")
    assert (chain.strike[row], chain.bid[row], chain.ask[row], chain.volume[row]) == (5660.0, 76.0, 77.4, 35.0)
    assert chain.iv[row] == pytest.approx(0.18658)
    assert chain.open_interest.sum() == 0.0
    assert (chain.is_call.sum(), (~chain.is_call).sum()) == (43, 119)


def test_the_aapl_chain_dates_itself_when_asked(captured_data):
    chain = parse_chain(fixture(captured_data, "chain_AAPL_puts_2025-01.json"), ticker="AAPL", asof=None)
    assert chain.asof == datetime(2025, 1, 16, 21, 0, 1, 414000, tzinfo=UTC)
    assert (len(chain), len(set(chain.expiry.tolist())), chain.spot) == (470, 8, 228.375)
    assert chain.open_interest.sum() == 1389203.0
    assert not chain.is_call.any()


def test_the_td_ameritrade_chain_is_read_too(captured_data):
    raw = gzip.decompress((captured_data / "gex/tda_spy_20220520.json.gz").read_bytes())
    chain = parse_chain(raw, ticker="SPY", asof=None)
    assert (len(chain), chain.spot, chain.delayed) == (1024, 390.65, True)
    assert np.isnan(chain.iv).sum() == 12  # the -999 sentinels
    assert (chain.strike[0], chain.bid[0], chain.open_interest[0], chain.volume[0]) == (382.0, 8.07, 177.0, 17432.0)
    assert chain.settle_s[0] == datetime(2022, 5, 23, 20, 0, tzinfo=UTC).timestamp()


def test_the_documents_example_is_read(captured_data):
    raw = (captured_data / "schwab/rest/docs_examples/option_chains.json").read_bytes()
    assert parse_chain(raw, ticker="AAPL", asof=None).strike.tolist()[:2] == [5.0, 10.0]


def test_preferences_expirations_and_quotes_are_read(captured_data):
    info = parse_preferences(fixture(captured_data, "userPreference_sanitised.json"))
    assert (info.url, info.channel, info.level2) == ("wss://streamer-api.schwab.com/ws", "N9", True)
    found = parse_expirations(fixture(captured_data, "expirationchain_SPY_2025-07-20.json"))
    assert found[0] == date(2025, 7, 21)
    assert len(found) > 20
    require_quotes(fixture(captured_data, "quote_NVDA_2025-01-30.json"))
