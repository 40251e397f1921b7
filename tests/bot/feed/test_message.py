"""A process may die between any two awaits; whatever it leaves, its successor ends with one message."""

import contextlib
from datetime import date, timedelta

import pytest

from bot.feed.ledger import Chore, LedgerAwayError, LedgerEntry
from bot.feed.message import random_nonce
from bot.render.card import as_card, card_text
from bot.render.text import BoardView, board_text
from streaming.bus.lease import LeaseLostError
from streaming.clock import epoch_ms
from streaming.errors import TransientError
from streaming.freshness import Freshness
from tests.support.clock import ManualClock
from tests.support.feed import OPEN_AT, DictLedger, FakeChannel, Keeper

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


def keeper(channel: FakeChannel, ledger: DictLedger) -> Keeper:
    return Keeper(1, channel, ledger, ManualClock())


async def write(process: Keeper, text: str, *, day: date = TODAY, replace: bool = False) -> None:
    """What a board does in one beat, and what is done beside it."""
    message = process.message
    await (message.replace if replace or message.pending else message.show)(text, day)
    await process.tidy()


@pytest.mark.parametrize("steps", range(1, 15))
async def test_death_at_any_step_of_a_replacement_leaves_one_message(steps):
    channel, ledger = FakeChannel(), DictLedger()
    mortal = Mortal(channel, ledger)
    first = keeper(channel, ledger)
    await first.adopt()
    await write(first, "one")
    mortal.steps = steps
    try:
        await write(first, "two", replace=True)
    except DiedError:
        assert channel.messages, "a reader must never be without a message"
    mortal.steps = 10_000
    second = keeper(channel, ledger)
    await second.adopt()
    await write(second, "three")
    await write(second, "four")
    assert list(channel.messages.values()) == ["four"]
    for _ in range(6):
        second.clock.advance(400)
        await second.tidy()
    assert ledger.to_do == {}


@pytest.mark.parametrize("steps", range(1, 8))
async def test_death_at_any_step_of_the_first_post_leaves_one_message(steps):
    channel, ledger = FakeChannel(), DictLedger()
    mortal = Mortal(channel, ledger)
    first = keeper(channel, ledger)
    await first.adopt()
    mortal.steps = steps
    with contextlib.suppress(DiedError):
        await write(first, "one")
    mortal.steps = 10_000
    second = keeper(channel, ledger)
    await second.adopt()
    await write(second, "two")
    await write(second, "three")
    assert list(channel.messages.values()) == ["three"]


async def test_a_ledger_lost_between_post_and_note_catches_up_later():
    channel, ledger = FakeChannel(), DictLedger()
    process = keeper(channel, ledger)
    await process.adopt()
    await write(process, "one")
    send = channel.send

    async def send_and_lose(content: str, *, nonce: str) -> int:
        ledger.away = True
        return await send(content, nonce=nonce)

    channel.send = send_and_lose  # type: ignore[method-assign]
    for text in ("two", "three"):
        with pytest.raises(LedgerAwayError):
            await write(process, text, replace=text == "two")
    assert len(channel.messages) == 2, "the old one is not deleted before the ledger knows the new one"
    assert channel.messages[process.message.message_id] == "three", "the new one is kept current meanwhile"
    ledger.away = False
    await write(process, "four")
    assert list(channel.messages.values()) == ["four"]
    assert ledger.entries[1].message_id == process.message.message_id
    assert ledger.to_do == {}


async def test_what_an_earlier_version_left_to_delete_is_deleted():
    channel, ledger = FakeChannel(), DictLedger()
    channel.messages = {5: "old", 6: "live"}
    ledger.entries[1] = LedgerEntry(session=TODAY.isoformat(), message_id=6, superseded=(5,))
    process = keeper(channel, ledger)
    await process.adopt()
    await write(process, "one")
    assert channel.messages == {6: "one"}
    assert ledger.entries[1].superseded == ()


async def test_a_closed_message_is_let_go_for_good():
    channel, ledger = FakeChannel(), DictLedger()
    process = keeper(channel, ledger)
    await process.adopt()
    await write(process, "one")
    await process.message.close("last")
    await write(process, "new")
    assert list(channel.messages.values()) == ["last", "new"]


