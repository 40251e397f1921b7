"""Several tickers in one message: a block each while they fit, else a row each, and nothing hidden."""

import pytest

from bot.render.card import layout_of
from bot.render.several_text import boards_text
from bot.render.text import BoardView, Moving, board_text, is_replaceable
from streaming.freshness import Freshness

FIGURES = {
    "spot": Moving(25061.25, 25060.0),
    "zero_gamma": Moving(24950.0),
    "call_wall": Moving(25100.0),
    "put_wall": Moving(24800.0),
    "net_gex": Moving(1.8346),
    "scaled_gamma": Moving(-0.9123),
    "max_change": Moving(0.0125),
}


def view(ticker: str, freshness: Freshness = Freshness.LIVE, **changes: object) -> BoardView:
    fields: dict[str, object] = {"source": "schwab", "figures": FIGURES, "age_s": 45.0, "scope": "full"}
    return BoardView(ticker=ticker, freshness=freshness, **(fields | changes))  # type: ignore[arg-type]


TABLE = """```
GEX: 8 tickers
schwab · live · Δ 60s
levels oi, net vol · expiries ≤90 days
          spot zero γ  call   put net Bn
NQ_NDX   25061  24950 25100 24800 +1.83▲
T1       25061  24950 25100 24800 +1.83▲
T2       25061  24950 25100 24800 +1.83▲
T3       25061  24950 25100 24800 +1.83▲
T4       25061  24950 25100 24800 +1.83▲
SPY     690.12    689   700 680.5   −12
EMPTY        —      —     —     —     —
OLD      25061  24950 25100 24800 +1.83▲
SPY closed; EMPTY waits for data; OLD
old 45s
```"""
SPY = {
    "spot": Moving(690.12, 690.12),
    "zero_gamma": Moving(689.0),
    "call_wall": Moving(700.0),
    "put_wall": Moving(680.5),
    "net_gex": Moving(-12.4),
}


@pytest.mark.parametrize("style", ["ansi", "card", "plain"])
def test_what_fits_has_a_block_each(style):
    views = [view("SPX"), view("NDX")]
    text = boards_text(views, style=style)
    assert text == "\n".join(board_text(one, style=style) for one in views)
    assert boards_text(views[:1], style=style) == board_text(views[0], style=style)


def test_what_does_not_fit_is_a_table_that_says_whose_figures_are_not_like_the_others():
    views = [
        view("NQ_NDX"),
        *(view(f"T{n}") for n in range(1, 5)),
        view("SPY", Freshness.CLOSED, figures=FIGURES | SPY),
    ]
    views += [BoardView(ticker="EMPTY", source="x", freshness=Freshness.WAITING), view("OLD", Freshness.OLD)]
    assert boards_text(views, style="plain") == TABLE


@pytest.mark.parametrize("style", ["ansi", "plain"])
@pytest.mark.parametrize("count", [2, 5, 12])
def test_any_number_stays_within_what_discord_takes_and_in_forty_columns(style, count):
    views = [view(f"LONGNAME{n}", banner="REPLAY 20 Nov 2026 x10") for n in range(count)]
    text = boards_text(views, style=style)
    assert len(text) <= 1960
    assert is_replaceable(text)
    ended = boards_text([view(f"T{n}", Freshness.CLOSED) for n in range(count)], style=style)
    assert not is_replaceable(ended)


def test_a_table_says_who_sums_over_other_expiries_and_has_the_colour_of_one_regime_alone():
    many = [view(f"T{n}", regime="dampened") for n in range(7)]
    assert boards_text(many, style="card").startswith("::card 23a55a\n")
    mixed = [*many, view("NDX", scope="zero", regime="amplified")]
    text = boards_text(mixed, style="card")
    assert text.startswith("::card 80848e\n"), "no colour says both"
    assert "levels oi, net vol · expiries ≤90 days" in text
    assert "\nNDX nearest expiry\n" in text


def test_cards_keep_within_forty_components_and_four_thousand_characters():
    few, many = ([view(f"T{n}") for n in range(count)] for count in (6, 7))
    assert len(list(layout_of(boards_text(few, style="card")).walk_children())) <= 40
    assert len(layout_of(boards_text(many, style="card")).children) == 1
