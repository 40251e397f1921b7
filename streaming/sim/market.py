"""The simulated market: seeded, pure, moved from instant to instant by `Market.advance`."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from math import floor
from typing import Final

import numpy as np

from streaming.calendar import new_york, session_on
from streaming.errors import RequestError
from streaming.model import OptionChain
from streaming.sim.board import OptionBoard
from streaming.sim.candles import Candle
from streaming.sim.flow import VolumeFlow
from streaming.sim.hours import Phase, phase_at
from streaming.sim.instruments import UNDERLYINGS, Underlying, traits_around
from streaming.sim.lines import Lines, generate_lines, lines_from_chain
from streaming.sim.listing import Contract
from streaming.sim.tape import Tape
from streaming.sim.tape_deck import TapeDeck
from streaming.sim.walk import STEP_S, IndexWalk

_STEPS_PER_S: Final = round(1.0 / STEP_S)
_SESSION_S: Final = 23400.0
_STAYS_OPEN: Final = 0.3
"""Share of a day's volume that is open interest on the next."""
DEFAULT_UNDERLYINGS: Final = ("SPX", "NDX", "SPY", "QQQ")


class Market:
    """Indexes, their options, shares and futures, all moving together.

    The state after `advance(t)` depends on the seed and on `t` alone, not on how many calls led there:
    spots move on a grid of 0.25 s, volume and the futures' night on one of 1 s. Nothing moves while the
    exchanges are closed, unless `always_open`. Use `generate` or `from_chain` to make one.
    """

    def __init__(
        self,
        traits: Mapping[str, Underlying],
        *,
        start_at: datetime,
        seed: int,
        always_open: bool,
        chain: OptionChain | None = None,
    ) -> None:
        walk, tapes, listing, *flows = np.random.SeedSequence(seed).spawn(3 + len(traits))
        self._traits = dict(traits)
        self._always_open = always_open
        self._step = floor(new_york(start_at).timestamp()) * _STEPS_PER_S
        self._day = new_york(self.now).date()
        self._list_rng = np.random.default_rng(listing)
        levels = {name: (item.spot, item.sigma) for name, item in traits.items() if item.leader == name}
        self._walk = IndexWalk.start(levels, np.random.default_rng(walk))
        self._deck = TapeDeck(self._walk, np.random.default_rng(tapes))
        self._deck.thread(self._traits, at=self.now, elapsed_s=self._elapsed_s() if self.is_open else 0.0)
        self._deck.second(self.now, cash=self.is_open)
        self._boards = {
            name: self._open_board(item, VolumeFlow(item, np.random.default_rng(flow)), chain)
            for (name, item), flow in zip(self._traits.items(), flows, strict=True)
        }

    @classmethod
    def generate(
        cls,
        underlyings: Sequence[str] = DEFAULT_UNDERLYINGS,
        *,
        start_at: datetime,
        seed: int,
        always_open: bool = False,
    ) -> "Market":
        """A made-up market. An index that a share follows is added by itself.

        Raises RequestError for an underlying that is not simulated.
        """
        unknown = [name for name in underlyings if name not in UNDERLYINGS]
        if unknown:
            raise RequestError(
                f"{unknown[0]!r} is not simulated.",
                remedy=f"Choose from {', '.join(UNDERLYINGS)}, or give a chain file.",
            )
        wanted = {UNDERLYINGS[name].leader for name in underlyings} | set(underlyings)
        traits = {name: item for name, item in UNDERLYINGS.items() if name in wanted}
        return cls(traits, start_at=start_at, seed=seed, always_open=always_open)

    @classmethod
    def from_chain(cls, chain: OptionChain, *, seed: int, always_open: bool = True) -> "Market":
        """A market that begins as `chain` was at its quote time; the other underlyings are made up.

        It is `always_open` unless told otherwise, since many chains were taken after the close. Raises
        RequestError for a chain without contracts or spot.
        """
        if not len(chain) or not chain.spot > 0.0:
            raise RequestError(
                f"The chain of {chain.ticker} has no contracts or no spot.", remedy="Choose another file."
            )
        traits = traits_around(chain.ticker, chain.spot)
        return cls(traits, start_at=chain.asof, seed=seed, always_open=always_open, chain=chain)

    @property
    def now(self) -> datetime:
        """The instant the market stands at, on its grid."""
        return datetime.fromtimestamp(self._step / _STEPS_PER_S, UTC)

    @property
    def now_ms(self) -> int:
        """The same in milliseconds since 1970."""
        return self._step * 1000 // _STEPS_PER_S

    @property
    def is_open(self) -> bool:
        """Whether shares and options trade."""
        return self.phase is Phase.CASH

    @property
    def phase(self) -> Phase:
        """What trades now."""
        return phase_at(self._step / _STEPS_PER_S, always_open=self._always_open)[0]

    @property
    def underlyings(self) -> tuple[Underlying, ...]:
        """Everything with an option board."""
        return tuple(self._traits.values())

    @property
    def tapes(self) -> tuple[Tape, ...]:
        """Every index, share and future."""
        return tuple(reel.tape for reel in self._deck.reels.values())

    def board(self, wire: str) -> OptionBoard | None:
        """The option board of a wire symbol such as `$SPX` or `SPY`, or None."""
        return next((self._boards[item.ticker] for item in self._traits.values() if item.wire == wire), None)

    def board_of_option(self, symbol: str) -> tuple[OptionBoard, int] | None:
        """The board and row of an option symbol that still trades, or None."""
        for board in self._boards.values():
            row = board.row_of(symbol)
            if row is not None:
                return board, row
        return None

    def tape(self, symbol: str) -> Tape | None:
        """The tape of `$SPX`, `SPY`, `/ES` or the active `/ESZ26`, or None."""
        return self._deck.find(symbol, self.now)

    def candles(self, symbol: str) -> list[Candle]:
        """The finished minutes of a tape's symbol, oldest first; at most the last seven hours."""
        return self._deck.candles(symbol)

    def contract(self, root: str) -> Contract:
        """The active contract of a futures root."""
        return self._deck.contract(root, self.now)

    def spot(self, ticker: str) -> float:
        """The price of an underlying now; KeyError when it is not simulated."""
        return self._deck.reels[self._traits[ticker].wire].tape.last

    def advance(self, now: datetime) -> None:
        """Move to `now`; an instant at or before the present changes nothing.

        A second of an open market costs about a millisecond, so a jump of hours takes a while.
        """
        target = floor(now.timestamp() * _STEPS_PER_S)
        while self._step < target:
            phase, until_s = phase_at(self._step / _STEPS_PER_S, always_open=self._always_open)
            stop = int(min(target, until_s * _STEPS_PER_S))
            if phase is Phase.CLOSED:
                self._step = stop
            else:
                self._run(stop, cash=phase is Phase.CASH)
        self._move_boards()

    def _run(self, stop: int, *, cash: bool) -> None:
        if cash:
            self._begin_day()
        while self._step < stop:
            self._step += 1
            whole = self._step % _STEPS_PER_S == 0
            if cash or whole:
                self._walk.step(quiet=not cash)
                self._deck.step(self.now, cash=cash)
            if whole:
                self._second(cash=cash)

    def _second(self, *, cash: bool) -> None:
        self._deck.second(self.now, cash=cash)
        if cash:
            self._move_boards()
            elapsed_s = self._elapsed_s()
            for board in self._boards.values():
                board.trade_second(now_s=self._step // _STEPS_PER_S, elapsed_s=elapsed_s)

    def _move_boards(self) -> None:
        for name, board in self._boards.items():
            board.spot = self.spot(name)
            board.now_s = self._step / _STEPS_PER_S
            board.vol_factor = self._walk.vol_factor(self._traits[name].leader)

    def _elapsed_s(self) -> float:
        """Seconds since today's open; a whole session's where there is none."""
        session = session_on(new_york(self.now).date())
        if session is None:
            return _SESSION_S
        return min(max((self.now - session.open_at).total_seconds(), 0.0), _SESSION_S)

    def _begin_day(self) -> None:
        """Roll closes, volumes and listings when the first session of a new day opens."""
        today = new_york(self.now).date()
        if self._always_open or today == self._day:
            return
        self._day = today
        self._deck.begin_day()
        self._move_boards()
        self._boards = {name: self._relist(board) for name, board in self._boards.items()}

    def _relist(self, old: OptionBoard) -> OptionBoard:
        """The new day's listing; lines that stay keep their open interest and some of yesterday's volume."""
        lines, groups = generate_lines(old.underlying, at=self.now, spot=old.spot, rng=self._list_rng)
        _keep_known(old.lines, lines)
        old.flow.forget()
        previous = self._deck.reels[old.underlying.wire].tape.close
        return OptionBoard(
            underlying=old.underlying,
            lines=lines,
            groups=groups,
            flow=old.flow,
            model_fails=old.model_fails,
            spot=old.spot,
            previous_spot=previous,
            now_s=old.now_s,
            vol_factor=old.vol_factor,
        )

    def _open_board(self, item: Underlying, flow: VolumeFlow, chain: OptionChain | None) -> OptionBoard:
        spot, now_s = self.spot(item.ticker), self._step / _STEPS_PER_S
        real = chain is not None and chain.ticker == item.ticker
        if chain is not None and real:
            lines, groups = lines_from_chain(chain)
        else:
            lines, groups = generate_lines(item, at=self.now, spot=spot, rng=self._list_rng)
            if self.is_open:
                flow.seed_day(lines, spot=spot, now_s=now_s, elapsed_s=self._elapsed_s())
        return OptionBoard(
            underlying=item,
            lines=lines,
            groups=groups,
            flow=flow,
            model_fails=not real,
            spot=spot,
            previous_spot=self._deck.reels[item.wire].tape.close,
            now_s=now_s,
        )


def _keep_known(old: Lines, new: Lines) -> None:
    known = {symbol: row for row, symbol in enumerate(old.symbol)}
    for row, symbol in enumerate(new.symbol):
        before = known.get(symbol)
        if before is not None:
            new.open_interest[row] = int(old.open_interest[before] + _STAYS_OPEN * old.volume[before])
