import re
from datetime import datetime
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bot.render.text import BoardView, Moving, board_text, is_replaceable
from streaming.calendar import NEW_YORK
from streaming.figures import BOARD
from streaming.freshness import Freshness
from tests.support.contrast import ANSI as HUES
from tests.support.contrast import BLOCK as GROUNDS
from tests.support.contrast import CARD, CHAT, SUBTEXT, TEXT, coloured, contrast, table
from tests.support.feed import OPEN_AT, without_colours
from tests.support.host import make_settings

LIVE = BoardView(
    ticker="NQ_NDX",
    source="schwab",
    freshness=Freshness.LIVE,
    figures={
        "spot": Moving(25061.25, 25048.75),
        "zero_gamma": Moving(24950.0, 24944.0),
        "call_wall": Moving(25100.0, 25100.0),
        "put_wall": Moving(24800.0, 24825.0),
        "net_gex": Moving(1.8346, 1.8133),
        "scaled_gamma": Moving(-0.9123, -0.9112),
        "max_change": Moving(0.0125, 0.0095),
    },
    max_change_strike=25050.0,
    scope="full",
    regime="dampened",
)
BLOCK = """\
```
GEX: NQ_NDX  25061.25  Δ +12.50 +0.05% ▲
schwab · live · Δ 60s
above zero gamma: moves dampened
zero gamma 24950.00 −0.44%  (24944.00) ▲
call wall     25100 +0.15%     (25100)
put wall      24800 −1.04%     (24825) ▼
net gex vol        +1.83Bn Δ +0.0213Bn ▲
scaled gamma oi   −0.912Bn Δ −0.0011Bn ▼
max change vol   +0.0125Bn Δ +0.0030Bn ▲
 at strike    25050    expiries ≤90 days
```"""
UP, DOWN, BOLD, END = "\x1b[1;32m", "\x1b[1;31m", "\x1b[1m", "\x1b[0m"
ANSI = f"""\
```ansi
{BOLD}GEX: NQ_NDX  25061.25{END}  {UP}Δ +{END}12.50 +0.05% {UP}▲{END}
schwab · {UP}live{END} · Δ 60s
above zero gamma: moves dampened
zero gamma 24950.00 −0.44%  {UP}({END}24944.00{UP}){END} {UP}▲{END}
call wall     25100 +0.15%     (25100)
put wall      24800 −1.04%     {DOWN}({END}24825{DOWN}){END} {DOWN}▼{END}
net gex vol        +1.83Bn {UP}Δ +{END}0.0213Bn {UP}▲{END}
scaled gamma oi   −0.912Bn {DOWN}Δ −{END}0.0011Bn {DOWN}▼{END}
max change vol   +0.0125Bn {UP}Δ +{END}0.0030Bn {UP}▲{END}
 at strike    25050    expiries ≤90 days
```"""
PLAIN = """\
### GEX: NQ\\_NDX 25061.25
Δ +12.50 +0.05% 🟢▲
-# schwab · live · Δ 60s · expiries ≤90 days
**above zero gamma: moves dampened**
zero gamma **24950.00** −0.44% (24944.00) 🟢▲
call wall **25100** +0.15% (25100)
put wall **24800** −1.04% (24825) 🔴▼
net gex vol **+1.83Bn** Δ +0.0213Bn 🟢▲
scaled gamma oi **−0.912Bn** Δ −0.0011Bn 🔴▼
max change vol **+0.0125Bn** Δ +0.0030Bn 🟢▲
at strike **25050**"""
UNKNOWN = """\
```
GEX: SPX  —  Δ —
schwab · live · Δ 60s
regime unknown
zero gamma        —      —         (—)
call wall         —      —         (—)
put wall          —      —         (—)
net gex vol              —         Δ —
scaled gamma oi          —         Δ —
max change vol           —         Δ —
 at strike        —
```"""


def changed(**changes: object) -> BoardView:
    figures = {name: changes.pop(name) for name in BOARD if name in changes}
    fields = {name: getattr(LIVE, name) for name in LIVE.__slots__}
    return BoardView(**(fields | changes | {"figures": {**LIVE.figures, **figures}}))


def block(**changes: object) -> str:
    return without_colours(board_text(changed(**changes)))


def test_the_ansi_text_is_as_agreed():
    assert board_text(LIVE) == ANSI


def untied(text: str) -> str:
    return text.replace("\N{NO-BREAK SPACE}", " ").replace("\N{WORD JOINER}", "")


def test_the_plain_text_is_as_agreed():
    assert untied(board_text(LIVE, style="plain")) == PLAIN


