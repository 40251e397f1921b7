"""What a card's text becomes on its way to Discord; the local Discord's rules are the judge of it."""

import pytest

from bot.render.card import as_card, card_text, is_card, layout_of
from bot.render.text import BoardView, Moving, board_text
from bot.sandbox.rest.component_rules import every_component
from bot.sandbox.rest.message_rules import check_message
from streaming.figures import BOARD
from streaming.freshness import Freshness

CONTAINER, TEXT, RULE = 17, 10, 14
VIEW = BoardView(
    ticker="NQ_NDX",
    source="schwab",
    freshness=Freshness.LIVE,
    banner="REPLAY 20 Nov 2026 x10",
    scope="full",
    regime="amplified",
    figures=dict.fromkeys(BOARD, Moving(25061.25, 25048.75)),
)


def components(text: str) -> list[dict[str, object]]:
    return list(every_component(layout_of(text).to_components()))


async def test_a_board_is_one_container_of_at_most_ten_components_with_the_regimes_colour():
    sent = components(board_text(VIEW, style="card"))
    assert [one["type"] for one in sent] == [CONTAINER, TEXT, RULE, TEXT, RULE, TEXT]
    assert sent[0]["accent_color"] == 0xDA373C


async def test_several_tickers_are_a_container_each_within_what_discord_takes():
    text = "\n".join([board_text(VIEW, style="card")] * 5)
    body = {"components": layout_of(text).to_components(), "flags": 1 << 15}
    check_message(body, [])
    assert [one["type"] for one in components(text)].count(CONTAINER) == 5


async def test_what_is_written_beneath_a_card_belongs_to_its_last_part():
    *_, last = components(f"{card_text([['head'], ['figures']])}\n-# updated <t:1:R>")
    assert last["content"] == "figures\n-# updated <t:1:R>"


@pytest.mark.parametrize("style", ["ansi", "plain"])
async def test_a_text_of_another_style_stays_whole_in_a_message_that_is_a_card_already(style):
    text = board_text(VIEW, style=style)
    assert not is_card(text)
    assert components(as_card(text))[1]["content"] == text
    assert as_card(as_card(text)) == as_card(text)
