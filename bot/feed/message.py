"""The one live message of a channel: posted, edited, replaced, closed, and found again after a crash."""

import secrets
from contextlib import suppress
from datetime import date, timedelta
from typing import Final

import msgspec

from bot.feed.channel import ChannelPort, GoneMessageError, SeenMessage, WornMessageError
from bot.feed.chores import Chores
from bot.feed.illustration import Illustration
from bot.feed.ledger import Chore, Ledger, LedgerAwayError, LedgerEntry
from bot.render.card import as_card, is_card, with_picture
from bot.render.text import is_replaceable
from streaming.bus.lease import LeaseLostError
from streaming.clock import Clock, epoch_ms
from streaming.errors import GexcordError, TransientError

_LOST_FOR: Final = timedelta(days=1)
_OF_A_CARD: Final = "k"
"""Begins the nonce of a post that makes a card: what it made may only be known by it."""
_NOTHING: Final = LedgerEntry(session="", closed=True)
_MOST_UNDELETED: Final = 3
"""Old messages in a channel beside which a live one may still be replaced."""


class LiveMessage:
    """A channel's message and its ledger entry, kept in step so that a crash at any point leaves one message.

    Every post is announced in the ledger with a nonce before it is made. A process that dies in between finds
    the nonce and posts again under it, which gives the message that exists. A replacement is posted before
    the old one is deleted: readers always see one, and the ledger names both until the old one is gone.

    Only announcing a post waits for the ledger. What follows from one, a note and the end of the old message, is
    left to `keep_books` and the chores. Where the ledger refuses the note because another process has the feed by
    now, the chores take the post back. Every method raises LeaseLostError when that is so.
    """

    def __init__(
        self,
        channel_id: int,
        channel: ChannelPort,
        ledger: Ledger,
        chores: Chores,
        clock: Clock,
    ) -> None:
        self._channel_id: Final = channel_id
        self._channel = channel
        self._ledger = ledger
        self._chores = chores
        self._clock = clock
        self._entry: LedgerEntry | None = None
        self._revision = 0
        self._unsaved = False
        self._own_chores: dict[int, Chore] = {}
        self._posted: tuple[int, str] | None = None
        self._posts = 0
        self._posting = False
        self._text: str | None = None
        self._shown = self._pictured = False
        self._last_words: str | None = None
        self.doubtful = False
        """Whether a post may have been made that is not known: reason to look around."""

    @property
    def message_id(self) -> int | None:
        """The message that is being kept current, if there is one."""
        return None if self._entry is None or self._entry.closed else self._entry.message_id

    @property
    def session(self) -> str | None:
        """The session the message belongs to."""
        return None if self._entry is None else self._entry.session or None

    @property
    def shown(self) -> bool:
        """Whether this process has written the message."""
        return self._shown and self.message_id is not None

    @property
    def stopped(self) -> bool:
        """Whether it already says that the feed stopped, as the process that wrote it left it."""
        return self._entry is not None and self._entry.stopped

    @property
    def pending(self) -> bool:
        """Whether a post was begun of which it is not known whether Discord made it."""
        return self._entry is not None and self._entry.nonce is not None

    def says(self, text: str) -> bool:
        """Whether it is known to say `text`."""
        return text == self._text and not self.stopped

    async def adopt(self) -> None:
        """Take over what an earlier process left, of whatever session.

        Another session's is only there to be closed: `show` posts anew. Raises LedgerAwayError: without a
        ledger, posting could make a second message.
        """
        entry = await self._ledger.load(self._channel_id) or _NOTHING
        self._text, self._shown, self._pictured = None, False, False
        self._revision = entry.revision
        for message_id in entry.superseded:
            self._want(message_id)
        self._entry = msgspec.structs.replace(entry, superseded=())

    async def show(self, text: str, session: date, picture: Illustration | None = None) -> bool:
        """Make the live message say `text`, with a `picture` in place of the one it has; False when it already does.

        Posts when there is none, without a picture. GoneMessageError when it was deleted, so that the next call posts.
        """
        if self._needs_post(session):
            await self._post(text, session)
            return True
        await self._revive()
        if text == self._text and picture is None:
            return False
        if self._is_card and not is_card(text):
            await self.replace(text, session)
            return True
        try:
            await self._edit(text, picture)
        except GoneMessageError:
            self._forget_message()
            raise
        except WornMessageError:
            await self.replace(text, session)
        return True

    async def replace(self, text: str, session: date) -> None:
        """Post a new message and have the old one deleted; LedgerAwayError before anything was done.

        TransientError while deletions fail: without an end, each mark and each worn message would leave one more.
        """
        if not self.pending and self._undeleted >= _MOST_UNDELETED:
            raise TransientError("Earlier messages here cannot be deleted; until they are, no new one is posted.")
        await self._post(text, session)

    async def close(self, text: str | None) -> None:
        """Write the session's last text (None leaves what is there) and let go of the message for good.

        What cannot be written now is left to the chores. A worn message takes its last text when Discord lets it.
        """
        entry = self._entry
        if entry is None or entry.closed:
            return
        if text is not None and entry.message_id is not None:
            text = self._fitting(text)
            try:
                await self._edit(text)
            except LeaseLostError:
                raise
            except GexcordError:
                self._want(entry.message_id, self._as_sent(text))
        self.doubtful |= self.pending
        self._last_words = text
        self._note(msgspec.structs.replace(self._entry or entry, closed=True, nonce=None))

    async def leave(self, text: str, *, noted: bool = True) -> None:
        """Write a parting text and keep the message for the next process, which knows of it where it is `noted`."""
        if self._entry is None or self.message_id is None:
            return
        text = self._fitting(text)
        if text != self._text:
            await self._edit(text)
        self._note(msgspec.structs.replace(self._entry, stopped=noted))
        with suppress(LedgerAwayError):
            await self.keep_books()

    async def keep_books(self) -> None:
        """Bring the ledger up to date, then have done what it knows now; LedgerAwayError leaves it for later."""
        while self._entry is not None and (self._unsaved or self._own_chores):
            self._unsaved = False
            try:
                await self._save(self._entry)
            except LedgerAwayError:
                self._unsaved = True
                raise

    async def look_around(self) -> bool:
        """Have deleted what the channel holds of our own live boards that the ledger does not know.

        A post whose answer was lost may be one. At most a day old ones, never one that is closed. False when it
        cannot be told now, because something is being posted; raises what reading the channel raises.
        """
        posts = self._posts
        if self._entry is None or self._posting or self.pending or not self._chores.loaded:
            return False
        seen = await self._channel.recent()
        if self._posting or self.pending or posts != self._posts:
            return False
        for message in seen:
            if self._is_lost(message):
                self._want(message.message_id)
        self.doubtful = False
        return True

    def doubt(self) -> None:
        """Believe no more that the message says what it was last given, nor that it is the only one."""
        self._text, self.doubtful = None, True
        entry = self._entry
        if entry is not None and entry.closed and self._last_words is not None:
            self._want(entry.message_id, self._last_words)

    def abandon(self) -> None:
        """The feed is another's by now: take back a post that it does not know of."""
        if self._posted is not None:
            self._chores.reclaim(self._channel_id, *self._posted)
            self._posted = None

    def _is_lost(self, message: SeenMessage) -> bool:
        assert self._entry is not None  # noqa: S101  # callers looked
        known = message.message_id == self._entry.message_id or message.message_id in self._own_chores
        return (
            not known
            and not self._chores.knows(self._channel_id, message.message_id)
            and self._clock.now() - message.at <= _LOST_FOR
            and is_replaceable(message.content)
        )

    @property
    def _undeleted(self) -> int:
        own = sum(chore.text is None for chore in self._own_chores.values())
        return own + self._chores.undeleted(self._channel_id)

    @property
    def _is_card(self) -> bool:
        return self._entry is not None and self._entry.card

    def _fitting(self, text: str) -> str:
        """The text in a form that the message can take, where it must not be replaced."""
        return as_card(text) if self._is_card else text

    async def _revive(self) -> None:
        """A goodbye that is about to be overwritten counts no more; the ledger knows it before the message changes.

        Else a pause at that moment would leave live figures on a message of which the ledger says that it stopped.
        """
        entry = self._entry
        if entry is None or not entry.stopped:
            return
        self._note(msgspec.structs.replace(entry, stopped=False))
        try:
            await self.keep_books()
        except LedgerAwayError:
            self._note(entry)
            raise

    def _needs_post(self, session: date) -> bool:
        entry = self._entry
        return entry is None or entry.closed or entry.message_id is None or entry.session != session.isoformat()

    async def _post(self, text: str, session: date) -> None:
        begun = self._begin(text, session)
        assert begun.nonce is not None  # noqa: S101  # set by _begin
        again = self.pending
        self._posting = True
        try:
            await self._save(begun)
            self._entry = begun
            self._posts += 1
            message_id = await self._channel.send(text, nonce=begun.nonce)
        except GexcordError:
            self.doubtful = True
            raise
        finally:
            self._posting = False
        if begun.message_id not in {None, message_id}:
            self._want(begun.message_id)
        self._posted = (message_id, begun.nonce)
        card = begun.nonce.startswith(_OF_A_CARD)
        self._note(msgspec.structs.replace(begun, message_id=message_id, nonce=None, card=card))
        # Under a nonce used before, Discord may have given the message of the first attempt, with its text.
        self._text, self._shown, self._pictured = None if again else text, True, False

    def _begin(self, text: str, session: date) -> LedgerEntry:
        day, nonce = session.isoformat(), f"{_OF_A_CARD if is_card(text) else ''}{random_nonce()}"
        entry = self._entry
        if entry is None or entry.closed or entry.session != day:
            return LedgerEntry(session=day, nonce=nonce)
        return msgspec.structs.replace(entry, nonce=entry.nonce or nonce, stopped=False)

    async def _edit(self, text: str, picture: Illustration | None = None) -> None:
        assert self._entry is not None and self._entry.message_id is not None  # noqa: S101, PT018  # callers looked
        # Whether an edit without an answer arrived is unknown, and so is what the message says.
        self._text = None
        sent = self._as_sent(text, pictured=self._pictured or picture is not None)
        await self._channel.edit(self._entry.message_id, sent, picture)
        self._text, self._shown, self._pictured = text, True, self._pictured or picture is not None
        if is_card(text) and not self._entry.card:
            self._note(msgspec.structs.replace(self._entry, card=True))

    def _as_sent(self, text: str, *, pictured: bool | None = None) -> str:
        """Content keeps the picture by itself; a card has to name it in every edit."""
        return with_picture(text) if is_card(text) and (self._pictured if pictured is None else pictured) else text

    def _forget_message(self) -> None:
        """Somebody deleted it, or Discord says so wrongly: what may be left of it is to be deleted."""
        assert self._entry is not None  # noqa: S101  # callers looked
        self._want(self._entry.message_id)
        self._note(msgspec.structs.replace(self._entry, message_id=None))
        self._text, self._shown = None, False

    def _want(self, message_id: int | None, text: str | None = None) -> None:
        """Have a message deleted, or rewritten for the last time, once the ledger knows of it."""
        if message_id is not None:
            since_ms = epoch_ms(self._clock.now())
            self._own_chores[message_id] = Chore(
                channel_id=self._channel_id, message_id=message_id, text=text, since_ms=since_ms
            )

    def _note(self, entry: LedgerEntry) -> None:
        self._entry, self._unsaved = entry, True

    async def _save(self, entry: LedgerEntry) -> None:
        """Write an entry with all chores; what the ledger knows may be done, and a post that it knows is ours."""
        self._revision += 1
        chores, posted = tuple(self._own_chores.values()), self._posted
        numbered = msgspec.structs.replace(entry, revision=self._revision)
        try:
            await self._ledger.save(self._channel_id, numbered, chores)
        except LeaseLostError:
            self.abandon()
            raise
        if self._posted == posted:
            self._posted = None
        for chore in chores:
            if self._own_chores.get(chore.message_id) == chore:
                del self._own_chores[chore.message_id]
        self._chores.take(chores)


def random_nonce() -> str:
    """A name for one post, within Discord's 25 characters with room for one more."""
    return secrets.token_hex(12)
