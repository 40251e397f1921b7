"""streaming/commands/book.py"""

import argparse
import json
from typing import Any

import pytest

from streaming.commands import book
from streaming.errors import TransientError
from streaming.model import GexSnapshot, PointView, ScopeFigures, WeightFigures


def part(ticker: str, spot: float, wall: float, **views: PointView) -> GexSnapshot:
    figures = WeightFigures(net_gex_usd_per_1pct=2e8, call_wall=wall)
    ladder = ((wall, 0.0, 2e8), (wall + spot / 1280.0, 0.0, 1e8))
    return GexSnapshot(
        ticker=ticker, timestamp=1, asof_ms=1000, computed_ms=1000, seq=1, source="test", scope="full", spot=spot,
        views=views, scopes={"full": ScopeFigures(ladder=ladder, oi=figures)},
    )  # fmt: skip


def run(monkeypatch: pytest.MonkeyPatch, *stored: GexSnapshot) -> int:
    async def newest(_names: Any) -> list[GexSnapshot]:
        return list(stored)

    monkeypatch.setattr(book, "_newest", newest)
    parser = argparse.ArgumentParser()
    book.register(parser.add_subparsers())
    arguments = parser.parse_args(["book", "spx"])
    status: int = arguments.func(arguments)
    return status


def test_the_book_is_json_by_its_names(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    spy = part("SPY", 640.0, 640.0, index=PointView(symbol="$SPX", ratio=10.0, ratio_ms=1))
    assert run(monkeypatch, part("SPX", 6400.0, 6400.0), spy) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["tickers"], found["step"], found["net_gex_usd_per_1pct"]) == (["SPX", "SPY"], 5.0, 4e8)
    assert (found["parts"], found["call_wall"], found["put_wall"]) == ({"SPX": 2e8, "SPY": 2e8}, [6400.0, 4e8], None)
    assert found["strongest"][0] == [6400.0, 4e8, pytest.approx(2 / 3)]
    (met,) = found["confluences"]
    assert met["price"] == 6400.0
    assert met["levels"][1] == {"ticker": "SPY", "figure": "call_wall", "price": 6400.0}


def test_without_a_relative_there_is_no_book(monkeypatch: pytest.MonkeyPatch):
    with pytest.raises(TransientError, match="SPX and a related ticker"):
        run(monkeypatch, part("SPX", 6400.0, 6400.0))
