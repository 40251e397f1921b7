"""The sources that the settings ask for, each with its tickers, and one look at them all."""

import random
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Final

from streaming.bus import keys
from streaming.bus.lease import process_name
from streaming.bus.metrics_store import MetricValue, hash_fields, keep_current, kept
from streaming.bus.shared_minute import SharedMinute
from streaming.errors import ConfigurationError
from streaming.ports import SnapshotSource, Tell
from streaming.replay import source as recorded
from streaming.schwab.rest.budget import RequestBudget
from streaming.schwab.rest.rest_client import SchwabRestClient
from streaming.setting_values import SourceName
from streaming.settings import StreamSettings
from streaming.sources import cboe_source, gexbot, redis_source, schwab_source
from streaming.sources.on_demand import CboeOnce, OnDemand, OneAnswer, SchwabOnce
from streaming.sources.source_kind import Kit, SourceKind
from streaming.status import SourceStatus
from streaming.streamer.runtime import Runtime
from streaming.streamer.streamer import Streamer
from streaming.symbols import Ticker

KINDS: Final[Sequence[SourceKind]] = (
    schwab_source.KIND,
    cboe_source.KIND,
    gexbot.KIND,
    redis_source.KIND,
    recorded.KIND,
)
"""All of `setting_values.SOURCES`, in their order."""
METRICS: Final = (
    kept("tickers", "Tickers separated by commas."),
    kept("state", "standby: another process asks; waiting: nothing came yet; failing: tried again by itself; "
                  "needs_action: a person must act.", "state", labels=("state",)),
    kept("last_snapshot_at", "When the last snapshot was stored"),
    kept("quote_at", "when the quotes behind it were live."),
    kept("snapshots", "Snapshots stored", "snapshots_total"),
    kept("rejected", "answers without usable figures or of another shape", "rejected_total"),
    kept("errors", "requests that failed.", "errors_total"),
    kept("last_error", "One sentence."),
)  # fmt: skip
"""Of each source in `metrics:gex_sources`."""


def what_is_missing(
    source: SourceName, tickers: Sequence[Ticker], settings: StreamSettings
) -> ConfigurationError | None:
    """What a person must set before a source can serve its tickers, known from the settings alone, or None."""
    return next(kind for kind in KINDS if kind.name == source).lacks(tickers, settings)


class Sources:
    """Every source that has tickers; `run` each of `polled` until cancelled, the streamer has its own job."""

    def __init__(
        self,
        runtime: Runtime,
        tickers: Sequence[Ticker],
        streamer: Streamer,
        *,
        rng: random.Random,
        tell: Tell,
    ) -> None:
        self._runtime = runtime
        kit = Kit(
            settings=runtime.settings,
            clock=runtime.clock,
            redis=runtime.redis,
            snapshots=runtime.snapshots,
            events=runtime.publisher,
            stream=streamer,
            rng=rng,
            tell=tell,
            owner=process_name(),
        )
        chosen = ((kind, runtime.settings.tickers_from(kind.name, tickers)) for kind in KINDS)
        built = [(kind, kind.build(own, kit)) for kind, own in chosen if own]
        self._all = tuple(source for _, source in built)
        self.polled: tuple[SnapshotSource, ...] = tuple(source for kind, source in built if not kind.has_own_job)

    def statuses(self) -> tuple[SourceStatus, ...]:
        """One look at each source that has tickers."""
        return tuple(source.status() for source in self._all)

    async def report(self, progress: Callable[[], None]) -> None:
        """Keep `metrics:gex_sources` current until cancelled."""
        redis, clock = self._runtime.redis, self._runtime.clock
        await keep_current(
            redis, keys.SOURCE_METRICS, lambda: source_metrics(self.statuses(), clock.now()), clock, progress=progress
        )


def on_demand_source(runtime: Runtime, *, per_minute: int) -> OnDemand | None:
    """Who is asked for tickers that nobody follows: Schwab or CBOE, whichever the settings name first.

    None where they name neither, where Schwab's app is missing, or where `per_minute` is 0.
    """
    settings = runtime.settings
    named = [settings.gex_source, *settings.gex_source_map.values()]
    asked = next((source for name in named if (source := _asked_once(name, runtime)) is not None), None)
    return OnDemand(asked, runtime.redis, runtime.clock, per_minute=per_minute) if asked and per_minute else None


def _asked_once(name: SourceName, runtime: Runtime) -> OneAnswer | None:
    settings, clock = runtime.settings, runtime.clock
    if name == cboe_source.NAME:
        return CboeOnce(settings, clock)
    if name != schwab_source.NAME or runtime.auth is None:
        return None
    minute = SharedMinute(runtime.redis)
    budget = RequestBudget(settings.gex_chain_requests_per_minute, clock, shared=minute)
    rest = SchwabRestClient(runtime.http, runtime.auth, api_url=settings.schwab_api_url, budget=budget, clock=clock)
    return SchwabOnce(rest, settings, clock)


def source_metrics(statuses: Iterable[SourceStatus], at: datetime) -> dict[str, MetricValue]:
    """The fields of `metrics:gex_sources`: each source's under its name."""
    fields: dict[str, MetricValue] = {"updated_at": at}
    for status in statuses:
        fields |= hash_fields(METRICS, status, under=f"{status.name}:")
    return fields
