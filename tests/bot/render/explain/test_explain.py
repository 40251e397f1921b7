"""What /gex explain says of every figure: its meaning, its sign and unit, and why it is absent."""

from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from bot.render.explain.explain import explain_embed, explanation
from streaming.calendar import NEW_YORK
from streaming.clock import epoch_ms
from streaming.figures import BOARD, FIGURES
from streaming.model import (
    FLOW_SPANS,
    ChainQuality,
    ExpectedMove,
    Flow,
    FlowSum,
    GexSnapshot,
    IvFault,
    ReplayMark,
    ScopeFigures,
    SignedFlow,
    WeightFigures,
)
from tests.support.snapshots import ASOF, snapshot

BY_OI = WeightFigures(
    net_gex_usd_per_1pct=-1_834_561_234.5,
    net_gex_usd_per_point=-28_664_000.0,
    gross_gex_usd_per_1pct=9.5e9,
    zero_gamma=6385.5,
    zero_gamma_roots=(6301.0, 6385.5),
    zero_gamma_directions=(-1, 1),
    ladder_split=6379.0,
    call_wall=6500.0,
    call_wall_usd_per_1pct=6.25e8,
    put_wall=6200.0,
    put_wall_usd_per_1pct=-4.5e8,
    call_wall_gross=6505.0,
    put_wall_gross=6205.0,
    call_wall_above=6450.0,
    put_wall_below=6350.0,
    zero_gamma_slope=12.3e6,
    confidence=0.193,
    vex_usd_per_vol_point=6.82e7,
    chex_usd_per_day=-7.65e7,
    chex_usd_to_close=-3.125e7,
    dex_usd=1.42e8,
    dex_dealer_usd=3.05e9,
    call_gex_usd_per_1pct=3.8327e9,
    put_gex_usd_per_1pct=-5.6673e9,
    top_strikes=((6200.0, -4.5e8, 0.31), (6500.0, 6.25e7, 0.04)),
    top_strikes_gross=((6400.0, 9.5e8, 0.1), (6900.0, 4.75e8, 0.05)),
    concentration_strikes=41,
)
BY_VOL = msgspec.structs.replace(
    BY_OI, net_gex_usd_per_1pct=1.25e9, zero_gamma=6391.0, ladder_split=6380.0, vex_usd_per_vol_point=-1.5e7,
    chex_usd_per_day=None, chex_usd_to_close=2e6,
)  # fmt: skip
FULL = ScopeFigures(
    expiries=("2026-08-20", "2026-08-21"),
    contracts=8000,
    contracts_mirrored=300,
    contracts_unpriced=100,
    weight_priced_oi=0.95,
    weight_mirrored_oi=0.042,
    weight_unpriced_oi=0.008,
    weight_priced_vol=0.99,
    weight_mirrored_vol=0.01,
    iv_faults=(
        IvFault(fault="zero", outcome="mirrored", contracts=300, weight_oi=0.042),
        IvFault(fault="too high", outcome="no other side", contracts=100, weight_oi=0.008),
    ),
    series=3,
    series_without_parity=1,
    sides=((6400.0, 1e6, -2e6, 5e8, -4.5e8),),
    rr25=-0.0398,
    rr25_expiry="2026-09-18",
    put_call_oi=1.42,
    max_pain=6390.0,
    oi=BY_OI,
    vol=BY_VOL,
)
ZERO = ScopeFigures(
    expiries=("2026-08-20",),
    contracts=400,
    oi=WeightFigures(hedge_usd_per_1pct=-1.2e9, gross_gex_usd_per_1pct=4.18e9, net_gex_usd_per_1pct=-6e8),
    vol=WeightFigures(hedge_usd_per_1pct=3.4e8),
)
MOVE = ExpectedMove(
    expiry="2026-08-20", root="SPXW", strike=6400.0, straddle_points=31.5, straddle_pct=0.492, sigma_points=39.48
)
FLOW = (
    Flow(span="current", usd_per_1pct=12.5e6, contracts=300, strike=6400.0, strike_usd_per_1pct=1e7),
    Flow(span="1", usd_per_1pct=-2e6, contracts=900, strike=6395.0, strike_usd_per_1pct=-3e6),
    *(Flow(span=span) for span in FLOW_SPANS[2:-1]),
    Flow(span="open", usd_per_1pct=1.25e9, contracts=40_000, strike=6450.0, strike_usd_per_1pct=6e8),
)
SIGNED = SignedFlow(
    since_ms=epoch_ms(ASOF.astimezone(NEW_YORK).replace(hour=9, minute=31, second=5)),
    seen=0.234,
    minute=FlowSum(delta_usd=-4.31e6, gamma_usd_per_1pct=-6.24e6, contracts=20, unsure=0.0),
    five=FlowSum(delta_usd=1.2e7, gamma_usd_per_1pct=2.5e6, contracts=600, unsure=0.1),
    day=FlowSum(delta_usd=1.2e9, gamma_usd_per_1pct=-8e7, contracts=40_000, unsure=0.12),
)
OURS = msgspec.structs.replace(
    snapshot(),
    flow=FLOW,
    signed_flow=SIGNED,
    sum_gex_oi=-1834.5612345,
    scopes={"full": FULL, "zero": ZERO},
    expected_move=MOVE,
)
CLASSIC = msgspec.structs.replace(snapshot(), source="gexbot", scope=None, scopes={}, forward_mode=None)
NOW = ASOF + timedelta(seconds=12)