def test_a_phone_does_not_break_a_line_within_a_change():
    text = board_text(LIVE, style="plain").replace("\N{NO-BREAK SPACE}", "~").replace("\N{WORD JOINER}", "|")
    assert "**+1.83Bn** Δ~+0.0213Bn~🟢|▲" in text
    assert "zero gamma: moves~dampened" in text, "the word for the regime stays whole too"


def test_a_card_says_the_same_as_the_plain_text_in_three_parts_with_the_regime_as_its_colour():
    mark, *lines = untied(board_text(LIVE, style="card")).splitlines()
    assert mark == "::card 23a55a"
    assert [line for line in lines if line != "---"] == PLAIN.splitlines()
    assert lines.count("---") == 2


def test_without_its_colours_the_block_says_all():
    assert without_colours(ANSI) == BLOCK


def test_what_is_not_known_is_a_dash_and_never_zero():
    assert without_colours(board_text(BoardView(ticker="SPX", source="schwab", freshness=Freshness.LIVE))) == UNKNOWN


@pytest.mark.parametrize(
    ("regime", "flip", "words"),
    [
        ("amplified", 25100.0, "below zero gamma: moves amplified"),
        ("dampened", 25000.0, "above zero gamma: moves dampened"),
        ("amplified", 25000.0, "above zero gamma: moves amplified"),
        ("undecided", 25100.0, "below zero gamma: undecided"),
        ("amplified", None, "moves amplified"),
        ("undecided", None, "undecided"),
        (None, 25100.0, "below zero gamma: regime unknown"),
    ],
)
def test_one_line_says_on_which_side_spot_is_and_what_that_means(regime, flip, words):
    assert block(regime=regime, zero_gamma=Moving(flip)).splitlines()[3] == words


@pytest.mark.parametrize(("digits", "shown"), [(2, "+1.8Bn"), (3, "+1.83Bn"), (4, "+1.835Bn"), (5, "+1.8346Bn")])
def test_exposures_have_as_many_significant_digits_as_the_setting_says(digits, shown):
    assert re.search(rf"net gex vol +{re.escape(shown)} +Δ", block(digits=digits))


def test_a_strike_that_is_no_whole_number_keeps_its_decimals():
    text = block(call_wall=Moving(687.5, 687.0), max_change_strike=25112.37)
    assert re.search(r"call wall +687\.50 .* \(687\) ▲", text)
    assert " at strike 25112.37  " in text


def test_a_note_that_leaves_no_room_takes_that_of_the_span():
    text = block(freshness=Freshness.STALE, age_s=7.2, note="chain 11m old")
    assert text.splitlines()[2] == "schwab · 7s stale · chain 11m old"


@pytest.mark.parametrize("style", ["ansi", "card", "plain"])
@pytest.mark.parametrize("scope", ["zero", "one", "full", "all"])
def test_the_scope_is_named_in_every_style(style, scope):
    words = {"zero": "nearest expiry", "one": "second expiry", "full": "expiries ≤90 days", "all": "every expiry"}
    assert words[scope] in board_text(changed(scope=scope), style=style)


@pytest.mark.parametrize(
    ("freshness", "age_s", "words"),
    [
        (Freshness.STALE, 7.2, "schwab · 7s stale · Δ 60s"),
        (Freshness.OLD, 45, "schwab · old 45s · Δ 60s"),
        (Freshness.OLD, 4000, "schwab · old 1h · Δ 60s"),
        (Freshness.DELAYED, 900, "schwab · delayed 15m · Δ 60s"),
    ],
)
def test_age_is_told_in_words(freshness, age_s, words):
    assert words in block(freshness=freshness, age_s=age_s)


def test_a_note_stands_with_the_source():
    assert "schwab · live · warming · Δ 60s" in block(note="warming")


def test_a_closed_board_says_when():
    at = datetime(2026, 8, 20, 16, 0, tzinfo=NEW_YORK)
    assert "schwab · closed 16:00 NY 20 Aug" in block(freshness=Freshness.CLOSED, at=at)


def test_a_waiting_board_names_its_source_and_since_when():
    at = datetime(2026, 8, 20, 10, 31, 5, tzinfo=NEW_YORK)
    view = BoardView(ticker="SPX", source="schwab", freshness=Freshness.WAITING, at=at)
    assert board_text(view, style="plain") == "### GEX: SPX\nwaiting for data from schwab\nsince <t:1787236265:T>"
    text = without_colours(board_text(view))
    assert text == "```\nGEX: SPX\nwaiting for data from schwab\nsince 10:31:05 New York\n```"


def test_an_arrow_never_contradicts_the_digits_beside_it():
    text = block(net_gex=Moving(1.83461, 1.83459), max_change=Moving(1.8, 1.7999))
    assert "net gex vol        +1.83Bn Δ +0.0000Bn\n" in text
    assert "max change vol     +1.80Bn Δ +0.0001Bn ▲\n" in text


