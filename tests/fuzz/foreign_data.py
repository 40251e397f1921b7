"""Mutated snapshots, chains and recordings through every decoder and everything that is done with the result.

python -m tests.fuzz.foreign_data [--rounds 100000] [--seed 1] [--pictures]
"""

import argparse
import copy
import csv
import gzip
import io
import json
import random
import sys
import traceback
import warnings
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from datetime import timedelta
from typing import Any, Final

from bot.alerts.kinds.registry import key_of, read
from bot.alerts.rules import AlertKind, Rule, Target, Window
from bot.alerts.texts import firing_text, reading_text
from bot.alerts.watcher import Watcher
from bot.feed.schedule import decide_about
from bot.feed.window import Slot
from bot.feed.wording import board_view, left_over
from bot.render.charts.chart_spec import KINDS, Chart, alt_text, chart_of
from bot.render.charts.chart_words import Asked
from bot.render.charts.chart_worker import Painters
from bot.render.charts.history_text import history_text
from bot.render.embeds import levels_embed, status_embed
from bot.render.explain.explain import explain_embed
from bot.render.text import board_text
from streaming.bus.codec import decode_snapshot, encode_snapshot
from streaming.bus.snapshots.classic import parse_snapshot
from streaming.bus.snapshots.history_entry import entry_of, market_day
from streaming.bus.snapshots.names import is_ticker
from streaming.bus.snapshots.snapshot_history import without_curves
from streaming.bus.snapshots.snapshot_store import NewestDays
from streaming.chains.files.chain_files import parse_any
from streaming.clock import epoch_ms, instant_of
from streaming.commands.gex import chain_report
from streaming.errors import ContractError, RequestError
from streaming.figures import FIGURES
from streaming.freshness import market_now
from streaming.model import SCOPES, VIEWS, WEIGHTS, GexSnapshot, PointView, ReplayMark
from streaming.option_chain import OptionChain
from streaming.past import decode_past
from streaming.recording.record_lines import parse_line, snapshot_line
from streaming.replay.recorded import TapeCounts, _item_of
from streaming.sources.gexbot import parse_answer
from streaming.symbols import Ticker
from tests.data_builders.disguises import in_zip
from tests.support.charts import NOON, full_snapshot
from tests.support.schwab_chains import chain_document, contract

SPX: Final = Ticker("SPX", "SPX")
NOW_MS: Final = epoch_ms(NOON) + 1000
ODD: Final[tuple[Any, ...]] = (
    None, True, False, 0, -1, 1, -999, -999.0, 0.1, 1e17, -1e17, 1e300, -1e308, 1e-320, 2**31, 2**53, 2**63, 2**64,
    10**400,
    "", "NaN", "-", "0", "12.5", "1e999", "soon", "\x00", "\ud800", "é" * 50, "$x^{y$", "@everyone", "[a](http://b.c)",
    "http://x.y", "`" * 9, "A" * 300, "../../x", "SPX", "NDX", "zero", "all", "replay",
    "0001-01-01T00:00:00", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59", "2026-02-30", "2026-08-20", "2100-01-01",
    -62_135_596_800_000, 253_402_300_799_000, 4_102_444_800_000, NOW_MS, NOW_MS // 1000, NOW_MS + 10**9,
    [], {}, [[]], [None], [{}], {"a": 1}, [[1, 2]], [["x", "y"]], [[1e300, 1e300, -1e300, []]], {"of": 1}, [1] * 7,
)  # fmt: skip
TOKENS: Final = (*b'NaN Infinity 1e999 null "x" [] {} - \xff \x00 \xef\xbb\xbf'.split(b" "), b"\n")
Result = GexSnapshot | OptionChain | None


def mutated(seed: bytes, rng: random.Random) -> bytes:
    """The document with a few odd values in its tree, or damaged as bytes."""
    if seed.startswith((b"{", b"[")) and rng.random() < 0.75:
        tree = json.loads(seed)
        for _ in range(rng.choice((1, 1, 2, 5, 20))):
            tree = _changed(tree, rng, replace=0.01)
        return json.dumps(tree).encode()
    return _damaged(seed, rng)


def _changed(tree: Any, rng: random.Random, *, replace: float = 0.15) -> Any:
    """One place of the tree, mostly a deep one, replaced, removed, doubled or renamed."""
    if not isinstance(tree, (dict, list)) or not tree or rng.random() < replace:
        return copy.deepcopy(rng.choice(ODD))
    places: Sequence[Any] = list(tree) if isinstance(tree, dict) else range(len(tree))
    place = rng.choice(places)
    deed = rng.random()
    if deed < 0.08:
        del tree[place]
    elif deed < 0.12 and isinstance(tree, list):
        tree.insert(place, copy.deepcopy(tree[place]))
    elif deed < 0.16 and isinstance(tree, list):
        rng.shuffle(tree)
    elif deed < 0.18 and isinstance(tree, dict):
        tree[str(rng.choice(ODD))] = tree.pop(place)
    else:
        tree[place] = _changed(tree[place], rng)
    return tree


