"""The jobs of `python -m streaming start`: begun again after what passes by itself, ended by a signal or an error."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from typing import Any, Final

from streaming.errors import TransientError, leading_error
from streaming.signals import run_until
from streaming.status import StreamStatus
from streaming.streamer.sources import Sources
from streaming.streamer.streamer import Streamer

_LOG: Final = logging.getLogger(__name__)
_RETRY_S: Final = 2.0
_END_WITHIN_S: Final = 8.0
Job = Callable[[Callable[[], None]], Awaitable[None]]


async def run_jobs(stop: asyncio.Event, jobs: Mapping[str, Job], telling: Coroutine[Any, Any, None]) -> None:
    """Run all jobs until the signal; what one of them raises for good is this process's end."""
    works = {name: _keep(name, job) for name, job in jobs.items()}
    await run_until(stop, works | {"states": telling}, end_within_s=_END_WITHIN_S)


async def _keep(name: str, job: Job) -> None:
    """Begin again after what passes by itself, such as a lease that another process took."""
    while True:
        try:
            await job(lambda: None)
        except TransientError as error:
            _LOG.warning("the %s begins again in %.0f s: %s", name, _RETRY_S, error.sentence)
            await asyncio.sleep(_RETRY_S)
        except BaseExceptionGroup as errors:
            passing, serious = errors.split(TransientError)
            if serious is not None or passing is None:
                raise leading_error(errors) from None
            _LOG.warning("the %s begins again in %.0f s: %s", name, _RETRY_S, leading_error(passing))
            await asyncio.sleep(_RETRY_S)


async def tell_states(streamer: Streamer | None, sources: Sources, say: Callable[[str], None]) -> None:
    """One line whenever the state of the stream or of a source changes."""
    told: dict[str, str] = {}
    while True:
        for subject, state, reason in _states(streamer, sources):
            if told.get(subject) != state:
                told[subject] = state
                say(f"{subject}: {state}{'' if reason is None else f' ({reason})'}")
        await asyncio.sleep(0.1)


def _states(streamer: Streamer | None, sources: Sources) -> list[tuple[str, str, str | None]]:
    found = [] if streamer is None else [_stream_state(streamer.status())]
    for source in (one.status() for one in sources.polled):
        trouble = source.last_error if source.state in {"failing", "needs_action"} else None
        found.append((f"Source {source.name}", source.state, trouble))
    return found


def _stream_state(status: StreamStatus) -> tuple[str, str, str | None]:
    closed = status.last_close if status.state in {"backoff", "refused", "taken_over"} else None
    return "Stream", status.state, status.needs_login or closed
