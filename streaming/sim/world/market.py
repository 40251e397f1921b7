"""The simulated market: seeded, pure, moved from instant to instant by `Market.advance`."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from math import floor
from typing import Final

import numpy as np

from streaming.calendar import new_york, session_on
from streaming.errors import RequestError
from streaming.model import FILE_SOURCE, SIMULATED
from streaming.option_chain import OptionChain
from streaming.sim.options.flow import VolumeFlow
from streaming.sim.options.option_board import OptionBoard
from streaming.sim.options.option_boards import OptionBoards
from streaming.sim.prices.all_tapes import AllTapes
from streaming.sim.prices.candles import MinuteBar
from streaming.sim.prices.hours import Phase, Reset, next_reset, phase_at
from streaming.sim.prices.instruments import UNDERLYINGS, Underlying, plain_shares, traits_around
from streaming.sim.prices.listing import ListedContract
from streaming.sim.prices.random_walk import STEP_S, IndexWalk
from streaming.sim.prices.tape import Tape

_STEPS_PER_S: Final = round(1.0 / STEP_S)
_SESSION_S: Final = 23400.0
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
        shares: int = 0,
    ) -> None:
        walk, tapes, listing, *flows = np.random.SeedSequence(seed).spawn(3 + len(traits))
        self._traits = dict(traits)
        plain = plain_shares(shares, tuple(dict.fromkeys(item.leader for item in traits.values())))
        self._listed = {item.wire: item for item in (*traits.values(), *plain)}
        self._always_open = always_open
        self._step = floor(new_york(start_at).timestamp()) * _STEPS_PER_S
        self._next_reset = next_reset(self._step / _STEPS_PER_S)
        self._day_is_due = False
        self.edition = 0
        """Another number whenever something changed that a day leaves alone: closes, listings, contracts."""
        levels = {name: (item.spot, item.sigma) for name, item in traits.items() if item.leader == name}
        self._walk = IndexWalk.start(levels, np.random.default_rng(walk))
        self._tapes = AllTapes(self._walk, np.random.default_rng(tapes))
        elapsed_s = self._elapsed_s() if self.is_open else None
        self._tapes.open(self._traits, at=self.now, elapsed_s=elapsed_s or 0.0, shares=plain)
        self._tapes.second(self.now, cash=self.is_open)
        self._boards = OptionBoards(self._traits, self._tapes, self._walk, np.random.default_rng(listing))
        seeds = zip(self._traits.items(), flows, strict=True)
        draws = {name: VolumeFlow(item, np.random.default_rng(flow)) for (name, item), flow in seeds}
        self._boards.open(draws, chain, at=self.now, elapsed_s=elapsed_s)
        self._of_file = None if chain is None else (traits[chain.ticker].wire, f"{FILE_SOURCE}{chain.asof:%Y-%m-%d}")

    @classmethod
    def generate(
        cls,
        underlyings: Sequence[str] = DEFAULT_UNDERLYINGS,
        *,
        start_at: datetime,
        seed: int,
        always_open: bool = False,
        shares: int = 0,
    ) -> "Market":
        """A made-up market, with so many plain `shares` besides. An index that a share follows is added by itself.

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
        return cls(traits, start_at=start_at, seed=seed, always_open=always_open, shares=shares)

    @classmethod
    def from_chain(cls, chain: OptionChain, *, seed: int, always_open: bool = True, shares: int = 0) -> "Market":
        """A market that begins as `chain` was at its quote time; the other underlyings are made up.

        It is `always_open` unless told otherwise, since many chains were taken after the close. Raises
        RequestError for a chain without contracts or spot.
        """
        if not len(chain) or not chain.spot > 0.0:
            raise RequestError(
                f"The chain of {chain.ticker} has no contracts or no spot.", remedy="Choose another file."
            )
        traits = traits_around(chain.ticker, chain.spot)
        return cls(traits, start_at=chain.asof, seed=seed, always_open=always_open, chain=chain, shares=shares)

    def figures_of(self, wire: str) -> str:
        """Where the figures of an underlying come from, as a `source`: made up, or made from a file of a day."""
        return self._of_file[1] if self._of_file is not None and wire == self._of_file[0] else SIMULATED

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

    def listed(self, wire: str) -> Underlying | None:
        """The index or share of a wire symbol such as `$SPX` or `SPY`, with options or without; or None."""
        return self._listed.get(wire)

    @property
    def tapes(self) -> tuple[Tape, ...]:
        """Every index, share and future."""
        return tuple(source.tape for source in self._tapes.sources.values())

    def board(self, wire: str) -> OptionBoard | None:
        """The option board of a wire symbol such as `$SPX` or `SPY`, or None."""
        return next((self._boards.boards[item.ticker] for item in self._traits.values() if item.wire == wire), None)

    def board_of_option(self, symbol: str) -> tuple[OptionBoard, int] | None:
        """The board and row of an option symbol that still trades, or None."""
        for board in self._boards.boards.values():
            row = board.row_of(symbol)
            if row is not None:
                return board, row
        return None

    def boards_of_options(self, symbols: Iterable[str]) -> dict[str, tuple[OptionBoard, list[int]]]:
        """By underlying, its board and the rows of those option symbols that still trade on it."""
        boards: dict[str, tuple[OptionBoard, list[int]]] = {}
        for symbol in symbols:
            found = self.board_of_option(symbol)
            if found is not None:
                board, row = found
                boards.setdefault(board.underlying.ticker, (board, []))[1].append(row)
        return boards

    def tape(self, symbol: str) -> Tape | None:
        """The tape of `$SPX`, `SPY`, `/ES` or the active `/ESZ26`, or None."""
        return self._tapes.find(symbol, self.now)

    def candles(self, symbol: str) -> list[MinuteBar]:
        """The finished minutes of a tape's symbol, oldest first; at most the last seven hours."""
        return self._tapes.candles(symbol)

    def contract(self, root: str) -> ListedContract:
        """The active contract of a futures root."""
        return self._tapes.contract(root, self.now)

    def spot(self, ticker: str) -> float:
        """The price of an underlying now; KeyError when it is not simulated."""
        return self._tapes.sources[self._traits[ticker].wire].tape.last

    def halt(self, symbol: str, *, halted: bool = True) -> None:
        """Stop an index, share or future, and the options on it, or let it trade again; RequestError if unknown."""
        tape = self.tape(symbol)
        if tape is None:
            raise RequestError(f"{symbol!r} is not simulated.", remedy="Name an index, a share or a future.")
        tape.halted = halted
        self._boards.move(self._step / _STEPS_PER_S)

    def status(self, tape: Tape) -> str:
        """Schwab's security status of an index, share or future."""
        if tape.halted:
            return "Halted"
        trades = self.phase is not Phase.CLOSED if tape.kind == "future" else self.is_open
        return "Normal" if trades else "Closed"

    def advance(self, now: datetime) -> None:
        """Move to `now`; an instant at or before the present changes nothing.

        A second of an open market costs about a millisecond, so a jump of hours takes a while.
        """
        self._move_on(now, trading=True)

    def leap(self, now: datetime) -> None:
        """Move to `now` without a trade in between, at no cost; resets and openings happen all the same."""
        self._move_on(now, trading=False)

    def _move_on(self, now: datetime, *, trading: bool) -> None:
        target = floor(now.timestamp() * _STEPS_PER_S)
        while self._step < target:
            phase, until_s = phase_at(self._step / _STEPS_PER_S, always_open=self._always_open)
            stop = int(min(target, min(until_s, self._next_reset[0]) * _STEPS_PER_S))
            if phase is Phase.CASH and self._day_is_due:
                self._begin_day()
            if phase is Phase.CLOSED or not trading:
                self._step = stop
            else:
                self._run(stop, cash=phase is Phase.CASH)
            self._reset_what_is_due()
        self._boards.move(self._step / _STEPS_PER_S)

    def _run(self, stop: int, *, cash: bool) -> None:
        while self._step < stop:
            self._step += 1
            whole = self._step % _STEPS_PER_S == 0
            if cash or whole:
                self._walk.step(quiet=not cash)
                self._tapes.step(self.now, cash=cash)
            if whole:
                self._second(cash=cash)

    def _second(self, *, cash: bool) -> None:
        self._tapes.second(self.now, cash=cash)
        if cash:
            now_s = self._step // _STEPS_PER_S
            self._boards.move(float(now_s))
            self._boards.trade_second(now_s=now_s, elapsed_s=self._elapsed_s())

    def _elapsed_s(self) -> float:
        """Seconds since today's open; a whole session's where there is none, or none yet of a market always open."""
        session = session_on(new_york(self.now).date())
        if session is None or (self._always_open and self.now < session.open_at):
            return _SESSION_S
        return min(max((self.now - session.open_at).total_seconds(), 0.0), _SESSION_S)

    def _reset_what_is_due(self) -> None:
        at_s, reset = self._next_reset
        if self._step < at_s * _STEPS_PER_S:
            return
        self._next_reset = next_reset(at_s)
        self.edition += 1
        if reset is Reset.FUTURES:
            self._tapes.begin_day(futures=True)
        elif not self._always_open:
            self._reset(reset)
        elif reset is Reset.PRICES:
            self._roll_at_once()

    def _reset(self, reset: Reset) -> None:
        self._boards.reset(reset)
        if reset is Reset.PRICES:
            self._tapes.end_day()
            self._day_is_due = True
        elif reset is Reset.VOLUME:
            self._tapes.forget_volumes()

    def _roll_at_once(self) -> None:
        """A market that never closes takes the whole night's and morning's work in one instant."""
        for reset in (Reset.PRICES, Reset.VOLUME):
            self._reset(reset)
        self._begin_day()

    def _begin_day(self) -> None:
        """The first trade of the day, and the day's listing."""
        self._day_is_due = False
        self.edition += 1
        self._tapes.begin_day(futures=False)
        self._boards.move(self._step / _STEPS_PER_S)
        self._boards.relist(self.now)
