"""Everything known about one chain as plain data, for `python -m streaming gex --json`."""

from collections.abc import Sequence
from typing import Any

import msgspec

from streaming.calendar import new_york
from streaming.gex.engine import GexEngine
from streaming.gex.priced import ForwardMode
from streaming.gex.volatility import BadIv
from streaming.model import SCOPES, OptionChain, ScopeName
from streaming.symbols import Ticker


def chain_report(
    chain: OptionChain,
    *,
    scopes: Sequence[ScopeName] = SCOPES,
    forward: ForwardMode = "parity",
    bad_iv: BadIv = "mirror",
) -> dict[str, Any]:
    """The figures of a chain at its own quote time under the names of `GexSnapshot`; None for what is unknown.

    `asof` is ISO 8601 in New York time. Each scope also has its whole `ladder`: strike, net by volume, net by open
    interest, in $ per 1 %. The classic block is that of the only scope asked for, else of `full`.
    """
    chosen: ScopeName = scopes[0] if len(scopes) == 1 else "full"
    engine = GexEngine(Ticker(chain.ticker, chain.ticker), scope=chosen, forward=forward, bad_iv=bad_iv)
    engine.on_chain(chain)
    snapshot = msgspec.to_builtins(engine.compute(chain.asof))
    figures = snapshot.pop("scopes")
    return {
        "ticker": snapshot.pop("ticker"),
        "asof": new_york(chain.asof).isoformat(),
        "spot": snapshot.pop("spot"),
        "scopes": {name: figures[name] | {"ladder": engine.ladder(name)} for name in scopes},
        "bad_iv": bad_iv,
        **snapshot,
    }
