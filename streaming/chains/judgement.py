"""Whether a chain that was sent can be true, by what it says itself and by what is known. Pure.

An answer of status 200 may hold nothing, one side, a handful of strikes or another expiry (`specs/sources.md`). What
cannot be true is refused; what is only much smaller than what is known is doubted (`expiry_sizes`), and believed when
it comes again and again (`corroboration`).
"""

from dataclasses import replace
from datetime import date
from typing import Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from streaming.chains.expiry_sizes import ExpirySize
from streaming.chains.schwab import ChainAnswer
from streaming.errors import ContractError
from streaming.option_chain import OptionChain


def believable(answer: ChainAnswer, *, underlying: str, expiry: date | None) -> OptionChain:
    """The contracts of the asked expiry in an answer from Schwab; ContractError when it cannot be true.

    The rows of other expiries are left out; where all contracts are of another kind, the chain is empty.
    """
    if answer.failed:
        raise ContractError("It calls itself FAILED.")
    if not answer.has_both_maps:
        raise ContractError("It lacks the map of its calls or of its puts.")
    chain = answer.chain
    if expiry is not None:
        chain = only_rows(chain, chain.expiry == np.datetime64(expiry, "D"))
    if len(answer.chain) > len(chain) == 0:
        raise ContractError(f"It is about {answer.chain.expiry[0]}, not {expiry}.")
    if not answer.calls_listed or not answer.puts_listed:
        raise ContractError(_missing_side(answer.calls_listed, answer.puts_listed))
    require_both_sides(chain)
    if answer.symbol and _letters(answer.symbol) != underlying_letters(underlying):
        require_own(chain, underlying)
    return chain


def require_both_sides(chain: OptionChain) -> None:
    """ContractError when a chain has calls or puts, but not both."""
    calls = int(np.count_nonzero(chain.is_call))
    if (calls == 0) != (calls == len(chain)):
        raise ContractError(_missing_side(calls, len(chain) - calls))


def require_weight(chain: OptionChain) -> None:
    """ContractError for a whole chain that neither anybody holds nor anybody traded."""
    if not chain.open_interest.any() and not chain.volume.any():
        raise ContractError("It has no figures except spot.")


def require_own(chain: OptionChain, underlying: str) -> None:
    """ContractError when a root is another underlying's; weekly roots begin with their own's name."""
    name = underlying_letters(underlying)
    strangers = [str(root) for root in np.unique(chain.root) if not str(root).startswith(name)]
    if strangers:
        raise ContractError(f"It is about {strangers[0]}, not {underlying}.")


def underlying_letters(underlying: str) -> str:
    """An underlying as its contracts are called: `BRKB` of `BRK.B`."""
    return _letters(underlying)


def _letters(name: str) -> str:
    return "".join(character for character in name.removesuffix(".X") if character.isalnum())


def _missing_side(calls: int, puts: int) -> str:
    return f"It lists {'only calls' if calls else 'only puts' if puts else 'no contracts'}."


def only_rows(chain: OptionChain, rows: NDArray[np.bool_]) -> OptionChain:
    """The chain of some of its rows."""
    if rows.all():
        return chain
    return replace(chain, **{name: getattr(chain, name)[rows] for name in _COLUMNS})


_COLUMNS: Final = (
    "symbol", "root", "expiry", "settle_s", "strike", "is_call", "iv", "open_interest", "volume", "bid", "ask",
)  # fmt: skip


def sizes_of(chain: OptionChain) -> tuple[ExpirySize, ...]:
    """How much of each expiry a chain holds, nearest first."""
    days, place = np.unique(chain.expiry.astype("datetime64[D]"), return_inverse=True)
    side = 2 * place + ~chain.is_call
    contracts = np.bincount(side, minlength=2 * days.size).reshape(-1, 2).tolist()
    interest = np.bincount(side, chain.open_interest, 2 * days.size).reshape(-1, 2).tolist()
    return tuple(
        ExpirySize(day, (float(calls), float(puts)), (calls_oi, puts_oi))
        for day, (calls, puts), (calls_oi, puts_oi) in zip(days.tolist(), contracts, interest, strict=True)
    )


def with_known_interest(chain: OptionChain, known: OptionChain | None) -> tuple[OptionChain, bool]:
    """A chain whose sides without any open interest keep what was known of them, and whether one did."""
    if known is None:
        return chain, False
    sides = (chain.is_call, known.is_call), (~chain.is_call, ~known.is_call)
    silent = [
        mine
        for mine, theirs in sides
        if not chain.open_interest[mine].any() and mine.any() and known.open_interest[theirs].any()
    ]
    if not silent:
        return chain, False
    by_symbol = dict(zip(known.symbol.tolist(), known.open_interest.tolist(), strict=True))
    before = np.array([by_symbol.get(symbol, 0.0) for symbol in chain.symbol.tolist()])
    rows = np.logical_or.reduce(silent)
    names = ("calls_without_interest", "puts_without_interest")
    told = {name: 0.0 for name, (mine, _) in zip(names, sides, strict=True) if any(mine is one for one in silent)}
    quality = msgspec.structs.replace(chain.quality, **told)
    return replace(chain, open_interest=np.where(rows, before, chain.open_interest), quality=quality), True