SAYS = {
    "spot": ("in points", "Here it is 6400.25."),
    "zero_gamma": (
        "by open interest, calls + and puts −",
        "6385.50, 14.75 below spot",
        "turns from − to +",
        "6301.00 ↓, 6385.50 ↑",
        "by volume it is 6391.00",
    ),
    "ladder_split": ("within 3.5 % of spot", "6380.00 by volume", "by open interest 6379.00"),
    "call_wall": ("by open interest", "6500, 99.75 above spot", "+0.625Bn US dollars per 1 % move"),
    "put_wall": ("by open interest", "6200, 200.25 below spot", "−0.450Bn US dollars per 1 % move"),
    "gross_walls": ("calls alone", "by open interest calls 6505 and puts 6205"),
    "side_walls": ("at or above spot", "by open interest calls 6450 and puts 6350"),
    "net_gex": ("by today's volume", "+1.25Bn US dollars per 1 % move", "per point"),
    "scaled_gamma": (
        "by open interest instead",
        "−1.83Bn US dollars per 1 % move",
        "−0.0287Bn per point",
    ),
    "gross_gex": ("added up without signs", "+9.50Bn US dollars per 1 % move by open interest"),
    "max_change": ("signed change", "now +0.00150Bn at 6400; 1 min −0.00200Bn at 6395; 5 min —"),
    "flow": (
        "Without a trade it is 0",
        "now +0.0125Bn (+0.0100Bn at 6400); 1 min −0.00200Bn (−0.00300Bn at 6395); 5 min —",
        "since the open +1.25Bn",
    ),
    "signed_flow": (
        "hedge the opposite way",
        "**streamed strikes only**: last minute −0.00431Bn and −0.00624Bn",
        "5 min +0.0120Bn and +0.00250Bn",
        "30 min —; today +1.20Bn and −0.0800Bn",
        "Seen since <t:1787232665:f>: 40000 contracts, 23% of the day's contracts; the side of 12% of them is unknown",
    ),
    "vanna": ("volatility rises by one point", "+0.0682Bn US dollars per volatility point", "−0.0150Bn"),
    "charm": (
        "until the next close",
        "−0.0312Bn US dollars until the close and −0.0765Bn per day by open interest",
        "+0.00200Bn US dollars until the close by volume",
    ),
    "delta": ("both conventions", "plain sum is +0.142Bn", "dealer-signed one +3.05Bn"),
    "hedge": ("stays finite", "−1.20Bn US dollars per 1 % move", "+0.340Bn by volume", "is 2026-08-20"),
    "rr25": ("in volatility points", "−3.98 volatility points", "2026-09-18"),
    "confidence": ("from 0 to 1", "0.19 by open interest"),
    "slope": ("for each point of spot", "+0.0123Bn US dollars per 1 % move per point at 6385.50"),
    "regime": (
        "under 5 % of gross",
        "**amplified** by open interest (net is −19 % of gross, spot is +0.23 % from zero gamma), dampened by volume",
        "At zero gamma the total changes by +0.0123Bn US dollars per 1 % move for each point.",
    ),
    "one_book": ("within one strike step", "`/gex book` shows it"),
    "session_map": ("because time passes", "`/gex chart` draws it"),
    "place": ("the put wall (0 %) to the call wall (100 %)", "Here it is 67 %, by open interest"),
    "zero_share": ("at the close", "44% by open interest and unknown by volume; −0.600Bn net goes"),
    "top_strikes": (
        "hold 90 % of it",
        "6200 −0.450Bn (31%), 6500 +0.0625Bn (4%); 41 strikes",
        "With calls and puts added: 6400 +0.950Bn (10%), 6900 +0.475Bn (5%).",
    ),
    "sides": (
        "for each call",
        "calls make +3.83Bn and puts −5.67Bn US dollars per 1 % move",
        "1.42 by open interest and unknown by volume.",
        "Most by open interest: 6400 +0.500Bn and −0.450Bn.",
    ),
    "max_pain": ("Folklore", "Here it is 6390."),
    "expected_move": (
        "at the money",
        "±31.50 points (0.49 %) until 2026-08-20 (SPXW), by the straddle at 6400; one standard deviation is ±39.48",
    ),
    "quality": (
        "between 2 % and 1000 %",
        "95.0% is priced by its own volatility, 4.2% mirrored, 0.8% left out",
        "300 zero (mirrored), 100 too high (no other side)",
    ),
    "basis": ("Future minus index", "SPX is shown in its own points"),
}


