"""What customers traded of the streamed options just now. Pure."""

from bot.render.explain.data import absent, money
from bot.render.numbers import counted
from streaming.calendar import new_york
from streaming.clock import instant_of
from streaming.model import FlowSum, GexSnapshot, ScopeFigures


def signed_flow(snapshot: GexSnapshot, scope: ScopeFigures | None) -> str:
    """Dealers' delta and gamma over the windows, how much of the day was seen and of how much nobody can tell."""
    found = snapshot.signed_flow
    if found is None:
        if scope is None:
            return absent(snapshot, scope, "vol", level=False)
        return "Here it is unknown: no options of this ticker are streamed."
    windows = {"last minute": found.minute, "5 min": found.five, "30 min": found.thirty, "today": found.day}
    parts = "; ".join(f"{name} {_sum(part)}" for name, part in windows.items())
    since = new_york(instant_of(found.since_ms))
    seen = "" if found.seen is None else f", {found.seen:.0%} of the day's contracts"
    unsure = "" if found.day.unsure is None else f"; the side of {found.day.unsure:.0%} of them is unknown"
    return (
        f"Here, delta and gamma per 1 %, **streamed strikes only**: {parts}. Seen since {since:%H:%M:%S} New York: "
        f"{counted(found.day.contracts, 'contract')}{seen}{unsure}."
    )


def _sum(part: FlowSum | None) -> str:
    return "—" if part is None else f"{money(part.delta_usd)} and {money(part.gamma_usd_per_1pct)}"
