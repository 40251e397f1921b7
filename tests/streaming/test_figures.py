import msgspec
import pytest

from streaming.figures import headline, read_levels
from streaming.model import ScopeFigures, WeightFigures
from streaming.past import past_of
from tests.support.snapshots import snapshot

OWN = snapshot()
CLASSIC = msgspec.structs.replace(OWN, scopes={}, scope=None)


@pytest.mark.parametrize("read", [lambda seen: seen, past_of])
def test_a_scope_is_read_off_its_own_figures_now_and_in_the_history(read):
    found = read_levels(read(OWN), "full", "oi")
    assert found == (6385.5, 6450.0, 6300.0, 1.25e9)


@pytest.mark.parametrize("weight", ["oi", "vol"])
def test_the_one_zero_gamma_of_a_classic_producer_stands_for_both_weights(weight):
    assert read_levels(CLASSIC, None, weight).zero_gamma == 6380.0
    assert headline(CLASSIC)["zero_gamma"] == 6380.0


def test_a_classic_block_says_nothing_of_a_scope_it_does_not_name():
    named = msgspec.structs.replace(CLASSIC, scope="full")
    assert read_levels(named, "full", "oi").call_wall == 6500.0
    assert read_levels(named, "zero", "oi") == (None, None, None, None)


def test_where_there_is_no_root_the_classic_ladder_split_takes_no_place():
    rootless = ScopeFigures(oi=WeightFigures(zero_gamma_note="positive everywhere"))
    seen = msgspec.structs.replace(OWN, scopes={"full": rootless})
    assert read_levels(seen, None, "oi").zero_gamma is None
    assert read_levels(seen, None, "oi").net_gex_usd_per_1pct == -310.5e6


def test_the_headline_is_what_levels_say_of_the_snapshots_own_scope():
    shown = headline(OWN)
    assert (shown["zero_gamma"], shown["call_wall"], shown["put_wall"]) == read_levels(OWN, "full", "oi")[:3]
    assert (shown["net_gex"], shown["scaled_gamma"]) == (1.25, 1.25)
