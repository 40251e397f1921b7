import pytest

from bot.render.board_mark import is_replaceable
from bot.render.board_view import BoardView, Moving
from bot.render.text import board_text
from streaming.figures import BOARD
from streaming.freshness import Freshness
from tests.support.feed import OPEN_AT

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
