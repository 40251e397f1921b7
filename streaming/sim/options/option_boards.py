"""All option boards of a market: opened, moved with their underlyings, and listed anew each day."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Final

import numpy as np

from streaming.calendar import new_york
from streaming.option_chain import OptionChain
from streaming.sim.options.contract_lines import (
    ContractLines,
    Group,
    generate_lines,
    join_lines,
    lines_from_chain,
    take_rows,
)
from streaming.sim.options.flow import VolumeFlow
from streaming.sim.options.option_board import OptionBoard
from streaming.sim.prices.all_tapes import AllTapes
from streaming.sim.prices.hours import Reset
from streaming.sim.prices.instruments import Underlying
from streaming.sim.prices.listing import Expiry, expiries_on
from streaming.sim.prices.random_walk import IndexWalk
from streaming.sim.prices.tape import Tape

Listing = tuple[ContractLines, tuple[Group, ...]]
_NEAR: Final = 0.02
"""How far from spot, relatively, lines count as at the money."""


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
        return self.tapes.sources[self.traits[ticker].wire].tape


def relist_made_up(
    old: ContractLines, underlying: Underlying, *, at: datetime, spot: float, rng: np.random.Generator
) -> Listing:
    """A made-up market's new listing, around the new spot."""
    lines, groups = generate_lines(underlying, at=at, spot=spot, rng=rng)
    known = {symbol: row for row, symbol in enumerate(old.symbol)}
    for row, symbol in enumerate(lines.symbol):
        before = known.get(symbol)
        if before is not None:
            lines.open_interest[row] = old.open_interest[before]
    return lines, groups


def relist_real(
    old: ContractLines,
    groups: tuple[Group, ...],
    underlying: Underlying,
    *,
    listed_on: date,
    at: datetime,
    spot: float,
    rng: np.random.Generator,
) -> Listing:
    """A real chain's new listing: its own lines that have not settled, and expiries that an exchange adds.

    Those are the ones it lists today and did not list on `listed_on`; they are made up, at the level of
    volatility of the lines that stay.
    """
    kept = [group for group in groups if old.settle_s[group.start] > at.timestamp()]
    parts = [take_rows(old, np.arange(group.start, group.stop)) for group in kept]
    new, new_groups = generate_lines(underlying, at=at, spot=spot, rng=rng)
    wanted = _added(underlying, listed_on, new_york(at).date()) - {_key(group.expiry) for group in kept}
    fresh = [group for group in new_groups if _key(group.expiry) in wanted]
    scale = _at_the_money(parts, spot) / _at_the_money([take_rows(new, np.arange(len(new)))], spot)
    made = [_scaled(take_rows(new, np.arange(group.start, group.stop)), scale) for group in fresh]
    both = sorted(
        zip([group.expiry for group in kept + fresh], parts + made, strict=True), key=lambda pair: _order(pair[0])
    )
    return join_lines([expiry for expiry, _ in both], [lines for _, lines in both])


def _added(underlying: Underlying, before: date, today: date) -> set[tuple[str, date]]:
    earlier = {_key(expiry) for expiry in expiries_on(underlying, before)}
    return {_key(expiry) for expiry in expiries_on(underlying, today)} - earlier


def _key(expiry: Expiry) -> tuple[str, date]:
    return expiry.root, expiry.day


def _order(expiry: Expiry) -> tuple[datetime, str]:
    return expiry.settle_at, expiry.root


def _scaled(lines: ContractLines, scale: float) -> ContractLines:
    return replace(lines, sigma=lines.sigma * scale, iv=lines.iv * scale)


def _at_the_money(parts: list[ContractLines], spot: float) -> float:
    """The middle volatility of lines near spot; 1.0 where there are none."""
    near = [part.sigma[np.abs(part.strike / spot - 1.0) < _NEAR] for part in parts]
    sigmas = np.concatenate(near) if near else np.empty(0)
    return float(np.median(sigmas)) if sigmas.size else 1.0
