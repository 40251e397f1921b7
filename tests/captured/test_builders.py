"""What `tests/data_builders` makes has the shape of what was captured: the same names, in order, of the same types."""

import gzip
import json
from datetime import date
from typing import Any

import pytest

from tests.captured.recordings import captured
from tests.data_builders import answers
from tests.data_builders.chains import made
from tests.data_builders.frames import (
    bars,
    equities,
    future_image,
    nasdaq_book,
    nyse_book,
    one_per_service,
    options,
    options_book,
)
from tests.data_builders.shapes import COLUMNS
from tests.support.frames import rows_of

REST = "schwab/rest/fixtures_2025"


def loaded(captured_data, name: str) -> Any:
    path = captured_data / name
    return json.loads(gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes())


def contracts(chain: dict[str, Any]) -> list[dict[str, Any]]:
    sides = (chain.get(side, {}) for side in ("callExpDateMap", "putExpDateMap"))
    return [one for side in sides for strikes in side.values() for many in strikes.values() for one in many]


def kind(value: object) -> str:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return "number" if number else type(value).__name__


def test_schwabs_chain(captured_data):
    real, ours = loaded(captured_data, f"{REST}/chain_SPX_2025-05-20.json"), json.loads(made("spx_schwab.json").payload)
    assert list(ours) == list(real)
    theirs, good = contracts(real)[0], next(one for one in contracts(ours) if isinstance(one["volatility"], float))
    assert list(good) == list(theirs)
    assert {name: kind(value) for name, value in good.items()} == {name: kind(value) for name, value in theirs.items()}
    assert next(iter(ours["callExpDateMap"])) == "2026-08-20:0"


def test_td_ameritrades_chain(captured_data):
    real, ours = loaded(captured_data, "gex/tda_spy_20220520.json.gz"), json.loads(made("spy_ameritrade.json").payload)
    assert set(ours) == set(real)
    assert list(contracts(ours)[0]) == list(contracts(real)[0])
    assert contracts(real)[0]["symbol"].partition("C")[0] == contracts(ours)[0]["symbol"].partition("C")[0]


def test_cboes_json_with_and_without_its_wrapper(captured_data):
    real, ours = loaded(captured_data, "gex/cboe_rut_20230920.json.gz"), json.loads(made("rut_feed.json").payload)
    assert set(ours) == set(real)
    assert set(ours["data"]) == set(real["data"])
    assert list(ours["data"]["options"][0]) == list(real["data"]["options"][0])
    real, ours = loaded(captured_data, "gex/cboe_spy_20220401.json.gz"), json.loads(made("spy_bare.json").payload)
    assert set(ours) <= set(real)
    assert list(ours["options"][0]) == list(real["options"][0])


@pytest.mark.parametrize("name", ["spx_20230609", "qqq_20240322", "spy_20230605", "spx_20220712", "ndx_20221212"])
def test_cboes_table(captured_data, name):
    text = gzip.decompress((captured_data / "gex" / f"{name}.csv.gz").read_bytes()).decode()
    assert COLUMNS in text.splitlines()
    row = text.splitlines()[text.splitlines().index(COLUMNS) + 1]
    ours = made("spx_intraday.csv").payload.decode().splitlines()[4]
    assert row.count(",") == ours.count(",")
    assert len(row.partition(",")[0]) == len(ours.partition(",")[0]) == len("Fri Jun 09 2023")


@pytest.mark.parametrize(
    ("ours", "name"),
    [
        (equities, "rth_2026-08-20_levelone_equities"),
        (options, "rth_2026-08-20_levelone_options"),
        (nyse_book, "rth_2026-08-20_nyse_book"),
        (nasdaq_book, "rth_2026-08-20_nasdaq_book"),
        (options_book, "rth_2026-08-20_options_book"),
    ],
)
def test_frames(captured_data, ours, name):
    mine, theirs = rows_of(ours())[0], rows_of(captured(captured_data, name))[0]
    assert list(mine) == list(theirs)
    assert {field: kind(value) for field, value in mine.items()} == {
        field: kind(value) for field, value in theirs.items()
    }
    if "BOOK" in name.upper():
        assert list(mine["2"][0]) == list(theirs["2"][0])
        assert list(mine["2"][0]["3"][0]) == list(theirs["2"][0]["3"][0])


def test_the_image_of_a_future(captured_data):
    theirs = loaded(captured_data, "schwab/tda_era/sample_level_one_futures.json")["content"][0]
    mine = future_image()
    assert list(mine) == list(theirs)
    assert {name: kind(mine[name]) for name in mine} == {name: kind(theirs[name]) for name in theirs}


def test_a_frame_of_every_service(captured_data):
    def first_rows(frames):
        blocks = [block for raw in frames for block in json.loads(raw)["data"]]
        return {block["service"]: set(block["content"][0]) for block in reversed(blocks)}

    theirs, mine = (
        first_rows(captured(captured_data, "docs_2025-12_one_frame_per_service")),
        first_rows([*one_per_service(), *bars()]),
    )
    unused = {"LEVELONE_FUTURES_OPTIONS", "LEVELONE_FOREX", "SCREENER_EQUITY", "SCREENER_OPTION", "ACCT_ACTIVITY"}
    assert set(mine) == set(theirs) - unused
    for service in ("CHART_EQUITY", "CHART_FUTURES"):
        assert mine[service] == theirs[service], service


def test_quotes(captured_data):
    for ours, name in (
        (answers.index_quote(), "quote_SPX_index_2025-01-30.json"),
        (answers.share_quote(), "quote_NVDA_2025-01-30.json"),
        (answers.option_quote(), "quote_META_option_2025-01-24.json"),
    ):
        (mine,), (theirs,) = json.loads(ours).values(), loaded(captured_data, f"{REST}/{name}").values()
        assert set(mine) == set(theirs), name
        for block in (block for block in theirs if isinstance(theirs[block], dict)):
            assert set(mine[block]) == set(theirs[block]), (name, block)


def test_the_quote_of_a_future(captured_data):
    text = (captured_data / "schwab/rest/official_openapi_examples.json").read_text()
    theirs, _ = json.JSONDecoder().raw_decode(text[text.index('"/ESZ21": {') + len('"/ESZ21": ') :])
    (mine,) = json.loads(answers.future_quote()).values()
    assert set(mine) == set(theirs)
    for block in ("quote", "reference"):
        assert set(mine[block]) == set(theirs[block])


def test_hours(captured_data):
    assert answers.open_hours(date(2025, 7, 21)) == loaded(captured_data, f"{REST}/markets_open_2025-07-21.json")
    assert answers.closed_hours(date(2025, 7, 20)) == loaded(captured_data, f"{REST}/markets_closed_2025-07-20.json")


def test_expirations_and_preferences(captured_data):
    theirs, mine = (
        loaded(captured_data, f"{REST}/expirationchain_SPY_2025-07-20.json"),
        json.loads(answers.expirations()),
    )
    assert set(mine) == set(theirs)
    assert list(mine["expirationList"][0]) == list(theirs["expirationList"][0])
    theirs, mine = loaded(captured_data, f"{REST}/userPreference_sanitised.json"), json.loads(answers.preferences())
    for block in ("accounts", "streamerInfo", "offers"):
        assert set(mine[block][0]) == set(theirs[block][0])
