"""What a seed lets happen to the feed, and when. Pure: the same seed, the same storm."""

import json
import random
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final

Options = dict[str, Any]
BUSY_S: Final = 1.3
"""Between one deed and the next, on average."""
AWAITED: Final = 0.8
"""The share of storms that wait for the boards."""
VANISH_AT_MOST: Final = 2
"""Times that a channel's message may be gone: a board posts anew after 1 s, 5 s, then 30 s, which is longer than a
storm can wait."""


@dataclass(frozen=True)
class Step:
    """One deed at a time of the storm."""

    at_s: float
    deed: str
    options: Options


@dataclass(frozen=True)
class Schedule:
    """A storm: so many channels and bots, the deeds in order, then calm.

    Its time begins with the bots, or, when it is `awaited`, as soon as every channel has its message.
    """

    seed: int
    channels: int
    bots: int
    awaited: bool
    trouble_s: float
    calm_s: float
    steps: tuple[Step, ...]

    def to_json(self) -> str:
        return json.dumps(asdict(self), indent=1)

    @classmethod
    def from_json(cls, text: str) -> "Schedule":
        fields = json.loads(text)
        return cls(**(fields | {"steps": tuple(Step(**step) for step in fields["steps"])}))


def make_schedule(seed: int, *, trouble_s: float = 40.0, calm_s: float = 35.0) -> Schedule:
    """Mostly over boards that stand, now and then over bots that are about to start."""
    rng = random.Random(seed)
    channels, bots, awaited = rng.choice((3, 4)), rng.choice((1, 2, 2)), rng.random() < AWAITED
    steps = []
    vanished = [0] * channels
    at_s = 0.0
    while (at_s := at_s + rng.expovariate(1 / BUSY_S)) < trouble_s:
        deed = rng.choices(list(DEEDS), [weight for weight, _ in DEEDS.values()])[0]
        options = DEEDS[deed][1](rng) | _place(deed, rng, channels, bots)
        if _may_vanish(deed, options, vanished):
            steps.append(Step(round(at_s, 2), deed, options))
    return Schedule(seed, channels, bots, awaited, trouble_s, calm_s, tuple(steps))


def _may_vanish(deed: str, options: Options, vanished: list[int]) -> bool:
    """Whether a channel's message may be deleted, or called unknown, once more; counts it if so."""
    if deed == "moderate" or (deed == "unknown_message" and options["on"] == "edit"):
        places = range(len(vanished)) if options["channel"] is None else (options["channel"],)
        if any(vanished[place] + options["count"] > VANISH_AT_MOST for place in places):
            return False
        for place in places:
            vanished[place] += options["count"]
    return True


def _place(deed: str, rng: random.Random, channels: int, bots: int) -> Options:
    """Which channel or bot it happens to; a fault may meet every channel."""
    if deed in {"terminate", "kill", "pause"}:
        return {"bot": rng.randrange(bots)}
    if deed == "moderate":
        return {"channel": rng.randrange(channels)}
    return {"channel": rng.choice((None, None, *range(channels)))} if deed in FAULTS else {}


def _for_a_while(rng: random.Random, longest_s: float = 6.0) -> Options:
    """So many requests, or those of some seconds."""
    if rng.random() < 0.5:
        return {"count": rng.randint(1, 6)}
    return {"seconds": round(rng.uniform(0.5, longest_s), 1)}


def _on(rng: random.Random) -> Options:
    return {"on": rng.choice(("post", "post", "edit", "edit", "edit", "delete", "delete", "letter", "commands", None))}


def _server_error(rng: random.Random) -> Options:
    shape = rng.choice(("json", "json", "page", "empty", "broken"))
    return {"status": rng.choice((500, 502, 503, 503, 504, 520)), "shape": shape} | _on(rng) | _for_a_while(rng)


def _page(rng: random.Random) -> Options:
    status = rng.choice((200, 401, 403, 403, 404, 429, 520))
    return {"status": status, "shape": "page", "via": False} | _on(rng) | _for_a_while(rng)


