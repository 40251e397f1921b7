from datetime import timedelta

from bot.render.embeds import levels_embed, status_embed
from streaming.clock import epoch_ms
from streaming.model import WEIGHTS, ChainQuality, PointView, ReplayMark, ScopeFigures, WeightFigures
from tests.support.feed import OPEN_AT, snapshot

FIGURES = WeightFigures(
    call_gex_usd_per_1pct=1.25e9,
    put_gex_usd_per_1pct=-3.0846e9,
    net_gex_usd_per_1pct=-1_834_561_234.5,
    net_gex_usd_per_point=-36_691_224.69,
    gross_gex_usd_per_1pct=5_000_000_000.0,
    zero_gamma=24950.0,
    zero_gamma_roots=(24950.0, 26100.0),
    zero_gamma_directions=(1, -1),
    ladder_split=24951.5,
    call_wall=25100.0,
    call_wall_usd_per_1pct=250_000_000.0,
    put_wall=24800.0,
    put_wall_usd_per_1pct=-120_000_000.0,
    call_wall_gross=25200.0,
    put_wall_gross=24700.0,
)
FULL = ScopeFigures(
    expiries=("2026-08-20", "2026-08-21"), contracts=812, weight_unpriced_oi=0.0123, oi=FIGURES, vol=WeightFigures()
)


def fields(embed) -> dict[str, str]:
    return {field.name: field.value for field in embed.fields}


def levels(now=OPEN_AT, scope="full", weight="oi", **changes):
    return levels_embed(snapshot(**({"scopes": {"full": FULL}} | changes)), scope=scope, weight=weight, now=now)


def test_levels_state_every_figure_with_its_sign():
    shown = fields(levels())
    assert shown["Zero gamma"] == "24950.00"
    assert shown["Call wall"] == "25100 (+0.250Bn)"
    assert shown["Put wall"] == "24800 (−0.120Bn)"
    assert shown["Net GEX per 1 % move"] == "−1.83Bn"
    assert shown["Net GEX per point"] == "−0.0367Bn"
    assert shown["Calls' part per 1 % move"] == "+1.25Bn"
    assert shown["Puts' part per 1 % move"] == "−3.08Bn"
    assert shown["All zero-gamma roots"] == "24950.00 ↑, 26100.00 ↓"


def test_the_roots_nearest_spot_are_listed_in_ascending_order():
    roots = (20000.0, 21000.0, 24900.0, 24950.0, 25000.0, 25100.0, 25200.0, 25300.0, 30000.0)
    figures = WeightFigures(zero_gamma_roots=roots, zero_gamma_directions=(1, -1, 1, -1, 1, -1, 1, -1, 1))
    shown = fields(levels(scopes={"full": ScopeFigures(oi=figures)}, spot=25061.25))["All zero-gamma roots"]
    assert shown == "24900.00 ↑, 24950.00 ↓, 25000.00 ↑, 25100.00 ↓, 25200.00 ↑, 25300.00 ↓ and 3 more"
    shown = fields(levels(scopes={"full": ScopeFigures(oi=figures)}, spot=None))["All zero-gamma roots"]
    assert shown.startswith("20000.00 ↑") and shown.endswith(" and 3 more")


def test_levels_say_what_they_are_made_of():
    made_of = fields(levels(chain_ms=epoch_ms(OPEN_AT) - 90_000, forward_mode="parity"))["Made of"]
    assert made_of == (
        "2 expiries, 2026-08-20 to 2026-08-21 · 812 contracts · 1.2% of the weight without a price"
        " · forwards by put-call parity · oldest part of the chain 1m old"
    )


def test_a_figure_has_one_name_under_both_weights_and_from_every_producer():
    ours, theirs = ([[*fields(levels(weight=weight, **given))] for weight in WEIGHTS] for given in ({}, {"scopes": {}}))
    assert ours[1] == [name for name in ours[0] if name != "All zero-gamma roots"]
    assert theirs[0] == theirs[1] == [name for name in ours[0] if name in theirs[0]]
    assert len(theirs[0]) == 5


def test_age_source_and_unit_are_always_there():
    embed = levels(now=OPEN_AT + timedelta(seconds=45))
    assert embed.description == "schwab · old 45s · quotes of <t:1787233200:f>"
    assert "per 1 % move" in embed.footer.text
    assert embed.title == "NQ_NDX · full, expiries up to 90 days · by open interest"


def test_open_interest_that_was_not_sent_marks_what_is_read_off_it():
    def heads(quality: ChainQuality | None) -> list[str]:
        shot = snapshot(scopes={"full": FULL}, chain_quality=quality)
        status = status_embed(shot, now=OPEN_AT, window="open")
        return [status.description, levels_embed(shot, scope="full", weight="oi", now=OPEN_AT).description]

    assert all("open interest is partial" in head for head in heads(ChainQuality(puts_without_interest=0.5)))
    assert not any("partial" in head for head in heads(ChainQuality(doubled=5)) + heads(None))


