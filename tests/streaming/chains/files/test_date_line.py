"""When a table was downloaded, in whatever language a browser wrote it."""

from datetime import date, datetime

import pytest

from streaming.calendar import NEW_YORK
from streaming.chains.files.date_line import fetched_at
from streaming.errors import ContractError


def new_york(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=NEW_YORK)


@pytest.mark.parametrize(
    ("when", "fetched"),
    [
        ("February 5 2022, 8:26 PM EST", "2022-02-05T20:26"),
        ("December 12, 2022 at 8:31 PM EST", "2022-12-12T20:31"),
        ("July 12, 2022, 11:55 AM EDT", "2022-07-12T11:55"),
        ("26 May 2023, 5:18 PM EDT", "2023-05-26T17:18"),
        ("22 March 2024, 9:46 PM EDT", "2024-03-22T21:46"),
        ("4 June 4, 3:15 PM EDT", "2023-06-04T15:15"),
        ("Sept 14, 2023 at 12:05 AM EDT", "2023-09-14T00:05"),
        ("14 September 2023, 12:05 PM EDT", "2023-09-14T12:05"),
        ("14 September 2023, 12:05", "2023-09-14T12:05"),
    ],
)
def test_all_forms_of_the_english_date(when: str, fetched: str):
    assert fetched_at([f'"Date: {when}",Bid: 0'], date(2023, 6, 5)) == new_york(fetched)


@pytest.mark.parametrize(
    "when",
    [
        "5 November 2024 at 15:04 GMT-5", "November 5, 2024 at 3:04 p.m. EST", "5 de noviembre de 2024, 15:04 GMT-5",
        "5 de noviembre de 2024, 3:04 p. m. GMT-5", "5 novembre 2024 à 15:04 UTC−5", "5 novembre 2024 à 15 h 04 HNE",
        "5. November 2024 um 15:04 GMT-5", "5 novembre 2024 alle ore 15:04 GMT-5",
        "5 de novembro de 2024 às 15:04 GMT-5",
        "5 november 2024 om 15:04 EST", "5 november 2024 kl. 15:04 GMT−5", "5. november 2024 kl. 15.04 GMT-5",
        "5. marraskuuta 2024 klo 15.04 UTC-5", "5 listopada 2024 15:04 GMT-5", "5. listopadu 2024 v 15:04 GMT-5",
        "2024. november 5. 15:04 GMT-5", "5 ноября 2024 г. в 15:04 GMT-5", "5 ноември 2024 г. в 15:04 ч. Гринуич-5",
        "5 листопада 2024 р. о 15:04 GMT-5", "5 Kasım 2024 15:04 GMT-5", "5 November 2024 pukul 15.04 GMT-5",
        "5 Νοεμβρίου 2024 στις 3:04 μ.μ. GMT-5", "5 בנובמבר 2024 בשעה 15:04 GMT\u200e-5\u200e",
        "٥ نوفمبر ٢٠٢٤ في ٣:٠٤ م غرينتش-٥", "5 नवंबर 2024 को 3:04 pm GMT-5", "5 พฤศจิกายน 2567 เวลา 15:04 GMT-5",
        "2024年11月5日 15:04 GMT-5", "2024年11月5日 GMT-5 15:04", "2024年11月5日 下午3:04 [GMT-5]",
        "2024년 11월 5일 오후 3:04 GMT-5", "lúc 15:04 GMT-5 5 tháng 11, 2024", "2024 m. lapkričio 5 d. 15:04 GMT-5",
        "2024(e)ko azaroaren 5(a), 15:04 GMT-5", "5 نومبر، 2024, 3:04 PM GMT-5", "5 nëntor 2024, 3:04 m.d. GMT-5",
        "2024 നവംബർ 5, 3:04 PM GMT-5", "5 नोव्हेंबर, 2024, 3:04 PM GMT-5", "5 November 2024, 9:04 PM CET",
        "6 November 2024 at 01:34 GMT+5:30", "6 November 2024 at 05:04 JST",
        "Nov 05 2024 @ 15:04 ET", "2024-11-05T15:04:00-05:00", "2024-11-05 21:04:00 CET", "2024-11-05 15:04",
    ],
)  # fmt: skip
@pytest.mark.parametrize("line", ['"Date: {}",Bid: 0,Ask: 0,Size: 0*0', "Date: {},Bid: 0,Ask: 0", "{},"])
def test_every_browsers_language_names_the_same_moment(when: str, line: str):
    lines = ["S&P 500 INDEX,Last: 5000.0000,Change: 1.0", "", line.format(when)]
    assert fetched_at(lines, date(2024, 11, 5)) == new_york("2024-11-05T15:04")


@pytest.mark.parametrize(
    ("when", "hour"),
    [
        ("January 17, 2024 at 12:05 AM", 0), ("17 de enero de 2024, 12:05 a. m.", 0), ("17 janar 2024, 12:05 p.d.", 0),
        ("2024年1月17日 凌晨12:05", 0), ("2024年1月17日 上午9:05", 9), ("2024年1月17日 中午12:05", 12),
        ("2024年1月17日 晚上11:05", 23), ("2024년 1월 17일 오전 12:05", 0), ("17 Ιανουαρίου 2024, 12:05 π.μ.", 0),
        ("17. Jänner 2024, 00:05", 0), ("١٧ يناير ٢٠٢٤، ١٢:٠٥ ص", 0), ("17 ഒക്\u200cടോബർ 2024, 12:05 PM", 12),
    ],
)  # fmt: skip
def test_both_halves_of_the_day_are_told_apart(when: str, hour: int):
    assert fetched_at([f"Date: {when} GMT-5"], date(2024, 1, 17)).hour == hour


def test_a_word_that_is_october_in_croatia_and_november_in_poland_is_the_one_near_the_first_expiry():
    line = ["Date: 14. listopada 2023. u 16:30 GMT-5"]
    assert fetched_at(line, date(2023, 10, 16)).month == 10
    assert fetched_at(line, date(2023, 11, 15)).month == 11


def test_a_missing_year_is_that_of_the_expiries_or_the_one_before_new_year():
    line = ["Date: 30 December, 3:15 PM EST"]
    assert fetched_at(line, date(2023, 1, 3)).year == 2022
    assert fetched_at(line, date(2022, 12, 30)).year == 2022


@pytest.mark.parametrize("zone", ["IST", "XYZ"])
def test_a_zone_that_could_be_several_or_none_is_refused_by_name(zone: str):
    with pytest.raises(ContractError, match=f"of the zone {zone}") as caught:
        fetched_at([f"Date: 3 June 2024 at 21:45 {zone}"], date(2024, 6, 3))
    assert "--asof" in caught.value.remedy


@pytest.mark.parametrize(
    "line", ["", "no clock", "Date: 3 خرداد 2024 12:15", "Date: 31 June 2024 at 12:15", "Date: June"]
)
def test_what_names_no_moment_is_refused_with_what_helps(line: str):
    with pytest.raises(ContractError, match="when it was downloaded") as caught:
        fetched_at([line], date(2024, 6, 3))
    assert "--asof" in caught.value.remedy
