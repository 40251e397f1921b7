"""A progress bar is for who waits at a terminal, and nobody else sees one."""

import io

from streaming.process.progress import ProgressBar
from tests.support.clock import ManualClock


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_it_is_shown_after_a_second_on_a_terminal_and_removed():
    clock, out = ManualClock(), Terminal()
    with ProgressBar("sql", out=out, monotonic=clock.monotonic) as bar:
        bar.show(0.1)
        assert out.getvalue() == ""
        clock.advance(1.0)
        bar.show(0.5)
        shown = out.getvalue()
        assert f"sql |{'#' * 15}{'.' * 15}|  50%" in shown
        bar.show(0.6)
        assert out.getvalue() == shown
        clock.advance(1.0)
        bar.show(0.75)
        assert "75%" in out.getvalue()
    assert out.getvalue().rpartition("75%")[2].partition("\r")[2].strip() == ""


def test_it_is_cleared_for_a_line_and_comes_back():
    clock, out = ManualClock(), Terminal()
    with ProgressBar("import", out=out, monotonic=clock.monotonic) as bar:
        for share in (0.2, 0.4):
            clock.advance(1.0)
            bar.show(share)
            bar.clear()
            assert out.getvalue().endswith("\r")
    assert "20%" in out.getvalue() and "40%" in out.getvalue()


def test_elsewhere_there_is_none():
    clock, out = ManualClock(), io.StringIO()
    with ProgressBar("sql", out=out, monotonic=clock.monotonic) as bar:
        clock.advance(5.0)
        bar.show(0.5)
    assert out.getvalue() == ""
