"""A bot's telemetry in which everything has a figure, on stand-ins."""

from dataclasses import dataclass, field, replace
from datetime import timedelta
from types import SimpleNamespace

from bot.alerts.counters import AlertCounters
from bot.feed.feed_metrics import BoardCounters, BoardStatus, FeedStatus
from bot.supervisor import JobState, JobStatus
from bot.telemetry import Process, Telemetry
from streaming.api.admission import ApiStatus
from streaming.engine.loop import SnapshotCounters
from streaming.process.heartbeat import Heartbeat
from streaming.schwab.stream.stream_status import StreamClientStatus
from streaming.status import HistoryStatus, RecorderStatus, SourceStatus
from streaming.symbols import parse_ticker
from streaming.telemetry.stream_metrics import StreamFacts
from tests.support.clock import ManualClock
from tests.support.host import StoredSnapshots, make_snapshot
from tests.support.stream_facts import LIVE, facts

NOW = ManualClock().now()
CLIENT = StreamClientStatus(
    state="live", connects=4, frames={"LEVELONE_EQUITIES": 9}, last_frame_at=NOW, events=9, bad_frames=1,
    tolerant_frames=0, dropped_rows=0, sink_errors=0, problems=(),
)  # fmt: skip


class Pong:
    """A Redis that answers."""

    async def ping(self) -> bool:
        return True


@dataclass
class Rig:
    """What a test may break before it looks."""

    clock: ManualClock = field(default_factory=ManualClock)
    gateway: SimpleNamespace = field(default_factory=lambda: SimpleNamespace(is_up=True, aways=2))
    jobs: tuple[JobStatus, ...] = (JobStatus("gex-feed", JobState.RUNNING, NOW),)
    redis: object = field(default_factory=Pong)
    recorder: RecorderStatus | None = field(default_factory=lambda: RecorderStatus(state="recording", snapshots=9))

    def telemetry(self) -> Telemetry:
        """Everything, with two boards, of which one has been edited."""
        bot = SimpleNamespace(
            gateway=self.gateway, events=SimpleNamespace(unread=1), mail=SimpleNamespace(unreachable={5})
        )
        stored = StoredSnapshots({"SPX": make_snapshot("SPX", major_pos_oi=6500.0, major_neg_oi=6300.0)})
        snapshots = SimpleNamespace(rejected=4, latest=stored.latest)
        heartbeat = Heartbeat(self.clock, None)
        return Telemetry(
            Process(bot, heartbeat, snapshots),  # type: ignore[arg-type]
            self.redis,  # type: ignore[arg-type]
            self.clock,
            SimpleNamespace(status=lambda: self.jobs),  # type: ignore[arg-type]
            (parse_ticker("SPX"), parse_ticker("NDX")),
            feed=lambda: FeedStatus(boards=(board(5, "SPX"), board(6, "NDX")), leading=True, listening=True),
            stream=stream_facts,
            alerts=AlertCounters(rules=3, delivered=2),
            sources=lambda: (SourceStatus(name="cboe", state="live", snapshots=7),),
            recorder=lambda: self.recorder,
            history=lambda: HistoryStatus(state="keeping", days=41),
            api=lambda: ApiStatus({"levels": 8}, {"unauthorized": 2}, events=5, streams=1, clients=3),
        )


def board(channel_id: int, ticker: str) -> BoardStatus:
    """A board that is open."""
    counters = BoardCounters(edits=12, last_edit_at=NOW - timedelta(seconds=1), edit_lag_s=0.1, edit_lag_mean_s=0.1)
    return BoardStatus(
        channel_id=channel_id,
        ticker=ticker,
        state="open",
        reason="It is open.",
        until=None,
        message_id=9,
        counters=counters,
    )


def stream_facts() -> StreamFacts:
    """A stream with a client."""
    status = replace(LIVE, chain_age_s={"SPX": 2.5})
    return replace(facts(status), client=CLIENT, snapshots=SnapshotCounters(snapshots=7, compute_ms=4.5))