async def test_another_session_gets_a_message_of_its_own():
    channel, ledger = FakeChannel(), DictLedger()
    process = keeper(channel, ledger)
    await process.adopt()
    await write(process, "one")
    await write(process, "two", day=date(2026, 8, 21))
    assert list(channel.messages.values()) == ["one", "two"]


async def test_a_close_that_fails_is_made_up_for_even_by_the_next_process():
    channel, ledger = FakeChannel(), DictLedger()
    first = keeper(channel, ledger)
    await first.adopt()
    await write(first, "live")
    channel.troubles["edit"] = TransientError("Discord answered 503.")
    await first.message.close("closed")
    await first.tidy()
    second = keeper(channel, ledger)
    await second.adopt()
    await write(second, "tomorrow", day=date(2026, 8, 21))
    assert list(channel.messages.values()) == ["live", "tomorrow"]
    channel.troubles.clear()
    second.clock.advance(20)
    await second.tidy()
    assert list(channel.messages.values()) == ["closed", "tomorrow"]
    assert ledger.to_do == {}


async def test_a_message_is_not_replaced_beside_three_that_cannot_be_deleted():
    channel = FakeChannel()
    process = keeper(channel, DictLedger())
    await process.adopt()
    channel.troubles["delete"] = TransientError("Discord answered 503.")
    for text in "abcd":
        await write(process, text, replace=True)
    with pytest.raises(TransientError, match="cannot be deleted"):
        await write(process, "e", replace=True)
    await write(process, "f")
    assert list(channel.messages.values()) == ["a", "b", "c", "f"]
    channel.troubles.clear()
    process.clock.advance(5)
    await process.tidy()
    await write(process, "g", replace=True)
    assert list(channel.messages.values()) == ["g"]


async def test_a_post_that_the_ledger_refuses_to_note_is_taken_back_by_whoever_made_it():
    channel, ledger = FakeChannel(), DictLedger()
    paused, other = keeper(channel, ledger), keeper(channel, ledger)
    await paused.adopt()
    await write(paused, "one")
    send = channel.send

    async def send_after_a_pause(content: str, *, nonce: str) -> int:
        channel.send = send  # type: ignore[method-assign]
        await other.adopt()
        await write(other, "two")
        await write(other, "two")
        channel.forget_nonces()
        return await send(content, nonce=nonce)

    channel.send = send_after_a_pause  # type: ignore[method-assign]
    await paused.message.replace("late", TODAY)
    assert list(channel.messages.values()) == ["two", "late"]
    ledger.lost = True
    with pytest.raises(LeaseLostError):
        await paused.message.keep_books()
    channel.troubles["delete"] = TransientError("Discord answered 503.")
    await paused.chores.work()
    assert len(channel.messages) == 2
    channel.troubles.clear()
    paused.clock.advance(60)
    await paused.chores.work()
    assert list(channel.messages.values()) == ["two"]


async def test_a_refused_post_that_the_new_holder_was_given_under_the_same_nonce_stays():
    channel, ledger = FakeChannel(), DictLedger()
    paused, other = keeper(channel, ledger), keeper(channel, ledger)
    await paused.adopt()
    await paused.message.replace("late", TODAY)
    await other.adopt()
    await other.message.replace("late", TODAY)
    ledger.lost = True
    with pytest.raises(LeaseLostError):
        await paused.message.keep_books()
    await paused.chores.work()
    assert len(channel.messages) == 1, "the other is just posting under the nonce: wait"
    ledger.lost = False
    await other.message.keep_books()
    paused.clock.advance(60)
    await paused.chores.work()
    await write(other, "two")
    assert list(channel.messages.values()) == ["two"]
    assert paused.chores.waiting == 0


async def test_a_process_that_lost_the_feed_leaves_what_the_ledger_knows_to_the_next():
    channel, ledger = FakeChannel(), DictLedger()
    process = keeper(channel, ledger)
    await process.adopt()
    await write(process, "one")
    channel.troubles["delete"] = TransientError("Discord answered 503.")
    await write(process, "two", replace=True)
    process.chores.leave()
    assert process.chores.waiting == 0
    assert len(ledger.to_do) == 1


LIVE, STOPPED, CLOSED = (
    board_text(BoardView(ticker="SPX", source="schwab", freshness=freshness, at=OPEN_AT))
    for freshness in (Freshness.LIVE, Freshness.STOPPED, Freshness.CLOSED)
)