def test_the_change_of_a_price_is_between_the_printed_ends():
    text = block(
        zero_gamma=Moving(6000.0149, 6000.0051),
        call_wall=Moving(6000.0051, 6000.0049),
        spot=Moving(6000.0149, 6000.0051),
    )
    assert "GEX: NQ_NDX  6000.01  Δ +0.00 +0.00%\n" in text
    assert "zero gamma  6000.01 +0.00%   (6000.01)\n" in text
    assert "call wall   6000.01 −0.00%      (6000) ▲\n" in text


def test_the_percentage_carries_the_sign_of_the_change():
    assert "Δ −0.19 −0.00% ▼\n" in block(spot=Moving(6000.0, 6000.19))


def test_a_name_from_outside_cannot_end_the_fence():
    text = board_text(changed(source="x```\n@everyone", ticker="A`B"), style="ansi")
    assert text.count("```") == 2
    assert "@" not in text


figure = st.none() | st.floats()
moving = st.builds(Moving, figure, figure)
views = st.builds(
    BoardView,
    ticker=st.text(max_size=40),
    source=st.text(max_size=40),
    freshness=st.sampled_from(Freshness),
    age_s=st.none() | st.floats(0, 1e9),
    note=st.just("warming"),
    max_change_strike=figure,
    weight=st.sampled_from([None, "oi", "vol"]),
    regime=st.sampled_from([None, "dampened", "amplified", "undecided"]),
    figures=st.fixed_dictionaries(dict.fromkeys(BOARD, moving)),
)


@given(views, st.sampled_from(["ansi", "card", "plain"]))
def test_every_text_is_within_discords_limit(view, style):
    text = board_text(view, style=style)
    assert len(text) <= 2000
    assert text.count("```") == (2 if style == "ansi" else 0)


def test_absurd_figures_stay_within_the_limit_too():
    absurd = Moving(1e308, -1e308)
    assert len(board_text(changed(**dict.fromkeys(BOARD, absurd)), style="ansi")) <= 1000


def may_be_set(**said) -> bool:
    try:
        make_settings(**said)
    except ValueError:
        return False
    return True


plausible = st.floats(0.01, 999_999)
plausible_moving = st.builds(Moving, plausible, plausible)
plausible_bn = st.builds(Moving, st.floats(-99_999, 99_999), st.floats(-99_999, 99_999))
spots = st.builds(lambda before, share: Moving(before * share, before), plausible, st.floats(0.05, 9.0))
names = st.from_regex(r"[A-Z][A-Z0-9._]{11}", fullmatch=True).filter(lambda name: may_be_set(gex_feed_symbol=name))

ways_to_show = st.fixed_dictionaries(
    {
        "ticker": st.sampled_from(["NQ_NDX", "ES_SPX", "BRK.A", "SPY"]) | names,
        "source": st.sampled_from(["schwab", "gexbot", "simulated", "file:2022-05-20", "my-own-producer1"]),
        "note": st.sampled_from(["", "warming", "chain 11m old", "120/2000 loaded"]),
        "banner": st.sampled_from(["", "SIMULATED · REPLAY 20 Nov 2026 x1000 · 10:31:05 NY"]),
        "freshness": st.sampled_from(list(Freshness)),
        "scope": st.sampled_from([None, "zero", "one", "full", "all"]),
        "weight": st.sampled_from([None, "oi", "vol"]),
        "regime": st.sampled_from([None, "dampened", "amplified", "undecided"]),
        "digits": st.sampled_from([digits for digits in range(10) if may_be_set(gex_feed_digits=digits)]),
    }
)
WIDEST = {"ticker": "NQ_NDX", "freshness": Freshness.LIVE, "weight": "vol", "regime": "undecided", "digits": 5}


@given(spots, plausible_moving, plausible_bn, ways_to_show)
@example(Moving(25061.25, 24960.25), Moving(6875.25, 6850.25), Moving(-9.87654, 9.87654), WIDEST)
@example(Moving(712_345.25, 711_000.5), Moving(700_000.5, 99_999.25), Moving(-98.7654, 98.7654), WIDEST)
@example(Moving(0.01, 0.02), Moving(99_999.25, 99_999.25), Moving(-98.7654, 98.7654), WIDEST)
def test_no_line_is_wider_than_forty_columns(spot, level, exposure, shown):
    levels = dict.fromkeys(("zero_gamma", "call_wall", "put_wall"), level)
    exposures = dict.fromkeys(("net_gex", "scaled_gamma", "max_change"), exposure)
    shown = shown | ({"note": ""} if shown["freshness"] in {Freshness.CLOSED, Freshness.STOPPED} else {})
    text = block(spot=spot, age_s=3000.0, at=OPEN_AT, max_change_strike=level.now, **shown, **levels, **exposures)
    assert [line for line in text.splitlines() if len(line) > 40] == []
    assert is_replaceable(text) is (shown["freshness"] is not Freshness.CLOSED)


