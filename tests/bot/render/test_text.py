import re
from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.render.text import BoardView, Moving, board_text, is_replaceable
from streaming.calendar import NEW_YORK
from streaming.figures import BOARD
from streaming.freshness import Freshness
from tests.support.feed import OPEN_AT

LIVE = BoardView(
    ticker="NQ_NDX",
    source="schwab",
    freshness=Freshness.LIVE,
    figures={
        "spot": Moving(25061.25, 25048.75),
        "zero_gamma": Moving(24950.0, 24944.0),
        "call_wall": Moving(25100.0, 25100.0),
        "put_wall": Moving(24800.0, 24825.0),
        "net_gex": Moving(1.8346, 1.8133),
        "scaled_gamma": Moving(-0.9123, -0.9112),
        "max_change": Moving(0.0125, 0.0095),
    },
    max_change_strike=25050.0,
)
PLAIN = """\
```
GEX: NQ_NDX  25061.25  Δ +12.50 +0.05% ▲
schwab · live · Δ 60s
zero gamma     24950.00   (24944.00) ▲
call wall      25100.00   (25100.00)
put wall       24800.00   (24825.00) ▼
net gex       +1.8346Bn  Δ +0.0213Bn ▲
scaled gamma  −0.9123Bn  Δ −0.0011Bn ▼
max change    +0.0125Bn  Δ +0.0030Bn ▲
  at strike    25050.00
```"""
ANSI = """\
```ansi
\x1b[1mGEX: NQ_NDX  25061.25\x1b[0m  \x1b[0;32mΔ +12.50 +0.05% ▲\x1b[0m
schwab · \x1b[0;32mlive\x1b[0m · Δ 60s
zero gamma   \x1b[0;32m  24950.00\x1b[0m   (24944.00) \x1b[0;32m▲\x1b[0m
call wall      25100.00   (25100.00)
put wall     \x1b[0;31m  24800.00\x1b[0m   (24825.00) \x1b[0;31m▼\x1b[0m
net gex       +1.8346Bn\x1b[0;32m  Δ +0.0213Bn ▲\x1b[0m
scaled gamma  −0.9123Bn\x1b[0;31m  Δ −0.0011Bn ▼\x1b[0m
max change    +0.0125Bn\x1b[0;32m  Δ +0.0030Bn ▲\x1b[0m
  at strike    25050.00
```"""
UNKNOWN = """\
```
GEX: SPX  —  Δ —
schwab · live · Δ 60s
zero gamma            —          (—)
call wall             —          (—)
put wall              —          (—)
net gex               —          Δ —
scaled gamma          —          Δ —
max change            —          Δ —
  at strike           —
```"""


def changed(**changes: object) -> BoardView:
    figures = {name: changes.pop(name) for name in BOARD if name in changes}
    fields = {name: getattr(LIVE, name) for name in LIVE.__slots__}
    return BoardView(**(fields | changes | {"figures": {**LIVE.figures, **figures}}))


def plain(**changes: object) -> str:
    return board_text(changed(**changes), style="plain")


def test_the_plain_text_is_as_agreed():
    assert board_text(LIVE, style="plain") == PLAIN


def test_the_ansi_text_is_as_agreed():
    assert board_text(LIVE, style="ansi") == ANSI


def test_both_styles_say_the_same():
    assert re.sub(r"\x1b\[[0-9;]*m", "", ANSI).replace("```ansi", "```") == PLAIN


def test_what_is_not_known_is_a_dash_and_never_zero():
    assert board_text(BoardView(ticker="SPX", source="schwab", freshness=Freshness.LIVE), style="plain") == UNKNOWN


@pytest.mark.parametrize(
    ("freshness", "age_s", "words"),
    [
        (Freshness.STALE, 7.2, "schwab · 7s stale · Δ 60s"),
        (Freshness.OLD, 45, "schwab · old 45s · Δ 60s"),
        (Freshness.OLD, 4000, "schwab · old 1h · Δ 60s"),
        (Freshness.DELAYED, 900, "schwab · delayed 15m · Δ 60s"),
    ],
)
def test_age_is_told_in_words(freshness, age_s, words):
    assert words in plain(freshness=freshness, age_s=age_s)


def test_a_note_stands_with_the_source():
    assert "schwab · live · warming · Δ 60s" in plain(note="warming")


def test_a_closed_board_says_when():
    at = datetime(2026, 8, 20, 16, 0, tzinfo=NEW_YORK)
    assert "schwab · closed 16:00 Thu 20 Aug" in plain(freshness=Freshness.CLOSED, at=at)


def test_a_waiting_board_names_its_source_and_since_when():
    at = datetime(2026, 8, 20, 10, 31, 5, tzinfo=NEW_YORK)
    text = board_text(BoardView(ticker="SPX", source="schwab", freshness=Freshness.WAITING, at=at), style="plain")
    assert text == "```\nGEX: SPX\nwaiting for data from schwab\nsince 10:31:05 New York\n```"


