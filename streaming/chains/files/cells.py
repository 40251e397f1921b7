"""Numbers at known places of a text, thousands at once: what columns of files are read with. Pure.

Eight characters are one 64-bit word, which is taken apart by a few operations on all words together.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from streaming.chains.osi import Bytes, Ints

Floats = NDArray[np.float64]
Words = NDArray[np.uint64]
WORD: Final = 8
_ZERO: Final = ord("0")
_NINE: Final = ord("9")
_DOT: Final = ord(".")
_MINUS: Final = ord("-")
_MOST_DIGITS: Final = 15
_POWERS: Final = 10.0 ** np.arange(_MOST_DIGITS + 1)


def _each(byte: int) -> np.uint64:
    return np.uint64(byte * 0x0101010101010101)


_ZEROS: Final = _each(_ZERO)
_DOTS: Final = _each(_DOT)
_ONES: Final = _each(1)
_TOPS: Final = _each(0x80)
_PAST_NINE: Final = _each(0x80 - 10)
"""What is added to a byte sets its highest bit from 10 on."""
LAST: Final = np.array([(1 << 64) - (1 << 8 * (WORD - length)) for length in range(WORD + 1)], np.uint64)
"""Of a word the last so many characters."""
_PLACES: Final = np.uint64(0x0706050403020100)
"""Times 1 << 8·i, its highest byte is 7 - i."""
_BYTE, _PAIR, _HALF, _TOP_BYTE = (np.uint64(bits) for bits in (8, 16, 32, 56))
_TO_UNIT: Final = np.uint64(7)
_TEN: Final = np.uint64(10)
_FULL: Final = np.uint64(255)
_PAIRS: Final = np.uint64(0x000000FF000000FF)
_HUNDREDS: Final = np.uint64(100 + (1_000_000 << 32))
_UNITS: Final = np.uint64(1 + (10_000 << 32))


def words_before(data: Bytes, end: Ints) -> Words:
    """The eight characters before each place, the last of them highest; every place must be 8 at least."""
    words: Words = np.ndarray((data.size - WORD + 1,), "<u8", data, strides=(1,))[end - WORD]
    return words


def word_of(text: bytes) -> np.uint64:
    """Up to eight characters as `words_before` has them."""
    return np.uint64(int.from_bytes(text.rjust(WORD, b"\0"), "little"))


def numbers(data: Bytes, start: Ints, end: Ints) -> Floats:
    """Decimal text at `data[start:end]` as numbers, correctly rounded; NaN where there is none."""
    length = end - start
    short = (length > 0) & (length <= WORD) & (end >= WORD)
    if short.all() and short.size:
        values = _short(data, end, length)
    else:
        values = np.full(start.size, np.nan)
        if short.any():
            values[short] = _short(data, end[short], length[short])
    rest = np.flatnonzero(np.isnan(values) & (length > 0))
    if rest.size:
        values[rest] = _long(data, start[rest], end[rest])
    return values


def _short(data: Bytes, end: Ints, length: Ints) -> Floats:
    """Cells such as `12.50` of 1 to 8 characters; NaN where anything but digits and at most one dot stands."""
    text, kept = words_before(data, end), LAST[length]
    dots = (text ^ _DOTS) | ~kept
    dots = (dots - _ONES) & ~dots & _TOPS
    is_odd = ((dots & (dots - np.uint64(1))) != 0) | ((length == 1) & (dots != 0))
    dots >>= _TO_UNIT
    digits = (text ^ _ZEROS) & kept
    whole = dots - np.uint64(1)
    digits = ((digits & whole) << ((dots != 0) * _BYTE)) | (digits & ~(whole | dots * _FULL))
    is_odd |= (((digits + _PAST_NINE) | digits) & _TOPS) != 0
    decimals = ((dots * _PLACES) >> _TOP_BYTE).astype(np.intp)
    decimals &= WORD - 1
    values = _value(digits) / _POWERS[decimals]
    values[is_odd] = np.nan
    return values


def _value(digits: Words) -> Floats:
    """Of eight digits, one a byte: of pairs, of fours, of all."""
    pairs = digits * _TEN + (digits >> _BYTE)
    found = ((pairs & _PAIRS) * _HUNDREDS + ((pairs >> _PAIR) & _PAIRS) * _UNITS) >> _HALF
    return found.astype(np.float64)


def _long(data: Bytes, start: Ints, end: Ints) -> Floats:
    """Cells with a sign, of more characters, or with an exponent."""
    values = np.full(start.size, np.nan)
    length = end - start
    for width in np.flatnonzero(np.bincount(length))[: _MOST_DIGITS + 1].tolist():
        rows = np.flatnonzero(length == width)
        if width <= _MOST_DIGITS:
            values[rows] = _decimals(data, start[rows], width)
    for row in np.flatnonzero(np.isnan(values)).tolist():
        values[row] = _float(data[start[row] : end[row]].tobytes())
    return values


def _decimals(data: Bytes, start: Ints, width: int) -> Floats:
    """Cells such as `-12.50`, all of one width: whole digits over a power of ten; NaN where anything else stands."""
    value = np.zeros(start.size, np.int64)
    after = np.zeros(start.size, np.int64)
    dots = np.zeros(start.size, np.int64)
    odd = np.zeros(start.size, np.bool_)
    minus = data[start] == _MINUS
    for column in range(width):
        text = data[start + column]
        digit = (text >= _ZERO) & (text <= _NINE)
        value = np.where(digit, value * 10 + (text.astype(np.int64) - _ZERO), value)
        after += digit & (dots > 0)
        dots += text == _DOT
        odd |= ~digit & (text != _DOT)
        if column == 0:
            odd &= ~minus
    usable = ~odd & (dots <= 1) & (dots + minus < width)
    return np.where(usable, np.where(minus, -value, value) / _POWERS[after], np.nan)


def _float(text: bytes) -> float:
    try:
        return float(text)
    except ValueError:
        return float("nan")
