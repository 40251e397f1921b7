import msgspec
import pytest
from msgspec.structs import replace

from streaming.api.classic_answers import CATEGORIES, chain_of, majors_of, max_change_of
from streaming.bus.snapshots.classic import parse_snapshot
from streaming.errors import TransientError
from streaming.model import ScopeFigures, WeightFigures
from streaming.sources.gexbot import parse_answer
from tests.support.snapshots import snapshot
from tests.support.source_rigs import GEXBOT_ANSWER

OURS = {"source", "origin", "delayed"}
ZERO = ScopeFigures(
    ladder=((6000.0, 1e6, 1e6), (6395.0, 2.5e9, -1e9), (6700.0, 1e6, 1e6)),
    oi=WeightFigures(call_wall=6410.0, net_gex_usd_per_1pct=-4e8),
    vol=WeightFigures(call_wall=6420.0, put_wall=6390.0, ladder_split=6398.5, net_gex_usd_per_1pct=3e9),
)


def test_a_chain_has_the_fields_of_gexbots_own_answer_and_three_of_ours():
    said = msgspec.to_builtins(chain_of(snapshot(), "full"))
    assert said.keys() - OURS == GEXBOT_ANSWER.keys()
    assert said["strikes"][0] == (6395.0, 10.5, -3.25, (9.0, 8.0, 0.0, 0.0, 0.0))
    assert said["max_priors"][:3] == ((6400.0, 1.5), (6395.0, -2.0), (0.0, 0.0))
    assert len(said["max_priors"]) == 6


def test_what_is_absent_is_0_as_on_that_wire():
    seen = replace(snapshot(), ladder_split=None, major_neg_oi=None, spot=None, min_dte=None, strikes=(), max_priors=())
    said = msgspec.to_builtins(chain_of(seen, "gex_full"))
    assert (said["zero_gamma"], said["major_neg_oi"], said["spot"], said["min_dte"]) == (0.0, 0.0, 0.0, 0)
    assert said["max_priors"] == ((0.0, 0.0),) * 6


def test_our_own_reader_of_gexbot_reads_the_same_figures_out_of_it():
    seen = snapshot()
    body = msgspec.json.encode(chain_of(seen, "full"))
    read = parse_answer(body, ticker="SPX", scope="full", received_ms=seen.asof_ms)
    for name in ("spot", "ladder_split", "major_pos_oi", "sum_gex_oi", "min_dte", "asof_ms"):
        assert getattr(read, name) == getattr(seen, name)
    assert [row[:3] for row in read.strikes] == [row[:3] for row in seen.strikes]


def test_majors_and_changes_have_gexbots_short_names():
    majors = msgspec.to_builtins(majors_of(snapshot(), "full"))
    assert (majors["mpos_vol"], majors["mneg_oi"], majors["net_gex_oi"]) == (6450.0, 6200.0, -310.5)
    changes = msgspec.to_builtins(max_change_of(snapshot(), "full"))
    assert list(changes)[-6:] == ["current", "one", "five", "ten", "fifteen", "thirty"]
    assert (changes["current"], changes["thirty"]) == ((6400.0, 1.5), (0.0, 0.0))
    seen = parse_snapshot(msgspec.json.encode(majors), received_ms=snapshot().asof_ms)
    assert (seen.major_pos_vol, seen.sum_gex_vol) == (6450.0, 1250.0)


def test_another_scope_is_read_off_its_own_figures_with_the_ladder_near_spot_in_millions():
    seen = replace(snapshot(), scopes={"zero": ZERO})
    said = chain_of(seen, "gex_zero")
    assert (said.zero_gamma, said.major_pos_vol, said.major_pos_oi, said.major_neg_oi) == (6398.5, 6420.0, 6410.0, 0.0)
    assert (said.sum_gex_vol, said.sum_gex_oi) == (3000.0, -400.0)
    assert said.strikes == ((6395.0, 2500.0, -1000.0, (0.0,) * 5),)
    assert max_change_of(seen, "zero").current == (0.0, 0.0), "changes are those of the snapshot's own scope"


def test_a_scope_that_nobody_computes_is_said_to_be_missing_and_never_another_ones():
    with pytest.raises(TransientError, match=r"gives no figures of scope one"):
        majors_of(snapshot(), "one")
    with pytest.raises(TransientError):
        chain_of(replace(snapshot(), scope=None, scopes={}), "full")


def test_every_category_has_its_old_name_and_its_new_one():
    assert set(CATEGORIES) == {"zero", "gex_zero", "one", "gex_one", "full", "gex_full"}
