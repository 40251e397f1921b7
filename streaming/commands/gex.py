"""`python -m streaming gex FILE`: the levels of an option chain in a file."""

import argparse
import json
import sys
import textwrap
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import msgspec

from streaming.calendar import NEW_YORK, new_york
from streaming.chains.files.chain_files import load_chain
from streaming.chains.quality_words import dividend_words, is_interest_partial, quality_words
from streaming.chains.wire_values import price
from streaming.clock import instant
from streaming.errors import RequestError
from streaming.figures import BN, FIGURES, Row, Unit
from streaming.gex.engine import GexEngine
from streaming.gex.pricing.priced import ForwardMode
from streaming.gex.pricing.volatility import BadIv
from streaming.model import (
    SCOPE_WORDS,
    SCOPES,
    VOLATILITY_RULES,
    WEIGHT_NAMES,
    WEIGHTS,
    ChainQuality,
    ScopeName,
    VolatilityRule,
)
from streaming.option_chain import OptionChain
from streaming.symbols import Ticker

_WIDTH: Final = 14
_LINE: Final = 100
_UNKNOWN: Final = "-"
_STATES: Final = {
    "live": "",
    "warming": ", warming: volume is too small yet to mean much",
    "closing": ", closing: gamma grows without bound before a settlement; hedge stays finite",
    "closed": ", outside the session",
}
_SHARES: Final = {
    "priced": "priced",
    "  of it from quotes": "quoted",
    "mirrored": "mirrored",
    "not priced": "unpriced",
    "sides disagree": "apart",
}
"""Shares of the weight: what each is called and its field."""
_ROWS: Final = sorted(
    ((row.label or figure.name, row) for figure in FIGURES.values() for row in figure.rows),
    key=lambda named: named[1].unit is not None,
)
"""Levels first."""


