"""Which volatility a line is priced with: three rules, and what became of volatilities that cannot be used.

All of them are on our clock: a line's total volatility is σ·√T with T to our settlement (`specs/gex-method.md` §5, §7).
"""

from dataclasses import dataclass
from typing import Final, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from streaming.gex.pricing.formulas import Floats, Real, years_to_expiry
from streaming.gex.pricing.forward import says_a_price
from streaming.gex.pricing.lines import Ints, Lines
from streaming.gex.pricing.total_volatility import total_volatility

BadIv = Literal["mirror", "drop"]
Bools = NDArray[np.bool_]
Fault = Literal["missing", "zero", "too low", "too high"]
Outcome = Literal["mirrored", "no other side", "other side unusable", "not mirrored"]
LOWEST: Final = 0.02
HIGHEST: Final = 10.0
FAULTS: Final[tuple[Fault, ...]] = ("missing", "zero", "too low", "too high")
OUTCOMES: Final[tuple[Outcome, ...]] = ("mirrored", "no other side", "other side unusable", "not mirrored")
_MIRRORED: Final = OUTCOMES.index("mirrored")
_POINT: Final = 0.01


@dataclass(frozen=True, slots=True, eq=False)
class CleanIv:
    """Volatility per line, NaN where a line cannot be priced, and where it comes from."""

    iv: Floats
    bad: Ints
    """Lines priced with the other side's volatility or not at all, ascending."""
    code: Ints
    """Of each of those: the place of what is wrong in `FAULTS` times 4, plus its place in `OUTCOMES`."""
    quoted: Bools
    """Lines priced from the quotes of their strike; the others have the feed's volatility."""
    apart: Bools
    """Lines at strikes whose two sides have volatilities of the feed that differ by more than a point."""


@dataclass(frozen=True, slots=True, eq=False)
class StrikeQuotes:
    """What quotes say, by pair of call and put."""

    sigma: Floats
    """w/√T when the quotes were live; NaN where they say no price."""
    call_counts: Bools
    """Whether the call is the side out of the money."""


def quoted_sigma(lines: Lines, rows: Ints, prices: tuple[Floats, Floats], forward: Floats, at_s: Real) -> Floats:
    """σ = w/√T that the bids and asks (`prices`) of out-of-the-money lines say; NaN where they say no price.

    `forward` is each line's in points, `at_s` when its quote was live, epoch seconds.
    """
    bid, ask = prices
    middle = np.where(says_a_price(bid, ask), 0.5 * (bid + ask), np.nan)
    total = total_volatility(middle, forward, lines.strike[rows])
    return total / np.sqrt(years_to_expiry(lines.settle_s[rows], at_s))


def strike_quotes(lines: Lines, forward: Floats, at_s: Floats, pairs: Ints) -> StrikeQuotes:
    """What the chain's own quotes say of some pairs; `forward` (points) and `at_s` are by series."""
    series = lines.pair_series[pairs]
    calls, puts = lines.pair_call[pairs], lines.pair_put[pairs]
    call_counts = lines.strike[np.maximum(calls, puts)] >= forward[series]
    rows = np.where(call_counts, calls, puts)
    listed = np.flatnonzero(rows >= 0)
    sigma = np.full(pairs.size, np.nan)
    rows, series = rows[listed], series[listed]
    sigma[listed] = quoted_sigma(lines, rows, (lines.bid[rows], lines.ask[rows]), forward[series], at_s[series])
    return StrikeQuotes(sigma, call_counts)


def is_usable(iv: Floats) -> Bools:
    """True where a volatility is finite and strictly between 0.02 and 10; feeds mark "none" outside."""
    with np.errstate(invalid="ignore"):
        usable: Bools = (iv > LOWEST) & (iv < HIGHEST)
    return usable


def by_strike(
    lines: Lines,
    iv: Floats,
    factor: Floats,
    quotes: StrikeQuotes,
    *,
    last: CleanIv | None = None,
    pairs: Ints | None = None,
) -> CleanIv:
    """One volatility per strike: what quotes say, else the feed's `iv` of the side that counts, else the other side's.

    The rules `quotes` and, where `quotes` say nothing at all, `otm`. `factor` brings each `iv` onto our clock. With
    `last`, what was found of the same contracts before, only `pairs` are looked at: there alone anything has changed.
    """
    if last is None or pairs is None or not _are_single(lines):
        found = _strikes(lines, iv, factor, quotes, np.arange(lines.pair_call.size))
        bad = np.flatnonzero(found.is_bad[lines.pair])
        return CleanIv(
            iv=found.iv[lines.pair],
            bad=bad,
            code=found.code[lines.pair[bad]],
            quoted=found.quoted[lines.pair],
            apart=found.apart[lines.pair],
        )
    return _renewed(lines, last, pairs, _strikes(lines, iv, factor, quotes, pairs))


class _Strikes(NamedTuple):
    """What some pairs are priced with."""

    iv: Floats
    quoted: Bools
    apart: Bools
    is_bad: Bools
    code: Ints
    """Of bad ones; else 0."""