def _odd_answer(rng: random.Random) -> Options:
    """Discord's JSON that is no verdict: a passing 401, 403, 404, one without its code, a false 10008.

    Never on the login: a 401 there, twice, is what ends a bot rightly.
    """
    status, code, shape = rng.choice(
        (
            (401, 0, "json"),
            (403, 0, "json"),
            (403, 40333, "json"),
            (404, 0, "json"),
            (404, 10008, "codeless"),
            (403, 50013, "codeless"),
            (403, 0, "empty"),
            (403, 0, "broken"),
        )
    )
    on = rng.choice(("post", "edit", "edit", "delete", "letter"))
    return {"status": status, "code": code, "shape": shape, "on": on} | _for_a_while(rng)


def _false_unknown_message(rng: random.Random) -> Options:
    return {"status": 404, "code": 10008, "on": rng.choice(("edit", "edit", "delete")), "count": rng.randint(1, 2)}


def _slow_down(rng: random.Random) -> Options:
    wait_s = round(rng.uniform(0.3, 3.0), 1)
    return {"status": 429, "retry_after_s": wait_s} | _on(rng) | _for_a_while(rng, 3.0)


def _worn(rng: random.Random) -> Options:
    """30046 as it comes: a 429 with its code, with or without a wait."""
    wait_s = rng.choice((None, None, 1.5, 900.0))
    return {"status": 429, "code": 30046, "retry_after_s": wait_s, "on": "edit", "count": rng.randint(1, 3)}


def _hang(rng: random.Random) -> Options:
    hang_s = round(rng.uniform(2.0, 45.0), 1)
    return {"hang_s": hang_s, "late": rng.random() < 0.4, "count": rng.randint(1, 3)} | _on(rng)


def _lost_answer(rng: random.Random) -> Options:
    """The deed is done, its answer is not."""
    on = rng.choice(("post", "post", "edit", "delete"))
    return {"status": 502, "late": True, "cut": rng.random() < 0.5, "on": on, "count": rng.randint(1, 2)}


def _failing_delete(rng: random.Random) -> Options:
    status, shape = rng.choice(((500, "json"), (503, "json"), (403, "page"), (404, "page"), (429, "page")))
    return {"status": status, "shape": shape, "on": "delete", "seconds": round(rng.uniform(5.0, 25.0), 1)}


def _moderate(rng: random.Random) -> Options:
    return {"count": rng.randint(1, 2), "after_s": round(rng.uniform(0.05, 2.0), 2)}


def _close_gateway(rng: random.Random) -> Options:
    return {"code": rng.choice((1000, 1001, 4000, 4007, 4008, 4009))}


def _down(rng: random.Random) -> Options:
    return {"seconds": round(rng.uniform(2.0, 12.0), 1), "status": rng.choice((None, None, 503, 520))}


def _broken_event(rng: random.Random) -> Options:
    return {"name": rng.choice(("CHANNEL_UPDATE", "GUILD_ROLE_UPDATE", "MESSAGE_UPDATE", "PRESENCE_UPDATE"))}


def _away(rng: random.Random) -> Options:
    """How long a bot stays away after its end."""
    return {"seconds": round(rng.choice((0.0, 0.0, rng.uniform(0.5, 6.0))), 1)}


def _pause(rng: random.Random) -> Options:
    return {"seconds": round(rng.uniform(2.0, 12.0), 1)}


def _redis(rng: random.Random) -> Options:
    return {"seconds": round(rng.uniform(0.5, 8.0), 1)}


def _nothing(_rng: random.Random) -> Options:
    return {}


DEEDS: Final[Mapping[str, tuple[float, Callable[[random.Random], Options]]]] = {
    "server_error": (10, _server_error),
    "page": (10, _page),
    "odd_answer": (9, _odd_answer),
    "unknown_message": (4, _false_unknown_message),
    "slow_down": (6, _slow_down),
    "worn": (4, _worn),
    "hang": (6, _hang),
    "lost_answer": (6, _lost_answer),
    "failing_delete": (7, _failing_delete),
    "moderate": (6, _moderate),
    "close_gateway": (3, _close_gateway),
    "abort_gateway": (2, _nothing),
    "reconnect": (2, _nothing),
    "invalidate": (3, lambda rng: {"resumable": rng.random() < 0.5}),
    "gateway_down": (3, _down),
    "broken_event": (3, _broken_event),
    "terminate": (4, _away),
    "kill": (5, _away),
    "pause": (5, _pause),
    "redis_killed": (2, _redis),
    "redis_frozen": (2, _redis),
}
"""Each deed's share and what it draws."""
FAULTS: Final = frozenset(list(DEEDS)[:9])
"""Those that requests meet."""
