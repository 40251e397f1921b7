"""bot/views.py: one choice of several parts, and buttons that show and change it."""

from types import SimpleNamespace

import discord
import pytest

from bot.views import ChoiceButton, SwitchView, view_of


class Switch(SwitchView):
    def __init__(self) -> None:
        super().__init__(SimpleNamespace(user=SimpleNamespace(id=7), edit_original_response=None))
        self.shown = []
        self.add_scopes(0)
        self.add_weights(1)
        self.add_item(ChoiceButton("Refresh", 2))
        self.add_item(discord.ui.Button(label="plain", row=2))

    async def show(self, _interaction, **changes):
        self.shown.append(changes)

    def can_choose(self, choice, shown):
        return "scope" not in choice or shown.free


def looks(view, what):
    return [item.label for item in view.children if what(item)]


async def test_what_is_on_show_is_told_from_what_can_be_chosen_and_what_cannot():
    view = Switch()
    view.mark(SimpleNamespace(scope="zero", weight="oi", free=True))
    assert looks(view, lambda item: item.style is discord.ButtonStyle.primary) == ["Zero", "Open interest"]
    assert looks(view, lambda item: item.disabled) == []
    view.mark(SimpleNamespace(scope="full", weight="vol", free=False))
    assert looks(view, lambda item: item.style is discord.ButtonStyle.primary) == ["Full", "Volume"]
    assert looks(view, lambda item: item.disabled) == ["Zero", "One", "All"]


async def test_a_click_changes_its_own_part_and_a_refresh_none():
    view = Switch()
    for item in view.children[:-1]:
        await item.callback(None)
    assert view.shown == [*[{"scope": scope} for scope in ("zero", "one", "full", "all")], {"weight": "oi"},
                          {"weight": "vol"}, {}]  # fmt: skip


async def test_a_button_without_its_view_is_a_mistake_of_ours():
    with pytest.raises(TypeError, match="SwitchView"):
        await ChoiceButton("alone", 0).callback(None)
    with pytest.raises(TypeError, match="Switch"):
        view_of(discord.ui.Button(), Switch)