def with_scope(figures: ScopeFigures, **changes: object) -> GexSnapshot:
    return msgspec.structs.replace(OURS, scopes={"full": figures}, **changes)


@pytest.mark.parametrize("figure", FIGURES)
def test_every_figure_is_told_with_its_convention_sign_and_unit(figure):
    text = explanation(OURS, figure)
    for words in SAYS[figure]:
        assert words in text, text
    assert "None" not in text and "nan" not in text


@pytest.mark.parametrize("figure", FIGURES)
def test_every_figure_takes_at_most_four_sentences_and_fits_an_embed(figure):
    embed = explain_embed(OURS, figure, now=NOW)
    assert FIGURES[figure].title in embed.title
    assert len(embed) <= 6000
    assert len(embed.description) <= 900
    assert embed.description.count(". ") <= 4


@pytest.mark.parametrize("figure", [name for name in FIGURES if name not in {"spot", "basis"}])
def test_what_no_contract_can_be_priced_for_is_absent_with_that_reason(figure):
    blind = ScopeFigures(expiries=("2026-08-20",), contracts=8000, contracts_unpriced=8000)
    bare = msgspec.structs.replace(
        OURS, expected_move=None, flow=(), signed_flow=None, scopes={"full": blind, "zero": blind}, sum_gex_oi=None,
        sum_gex_vol=None, ladder_split=None,
        major_pos_oi=None, major_neg_oi=None, max_priors=((None, None),) * 6,
    )  # fmt: skip
    text = explanation(bare, figure)
    if figure == "quality":
        assert "there is none" in text
    elif figure in {"max_pain", "expected_move", "signed_flow"}:
        assert "Here it is unknown" in text
    else:
        assert "none of the 8,000 contracts has a usable volatility" in text


@pytest.mark.parametrize("figure", FIGURES)
def test_of_another_producer_only_what_it_gives_is_told(figure):
    text = explanation(CLASSIC, figure)
    given = {
        "regime",
        "place",
        "spot",
        "zero_gamma",
        "ladder_split",
        "call_wall",
        "put_wall",
        "net_gex",
        "scaled_gamma",
        "max_change",
    }
    if figure in given:
        assert "unknown" not in text
    elif figure != "basis":
        assert text.endswith("Here it is unknown: gexbot does not give it.")