@pytest.mark.parametrize(
    ("ticker", "spot", "title"),
    [
        ("NQ_NDX", Moving(25061.25, 24960.25), "GEX: NQ_NDX 25061.25 Δ +101.00 +0.40% ▲"),
        ("NQ_NDX", Moving(23861.25, 25061.25), "GEX: NQ_NDX 23861.25 Δ −1200.00 −4.79% ▼"),
        ("NQ_NDX", Moving(105_061.25, 103_960.25), "GEX: NQ_NDX 105061.25 Δ +1101.0 +1.06% ▲"),
        ("LONGESTNAMES", Moving(25061.25, 24960.25), "GEX: LONGESTNAMES 25061.2 Δ +101 +0.4% ▲"),
        ("LONGESTNAMES", Moving(905_061.25, 104_960.25), "GEX: LONGESTNA… 905061 Δ +800101 +762% ▲"),
    ],
)
def test_a_long_change_takes_the_blanks_then_decimals_and_never_its_sign(ticker, spot, title):
    assert block(ticker=ticker, spot=spot).splitlines()[1] == title


ENDED = {Freshness.CLOSED}


@pytest.mark.parametrize("freshness", list(Freshness))
@pytest.mark.parametrize("theme", ["dark", "light"])
def test_every_digit_can_be_read_on_discords_dark_and_light(freshness, theme):
    shown = changed(
        freshness=freshness, age_s=45.0, at=OPEN_AT, banner="REPLAY 20 Nov 2026 x10 · 10:31:05 NY", note="3m old"
    )
    digits = [colour for character, colour in coloured(board_text(shown)) if character.isdigit()]
    hues = {TEXT[theme] if colour is None else HUES[colour] for colour in digits}
    assert len(digits) > 5
    assert min(contrast(hue, GROUNDS[theme]) for hue in hues) >= 4.5
    grounds = (CHAT[theme], CARD[theme])
    assert min(contrast(SUBTEXT[theme], ground) for ground in grounds) >= 4.5, "the provenance of markdown"


def test_the_page_states_the_contrasts_as_they_are():
    page = Path("specs/002-discord-gex-feed/spec.md").read_text(encoding="utf-8")
    assert [row for row in table() if row not in page] == []


def test_the_direction_of_each_line_is_seen_in_colour():
    seen = {(character, colour) for character, colour in coloured(ANSI) if character in "▲▼"}
    assert seen == {("▲", 32), ("▼", 31)}


def board(freshness: Freshness, style: str = "ansi", **changes: object) -> str:
    view = BoardView(ticker="SPX", source="schwab", freshness=freshness, age_s=40.0, at=OPEN_AT, **changes)
    return board_text(view, style=style).removeprefix("::card 80848e\n").replace("\n---\n", "\n")


@pytest.mark.parametrize("style", ["ansi", "card", "plain"])
@pytest.mark.parametrize("freshness", list(Freshness))
def test_every_board_but_a_closed_one_is_recognised(freshness, style):
    assert is_replaceable(board(freshness, style)) is (freshness not in ENDED)


@pytest.mark.parametrize("style", ["ansi", "card", "plain"])
def test_a_banner_a_note_figures_and_a_line_below_change_nothing(style):
    moved = dict.fromkeys(BOARD, Moving()) | {"spot": Moving(6900.0, 6890.0), "net_gex": Moving(1.0, 2.0)}
    figures = {"figures": moved, "max_change_strike": 6900.0}
    text = board(Freshness.LIVE, style, banner="REPLAY 20 Nov 2026 x10", note="closed", live_word="replay", **figures)
    closed = board(Freshness.CLOSED, style, banner="REPLAY 20 Nov 2026 x10", live_word="replay", **figures)
    assert is_replaceable(text)
    assert is_replaceable(f"{text}\n-# updated <t:1787233200:R>")
    assert not is_replaceable(closed)


def test_a_board_of_a_version_without_the_regime_is_recognised():
    assert is_replaceable(BLOCK.replace("above zero gamma: moves dampened\n", ""))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "SPX crossed its zero gamma at 6900.00.",
        "```\nGEX: SPX\n```",
        "```ansi\nGEX: SPX  6900.00  Δ —\nschwab · live · Δ 60s\nzero gamma 1\n```",
        board(Freshness.LIVE).replace("put wall", "my wall"),
        f"Look what the bot said:\n{board(Freshness.LIVE)}",
        f"Look what the bot said:\n{board(Freshness.LIVE, 'plain')}",
    ],
)
def test_nothing_else_is_taken_for_a_board(text):
    assert not is_replaceable(text)
