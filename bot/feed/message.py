"""The one live message of a channel: posted, edited, replaced, closed, and found again after a crash."""

import contextlib
import secrets
from collections.abc import Callable
from datetime import date
from typing import Final

import msgspec

from bot.feed.channel import ChannelPort, GoneMessageError, WornMessageError
from bot.feed.ledger import Ledger, LedgerAwayError, LedgerEntry


def random_nonce() -> str:
    """A name for one post, within Discord's 25 characters."""
    return secrets.token_hex(12)


class LiveMessage:
    """A channel's message and its ledger entry, kept in step so that a crash at any point leaves one message.

    Every post is announced in the ledger with a nonce before it is made. A process that dies in between finds
    the nonce and posts again under it, which gives the message that exists. A replacement is posted before
    the old one is deleted: readers always see one, and the ledger names both until the old one is gone.
    """

    def __init__(
        self, channel_id: int, channel: ChannelPort, ledger: Ledger, new_nonce: Callable[[], str] = random_nonce
    ) -> None:
        self._channel_id: Final = channel_id
        self._channel = channel
        self._ledger = ledger
        self._new_nonce = new_nonce
        self._entry: LedgerEntry | None = None
        self._unsaved = False
        self._text: str | None = None

    @property
    def message_id(self) -> int | None:
        """The message that is being kept current, if there is one."""
        return None if self._entry is None or self._entry.closed else self._entry.message_id

    @property
    def session(self) -> str | None:
        """The session the message belongs to."""
        return None if self._entry is None else self._entry.session

    @property
    def shown(self) -> bool:
        """Whether this process has written the message."""
        return self._text is not None and self.message_id is not None

    @property
    def stopped(self) -> bool:
        """Whether it already says that the feed stopped, as the process that wrote it left it."""
        return self._entry is not None and self._entry.stopped

    async def adopt(self, session: date | None) -> None:
        """Take over what an earlier process left: this session's message, or another's that was never closed.

        Another session's is only there to be closed: `show` posts anew. Raises LedgerAwayError: without a
        ledger, posting could make a second message.
        """
        entry = await self._ledger.load(self._channel_id)
        self._text = None
        if entry is not None and (session is None or entry.session != session.isoformat()):
            await self._delete_superseded(entry)
            entry = None if entry.closed else msgspec.structs.replace(entry, superseded=())
        self._entry = entry

    async def show(self, text: str, session: date) -> bool:
        """Make the live message say `text`; False when it already does.

        Posts when there is none or when it was deleted by a person.
        """
        if self._needs_post(session):
            await self._post(text, session)
            return True
        self._revive()
        await self._tidy()
        if text == self._text:
            return False
        try:
            await self._edit(text)
        except GoneMessageError:
            self._forget_message()
            await self._post(text, session)
        except WornMessageError:
            await self.replace(text, session)
        return True

    async def replace(self, text: str, session: date) -> None:
        """Post a new message, then delete the old one; LedgerAwayError before anything was done."""
        await self._post(text, session)
        await self._tidy()

    async def close(self, text: str | None) -> None:
        """Write the session's last text (None leaves what is there) and let go of the message for good."""
        entry = self._entry
        if entry is None or entry.closed:
            return
        if text is not None and entry.message_id is not None:
            # Whoever deleted it wanted it gone; a worn one keeps its last figures.
            with contextlib.suppress(GoneMessageError, WornMessageError):
                await self._edit(text)
        self._entry = msgspec.structs.replace(entry, closed=True, nonce=None)
        self._unsaved = True
        await self._tidy()

    async def leave(self, text: str) -> None:
        """Write a parting text and keep the message for the next process."""
        if self._entry is None or self.message_id is None:
            return
        if text != self._text:
            await self._edit(text)
        self._entry = msgspec.structs.replace(self._entry, stopped=True)
        await self._save()

    def _revive(self) -> None:
        """A goodbye that is about to be overwritten counts no more."""
        if self._entry is not None and self._entry.stopped:
            self._entry = msgspec.structs.replace(self._entry, stopped=False)
            self._unsaved = True

    def _needs_post(self, session: date) -> bool:
        entry = self._entry
        return (
            entry is None
            or entry.closed
            or entry.message_id is None
            or entry.nonce is not None
            or entry.session != session.isoformat()
        )

    async def _post(self, text: str, session: date) -> None:
        begun = self._begin(session)
        await self._ledger.save(self._channel_id, begun)
        self._entry = begun
        assert begun.nonce is not None  # noqa: S101  # set by _begin
        message_id = await self._channel.send(text, nonce=begun.nonce)
        replaced = () if begun.message_id is None else (begun.message_id,)
        self._entry = msgspec.structs.replace(
            begun, message_id=message_id, nonce=None, superseded=(*begun.superseded, *replaced)
        )
        self._text = text
        await self._save()

    def _begin(self, session: date) -> LedgerEntry:
        day = session.isoformat()
        entry = self._entry
        if entry is None or entry.closed or entry.session != day:
            return LedgerEntry(session=day, nonce=self._new_nonce())
        return msgspec.structs.replace(entry, nonce=entry.nonce or self._new_nonce(), stopped=False)

    async def _edit(self, text: str) -> None:
        assert self._entry is not None and self._entry.message_id is not None  # noqa: S101, PT018  # callers looked
        await self._channel.edit(self._entry.message_id, text)
        self._text = text

    def _forget_message(self) -> None:
        assert self._entry is not None  # noqa: S101  # callers looked
        self._entry = msgspec.structs.replace(self._entry, message_id=None)
        self._text = None

    async def _tidy(self) -> None:
        """Bring the ledger up to date, then delete what was replaced; a ledger that is away can wait."""
        if not self._unsaved and not (self._entry and self._entry.superseded):
            return
        if not await self._save():
            return
        assert self._entry is not None  # noqa: S101  # only a known entry is unsaved
        if self._entry.superseded:
            await self._delete_superseded(self._entry)
            self._entry = msgspec.structs.replace(self._entry, superseded=())
            await self._save()

    async def _save(self) -> bool:
        assert self._entry is not None  # noqa: S101  # callers looked
        self._unsaved = True
        try:
            await self._ledger.save(self._channel_id, self._entry)
        except LedgerAwayError:
            return False
        self._unsaved = False
        return True

    async def _delete_superseded(self, entry: LedgerEntry) -> None:
        for message_id in entry.superseded:
            with contextlib.suppress(GoneMessageError):
                await self._channel.delete(message_id)