def test_another_producers_zero_gamma_is_not_passed_off_as_a_root():
    assert "the one that gexbot publishes: by the classic meaning the ladder split by volume" in explanation(
        CLASSIC, "zero_gamma"
    )
    assert "classic zero gamma of its producer" in explain_embed(CLASSIC, None, now=NOW).description


def test_another_producers_way_is_said_to_be_unknown():
    made_of = explain_embed(CLASSIC, "net_gex", now=NOW).fields[0].value
    assert made_of.startswith("Computed by gexbot, not by Gexcord. It does not say which expiries it sums over;")
    stated = msgspec.structs.replace(CLASSIC, scope="zero")
    assert "It says that it sums over the nearest expiry" in explain_embed(stated, None, now=NOW).fields[0].value


def test_what_it_is_made_of_is_always_there():
    made_of = explain_embed(OURS, "scaled_gamma", now=NOW).fields[0].value
    assert "Scope full (expiries up to 90 days): 2 dates from 2026-08-20 to 2026-08-21, 8,000 contracts" in made_of
    assert "Of the open interest 95.0% is priced by its own volatility, 4.2% mirrored, 0.8% left out" in made_of
    assert "put-call parity in 2 of 3 series of root and date; the other 1 use spot" in made_of
    assert "Quotes of <t:1787238000:f> (12s stale), the oldest part of the chain 4s before." in made_of
    assert "Of the volume 99.0%" in explain_embed(OURS, "net_gex", now=NOW).fields[0].value
    weekend = msgspec.structs.replace(OURS, contracts_settled=1234)
    assert "1,234 settled ones are left out" in explain_embed(weekend, None, now=NOW).fields[0].value
    plain = msgspec.structs.replace(OURS, forward_mode="none", state="closing")
    words = explain_embed(plain, None, now=NOW).fields[0].value
    assert "Forwards: spot itself" in words and "the session is closing" in words


def test_what_reading_the_chain_met_is_told():
    assert "Of the chain" not in explain_embed(OURS, None, now=NOW).fields[0].value
    met = msgspec.structs.replace(OURS, chain_quality=ChainQuality(doubled=4, calls_without_interest=1.0))
    words = explain_embed(met, "call_wall", now=NOW).fields[0].value
    assert (
        "Of the chain: open interest was not sent for 100.0% of calls: levels and sums by it are partial; 4 rows"
        in words
    )


def test_the_rule_and_what_it_prices_are_told():
    scope = msgspec.structs.replace(FULL, weight_quoted_oi=0.9, weight_apart_oi=0.21, series_by_neighbours=1)
    rich = with_scope(scope, volatility_rule="quotes", dividend_ahead=0.0031)
    words = explain_embed(rich, "scaled_gamma", now=NOW).fields[0].value
    assert "Volatility: one volatility per strike, from the price of its out-of-the-money side." in words
    assert (
        "90.0% is priced from quotes, 5.0% by its own volatility, 4.2% mirrored, 0.8% left out; 21.0% lies at" in words
    )
    assert "; 1 are judged by their neighbours." in words
    assert "The next session's forward is 0.31% lower, as on the eve of an ex-dividend day" in words
    told = with_scope(scope, ex_dividend_date="2026-08-21")
    words = explain_embed(told, "quality", now=NOW).fields[0].value
    assert "2026-08-21, the next session, is the ex-dividend day: deep calls exercised tonight" in words


def test_the_assumption_is_never_left_out():
    for figure in (None, *FIGURES):
        assert "dealers are assumed to be long the calls" in explain_embed(OURS, figure, now=NOW).footer.text


def test_without_a_figure_the_lines_of_the_board_are_told_in_its_order():
    lines = explain_embed(OURS, None, now=NOW).description.splitlines()
    assert [line.split("**")[1] for line in lines] == [FIGURES[name].title for name in BOARD]
    assert lines[1].startswith("**Zero gamma** 6385.50: ")
    assert lines[5].startswith("**Scaled gamma** −1.83Bn: ")
    assert lines[6].startswith("**Max change** +0.00150Bn at 6400: ")