def test_an_arrow_never_contradicts_the_digits_beside_it():
    text = plain(net_gex=Moving(1.83461, 1.83459))
    assert "net gex       +1.8346Bn  Δ +0.0000Bn\n" in text


def test_the_change_is_between_the_printed_ends():
    text = plain(
        zero_gamma=Moving(6000.0149, 6000.0051),
        call_wall=Moving(6000.0051, 6000.0049),
        net_gex=Moving(1.00005001, 1.00004999),
        max_change=Moving(1.00014, 1.00006),
        spot=Moving(6000.0149, 6000.0051),
    )
    assert "GEX: NQ_NDX  6000.01  Δ +0.00 +0.00%\n" in text
    assert "zero gamma      6000.01    (6000.01)\n" in text
    assert "call wall       6000.01    (6000.00) ▲\n" in text
    assert "net gex       +1.0001Bn  Δ +0.0001Bn ▲\n" in text
    assert "max change    +1.0001Bn  Δ +0.0000Bn\n" in text


def test_the_percentage_carries_the_sign_of_the_change():
    assert "Δ −0.19 −0.00% ▼\n" in plain(spot=Moving(6000.0, 6000.19))


def test_a_name_from_outside_cannot_end_the_fence():
    text = board_text(changed(source="x```\n@everyone", ticker="A`B"), style="ansi")
    assert text.count("```") == 2
    assert "@" not in text


figure = st.none() | st.floats()
moving = st.builds(Moving, figure, figure)
views = st.builds(
    BoardView,
    ticker=st.text(max_size=40),
    source=st.text(max_size=40),
    freshness=st.sampled_from(Freshness),
    age_s=st.none() | st.floats(0, 1e9),
    note=st.just("warming"),
    max_change_strike=figure,
    figures=st.fixed_dictionaries(dict.fromkeys(BOARD, moving)),
)


@given(views, st.sampled_from(["ansi", "plain"]))
def test_every_text_is_one_block_within_discords_limit(view, style):
    text = board_text(view, style=style)
    assert len(text) <= 2000
    assert text.startswith("```")
    assert text.endswith("\n```")
    assert text.count("```") == 2


def test_absurd_figures_stay_within_the_limit_too():
    absurd = Moving(1e308, -1e308)
    assert len(board_text(changed(**dict.fromkeys(BOARD, absurd)), style="ansi")) <= 1000


plausible = st.floats(0.01, 999_999)
plausible_moving = st.builds(Moving, plausible, plausible)
plausible_bn = st.builds(Moving, st.floats(-99, 99), st.floats(-99, 99))


@given(plausible_moving, plausible_bn)
def test_lines_fit_a_phone(level, exposure):
    text = plain(spot=Moving(25061.25, 25000.0), zero_gamma=level, net_gex=exposure, max_change=exposure)
    assert max(len(line) for line in text.splitlines()) <= 46


ENDED = {Freshness.CLOSED}


def board(freshness: Freshness, style: str = "ansi", **changes: object) -> str:
    view = BoardView(ticker="SPX", source="schwab", freshness=freshness, age_s=40.0, at=OPEN_AT, **changes)
    return board_text(view, style=style)


@pytest.mark.parametrize("style", ["ansi", "plain"])
@pytest.mark.parametrize("freshness", list(Freshness))
def test_every_board_but_a_closed_one_is_recognised(freshness, style):
    assert is_replaceable(board(freshness, style)) is (freshness not in ENDED)


def test_a_banner_a_note_figures_and_a_line_below_the_block_change_nothing():
    moved = dict.fromkeys(BOARD, Moving()) | {"spot": Moving(6900.0, 6890.0), "net_gex": Moving(1.0, 2.0)}
    figures = {"figures": moved, "max_change_strike": 6900.0}
    text = board(Freshness.LIVE, banner="REPLAY 20 Nov 2026 x10", note="closed", live_word="replay", **figures)
    assert is_replaceable(text)
    assert is_replaceable(f"{text}\n<t:1787233200:R>")
    assert not is_replaceable(board(Freshness.CLOSED, banner="REPLAY 20 Nov 2026 x10", live_word="replay", **figures))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "SPX crossed its zero gamma at 6900.00.",
        "```\nGEX: SPX\n```",
        "```ansi\nGEX: SPX  6900.00  Δ —\nschwab · live · Δ 60s\nzero gamma 1\n```",
        board(Freshness.LIVE).replace("put wall", "my wall"),
        f"Look what the bot said:\n{board(Freshness.LIVE)}",
    ],
)
def test_nothing_else_is_taken_for_a_board(text):
    assert not is_replaceable(text)
