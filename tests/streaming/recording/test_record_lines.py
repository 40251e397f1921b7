import json

import pytest
from msgspec.structs import replace

from streaming.errors import ContractError
from streaming.model import PointView
from streaming.recording.record_lines import Gap, day_of, gap_line, levels_only, parse_line, snapshot_line, tick_line
from tests.support.snapshots import snapshot

NOON_UTC = 1_795_176_000_000
"""2026-11-20 12:00 UTC."""
DEEP = b'{"at":1,"snapshot":' + b"[" * 10_000 + b"]" * 10_000 + b"}"


def test_a_snapshot_stands_in_its_line_byte_for_byte():
    payload = b'{"ticker":"SPX", "spot": 1.50}'
    line = snapshot_line(7, payload)
    assert payload in line
    assert bytes(parse_line(line).snapshot) == payload
    assert json.loads(line) == {"at": 7, "snapshot": {"ticker": "SPX", "spot": 1.5}}


def test_a_payload_of_several_lines_becomes_one():
    line = snapshot_line(7, b'{\n  "a": 1,\r\n  "b": "x\\ny"\n}')
    assert line.count(b"\n") == 1
    assert json.loads(line)["snapshot"] == {"a": 1, "b": "x\ny"}


def test_what_is_not_strict_json_is_kept_as_text_so_that_every_line_is():
    line = snapshot_line(7, b'{"spot": NaN}')
    assert json.loads(line)["snapshot"] == '{"spot": NaN}'


def test_a_tick_keeps_its_id():
    line = parse_line(tick_line(7, "12-3", b'{"symbol":"SPY"}'))
    assert (line.at, line.id, bytes(line.tick)) == (7, "12-3", b'{"symbol":"SPY"}')


def test_a_gap_says_what_is_missing_and_why():
    gap = Gap(of="ticks", reason="the disk was too slow", lost=4)
    assert parse_line(gap_line(7, gap)).gap == gap
    assert b"since_ms" not in gap_line(7, gap)


@pytest.mark.parametrize("line", [b"", b"nonsense", b'{"at":"x"}', b'{"at":1}', b'{"data":[]}', b"\xff", b"[1]", DEEP])
def test_a_line_of_something_else_is_told(line):
    with pytest.raises(ContractError):
        parse_line(line)


def test_days_end_at_midnight_in_new_york():
    midnight = NOON_UTC - 7 * 3_600_000
    assert day_of(NOON_UTC) == "2026-11-20"
    assert (day_of(midnight - 1), day_of(midnight)) == ("2026-11-19", "2026-11-20")


def test_levels_only_has_every_figure_and_no_table():
    whole = replace(snapshot(), views={"etf": PointView(symbol="SPY")}, flow_strikes=((6400.0, (1.0,)),))
    figures = whole.scopes["full"]
    tables = {
        "ladder": ((1.0, 2.0, 3.0),),
        "sides": ((1.0, 2.0, -3.0, 4.0, -5.0),),
        "profile": ((1.0, 2.0, 3.0),),
        "by_expiry": (("2026-08-20", 1.0, 2.0),),
    }
    lean = levels_only(replace(whole, scopes={"full": replace(figures, **tables)}))
    assert lean == replace(
        whole, strikes=(), max_priors=(), flow_strikes=(), views={}, scopes={"full": replace(figures, expiries=())}
    )
