"""The line that says when CBOE's site was asked for a table, in whatever language the browser wrote it. Pure.

A browser writes `June 3, 2024 at 12:15 PM EDT` for some and `3 de junio de 2024, 12:15 GMT-4` for others, with its own
digits, its own word for the afternoon and, at times, the reader's zone in place of New York's.
"""

import re
import unicodedata
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo
from typing import Final

from streaming.calendar import NEW_YORK
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


_NAMES: Final = {
    "am": "ጃንዋሪ ፌብሩዋሪ ማርች ኤፕሪል ሜይ ጁን ጁላይ ኦገስት ሴፕቴምበር ኦክቶበር ኖቬምበር ዲሴምበር",
    "ar": "يناير فبراير مارس أبريل مايو يونيو يوليو أغسطس سبتمبر أكتوبر نوفمبر ديسمبر",
    "bg": "януари февруари март април май юни юли август септември октомври ноември декември",
    "bn": "জানুয়ারি ফেব্রুয়ারি মার্চ এপ্রিল মে জুন জুলাই আগস্ট সেপ্টেম্বর অক্টোবর নভেম্বর ডিসেম্বর",
    "ca": "gener febrer març abril maig juny juliol agost setembre octubre novembre desembre",
    "cs": "ledna února března dubna května června července srpna září října listopadu prosince",
    "da": "januar februar marts april maj juni juli august september oktober november december",
    "de": "Januar Februar März April Mai Juni Juli August September Oktober November Dezember",
    "de-AT": "Jänner Februar März April Mai Juni Juli August September Oktober November Dezember",
    "el": "Ιανουαρίου Φεβρουαρίου Μαρτίου Απριλίου Μαΐου Ιουνίου Ιουλίου "
    "Αυγούστου Σεπτεμβρίου Οκτωβρίου Νοεμβρίου Δεκεμβρίου",
    "en": "January February March April May June July August September October November December",
    "es": "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre",
    "et": "jaanuar veebruar märts aprill mai juuni juuli august september oktoober november detsember",
    "eu": "urtarrilaren otsailaren martxoaren apirilaren maiatzaren ekainaren uztailaren abuztuaren irailaren urriaren "
    "azaroaren abenduaren",
    "fi": "tammikuuta helmikuuta maaliskuuta huhtikuuta toukokuuta kesäkuuta heinäkuuta "
    "elokuuta syyskuuta lokakuuta marraskuuta joulukuuta",
    "fil": "Enero Pebrero Marso Abril Mayo Hunyo Hulyo Agosto Setyembre Oktubre Nobyembre Disyembre",
    "fr": "janvier février mars avril mai juin juillet août septembre octobre novembre décembre",
    "gl": "xaneiro febreiro marzo abril maio xuño xullo agosto setembro outubro novembro decembro",
    "gu": "જાન્યુઆરી ફેબ્રુઆરી માર્ચ એપ્રિલ મે જૂન જુલાઈ ઑગસ્ટ સપ્ટેમ્બર ઑક્ટોબર નવેમ્બર ડિસેમ્બર",
    "he": "ינואר פברואר מרץ אפריל מאי יוני יולי אוגוסט ספטמבר אוקטובר נובמבר דצמבר",
    "hi": "जनवरी फ़रवरी मार्च अप्रैल मई जून जुलाई अगस्त सितंबर अक्टूबर नवंबर दिसंबर",
    "hr": "siječnja veljače ožujka travnja svibnja lipnja srpnja kolovoza rujna listopada studenoga prosinca",
    "hu": "január február március április május június július augusztus szeptember október november december",
    "id": "Januari Februari Maret April Mei Juni Juli Agustus September Oktober November Desember",
    "is": "janúar febrúar mars apríl maí júní júlí ágúst september október nóvember desember",
    "it": "gennaio febbraio marzo aprile maggio giugno luglio agosto settembre ottobre novembre dicembre",
    "kn": "ಜನವರಿ ಫೆಬ್ರವರಿ ಮಾರ್ಚ್ ಏಪ್ರಿಲ್ ಮೇ ಜೂನ್ ಜುಲೈ ಆಗಸ್ಟ್ ಸೆಪ್ಟೆಂಬರ್ ಅಕ್ಟೋಬರ್ ನವೆಂಬರ್ ಡಿಸೆಂಬರ್",
    "lt": "sausio vasario kovo balandžio gegužės birželio liepos rugpjūčio rugsėjo spalio lapkričio gruodžio",
    "lv": "janvāris februāris marts aprīlis maijs jūnijs jūlijs augusts septembris oktobris novembris decembris",
    "ml": "ജനുവരി ഫെബ്രുവരി മാർച്ച് ഏപ്രിൽ മേയ് ജൂൺ ജൂലൈ ഓഗസ്റ്റ് സെപ്റ്റംബർ ഒക്‌ടോബർ നവംബർ ഡിസംബർ",
    "mr": "जानेवारी फेब्रुवारी मार्च एप्रिल मे जून जुलै ऑगस्ट सप्टेंबर ऑक्टोबर नोव्हेंबर डिसेंबर",
    "ms": "Januari Februari Mac April Mei Jun Julai Ogos September Oktober November Disember",
    "nb": "januar februar mars april mai juni juli august september oktober november desember",
    "nl": "januari februari maart april mei juni juli augustus september oktober november december",
    "pl": "stycznia lutego marca kwietnia maja czerwca lipca sierpnia września października listopada grudnia",
    "pt": "janeiro fevereiro março abril maio junho julho agosto setembro outubro novembro dezembro",
    "ro": "ianuarie februarie martie aprilie mai iunie iulie august septembrie octombrie noiembrie decembrie",
    "ru": "января февраля марта апреля мая июня июля августа сентября октября ноября декабря",
    "sk": "januára februára marca apríla mája júna júla augusta septembra októbra novembra decembra",
    "sl": "januar februar marec april maj junij julij avgust september oktober november december",
    "sq": "janar shkurt mars prill maj qershor korrik gusht shtator tetor nëntor dhjetor",
    "sr": "јануар фебруар март април мај јун јул август септембар октобар новембар децембар",
    "sv": "januari februari mars april maj juni juli augusti september oktober november december",
    "sw": "Januari Februari Machi Aprili Mei Juni Julai Agosti Septemba Oktoba Novemba Desemba",
    "ta": "ஜனவரி பிப்ரவரி மார்ச் ஏப்ரல் மே ஜூன் ஜூலை ஆகஸ்ட் செப்டம்பர் அக்டோபர் நவம்பர் டிசம்பர்",
    "te": "జనవరి ఫిబ్రవరి మార్చి ఏప్రిల్ మే జూన్ జులై ఆగస్టు సెప్టెంబర్ అక్టోబర్ నవంబర్ డిసెంబర్",
    "th": "มกราคม กุมภาพันธ์ มีนาคม เมษายน พฤษภาคม มิถุนายน กรกฎาคม สิงหาคม กันยายน ตุลาคม พฤศจิกายน ธันวาคม",
    "tr": "Ocak Şubat Mart Nisan Mayıs Haziran Temmuz Ağustos Eylül Ekim Kasım Aralık",
    "uk": "січня лютого березня квітня травня червня липня серпня вересня жовтня листопада грудня",
    "ur": "جنوری فروری مارچ اپریل مئی جون جولائی اگست ستمبر اکتوبر نومبر دسمبر",
    "af": "Januarie Februarie Maart April Mei Junie Julie Augustus September Oktober November Desember",
    "az": "yanvar fevral mart aprel may iyun iyul avqust sentyabr oktyabr noyabr dekabr",
}
"""What months are called in the dates that browsers write, as Unicode's CLDR has them in whole dates.

Chinese, Japanese, Korean and Vietnamese count their months and need no names.
"""


def folded(word: str) -> str:
    """A word as it is compared: composed, without regard to case and without marks that are not seen."""
    seen = "".join(letter for letter in word if unicodedata.category(letter) != "Cf")
    return unicodedata.normalize("NFC", seen).casefold()


def _numbers() -> dict[str, frozenset[int]]:
    found: dict[str, frozenset[int]] = {}
    for names in _NAMES.values():
        for number, name in enumerate(names.split(), start=1):
            found[folded(name)] = found.get(folded(name), frozenset()) | {number}
    return found


MONTHS: Final[Mapping[str, frozenset[int]]] = _numbers()
"""The month that a word means; `listopada` is October in Croatia and November in Poland."""
ENGLISH: Final = tuple(folded(name) for name in _NAMES["en"].split())
