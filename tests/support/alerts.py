"""Rules, snapshots and a market on rails for the alerts' tests."""

import asyncio
from datetime import datetime, timedelta

import msgspec

from bot.alerts.kinds.alert_kind import Firing
from bot.alerts.rules import AlertKind, Rule, Target
from bot.alerts.watcher import Watcher
from streaming.clock import epoch_ms
from streaming.model import FLOW_SPANS, Flow, FlowSpan, GexSnapshot, ReplayMark, ScopeFigures, WeightFigures
from tests.support.snapshots import ASOF

LEVEL = 6400.0
"""Zero gamma where a test says nothing else; with spot there the margin is 1.28 points."""


def rule(kind: AlertKind = AlertKind.ZERO_GAMMA, **changes: object) -> Rule:
    """A rule of SPX by direct message to person 7."""
    fields: dict[str, object] = {
        "number": 1,
        "kind": kind,
        "ticker": "SPX",
        "owner_id": 7,
        "target": Target(user_id=7),
        "cooldown_min": 1,
    }
    return Rule(**(fields | changes))  # type: ignore[arg-type]


def shot(
    second: float = 0,
    *,
    spot: float | None = 6395.0,
    zero_gamma: float | None = LEVEL,
    net_bn: float | None = 1.0,
    gross_bn: float = 10.0,
    call_wall: float | None = 6450.0,
    put_wall: float | None = 6300.0,
    change_bn: float | None = 0.1,
    flow_bn: float | None = None,
    start: datetime = ASOF,
    **changes: object,
) -> GexSnapshot:
    """A live snapshot so many seconds after 11:00 in New York; what is None is not known.

    With a flow its producer tells volume by strike, and every span has it; `flow` says otherwise.
    """
    asof_ms = epoch_ms(start + timedelta(seconds=second))
    figures = WeightFigures(
        zero_gamma=zero_gamma,
        call_wall=call_wall,
        put_wall=put_wall,
        net_gex_usd_per_1pct=None if net_bn is None else net_bn * 1e9,
        gross_gex_usd_per_1pct=gross_bn * 1e9,
    )
    fields: dict[str, object] = {
        "ticker": "SPX",
        "timestamp": asof_ms // 1000,
        "spot": spot,
        "sum_gex_vol": None if net_bn is None else net_bn * 1000,
        "max_priors": ((6400.0, None if change_bn is None else change_bn * 1000),) * 6,
        "asof_ms": asof_ms,
        "computed_ms": asof_ms,
        "seq": 1,
        "source": "schwab",
        "scope": "full",
        "scopes": {"full": ScopeFigures(oi=figures, vol=figures)},
        "flow": () if flow_bn is None else tuple(flow(span, flow_bn) for span in FLOW_SPANS),
    }
    return GexSnapshot(**(fields | changes))  # type: ignore[arg-type]


def flow(span: FlowSpan, bn: float | None, strike: float = 6405.0) -> Flow:
    """What was traded over a span at its strongest strike; None is not known."""
    if bn is None:
        return Flow(span=span)
    return Flow(span=span, usd_per_1pct=bn * 5e8, contracts=900, strike=strike, strike_usd_per_1pct=bn * 1e9)


def played(snapshot: GexSnapshot, *, sent: datetime, speed: float = 10.0) -> GexSnapshot:
    """The same as a recording plays it."""
    mark = ReplayMark(of="schwab", speed=speed, sent_ms=epoch_ms(sent))
    return msgspec.structs.replace(snapshot, source="replay", replay=mark)


class Scene:
    """One watcher fed with snapshots as they come."""

    def __init__(self, *rules: Rule, any_hour: bool = False) -> None:
        self.watcher = Watcher(any_hour=any_hour)
        self.watcher.set_rules(rules)

    def take(self, snapshot: GexSnapshot, *, age_s: float = 0.0) -> list[Firing]:
        """Judge a snapshot when its quotes are so old."""
        return self.watcher.take(snapshot, ASOF.fromtimestamp(snapshot.asof_ms / 1000 + age_s, ASOF.tzinfo))

    def run(self, *spots: float, start: float = 0, step: float = 1.0) -> list[Firing]:
        """One snapshot a second with these spots; everything that fired."""
        return [
            firing
            for position, spot in enumerate(spots)
            for firing in self.take(shot(start + position * step, spot=spot))
        ]


class FakePost:
    """An `AlertPost` as Discord behaves: the same nonce gives the same message; fails or hangs when told to."""

    def __init__(self) -> None:
        self.messages: dict[str, tuple[str, str]] = {}
        self.calls = 0
        self.faults: list[Exception] = []
        self.ids: dict[str, int] = {}
        self.forgets_nonces = False
        """As Discord does after some minutes."""
        self.withdrawn: list[int] = []
        self.hang_before = False
        self.hang_after = False

    async def send(self, target: Target, content: str, *, nonce: str) -> int:
        self.calls += 1
        if self.faults:
            raise self.faults.pop(0)
        if self.hang_before:
            await asyncio.Event().wait()
        if nonce not in self.messages or self.forgets_nonces:
            self.ids[nonce] = 100 + self.calls
        self.messages.setdefault(nonce, (target.name, content))
        if self.hang_after:
            await asyncio.Event().wait()
        return self.ids[nonce]

    async def withdraw(self, target: Target, message_id: int) -> None:
        self.withdrawn.append(message_id)

    @property
    def texts(self) -> list[str]:
        """What readers got, in order."""
        return [content for _, content in self.messages.values()]