def register(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `gex` to the commands."""
    command = subparsers.add_parser(
        "gex",
        help="the gamma levels of an option chain in a file",
        description=(
            "Reads a CBOE table or JSON, a Schwab chain or a plain CSV (specs/chain-files.md), packed or not. The JSON "
            "has the names of the snapshot (specs/schemas/snapshot.json); max change and the windows of flow "
            "are null, because they need earlier snapshots."
        ),
    )
    command.add_argument("file", metavar="FILE", type=Path, help="the option chain")
    command.add_argument("--asof", metavar="ISO", help="quote time; without an offset it is New York time")
    command.add_argument("--spot", metavar="POINTS", type=float, help="price of the underlying, in place of the file's")
    scopes = ", ".join(f"{name}: {words}" for name, words in SCOPE_WORDS.items())
    command.add_argument("--scope", choices=SCOPES, help=scopes)
    command.add_argument("--forward", choices=("parity", "none"), default="parity", help="forward by put-call parity")
    rules = "; ".join(f"{name}: {words}" for name, words in VOLATILITY_RULES.items())
    command.add_argument("--iv", choices=VOLATILITY_RULES, default="quotes", help=rules)
    command.add_argument("--bad-iv", choices=("mirror", "drop"), help="with --iv line: what replaces a missing IV")
    command.add_argument("--json", action="store_true", help="print JSON")
    command.set_defaults(func=run)


def run(args: argparse.Namespace) -> int:
    """Print the report; RequestError for a file, a time or a price that cannot be used."""
    if args.bad_iv is not None and args.iv != "line":
        raise RequestError("--bad-iv belongs to the rule line.", remedy="Give --iv line too, or leave it out.")
    if args.spot is not None and price(args.spot) is None:
        raise RequestError(f"{args.spot} is not a price.", remedy="Give --spot in points, such as 5000.25.")
    chain = load_chain(args.file, asof=None if args.asof is None else _instant(args.asof), spot=args.spot)
    report = chain_report(
        chain,
        scopes=SCOPES if args.scope is None else (args.scope,),
        forward=args.forward,
        volatility=args.iv,
        bad_iv=args.bad_iv or "mirror",
    )
    text = json.dumps(report, allow_nan=False) if args.json else "\n".join(_table(report))
    sys.stdout.write(text + "\n")
    return 0


def _instant(text: str) -> datetime:
    found = instant(text, unit="s", zone=NEW_YORK)
    if found is None:
        raise RequestError(f"{text[:40]!r} is not a time.", remedy="Give --asof as 2023-06-09T13:25 or with an offset.")
    return found


def _table(report: Mapping[str, Any]) -> Iterable[str]:
    spot = _level(report["spot"])
    ways = f"forward {report['forward_mode']}  volatility {report['volatility_rule']}"
    yield f"{report['ticker']}  spot {spot}  as of {report['asof']}  {ways}"
    quality = msgspec.convert(report["chain_quality"], ChainQuality | None)
    for words in _notes(report, quality):
        yield from textwrap.wrap(words, _LINE, subsequent_indent="  ")
    for name, figures in report["scopes"].items():
        yield ""
        yield from _scope(name, figures, marked=is_interest_partial(quality))


def _notes(report: Mapping[str, Any], quality: ChainQuality | None) -> Iterable[str]:
    """Of which day the file is, and what stands between it and its figures."""
    yield f"file of {report['asof'][:10]}{_STATES[report['state']]}"
    if words := dividend_words(report["ex_dividend_date"], report["dividend_ahead"], report["asof_ms"]):
        yield words
    if report["spot"] is None:
        yield "no spot: neither the file nor its quotes give one, so nothing can be computed; give --spot"
    if quality is not None:
        yield from quality_words(quality)
    if is_interest_partial(quality):
        yield "* partial, as open interest is"


def _scope(name: ScopeName, figures: Mapping[str, Any], *, marked: bool) -> Iterable[str]:
    expiries = figures["expiries"]
    yield f"{name} ({SCOPE_WORDS[name]}): {_span(expiries)}, {figures['contracts']} contracts"
    titles = {"oi": f"{WEIGHT_NAMES['oi']}{'*' * marked}", "vol": WEIGHT_NAMES["vol"]}
    yield f"  {'':<20}{''.join(f'{titles[weight]:>{_WIDTH}}' for weight in WEIGHTS)}"
    for label, row in _ROWS:
        yield _line(label, row, [_cell(figures[weight][row.wire], row.unit) for weight in WEIGHTS])
    yield from _shares(figures)
    yield from _roots(figures)
    yield from _strongest(figures)
    yield f"  {_quality(figures)}"
    yield from _faults(figures)


def _span(expiries: Sequence[str]) -> str:
    if not expiries:
        return "no living expiry"
    return expiries[0] if len(expiries) == 1 else f"{len(expiries)} expiries, {expiries[0]} to {expiries[-1]}"


def _line(label: str, row: Row, cells: Iterable[str]) -> str:
    words = label if row.unit is None else f"{label}, {row.unit.short}"
    return f"  {words:<20}" + "".join(f"{cell:>{_WIDTH}}" for cell in cells)


def _roots(figures: Mapping[str, Any]) -> Iterable[str]:
    for weight, title in WEIGHT_NAMES.items():
        found = figures[weight]
        note = found["zero_gamma_note"]
        if note is not None:
            yield f"  no zero gamma by {title}: {note}"
        elif len(found["zero_gamma_roots"]) > 1:
            yield f"  all zeros by {title}: {', '.join(map(_level, found['zero_gamma_roots']))}"


def _strongest(figures: Mapping[str, Any]) -> Iterable[str]:
    """The strikes with the most net exposure, then those with the most of calls and puts together, and their parts."""
    for weight, title in WEIGHT_NAMES.items():
        calls, puts = (3, 4) if weight == "oi" else (1, 2)
        sides = {row[0]: (row[calls], row[puts]) for row in figures["sides"]}
        net = [f"{_level(at)} {_bn(usd)} ({share:.0%})" for at, usd, share in figures[weight]["top_strikes"]]
        gross = [
            f"{_level(at)} {' and '.join(map(_bn, sides[at]))} ({share:.0%})"
            for at, _, share in figures[weight]["top_strikes_gross"]
        ]
        for label, words in ((f"most net by {title}, Bn", net), (f"most gross by {title}, Bn", gross)):
            if words:
                yield from textwrap.wrap(
                    f"{label}: {', '.join(words)}", _LINE, initial_indent="  ", subsequent_indent="    "
                )


def _bn(dollars: float) -> str:
    return f"{dollars / BN.scale:+.3f}"


def _shares(figures: Mapping[str, Any]) -> Iterable[str]:
    """How much of each weight is priced with what, and how much lies where the feed's two sides disagree."""
    for label, name in _SHARES.items():
        shares = [figures[f"weight_{name}_{weight}"] for weight in WEIGHTS]
        cells = (_UNKNOWN if share is None else f"{share:.2%}" for share in shares)
        yield f"  {label:<20}" + "".join(f"{cell:>{_WIDTH}}" for cell in cells)


def _quality(figures: Mapping[str, Any]) -> str:
    reversal = figures["rr25"]
    rr25 = "" if reversal is None else f", rr25 {100 * reversal:+.2f} vol points ({figures['rr25_expiry']})"
    return (
        f"{figures['contracts_quoted']} priced from quotes, {figures['contracts_mirrored']} mirrored, "
        f"{figures['contracts_unpriced']} not priced{rr25}"
    )


def _faults(figures: Mapping[str, Any]) -> Iterable[str]:
    """Why contracts were mirrored or not priced."""
    if figures["iv_faults"]:
        words = (f"{item['contracts']} {item['fault']} ({item['outcome']})" for item in figures["iv_faults"])
        yield from textwrap.wrap(f"volatility: {', '.join(words)}", _LINE, initial_indent="  ", subsequent_indent="  ")


def _level(value: float | None) -> str:
    return _UNKNOWN if value is None else f"{value:.2f}"


def _cell(value: float | None, unit: Unit | None) -> str:
    if unit is None:
        return _level(value)
    return _UNKNOWN if value is None else f"{value / unit.scale:+.4f}"


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