def test_a_missing_root_says_why():
    figures = WeightFigures(zero_gamma_note="positive everywhere")
    shown = fields(levels(scopes={"full": ScopeFigures(oi=figures)}))
    assert shown["Zero gamma"] == "— (positive everywhere)"
    assert shown["Net GEX per 1 % move"] == "−0.912Bn", "of its own scope the classic block speaks where figures lack"


def test_a_classic_producer_shows_its_own_fields():
    shown = fields(levels(scopes={}))
    assert shown["Zero gamma"] == "24951.50 (ladder split, by volume)"
    assert shown["Net GEX per 1 % move"] == "−0.912Bn"


def test_a_scope_that_the_source_does_not_give_is_said_so():
    assert fields(levels(scope="zero")) == {"Not available": "The source schwab gives no zero scope."}


def test_the_basis_of_a_futures_ticker_is_published():
    assert "basis −12.50" in levels(basis=-12.5).footer.text


def test_status_repeats_the_boards_figures_and_the_window():
    embed = status_embed(snapshot(), now=OPEN_AT, window="open until Thu 16:00 New York")
    shown = fields(embed)
    assert shown["Net GEX (volume)"] == "+1.83Bn"
    assert shown["Scaled gamma (open interest)"] == "−0.912Bn"
    assert shown["Max change (current, volume)"] == "+0.0125Bn at 25050"
    assert shown["Call wall / put wall (open interest)"] == "25100 / 24800"
    assert shown["Feed"] == "open until Thu 16:00 New York"
    assert shown["Scope"] == "full · expiries up to 90 days"


def test_embeds_stay_within_discords_limits():
    figures = WeightFigures(zero_gamma_roots=(1e300,) * 400, zero_gamma_directions=(1,) * 400)
    embed = levels(scopes={"full": ScopeFigures(oi=figures, expiries=("2026-08-20",) * 300)}, source="x" * 3000)
    assert len(embed) <= 6000
    assert all(len(field.value) <= 1024 for field in embed.fields)


def test_quotes_from_the_future_are_not_called_live():
    embed = levels(OPEN_AT - timedelta(seconds=60))
    assert "clock ahead" in embed.description
    assert "live" not in embed.description


def test_a_scope_that_the_producer_does_not_state_is_not_guessed():
    unstated = snapshot(scope=None, scopes={})
    assert fields(status_embed(unstated, now=OPEN_AT, window="open"))["Scope"] == "—"
    embed = levels_embed(unstated, scope="zero", weight="oi", now=OPEN_AT)
    assert fields(embed)["Call wall"] == "25100"
    assert embed.title == "NQ_NDX · expiries not told · by open interest"


def test_a_replay_is_labelled_with_its_day_and_judged_by_when_it_was_played():
    mark = ReplayMark(of="schwab", speed=10.0, sent_ms=epoch_ms(OPEN_AT) + 86_400_000)
    now = OPEN_AT + timedelta(days=1, seconds=2)
    for embed in (
        levels(now=now, source="replay", replay=mark),
        status_embed(snapshot(source="replay", replay=mark), now=now, window="open"),
    ):
        assert embed.description == "**REPLAY 20 Aug 2026 x10** · replay · playing · quotes of <t:1787233200:f>"
    late = levels(now=now + timedelta(seconds=40), source="replay", replay=mark)
    assert "old 42s" in late.description


def test_a_live_snapshot_is_not_called_a_replay():
    assert "REPLAY" not in levels().description
    assert "live" in levels().description


def test_the_eve_of_an_ex_dividend_day_is_marked():
    assert "ex-dividend" not in levels(ex_dividend_date="2026-08-24").description
    assert levels(ex_dividend_date="2026-08-21").description.endswith(" · **eve of an ex-dividend day**")
    assert levels(dividend_ahead=0.0031).description.endswith(" · **eve of an ex-dividend day**")


def test_levels_in_etf_points_say_by_what_ratio_and_how_old_it_is():
    asof_ms = epoch_ms(OPEN_AT)
    view = PointView(symbol="QQQ", ratio=0.0245, ratio_ms=asof_ms - 3000, points=-0.5, points_ms=asof_ms - 70_000)
    shot = snapshot(scopes={"full": FULL}, views={"etf": view}, basis=20.0)
    embed = levels_embed(shot, scope="full", weight="oi", now=OPEN_AT, view="etf")
    shown = fields(embed)
    assert embed.title == "NQ_NDX · full, expiries up to 90 days · by open interest · in QQQ points"
    assert shown["Spot"] == "613.50"
    assert shown["Call wall"] == "614.45 (+0.250Bn)"
    assert shown["Net GEX per 1 % move"] == "−1.83Bn"
    assert embed.footer.text.endswith("Levels in QQQ points: ratio 0.0245 of 3s before and basis −0.50 of 1m before.")
    assert "futures" not in embed.footer.text


def test_levels_in_the_tickers_own_points_are_as_ever():
    assert levels_embed(snapshot(), scope="full", weight="oi", now=OPEN_AT, view="future").to_dict() == (
        levels_embed(snapshot(), scope="full", weight="oi", now=OPEN_AT).to_dict()
    )
