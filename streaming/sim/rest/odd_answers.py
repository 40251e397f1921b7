"""Answers of status 200 that cannot be true, as proxies and tired servers send them. Pure: a good body in, odd one out.

Each name is a value of the faults `chains` and `expirations` (`specs/simulator.md`).
"""

from collections.abc import Callable, Mapping
from datetime import date, timedelta
from typing import Any, Final

import msgspec

Tree = dict[str, Any]
_MAPS: Final = ("callExpDateMap", "putExpDateMap")
_FEW: Final = 3
_ERRORS: Final = {"errors": [{"id": "0", "status": "500", "title": "Internal Server Error"}]}


def odd_chain(body: bytes, kind: str) -> bytes:
    """A `/chains` body gone wrong; KeyError for a kind that is not in `CHAINS`."""
    return _changed(body, CHAINS[kind])


def odd_expirations(body: bytes, kind: str) -> bytes:
    """An `/expirationchain` body gone wrong; KeyError for a kind that is not in `EXPIRATIONS`."""
    return _changed(body, EXPIRATIONS[kind])


def _changed(body: bytes, change: Callable[[Tree], Tree]) -> bytes:
    return msgspec.json.encode(change(msgspec.json.decode(body)))


def _without(tree: Tree, *names: str) -> Tree:
    return tree | {name: {} for name in names}


def _failed(tree: Tree) -> Tree:
    return _without(tree, *_MAPS) | {"status": "FAILED", "underlyingPrice": 0.0}


def _few_strikes(tree: Tree) -> Tree:
    """The three strikes in the middle of each expiry."""
    return tree | {
        name: {key: dict(_middle(list(strikes.items()))) for key, strikes in tree[name].items()} for name in _MAPS
    }


def _middle(rows: list[Any]) -> list[Any]:
    first = max(len(rows) // 2 - 1, 0)
    return rows[first : first + _FEW]


def _another_expiry(tree: Tree) -> Tree:
    return tree | {name: {_tomorrow(key): strikes for key, strikes in tree[name].items()} for name in _MAPS}


def _tomorrow(key: str) -> str:
    day, _, days = key.partition(":")
    return f"{date(*map(int, day.split('-'))) + timedelta(days=1)}:{int(days) + 1}"


def _odd_rows(tree: Tree) -> Tree:
    """One expiry key that is no date and one strike that cannot be, beside everything else."""
    maps = {name: dict(tree[name]) for name in _MAPS}
    for expiries in maps.values():
        for key, strikes in list(expiries.items())[:1]:
            rows = next(iter(strikes.values()))
            expiries["someday:3"] = {"1.0": rows}
            expiries[key] = strikes | {"100000.0": [rows[0] | {"symbol": "ODD_1", "strikePrice": 100_000.0}]}
    return tree | maps


CHAINS: Final[Mapping[str, Callable[[Tree], Tree]]] = {
    "empty": lambda _: {},
    "errors": lambda _: _ERRORS,
    "failed": _failed,
    "no_maps": lambda tree: {name: value for name, value in tree.items() if name not in _MAPS},
    "calls_only": lambda tree: _without(tree, "putExpDateMap"),
    "puts_only": lambda tree: _without(tree, "callExpDateMap"),
    "few_strikes": _few_strikes,
    "another_expiry": _another_expiry,
    "no_price": lambda tree: tree | {"underlyingPrice": None, "underlying": None},
    "odd_rows": _odd_rows,
}
EXPIRATIONS: Final[Mapping[str, Callable[[Tree], Tree]]] = {
    "empty": lambda _: {"expirationList": []},
    "errors": lambda _: _ERRORS,
    "one": lambda tree: {"expirationList": tree["expirationList"][:1]},
}
