"""Everything known about one chain as plain data, for `python -m streaming gex --json`."""

from collections.abc import Sequence
from typing import Any

import msgspec

from streaming.calendar import new_york
from streaming.gex.engine import GexEngine
from streaming.gex.pricing.priced import ForwardMode
from streaming.gex.pricing.volatility import BadIv
from streaming.model import SCOPES, ScopeName, VolatilityRule
from streaming.option_chain import OptionChain
from streaming.symbols import Ticker


def chain_report(
    chain: OptionChain,
    *,
    scopes: Sequence[ScopeName] = SCOPES,
    forward: ForwardMode = "parity",
    volatility: VolatilityRule = "quotes",
    bad_iv: BadIv = "mirror",
) -> dict[str, Any]:
    """The figures of a chain at its own quote time under the names of `GexSnapshot`; None for what is unknown.

    `asof` is ISO 8601 in New York time. Each scope also has its whole `ladder` (strike, net by volume, net by open
    interest, in $ per 1 %) and `sides`, and its own `by_expiry`. `series` tells how each root settles on each date, and
    its forward. The classic block is that of the only scope asked for, else of `full`; its `max_priors` are unknown,
    for a file is one instant, and so is its `flow` but for the day's.
    """
    chosen: ScopeName = scopes[0] if len(scopes) == 1 else "full"
    engine = GexEngine(
        Ticker(chain.ticker, chain.ticker), scope=chosen, volatility=volatility, forward=forward, bad_iv=bad_iv
    )
    engine.on_chain(chain)
    snapshot = msgspec.to_builtins(engine.compute(chain.asof))
    figures = snapshot.pop("scopes")
    dates = figures["all"]["by_expiry"]
    return {
        "ticker": snapshot.pop("ticker"),
        "asof": new_york(chain.asof).isoformat(),
        "spot": snapshot.pop("spot"),
        "scopes": {
            name: figures[name]
            | {
                "ladder": engine.ladder(name),
                "sides": engine.sides(name),
                "by_expiry": _by_expiry(figures[name], dates),
            }
            for name in scopes
        },
        "series": engine.series(),
        "bad_iv": bad_iv if volatility == "line" else None,
        **snapshot,
    }


def _by_expiry(figures: dict[str, Any], dates: list[Any]) -> list[Any]:
    """The rows of a scope's own dates."""
    return [row for row in dates if row[0] in figures["expiries"]] if figures["contracts"] else []
