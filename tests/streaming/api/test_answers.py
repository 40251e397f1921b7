from datetime import timedelta

import msgspec
import pytest
from msgspec.structs import replace

from streaming.api.answers import LevelPrices, history_of, levels_of, origin_of, symbol_state
from streaming.errors import RequestError
from streaming.export.levels import LABELS
from streaming.model import PointView, ReplayMark, Standing
from streaming.past import past_of
from tests.support.snapshots import ASOF, snapshot

SOON = ASOF + timedelta(seconds=2)
SCHWAB = replace(snapshot(), source="schwab")


def levels(seen=SCHWAB, now=SOON, **choice):
    return levels_of(seen, now, **{"scope": None, "weight": "oi", "view": "native"} | choice)


def test_the_contract_names_symbol_scope_weight_source_and_age_of_its_levels():
    said = msgspec.to_builtins(levels())
    assert said.pop("levels") == {
        "zero_gamma": 6385.5, "call_wall": 6450.0, "put_wall": 6300.0, "call_wall_gross": None, "put_wall_gross": None,
    }  # fmt: skip
    assert said == {
        "version": 1, "symbol": "SPX", "view": "native", "points_of": "SPX", "scope": "full", "weight": "oi",
        "source": "schwab", "origin": "live", "delayed": False, "as_of": "2026-08-20T15:00:00Z",
        "as_of_ms": 1787238000000, "age_seconds": 2.0, "freshness": "live", "stale": False, "state": "live",
        "spot": 6400.25, "net_gex_usd_per_1pct": 1.25e9, "regime": None,
    }  # fmt: skip


def test_the_levels_are_those_that_are_drawn_elsewhere_too():
    assert LevelPrices.__struct_fields__ == tuple(LABELS)


def test_a_scope_that_the_source_does_not_give_hides_every_line():
    said = levels(scope="zero")
    assert set(msgspec.to_builtins(said.levels).values()) == {None}
    assert (said.scope, said.net_gex_usd_per_1pct) == ("zero", None)


def test_the_regime_is_that_of_the_snapshots_own_scope_under_the_weight_asked():
    seen = replace(SCHWAB, standing={"oi": Standing(regime="dampened"), "vol": Standing(regime="amplified")})
    assert [levels(seen, weight=weight).regime for weight in ("oi", "vol")] == ["dampened", "amplified"]
    assert levels(seen, scope="full").regime == "dampened"
    assert levels(seen, scope="zero").regime is None


def test_levels_in_points_of_an_etf_say_whose_points_they_are():
    seen = replace(SCHWAB, views={"etf": PointView(symbol="SPY", ratio=0.1)})
    said = levels(seen, view="etf")
    assert (said.points_of, said.view, said.spot) == ("SPY", "etf", pytest.approx(640.025))
    assert said.levels.call_wall == pytest.approx(645.0)
    with pytest.raises(RequestError, match="have not been quoted together"):
        levels(view="etf")


def test_what_has_stopped_is_stale_with_its_age_in_seconds_and_a_word():
    said = levels(now=ASOF + timedelta(minutes=2))
    assert (said.age_seconds, said.freshness, said.stale) == (120.0, "old", True)


@pytest.mark.parametrize(
    ("source", "replayed", "origin"),
    [
        ("schwab", None, "live"),
        ("simulated", None, "simulated"),
        ("file:2022-05-20", None, "file"),
        ("replay", "schwab", "replay"),
        ("replay", "simulated", "simulated"),
    ],
)
def test_figures_that_are_not_of_the_market_say_so(source, replayed, origin):
    mark = None if replayed is None else ReplayMark(of=replayed, speed=1.0, sent_ms=SCHWAB.asof_ms)
    assert origin_of(replace(SCHWAB, source=source, replay=mark)) == origin


def test_a_history_has_the_levels_of_each_moment_by_scope_and_weight():
    past = [past_of(SCHWAB), past_of(replace(SCHWAB, asof_ms=SCHWAB.asof_ms + 5000, spot=6401.0))]
    said = history_of(SCHWAB, past, scope=None, weight="vol")
    assert [(point.as_of_ms - SCHWAB.asof_ms, point.spot, point.call_wall) for point in said.points] == [
        (0, 6400.25, 6450.0),
        (5000, 6401.0, 6450.0),
    ]
    assert (said.scope, said.weight, said.origin) == ("full", "vol", "live")
    other = history_of(SCHWAB, past, scope="zero", weight="oi")
    assert {point.zero_gamma for point in other.points} == {None}


def test_a_symbol_without_a_snapshot_has_nothing_but_its_name():
    assert set(msgspec.to_builtins(symbol_state("NDX", None, SOON)).values()) == {"NDX", None}
    assert symbol_state("SPX", SCHWAB, SOON).age_seconds == 2.0