def _damaged(seed: bytes, rng: random.Random) -> bytes:
    """Bytes cut, overwritten, repeated or slipped in; of a table also cells."""
    data = bytearray(seed)
    for _ in range(rng.choice((1, 1, 2, 5))):
        at = rng.randrange(len(data) + 1)
        match rng.randrange(5):
            case 0:
                del data[at : at + rng.randrange(1, 40)]
            case 1:
                data[at:at] = rng.choice(TOKENS)
            case 2:
                data[at : at + 1] = bytes([rng.randrange(256)])
            case 3:
                data[at:at] = data[at : at + rng.randrange(1, 200)]
            case _:
                del data[at:]
    return bytes(data)


def cells(seed: bytes, rng: random.Random) -> bytes:
    """A table with odd cells."""
    rows = list(csv.reader(io.StringIO(seed.decode())))
    for _ in range(rng.choice((1, 2, 10))):
        row = rng.choice(rows)
        if row:
            row[rng.randrange(len(row))] = str(rng.choice(ODD)).encode("utf-8", "replace").decode()
    out = io.StringIO()
    csv.writer(out).writerows(rows)
    return out.getvalue().encode()


def _own(**changes: Any) -> bytes:
    asof_ms = epoch_ms(NOON)
    views = {"future": PointView(symbol="/ES", ratio=1.001, ratio_ms=asof_ms, points=12.5, points_ms=asof_ms)}
    return encode_snapshot(full_snapshot(ticker="SPX", views=views, chain_ms=asof_ms - 4000, **changes))


OWN: Final = _own()
REPLAYED: Final = _own(source="replay", replay=ReplayMark(of="schwab", speed=2.0, sent_ms=NOW_MS, by="x"))
FUTURE: Final = _own(basis=12.25, basis_ms=epoch_ms(NOON), basis_stale=False)
CLASSIC: Final = json.dumps(
    {
        "timestamp": NOW_MS // 1000,
        "ticker": "SPX",
        "min_dte": 0,
        "sec_min_dte": 1,
        "spot": 6400.25,
        "zero_gamma": 6385.5,
        "major_pos_vol": 6450.0,
        "major_pos_oi": 6500.0,
        "major_neg_vol": 6300.0,
        "major_neg_oi": 6200.0,
        "sum_gex_vol": 1250.0,
        "sum_gex_oi": -310.5,
        "delta_risk_reversal": -0.08,
        "strikes": [[6300.0 + 5 * n, 10.5 - n, -3.25 + n, [9.0, 8.0, 7.0, 6.0, 5.0]] for n in range(40)],
        "max_priors": [[6400.0 + n, 1.5 - n] for n in range(6)],
    }
).encode()
SCHWAB: Final = chain_document(
    *(contract(f"SPXW  250520{side}0{5600 + 10 * n}000", volatility=18.0 + n) for n in range(12) for side in "CP")
)
CBOE: Final = json.dumps(
    {
        "timestamp": "2024-01-05 17:00:00",
        "data": {
            "symbol": "^SPX",
            "current_price": 4700.0,
            "close": 4699.0,
            "last_trade_time": "2024-01-05T11:59:00",
            "options": [
                {
                    "option": f"SPXW240105{side}0{4600 + 10 * n}000",
                    "iv": 0.15,
                    "open_interest": 10.0 + n,
                    "volume": 5.0,
                    "bid": 1.0 + n,
                    "ask": 1.5 + n,
                    "delta": 0.5,
                    "gamma": 0.01,
                }
                for n in range(20)
                for side in "CP"
            ],
        },
    }
).encode()
TABLE: Final = (
    b"SPY,Last: 427.92,Change: 1\nDate: 9 June 2023, 1:40 PM EDT,Bid: 1\n"
    b"Expiration Date,Calls,Last Sale,Net,Bid,Ask,Volume,IV,Delta,Gamma,Open Interest,Strike,"
    b"Puts,Last Sale,Net,Bid,Ask,Volume,IV,Delta,Gamma,Open Interest\n"
) + b"".join(
    b"Fri Jun 16 2023,SPY230616C00%d000,1,0,1,1.1,2,0.2,0.5,0.1,3,%d.00,SPY230616P00%d000,1,0,1,1.1,2,0.2,-0.5,0.1,4\n"
    % (strike, strike, strike)
    for strike in range(420, 436)
)

PLAIN: Final = b"root,expiry,strike,type,bid,ask,iv,open interest,volume,spot,time\n" + b"".join(
    b"SPY,2023-06-16,%d,%s,1,1.1,0.2,3,2,427.92,2023-06-09T13:25:00-04:00\n" % (strike, side)
    for strike in range(420, 436)
    for side in (b"C", b"P")
)