async def test_live_boards_that_the_ledger_does_not_know_are_removed_and_nothing_else():
    channel, ledger = FakeChannel(), DictLedger()
    channel.messages = {5: LIVE, 6: STOPPED, 7: CLOSED, 8: "SPX crossed 6900", 9: LIVE}
    ledger.entries[1] = LedgerEntry(session=TODAY.isoformat(), message_id=9)
    process = keeper(channel, ledger)
    await process.adopt()
    assert await process.message.look_around()
    await process.tidy()
    assert list(channel.messages) == [7, 8, 9]


async def test_a_live_board_of_another_day_is_not_touched_nor_one_that_is_about_to_be_closed():
    channel, ledger = FakeChannel(), DictLedger()
    channel.messages = {5: LIVE, 6: LIVE}
    ledger.entries[1] = LedgerEntry(session=TODAY.isoformat(), message_id=6)
    channel.written_at = OPEN_AT - timedelta(days=1, minutes=1)
    process = keeper(channel, ledger)
    await process.adopt()
    await process.message.look_around()
    channel.written_at = OPEN_AT
    ledger.to_do[1, 5] = Chore(channel_id=1, message_id=5, text="closed", since_ms=epoch_ms(OPEN_AT))
    process = keeper(channel, ledger)
    await process.adopt()
    await process.message.look_around()
    await process.tidy()
    assert channel.messages == {5: "closed", 6: LIVE}


async def test_nobody_looks_around_while_a_post_is_in_doubt_or_another_holds_the_feed():
    channel, ledger = FakeChannel(), DictLedger()
    process = keeper(channel, ledger)
    await process.adopt()
    channel.troubles["send"] = TransientError("Discord does not answer.")
    with pytest.raises(TransientError):
        await process.message.show("one", TODAY)
    channel.messages = {5: LIVE}
    assert not await process.message.look_around()
    channel.troubles.clear()
    await write(process, "one")
    assert process.message.doubtful
    assert await process.message.look_around()
    assert not process.message.doubtful
    ledger.lost = True
    with pytest.raises(LeaseLostError):
        await process.message.keep_books()
    await process.chores.work()
    assert 5 in channel.messages


def test_a_nonce_fits_discords_limit():
    assert len(random_nonce()) <= 25
    assert random_nonce() != random_nonce()


CARD = card_text([["### GEX: SPX"]])


async def after_a_restart(channel: FakeChannel, ledger: DictLedger) -> Keeper:
    process = keeper(channel, ledger)
    await process.adopt()
    return process


async def test_a_card_becomes_a_block_by_being_replaced_and_a_block_a_card_by_an_edit():
    channel, ledger = FakeChannel(), DictLedger()
    first = await after_a_restart(channel, ledger)
    await write(first, CARD)
    second = await after_a_restart(channel, ledger)
    await write(second, "a block")
    await write(second, "a newer block")
    assert (channel.deeds, channel.only) == (["send", "send", "delete", "edit"], "a newer block")
    third = await after_a_restart(channel, ledger)
    await write(third, CARD)
    fourth = await after_a_restart(channel, ledger)
    await write(fourth, "a block")
    assert channel.deeds[4:] == ["edit", "send", "delete"]


async def test_what_closes_or_leaves_a_card_of_before_is_a_card_too():
    channel, ledger = FakeChannel(), DictLedger()
    first = await after_a_restart(channel, ledger)
    await write(first, CARD)
    second = await after_a_restart(channel, ledger)
    await second.message.leave("feed stopped")
    assert channel.only == as_card("feed stopped")
    third = await after_a_restart(channel, ledger)
    await third.message.close("closed")
    assert channel.only == as_card("closed")


async def test_a_card_whose_answer_was_lost_is_known_for_one():
    channel, ledger = FakeChannel(), DictLedger()
    mortal = Mortal(channel, ledger)
    first = keeper(channel, ledger)
    await first.adopt()
    mortal.steps = 4
    with contextlib.suppress(DiedError):
        await write(first, CARD)
    assert channel.deeds == ["send"]
    mortal.steps = 10_000
    second = await after_a_restart(channel, ledger)
    for _ in range(2):
        await write(second, "a block")
    assert (channel.deeds[-1], channel.only) == ("delete", "a block")
