"""The line that says when CBOE's site was asked for a table, in whatever language the browser wrote it. Pure.

A browser writes `June 3, 2024 at 12:15 PM EDT` for some and `3 de junio de 2024, 12:15 GMT-4` for others, with its own
digits, its own word for the afternoon and, at times, the reader's zone in place of New York's.
"""

import re
import unicodedata
from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo
from typing import Final

from streaming.calendar import NEW_YORK
from streaming.chains.files.month_names import ENGLISH, MONTHS, folded
from streaming.clock import instant
from streaming.errors import ContractError

_LONGEST: Final = 200
"""Characters; what comes behind is no date."""
ASOF_HELPS: Final = "Give the time of its quotes with --asof."
_ISO: Final = re.compile(r"\b20\d\d-\d\d-\d\d[T ]\d\d:\d\d\S*")
_OFFSET: Final = re.compile(r"([+-])\s?(1[0-4]|0?\d)(?::?([0-5]\d))?(?!\d)")
_TIMES: Final = (
    re.compile(r"(?<!\d)([01]?\d|2[0-3])(?::|\s?h\s?)([0-5]\d)(?::[0-5]\d)?(?!\d)"),
    re.compile(r"(?<!\d)([01]?\d|2[0-3])\.([0-5]\d)(?!\d)"),
)
_HALF: Final = re.compile(r"(?<![^\W\d_])([ap])\.?\s?m(?![^\W\d_])")
_MORNINGS: Final = ("π.μ", "p.d", "凌晨", "清晨", "早上", "上午", "午前", "오전", "ጥዋት", "ص", "pg")
_AFTERNOONS: Final = ("μ.μ", "m.d", "中午", "下午", "晚上", "午後", "오후", "ከሰዓት", "م", "ptg")
_YEAR: Final = re.compile(r"(?<!\d)2[05]\d\d(?!\d)")
_COUNTED_MONTH: Final = re.compile(r"(?<!\d)(1[0-2]|0?[1-9])\s?[月월]|tháng\s+(1[0-2]|0?[1-9])(?!\d)")
_DAY: Final = re.compile(r"(?<!\d)(3[01]|[12]\d|0?[1-9])(?!\d)")
_BETWEEN_WORDS: Final = re.compile(r"[\s\d,،.:;()@/+'’-]+")
_ABBREVIATION: Final = re.compile(r"(?<![^\W_])[A-Z]{2,5}(?![^\W_])")
_NO_ZONES: Final = frozenset({"AM", "PM", "PG", "PTG"})
_SHORTEST_MONTH: Final = 3
_HEBREW_IN: Final = "ב"
_BUDDHIST: Final = 543
_FIRST_BUDDHIST: Final = 2500
_NOON: Final = 12
_ZONES: Final = {
    "EDT": -4, "EST": -5, "CDT": -5, "CST": -6, "MDT": -6, "MST": -7, "PDT": -7, "PST": -8, "AKDT": -8, "AKST": -9,
    "HST": -10, "HAE": -4, "HNE": -5, "GMT": 0, "UTC": 0, "WET": 0, "BST": 1, "WEST": 1, "CET": 1, "MEZ": 1, "CEST": 2,
    "MESZ": 2, "EET": 2, "SAST": 2, "EEST": 3, "MSK": 3, "SGT": 8, "HKT": 8, "AWST": 8, "JST": 9, "KST": 9, "AEST": 10,
    "AEDT": 11, "NZST": 12, "NZDT": 13,
}  # fmt: skip
"""Hours from UTC. IST is not among them: it is India's, Ireland's and Israel's."""


def fetched_at(lines: Iterable[str], first_expiry: date) -> datetime:
    """When the table below these lines was downloaded; where they name no zone, on New York's clock.

    A year that is missing is the first expiry's, and a month that two languages mean otherwise is the one nearest to
    it. ContractError where no line has a date and a time, or one has a zone that is not known.
    """
    offered = tuple(lines)
    dated = [line.partition("Date:")[2] for line in offered if "Date:" in line] or offered
    found = (moment_in(line.partition(",Bid")[0], first_expiry, zone=NEW_YORK) for line in dated)
    moment = next((moment for moment in found if moment is not None), None)
    if moment is None:
        raise ContractError("The table does not say when it was downloaded.", remedy=ASOF_HELPS)
    return moment


