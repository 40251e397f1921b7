"""The buttons under live messages: what is asked stands in each, and nothing is kept of any."""

from types import SimpleNamespace
from typing import Any

from bot.choices import Choices
from bot.live_buttons import LiveButton, LiveWish, live_buttons


async def test_a_button_comes_back_with_the_wish_it_was_made_for():
    for wish in (LiveWish("chart", "NQ_NDX", "zero", "vol"), LiveWish("explain", "BRK.B")):
        match = LiveButton.__discord_ui_compiled_template__.fullmatch(wish.custom_id)
        button = await LiveButton.from_custom_id(None, None, match)
        assert button.custom_id == wish.custom_id
        heard: list[Any] = []
        interaction = SimpleNamespace(client=SimpleNamespace(dispatch=lambda *seen: heard.append(seen)))  # noqa: B023
        await button.callback(interaction)
        assert heard == [("live_click", interaction, wish)]


def test_the_buttons_of_a_message_ask_for_its_own_scope_and_weight():
    wishes = [button.custom_id for button in live_buttons("SPX", Choices(scope="zero", weight="vol"))]
    assert wishes == ["gex-live:chart:SPX:zero:vol", "gex-live:levels:SPX:zero:vol", "gex-live:explain:SPX:zero:vol"]
    assert live_buttons("SPX", Choices(weight="mixed"))[0].custom_id == "gex-live:chart:SPX::"
