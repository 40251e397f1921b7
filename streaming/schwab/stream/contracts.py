"""Which contract stands behind a futures symbol, and when it rolls (specs/schwab-wire.md §2.9, §2.16). Pure."""

import re
from collections.abc import Mapping
from typing import Final

_CONTRACT: Final = re.compile(r"/[A-Z0-9]+?[FGHJKMNQUVXZ][0-9]{2}")


def names_a_contract(symbol: str) -> bool:
    """Whether a futures symbol carries its own month and year, as `/ESZ26` does and `/ES` does not."""
    return _CONTRACT.fullmatch(symbol) is not None


class FuturesContracts:
    """Root -> active contract as Schwab names it; a calendar rule would be wrong in the week of a roll."""

    def __init__(self) -> None:
        self._active: dict[str, str] = {}

    @property
    def active(self) -> Mapping[str, str]:
        """Every root heard of and the contract behind it."""
        return self._active

    def learn(self, symbol: str, active_symbol: str) -> bool:
        """Take in field 34 of a row; True when a root now stands for another contract than before."""
        if names_a_contract(symbol):
            return False
        before = self._active.get(symbol)
        self._active[symbol] = active_symbol
        return before is not None and before != active_symbol

    def behind(self, symbol: str) -> str | None:
        """The contract that a row of `symbol` is about; None while it is not known."""
        return self._active.get(symbol) or (symbol if names_a_contract(symbol) else None)