def _plain(line: str) -> str:
    """Digits of any script as ours, one kind of minus, no marks of direction."""
    text = unicodedata.normalize("NFKC", line).replace("−", "-").replace("–", "-")
    return "".join(
        str(unicodedata.decimal(one)) if one.isdecimal() else one for one in text if unicodedata.category(one) != "Cf"
    )


def moment_in(text: str, first_expiry: date, *, zone: tzinfo) -> datetime | None:
    """The moment that text names in whatever language, in `zone` where it names none; None where it names none.

    ContractError for a zone that is not known.
    """
    text = _plain(text[:_LONGEST])
    if (iso := _ISO.search(text)) is not None:
        named = _named_zone(text.replace(iso[0], " ", 1), otherwise=zone)
        return instant(iso[0].rstrip('",'), unit="s", zone=named)
    offset, text = _offset(text)
    clock, text = _clock(text)
    day = _day(text, first_expiry)
    if clock is None or day is None:
        return None
    return datetime.combine(day, clock, offset or _named_zone(text, otherwise=zone))


def _offset(text: str) -> tuple[tzinfo | None, str]:
    """The offset from UTC that the text names, and the text without it."""
    found = _OFFSET.search(text)
    if found is None:
        return None, text
    length = timedelta(hours=int(found[2]), minutes=int(found[3] or 0))
    return timezone(-length if found[1] == "-" else length), text.replace(found[0], " ", 1)


def _named_zone(text: str, *, otherwise: tzinfo) -> tzinfo:
    named = [name for name in _ABBREVIATION.findall(text) if name not in _NO_ZONES]
    if not named or "ET" in named:
        return NEW_YORK if named else otherwise
    hours = next((_ZONES[name] for name in named if name in _ZONES), None)
    if hours is None:
        raise ContractError(f"The table was downloaded at a time of the zone {named[0]}.", remedy=ASOF_HELPS)
    return timezone(timedelta(hours=hours)) if hours else UTC


def _clock(text: str) -> tuple[time | None, str]:
    """The time of day, and the text without it."""
    found = next((match for pattern in _TIMES if (match := pattern.search(text)) is not None), None)
    if found is None:
        return None, text
    hour, folded_text = int(found[1]), text.casefold()
    half = _HALF.search(folded_text)
    if hour <= _NOON and (half is not None or any(word in folded_text for word in (*_MORNINGS, *_AFTERNOONS))):
        late = half[1] == "p" if half is not None else not any(word in folded_text for word in _MORNINGS)
        hour = hour % _NOON + (_NOON if late else 0)
    return time(hour, int(found[2])), text.replace(found[0], " ", 1)


def _day(text: str, first_expiry: date) -> date | None:
    year = _YEAR.search(text)
    text = text if year is None else text.replace(year[0], " ", 1)
    months, text = _months(text)
    day = _DAY.search(text)
    if day is None:
        return None
    number = None if year is None else int(year[0]) - (_BUDDHIST if int(year[0]) > _FIRST_BUDDHIST else 0)
    offered = (_date(number, month, int(day[1]), first_expiry) for month in months)
    return min((one for one in offered if one is not None), key=lambda one: abs(one - first_expiry), default=None)


def _months(text: str) -> tuple[frozenset[int], str]:
    """The months that the text may name, and the text without a counted one."""
    if (counted := _COUNTED_MONTH.search(text)) is not None:
        return frozenset({int(counted[1] or counted[2])}), text.replace(counted[0], " ", 1)
    words = [folded(word) for word in _BETWEEN_WORDS.split(text)]
    named = (MONTHS.get(word) or MONTHS.get(word.removeprefix(_HEBREW_IN)) or _abbreviated(word) for word in words)
    return next((months for months in named if months), frozenset()), text


def _abbreviated(word: str) -> frozenset[int]:
    if len(word) < _SHORTEST_MONTH:
        return frozenset()
    return frozenset(number for number, name in enumerate(ENGLISH, start=1) if name.startswith(word))


def _date(year: int | None, month: int, day: int, first_expiry: date) -> date | None:
    """A day that exists; without its year, the last one that is no later than the first expiry."""
    try:
        if year is not None:
            return date(year, month, day)
        found = date(first_expiry.year, month, day)
        return found if found <= first_expiry else found.replace(year=first_expiry.year - 1)
    except ValueError:
        return None
