"""A process may die between any two awaits; whatever it leaves, its successor ends with one message."""

import contextlib
from datetime import date

import pytest

from bot.feed.message import LiveMessage, random_nonce
from tests.support.feed import DictLedger, FakeChannel

TODAY = date(2026, 8, 20)


class DiedError(BaseException):
    """The process is gone."""


class Mortal:
    """Counts down to the death of the process, before or after the deed that the last step does."""

    def __init__(self, channel: FakeChannel, ledger: DictLedger) -> None:
        self.steps = 10_000
        for target, names in ((channel, ("send", "edit", "delete")), (ledger, ("save",))):
            for name in names:
                setattr(target, name, self._wrap(getattr(target, name)))

    def _wrap(self, deed):
        async def mortal(*args, **kwargs):
            self._step()
            result = await deed(*args, **kwargs)
            self._step()
            return result

        return mortal

    def _step(self) -> None:
        self.steps -= 1
        if self.steps == 0:
            raise DiedError


@pytest.mark.parametrize("steps", range(1, 15))
async def test_death_at_any_step_of_a_replacement_leaves_one_message(steps):
    channel, ledger = FakeChannel(), DictLedger()
    mortal = Mortal(channel, ledger)
    first = LiveMessage(1, channel, ledger)
    await first.adopt(TODAY)
    await first.show("one", TODAY)
    mortal.steps = steps
    try:
        await first.replace("two", TODAY)
    except DiedError:
        assert channel.messages, "a reader must never be without a message"
    mortal.steps = 10_000
    second = LiveMessage(1, channel, ledger)
    await second.adopt(TODAY)
    await second.show("three", TODAY)
    await second.show("four", TODAY)
    assert list(channel.messages.values()) == ["four"]


@pytest.mark.parametrize("steps", range(1, 8))
async def test_death_at_any_step_of_the_first_post_leaves_one_message(steps):
    channel, ledger = FakeChannel(), DictLedger()
    mortal = Mortal(channel, ledger)
    first = LiveMessage(1, channel, ledger)
    await first.adopt(TODAY)
    mortal.steps = steps
    with contextlib.suppress(DiedError):
        await first.show("one", TODAY)
    mortal.steps = 10_000
    second = LiveMessage(1, channel, ledger)
    await second.adopt(TODAY)
    await second.show("two", TODAY)
    await second.show("three", TODAY)
    assert list(channel.messages.values()) == ["three"]


async def test_a_ledger_lost_between_post_and_note_catches_up_later():
    channel, ledger = FakeChannel(), DictLedger()
    message = LiveMessage(1, channel, ledger)
    await message.adopt(TODAY)
    await message.show("one", TODAY)
    send = channel.send

    async def send_and_lose(content: str, *, nonce: str) -> int:
        ledger.away = True
        return await send(content, nonce=nonce)

    channel.send = send_and_lose  # type: ignore[method-assign]
    await message.replace("two", TODAY)
    assert len(channel.messages) == 2, "the old one is not deleted before the ledger knows the new one"
    await message.show("three", TODAY)
    ledger.away = False
    await message.show("four", TODAY)
    assert list(channel.messages.values()) == ["four"]
    assert ledger.entries[1].message_id == message.message_id
    assert ledger.entries[1].superseded == ()


async def test_a_closed_message_is_let_go_for_good():
    channel, ledger = FakeChannel(), DictLedger()
    message = LiveMessage(1, channel, ledger)
    await message.adopt(TODAY)
    await message.show("one", TODAY)
    await message.close("last")
    await message.show("new", TODAY)
    assert list(channel.messages.values()) == ["last", "new"]


async def test_another_session_gets_a_message_of_its_own():
    channel, ledger = FakeChannel(), DictLedger()
    message = LiveMessage(1, channel, ledger)
    await message.adopt(TODAY)
    await message.show("one", TODAY)
    await message.show("two", date(2026, 8, 21))
    assert list(channel.messages.values()) == ["one", "two"]


def test_a_nonce_fits_discords_limit():
    assert len(random_nonce()) <= 25
    assert random_nonce() != random_nonce()
