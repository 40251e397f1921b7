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
    return [item.label for item in view.children if isinstance(item, discord.ui.Button) and what(item)]


def menu(view):
    scopes = view.children[0]
    return [option.label for option in scopes.options if option.default], scopes.disabled


async def test_what_is_on_show_is_told_from_what_can_be_chosen_and_what_cannot():
    view = Switch()
    view.mark(SimpleNamespace(scope="zero", weight="oi", free=True))
    assert looks(view, lambda item: item.style is discord.ButtonStyle.primary) == ["Open interest"]
    assert menu(view) == (["Zero"], False)
    assert looks(view, lambda item: item.disabled) == []
    view.mark(SimpleNamespace(scope="full", weight="vol", free=False))
    assert looks(view, lambda item: item.style is discord.ButtonStyle.primary) == ["Volume"]
    assert menu(view) == (["Full"], True)


async def test_a_click_changes_its_own_part_and_a_refresh_none():
    view = Switch()
    view.children[0]._values = ["one"]  # as discord.py fills it in
    for item in view.children[:-1]:
        await item.callback(None)
    assert view.shown == [{"scope": "one"}, {"weight": "oi"}, {"weight": "vol"}, {}]


async def test_a_button_without_its_view_is_a_mistake_of_ours():
    with pytest.raises(TypeError, match="SwitchView"):
        await ChoiceButton("alone", 0).callback(None)
    with pytest.raises(TypeError, match="Switch"):
        view_of(discord.ui.Button(), Switch)