def test_no_root_says_on_which_side_the_total_stays():
    figures = msgspec.structs.replace(
        BY_OI, zero_gamma=None, zero_gamma_roots=(), zero_gamma_directions=(), zero_gamma_slope=None,
        zero_gamma_note="negative everywhere",
    )  # fmt: skip
    bare = with_scope(msgspec.structs.replace(FULL, oi=figures))
    for figure in ("zero_gamma", "slope"):
        assert "the total is negative everywhere within 20 % of spot" in explanation(bare, figure)


def test_before_the_first_trade_volume_figures_are_absent_for_that_reason():
    quiet = msgspec.structs.replace(FULL, vol=WeightFigures(net_gex_usd_per_1pct=0.0, gross_gex_usd_per_1pct=0.0))
    bare = with_scope(
        msgspec.structs.replace(quiet, oi=msgspec.structs.replace(BY_OI, ladder_split=None)),
        max_priors=((None, None),) * 6,
    )
    for figure in ("ladder_split", "max_change"):
        assert "nothing has traded yet today" in explanation(bare, figure)


def test_the_first_snapshot_has_nothing_to_compare_with():
    assert "no earlier snapshot" in explanation(with_scope(FULL, max_priors=((None, None),) * 6), "max_change")


def test_walls_that_do_not_exist_are_said_not_to():
    level = msgspec.structs.replace(BY_OI, call_wall=None, put_wall=None)
    bare = with_scope(msgspec.structs.replace(FULL, oi=level), major_pos_oi=None, major_neg_oi=None)
    assert "at no strike do calls outweigh puts" in explanation(bare, "call_wall")
    assert "at no strike do puts outweigh calls" in explanation(bare, "put_wall")


def test_a_delta_that_is_not_bracketed_names_the_expiry():
    bare = with_scope(msgspec.structs.replace(FULL, rr25=None))
    assert "contracts of 2026-09-18 do not bracket" in explanation(bare, "rr25")


def test_the_basis_is_told_with_its_age_and_a_futures_spot_with_its_parts():
    future = msgspec.structs.replace(
        OURS, ticker="ES_SPX", basis=39.65, basis_ms=OURS.asof_ms - 90_000, spot=OURS.spot + 39.65
    )
    assert "+39.65 points, last seen at <t:1787237910:f>, 1m before the newest quote" in explanation(future, "basis")
    assert "6439.90: index 6400.25 and basis +39.65" in explanation(future, "spot")
    assert "held" not in explanation(future, "basis")
    held = msgspec.structs.replace(future, basis_stale=True)
    assert "it is stale and held until fresh quotes come" in explanation(held, "basis")


def test_without_a_basis_levels_of_a_future_are_absent_for_that_reason():
    bare = msgspec.structs.replace(WeightFigures(), net_gex_usd_per_1pct=1e9, gross_gex_usd_per_1pct=2e9)
    future = with_scope(msgspec.structs.replace(FULL, oi=bare, vol=bare), ticker="ES_SPX", spot=None, major_pos_oi=None)
    for figure in ("spot", "zero_gamma", "ladder_split", "call_wall", "gross_walls", "side_walls", "basis"):
        assert "no basis to shift levels by has been seen yet" in explanation(future, figure), figure


def test_a_replay_is_called_one_and_names_who_recorded_it():
    played = msgspec.structs.replace(
        OURS, source="replay", replay=ReplayMark(of="schwab", speed=4.0, sent_ms=OURS.asof_ms + 10**9)
    )
    made_of = explain_embed(played, "spot", now=datetime(2026, 12, 1, tzinfo=UTC)).fields[0].value
    assert "**REPLAY 20 Aug 2026 x4**: recorded with quotes of <t:1787238000:f>, not of now." in made_of
    assert "contracts of schwab" in made_of


def test_nothing_a_producer_writes_breaks_the_embed():
    wild = msgspec.structs.replace(
        CLASSIC, source="x" * 3000, spot=1e300, sum_gex_vol=-1e300, max_priors=((1e300, -1e300),) * 6
    )
    for figure in (None, *FIGURES):
        embed = explain_embed(wild, figure, now=NOW)
        assert len(embed) <= 6000 and len(embed.description) <= 4096