def read_snapshot(payload: bytes) -> GexSnapshot:
    """As from Redis."""
    return parse_snapshot(payload, received_ms=NOW_MS)


def read_recorded(payload: bytes) -> GexSnapshot | None:
    """As from the file of a recording."""
    item = _item_of(parse_line(payload), TapeCounts())
    return item.content if item is not None and isinstance(item.content, GexSnapshot) else None


def read_gexbot(payload: bytes) -> GexSnapshot:
    """As from GEXBot's server."""
    return parse_answer(payload, ticker="SPX", scope="full", received_ms=NOW_MS)


def read_past(payload: bytes) -> None:
    """As a picture reads the history."""
    for strikes in (False, True):
        seen = decode_past(payload, strikes=strikes)
        market_day(seen.asof_ms)


def read_entry(payload: bytes) -> None:
    """As an entry of a history that somebody else wrote."""
    half = len(payload) // 2
    entry_of((b"1-0", {b"data": payload, b"day": payload[:10], b"asof_ms": payload[half : half + 13]}))


Decoder = Callable[[bytes], Result]
CORPUS: Final[dict[str, tuple[Decoder, tuple[bytes, ...]]]] = {
    "Redis, the expected shape": (read_snapshot, (OWN, REPLAYED, FUTURE)),
    "Redis, classic shape": (read_snapshot, (CLASSIC, json.dumps({"data": json.loads(CLASSIC)}).encode())),
    "recording": (read_recorded, (snapshot_line(NOW_MS, OWN), snapshot_line(NOW_MS, CLASSIC))),
    "GEXBot": (read_gexbot, (CLASSIC,)),
    "history": (read_past, (encode_snapshot(without_curves(decode_snapshot(OWN))),)),
    "history entry": (read_entry, (OWN, b"2026-08-20", b"1787241600000")),
    "Schwab's chain": (parse_any, (SCHWAB,)),
    "CBOE's chain": (parse_any, (CBOE,)),
    "CBOE's table": (parse_any, (TABLE,)),
    "plain CSV": (parse_any, (PLAIN, PLAIN.replace(b",", b";"))),
    "packed": (parse_any, (gzip.compress(CBOE, mtime=0), gzip.compress(TABLE, mtime=0), in_zip(TABLE))),
    "UTF-16": (parse_any, (TABLE.decode().encode("utf-16"), PLAIN.decode().encode("utf-16"))),
}
RULES: Final = tuple(
    Rule(
        number=number,
        kind=kind,
        ticker="SPX",
        owner_id=7,
        target=Target(user_id=7),
        cooldown_min=1,
        value=6400.0 if kind is AlertKind.PRICE else 0.5 if kind is AlertKind.MAX_CHANGE else None,
        scope=None if kind in {AlertKind.PRICE, AlertKind.MAX_CHANGE} else scope,
        window=Window.FIVE if kind is AlertKind.MAX_CHANGE else Window.CURRENT,
    )
    for number, (kind, scope) in enumerate(((kind, scope) for kind in AlertKind for scope in (None, "full", "zero")), 1)
)


