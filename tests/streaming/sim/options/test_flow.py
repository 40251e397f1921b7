import numpy as np
import pytest

from streaming.sim.options.flow import pace_of_day, traded_by


def test_the_open_is_busier_than_noon_and_so_is_the_close():
    assert pace_of_day(0.0) > 1.5 * pace_of_day(11700.0)
    assert pace_of_day(23400.0) > 1.5 * pace_of_day(11700.0)


def test_what_has_traded_is_the_sum_of_the_pace():
    seconds = np.arange(12000)
    assert traded_by(12000.0) == pytest.approx(sum(pace_of_day(s + 0.5) for s in seconds), rel=1e-6)


def test_most_volume_is_in_the_nearest_expiry(still):
    board = still.board("$SPX")
    today = board.groups[0]
    assert board.lines.volume[today.rows].sum() > 0.45 * board.lines.volume.sum()
    busiest = int(board.lines.volume.argmax())
    assert abs(board.lines.strike[busiest] / board.spot - 1.0) < 0.02


def test_a_burst_puts_many_contracts_on_one_line(spx):
    board = spx.board("$SPX")
    flow, lines = board.flow, board.lines
    flow.reweigh(lines, spot=board.spot, now_s=board.now_s)
    flow.burst_row, flow.burst_left_s = 7, 3
    before = lines.volume.copy()
    for second in (1, 2):
        flow.trade_second(lines, spot=board.spot, now_s=int(board.now_s) + second, elapsed_s=3600.0)
    assert flow.burst_left_s == 1
    assert lines.volume[7] > before[7]
