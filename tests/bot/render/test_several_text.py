"""Several tickers in one message: a block each while they fit, else a row each, and nothing hidden."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

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

LEVELS = ("zero_gamma", "call_wall", "put_wall")


def view(ticker: str, freshness: Freshness = Freshness.LIVE, **changes: object) -> BoardView:
    fields: dict[str, object] = {"source": "schwab", "figures": FIGURES, "age_s": 45.0, "scope": "full"}
    return BoardView(ticker=ticker, freshness=freshness, **(fields | changes))  # type: ignore[arg-type]


TABLE = """```
GEX: 8 tickers
schwab · live · Δ 60s
levels oi, net vol · expiries ≤90 days
         spot zero γ  call   put net Bn
NQ_NDX  25061  24950 25100 24800  +1.83▲
T1      25061  24950 25100 24800  +1.83▲
T2      25061  24950 25100 24800  +1.83▲
T3      25061  24950 25100 24800  +1.83▲
T4      25061  24950 25100 24800  +1.83▲
SPY    690.12    689   700 680.5  −12.4
EMPTY       —      —     —     —      —
OLD     25061  24950 25100 24800  +1.83▲
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


def rows_of(*nets: float, digits: int = 3, **changes: object) -> list[str]:
    many = [
        view(f"T{n}", figures=FIGURES | {"net_gex": Moving(net, net)}, digits=digits, **changes)
        for n, net in enumerate(nets)
    ]
    return boards_text(many, style="plain").splitlines()[-1 - len(nets) : -1]


def test_exposures_in_a_table_have_the_digits_of_the_message_a_gap_and_never_lose_their_sign():
    nets = (-0.0041, 12.94, -10.0, 0.912, -123.4, 1.8346, 9.99)
    assert [row.rstrip("▲").split(" ")[-1] for row in rows_of(*nets)] == [
        "−0.0041",
        "+12.9",
        "−10.0",
        "+0.912",
        "−123",
        "+1.83",
        "+9.99",
    ]
    assert "+1.8346▲" in rows_of(*nets, digits=5)[5]


figure = st.none() | st.floats(0.01, 999_999)


@given(
    st.lists(st.tuples(figure, figure, st.none() | st.floats(-9999, 9999)), min_size=12, max_size=12), st.integers(2, 5)
)
def test_a_table_has_six_columns_apart_within_forty_whatever_it_says(figures, digits):
    shown = [
        view(
            f"LONGNAME{n}",
            digits=digits,
            figures={
                **FIGURES,
                **dict.fromkeys(LEVELS, Moving(level)),
                "spot": Moving(spot, 1.0),
                "net_gex": Moving(net),
            },
        )
        for n, (spot, level, net) in enumerate(figures)
    ]
    rows = boards_text(shown, style="plain").splitlines()[5 : 5 + len(figures)]
    assert [row for row in rows if len(row) > 40 or len(row.split()) != 6] == []
    assert [row for row, (_, _, net) in zip(rows, figures, strict=True) if net and net < -0.1 and "−" not in row] == []


def test_cards_keep_within_forty_components_and_four_thousand_characters():
    few, many = ([view(f"T{n}") for n in range(count)] for count in (6, 7))
    assert len(list(layout_of(boards_text(few, style="card")).walk_children())) <= 40
    assert len(layout_of(boards_text(many, style="card")).children) == 1