class Consumers:
    """Everything that is done with a snapshot, one after another as in the running bot."""

    def __init__(self, *, pictures: bool = False) -> None:
        self.watcher = Watcher(any_hour=True)
        self.watcher.set_rules(RULES)
        self.slot = Slot(60.0)
        self.days = NewestDays()
        self.painters = Painters() if pictures else None
        self.before = [decode_past(encode_snapshot(without_curves(full_snapshot())), strikes=True)] * 2
        self.drawn = 0

    def take(self, snapshot: GexSnapshot) -> None:
        """Show, explain, draw, record, keep and watch one."""
        now = NOON + timedelta(seconds=5)
        self._board(snapshot, now)
        self._answers(snapshot, now)
        for chart in self._charts(snapshot, now):
            self._draw(chart)
        self._watch(snapshot, now)
        self._store(snapshot)

    def _board(self, snapshot: GexSnapshot, now: Any) -> None:
        self.days.admit(snapshot, now_ms=NOW_MS)
        self.slot.put(snapshot)
        decide_about(snapshot, now, force=True)
        market_now(snapshot, now)
        for slot, ending in ((self.slot, None), left_over(self.slot, "2026-08-20", now)):
            view = board_view(SPX, slot, now, source="redis", since=now, window_s=60.0, ending=ending)
            for style in ("ansi", "plain"):
                text = board_text(view, style=style)
                assert len(text) <= 2000, "a board's text is too long"
                _require_harmless(text.strip("`"), code=True)

    def _answers(self, snapshot: GexSnapshot, now: Any) -> None:
        embeds = [status_embed(snapshot, now=now, window="open")]
        embeds += [levels_embed(snapshot, scope=scope, weight=by, now=now) for scope in SCOPES for by in WEIGHTS]
        for view in VIEWS:
            with suppress(RequestError):
                embeds.append(levels_embed(snapshot, scope="full", weight="oi", now=now, view=view))
        embeds += [explain_embed(snapshot, figure, now=now) for figure in (None, *FIGURES)]
        for embed in embeds:
            _require_embed(embed)

    def _charts(self, snapshot: GexSnapshot, now: Any) -> Iterable[Chart]:
        history = [*self.before, decode_past(encode_snapshot(without_curves(snapshot)), strikes=True)]
        scope = snapshot.scope or "full"
        table = history_text(snapshot, history, scope=scope, weight="oi", now=now)
        assert len(table) <= 2000, "a table is too long"
        for kind in KINDS:
            for weight in WEIGHTS:
                try:
                    chart = chart_of(kind, snapshot, history, Asked(scope=scope, weight=weight, theme="dark", now=now))
                except RequestError:
                    continue
                assert len(alt_text(chart)) <= 1024, "an alternative text is too long"
                yield chart

    def _draw(self, chart: Chart) -> None:
        if self.painters is not None:
            self.painters.draw(chart)
            self.drawn += 1

    def _watch(self, snapshot: GexSnapshot, now: Any) -> None:
        for firing in self.watcher.take(snapshot, now):
            text = firing_text(firing, now)
            assert len(text) <= 2000, "an alert is too long"
            _require_harmless(text)
        for rule in RULES:
            reading_text(snapshot, read(snapshot, key_of(rule)), rule)

    @staticmethod
    def _store(snapshot: GexSnapshot) -> None:
        payload = encode_snapshot(snapshot)
        again = parse_snapshot(payload, received_ms=NOW_MS)
        assert again.asof_ms == snapshot.asof_ms, "a stored snapshot reads differently"
        line = snapshot_line(NOW_MS, payload)
        assert parse_line(line).at == NOW_MS and line.count(b"\n") == 1, "a line of a recording is broken"
        market_day(snapshot.asof_ms)
        instant_of(snapshot.computed_ms)


def _require_embed(embed: Any) -> None:
    assert len(embed) <= 6000, "an embed is too long"
    assert len(embed.title or "") <= 256, "a title is too long"
    for text in (embed.title, embed.description, *(field.value for field in embed.fields)):
        assert len(text or "") <= 4096, "an embed's text is too long"
        _require_harmless(text or "")
    assert all(len(field.value) <= 1024 for field in embed.fields), "a field is too long"


def _require_harmless(text: str, *, code: bool = False) -> None:
    """No mention, no link, no code block of somebody else's making."""
    for part in ("@everyone", "<@", "](", "://", "```" if code else "\x00"):
        assert part not in text, f"{part} is shown"


def fuzz(rounds: int, *, seed: int, pictures: bool = False) -> Counter[str]:
    """So many documents of each kind; what was met, by kind and outcome. AssertionError names what escaped."""
    counts: Counter[str] = Counter()
    for name, (decode, seeds) in CORPUS.items():
        rng, consumers = random.Random(f"{seed} {name}"), Consumers(pictures=pictures)
        for _ in range(rounds):
            original = rng.choice(seeds)
            payload = cells(original, rng) if original is TABLE and rng.random() < 0.6 else mutated(original, rng)
            try:
                counts[f"{name}: {_through(decode, payload, consumers)}"] += 1
            except Exception as error:
                raise AssertionError(f"{name}: {type(error).__name__}: {error} after {payload[:3000]!r}") from error
        counts["pictures"] += consumers.drawn
    return counts


def _through(decode: Decoder, payload: bytes, consumers: Consumers) -> str:
    try:
        found = decode(payload)
    except ContractError:
        return "refused"
    if isinstance(found, GexSnapshot) and found.ticker != SPX.name:
        assert is_ticker(found.ticker), "a ticker of any shape came in"
        return "of another ticker"
    if isinstance(found, GexSnapshot):
        consumers.take(found)
    elif isinstance(found, OptionChain):
        try:
            json.dumps(chain_report(found, scopes=SCOPES, forward="parity", bad_iv="mirror"), allow_nan=False)
        except (ContractError, RequestError):
            return "without figures"
    return "used"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--pictures", action="store_true")
    args = parser.parse_args()
    warnings.simplefilter("error")
    try:
        counts = fuzz(args.rounds, seed=args.seed, pictures=args.pictures)
    except AssertionError:
        traceback.print_exc()
        sys.exit(1)
    for name, count in sorted(counts.items()):
        sys.stdout.write(f"{count:8d} {name}\n")


if __name__ == "__main__":
    main()