def _strikes(lines: Lines, iv: Floats, factor: Floats, quotes: StrikeQuotes, pairs: Ints) -> _Strikes:
    call_counts, sigma = quotes.call_counts[pairs], quotes.sigma[pairs]
    call, put = lines.pair_call[pairs], lines.pair_put[pairs]
    sent, usable, feeds = _of_rows(iv, factor, np.where(call_counts, call, put))
    _, usable_too, others = _of_rows(iv, factor, np.where(call_counts, put, call))
    is_quoted = ~np.isnan(sigma)
    chosen = np.where(is_quoted, sigma, np.where(np.isnan(feeds), others, feeds))
    is_bad = ~is_quoted & np.isnan(feeds)
    bad = np.flatnonzero(is_bad)
    codes = np.zeros(is_bad.size, np.int64)
    codes[bad] = _codes(sent[bad], _outcomes(lines, pairs[bad], ~call_counts[bad], others[bad]))
    return _Strikes(chosen, is_quoted, np.abs(usable - usable_too) > _POINT, is_bad, codes)


def _renewed(lines: Lines, last: CleanIv, pairs: Ints, found: _Strikes) -> CleanIv:
    """`last` with what was found of some pairs; columns in which nothing changed are those of before."""
    sides = np.concatenate((lines.pair_call[pairs], lines.pair_put[pairs]))
    listed = np.flatnonzero(sides >= 0)
    rows, place = sides[listed], listed % pairs.size
    iv, code = last.iv.copy(), np.full(len(lines), -1)
    iv[rows] = found.iv[place]
    code[last.bad] = last.code
    code[rows] = np.where(found.is_bad, found.code, -1)[place]
    bad = np.flatnonzero(code >= 0)
    same_bad = np.array_equal(bad, last.bad) and np.array_equal(code[bad], last.code)
    return CleanIv(
        iv=iv,
        bad=last.bad if same_bad else bad,
        code=last.code if same_bad else code[bad],
        quoted=_with(last.quoted, rows, found.quoted[place]),
        apart=_with(last.apart, rows, found.apart[place]),
    )


def _with(column: Bools, rows: Ints, values: Bools) -> Bools:
    if np.array_equal(column[rows], values):
        return column
    column = column.copy()
    column[rows] = values
    return column


def _are_single(lines: Lines) -> bool:
    """Whether no contract is listed twice, so that each line is the call or the put of its pair."""
    return int(np.count_nonzero(lines.pair_call >= 0) + np.count_nonzero(lines.pair_put >= 0)) == len(lines)


def _of_rows(iv: Floats, factor: Floats, rows: Ints) -> tuple[Floats, Floats, Floats]:
    """A feed's volatilities of some rows as sent, where they are usable, and those on our clock; NaN of row -1."""
    if iv.size == 0:
        nothing = np.full(rows.size, np.nan)
        return nothing, nothing, nothing
    sent = np.where(rows >= 0, iv[rows], np.nan)
    usable = np.where(is_usable(sent), sent, np.nan)
    return sent, usable, usable * factor[rows]


def by_line(lines: Lines, iv: Floats, bad_iv: BadIv) -> CleanIv:
    """The rule `line`: usable values as they are; `mirror` fills the others from the opposite side of their strike."""
    usable = is_usable(iv)
    own = np.where(usable, iv, np.nan)
    by_side = _by_side(lines, own)
    bad = np.flatnonzero(~usable)
    if bad_iv == "drop":
        code = _codes(iv[bad], np.full(bad.size, OUTCOMES.index("not mirrored")))
    else:
        pair, other = lines.pair[bad], ~lines.is_call[bad]
        own[bad] = by_side[other.astype(np.intp), pair]
        code = _codes(iv[bad], _outcomes(lines, pair, other, own[bad]))
    apart = np.abs(by_side[0] - by_side[1]) > _POINT
    return CleanIv(own, bad, code, np.zeros(iv.size, np.bool_), apart[lines.pair])


def _by_side(lines: Lines, values: Floats) -> Floats:
    """Values of puts, then of calls, by pair; NaN where a side is not listed."""
    by_side = np.full((2, lines.pair_call.size), np.nan)
    by_side[lines.is_call.astype(np.intp), lines.pair] = values
    return by_side


def _outcomes(lines: Lines, pairs: Ints, is_call: Bools, borrowed: Floats) -> Ints:
    """What became of pairs whose `is_call` side was asked for the volatility `borrowed`."""
    listed = np.where(is_call, lines.pair_call[pairs], lines.pair_put[pairs]) >= 0
    unpriced = np.where(listed, OUTCOMES.index("other side unusable"), OUTCOMES.index("no other side"))
    return np.where(np.isnan(borrowed), unpriced, _MIRRORED)


def _codes(iv: Floats, outcome: Ints) -> Ints:
    """Faults in the order of `FAULTS`; a negative volatility is a mark for none, not a low one."""
    fault = np.select([iv == 0.0, (iv > 0.0) & (iv <= LOWEST), iv >= HIGHEST], [1, 2, 3], 0)
    return fault * len(OUTCOMES) + outcome
