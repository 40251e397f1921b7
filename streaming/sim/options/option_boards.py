"""All option boards of a market: opened, moved with their underlyings, and listed anew each day."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime

import numpy as np

from streaming.calendar import new_york
from streaming.model import OptionChain
from streaming.sim.options.contract_lines import generate_lines, lines_from_chain
from streaming.sim.options.flow import VolumeFlow
from streaming.sim.options.option_board import OptionBoard
from streaming.sim.options.relisting import relist_made_up, relist_real
from streaming.sim.prices.all_tapes import AllTapes
from streaming.sim.prices.instruments import Underlying
from streaming.sim.prices.rhythm import Reset
from streaming.sim.prices.tape import Tape
from streaming.sim.prices.walk import IndexWalk


@dataclass(slots=True, eq=False)
class OptionBoards:
    """The boards by ticker. `rng` draws the listings."""

    traits: Mapping[str, Underlying]
    tapes: AllTapes
    walk: IndexWalk
    rng: np.random.Generator
    boards: dict[str, OptionBoard] = field(default_factory=dict)
    _real: str | None = None
    """The ticker whose board began as a real chain."""
    _listed_on: date = date.min

    def open(
        self, flows: Mapping[str, VolumeFlow], chain: OptionChain | None, *, at: datetime, elapsed_s: float | None
    ) -> None:
        """List every underlying at an instant, `elapsed_s` into the session, or None outside of one."""
        self._listed_on = new_york(at).date()
        self._real = chain.ticker if chain is not None else None
        for name, item in self.traits.items():
            self.boards[name] = self._open_board(item, flows[name], chain, at=at, elapsed_s=elapsed_s)

    def move(self, now_s: float) -> None:
        """Let prices, volatilities and time of every board that is not halted be those of now."""
        for name, board in self.boards.items():
            board.halted = self._tape(name).halted
            if not board.halted:
                board.spot, board.now_s = self._tape(name).last, now_s
                board.vol_factor = self.walk.vol_factor(board.underlying.leader)

    def trade_second(self, *, now_s: int, elapsed_s: float) -> None:
        """A second's volume on every board that trades."""
        for board in self.boards.values():
            if not board.halted:
                board.trade_second(now_s=now_s, elapsed_s=elapsed_s)

    def reset(self, reset: Reset) -> None:
        """The part that options have in a reset of the day's figures."""
        for board in self.boards.values():
            if reset is Reset.PRICES:
                board.end_day()
            elif reset is Reset.VOLUME:
                board.forget_opens()
            elif reset is Reset.CLOSES:
                board.reload_closes()

    def relist(self, at: datetime) -> None:
        """The listing of a new day; lines that stay keep their open interest."""
        self.boards = {name: self._relist(board, at) for name, board in self.boards.items()}
        self._listed_on = new_york(at).date()

    def _relist(self, old: OptionBoard, at: datetime) -> OptionBoard:
        name = old.underlying.ticker
        if name == self._real:
            lines, groups = relist_real(
                old.lines, old.groups, old.underlying, listed_on=self._listed_on, at=at, spot=old.spot, rng=self.rng
            )
        else:
            lines, groups = relist_made_up(old.lines, old.underlying, at=at, spot=old.spot, rng=self.rng)
        old.flow.forget()
        return OptionBoard(
            underlying=old.underlying,
            lines=lines,
            groups=groups,
            flow=old.flow,
            model_fails=old.model_fails,
            spot=old.spot,
            previous_spot=self._tape(name).close,
            now_s=at.timestamp(),
            vol_factor=old.vol_factor,
            halted=old.halted,
        )

    def _open_board(
        self, item: Underlying, flow: VolumeFlow, chain: OptionChain | None, *, at: datetime, elapsed_s: float | None
    ) -> OptionBoard:
        tape, now_s = self._tape(item.ticker), at.timestamp()
        real = chain is not None and item.ticker == self._real
        if chain is not None and real:
            lines, groups = lines_from_chain(chain)
        else:
            lines, groups = generate_lines(item, at=at, spot=tape.last, rng=self.rng)
            if elapsed_s is not None:
                flow.seed_day(lines, spot=tape.last, now_s=now_s, elapsed_s=elapsed_s)
        return OptionBoard(
            underlying=item,
            lines=lines,
            groups=groups,
            flow=flow,
            model_fails=not real,
            spot=tape.last,
            previous_spot=tape.close,
            now_s=now_s,
        )

    def _tape(self, ticker: str) -> Tape:
        return self.tapes.reels[self.traits[ticker].wire].tape
