"""Discord's own part of the panel: its counters and buckets, and the trouble that it or a proxy of it can make."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import partial
from typing import Final

from bot.sandbox.gateway.local_gateway import LocalGateway
from bot.sandbox.rest.faults import Fault, RestFaults, Trouble
from bot.sandbox.rest.rate_limits import GLOBAL, RateLimiter
from bot.sandbox.rest.traffic import Traffic
from bot.sandbox.visitor.backstage import Gauge, GaugeLine, Lever
from bot.sandbox.world.api_errors import TOO_MANY_REQUESTS
from bot.sandbox.world.world import World

LASTS_S: Final = 6.0
_DEEDS: Final = {"POST": "posts", "PATCH": "edits", "DELETE": "deletes"}
_SERVER_ERROR: Final = 500


def discord_gauges(world: World, traffic: Traffic, limiter: RateLimiter, gateway: LocalGateway) -> tuple[Gauge, ...]:
    """Calls, what is left of the buckets that are in use, and the gateway."""

    async def calls() -> Sequence[GaugeLine]:
        return _calls(traffic)

    async def buckets() -> Sequence[GaugeLine]:
        return _buckets(world, limiter)

    async def events() -> Sequence[GaugeLine]:
        sent = gateway.sent
        return (
            GaugeLine("connected", "yes" if gateway.connected else "no"),
            GaugeLine("events sent", sent.total(), counts=True),
            *(GaugeLine(name, count, counts=True) for name, count in sent.most_common(3)),
            GaugeLine("sessions opened", gateway.identifies),
            GaugeLine("sessions resumed", gateway.resumes),
        )

    return Gauge("Discord: REST calls", calls), Gauge("Discord: buckets", buckets), Gauge("Discord: gateway", events)


def _calls(traffic: Traffic) -> tuple[GaugeLine, ...]:
    deeds = dict.fromkeys(_DEEDS.values(), 0)
    for (method, path, _status), count in traffic.routes.items():
        if method in _DEEDS and path.startswith("/channels/"):
            deeds[_DEEDS[method]] += count
    failed = sum(count for status, count in traffic.statuses.items() if status >= _SERVER_ERROR)
    return (
        GaugeLine("calls", traffic.statuses.total(), counts=True),
        *(GaugeLine(name, count, counts=True) for name, count in deeds.items()),
        GaugeLine("answers 429", traffic.statuses[TOO_MANY_REQUESTS]),
        GaugeLine("answers 5xx", failed),
    )


def _buckets(world: World, limiter: RateLimiter) -> list[GaugeLine]:
    names = {str(channel.id): f"#{channel.name}" for channel in world.channels.values()}
    return [
        GaugeLine("all calls of a second", f"{limiter.recent} of {GLOBAL.limit}"),
        *(
            GaugeLine(f"{quota.name} {names.get(major, '')}".rstrip(), f"{quota.limit - left} of {quota.limit}")
            for quota, major, left in limiter.windows()
        ),
    ]


def discord_levers(faults: RestFaults, gateway: LocalGateway, lasts_s: float = LASTS_S) -> tuple[Lever, ...]:
    """What a person may do to the bot's Discord."""
    for_s = f"for {lasts_s:g} s"
    limited = Trouble(TOO_MANY_REQUESTS, retry_after_s=1.0)
    banned = Trouble(TOO_MANY_REQUESTS, shape="page", via=False, retry_after_s=None)
    return (
        Lever("429", "429", f"Every call is answered 429 {for_s}.", partial(_answering, faults, limited), lasts_s),
        Lever("5xx", "503", f"Every call is answered 503 {for_s}.", partial(_answering, faults, Trouble()), lasts_s),
        Lever(
            "ban_page",
            "HTML ban page",
            f"Every call is answered with a proxy's page {for_s}.",
            partial(_answering, faults, banned),
            lasts_s,
        ),
        Lever("gateway", "Drop the gateway", "The gateway's connection is cut without a word.", partial(_cut, gateway)),
    )


@asynccontextmanager
async def _answering(faults: RestFaults, trouble: Trouble) -> AsyncIterator[None]:
    fault = Fault(trouble)
    faults.waiting.append(fault)
    try:
        yield
    finally:
        fault.left = 0


@asynccontextmanager
async def _cut(gateway: LocalGateway) -> AsyncIterator[None]:
    gateway.abort_all()
    yield
