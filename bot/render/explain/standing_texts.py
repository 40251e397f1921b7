"""What a snapshot's standing, its strongest strikes, its sides and its expected move are. Pure."""

from typing import Final

from bot.render.explain.data import absent, money
from bot.render.numbers import price, signed
from streaming.gex.results.standing import standing
from streaming.model import GexSnapshot, ScopeFigures, Standing, TopStrike

_MOST_SIDES: Final = 3


def regime(snapshot: GexSnapshot, scope: ScopeFigures | None) -> str:
    """The regime under both weights, with what it is read off."""
    oi, vol = standing(snapshot, None, "oi"), standing(snapshot, None, "vol")
    if oi.regime is None:
        return absent(snapshot, scope, "oi", level=False)
    by_volume = "unknown" if vol.regime is None else vol.regime
    return f"Here it is **{oi.regime}** by open interest{_why(oi)}, {by_volume} by volume."


def _why(found: Standing) -> str:
    words = []
    if found.net_share is not None:
        words.append(f"net is {signed(100.0 * found.net_share, 0)} % of gross")
    if found.zero_gamma_distance_pct is not None:
        words.append(f"spot is {signed(found.zero_gamma_distance_pct)} % from zero gamma")
    return f" ({', '.join(words)})" if words else ""


def place(snapshot: GexSnapshot, scope: ScopeFigures | None) -> str:
    """Where spot is between the walls by open interest, 0 to 100."""
    found = standing(snapshot, None, "oi").between_walls_pct
    if found is None:
        return absent(snapshot, scope, "oi", level=True)
    beyond = "" if 0.0 <= found <= 100.0 else ", beyond a wall"  # noqa: PLR2004  # percent
    return f"Here it is {found:.0f} %{beyond}, by open interest."


def zero_share(snapshot: GexSnapshot, scope: ScopeFigures | None) -> str:
    """The share of what expires today, and how much net goes with it."""
    oi, vol = standing(snapshot, None, "oi"), standing(snapshot, None, "vol")
    if oi.zero_share is None or oi.rolls_off_usd_per_1pct is None:
        return absent(snapshot, scope, "oi", level=False)
    if snapshot.min_dte != 0:
        return "Here it is 0 %: nothing expires today."
    by_volume = "unknown" if vol.zero_share is None else f"{vol.zero_share:.0%}"
    gone = money(oi.rolls_off_usd_per_1pct)
    return f"Here it is {oi.zero_share:.0%} by open interest and {by_volume} by volume; {gone} net goes at the close."


def top_strikes(snapshot: GexSnapshot, scope: ScopeFigures | None) -> str:
    """The strongest strikes by open interest, net and gross, and how few hold most of the net."""
    if scope is None or not scope.oi.top_strikes:
        return absent(snapshot, scope, "oi", level=True)
    listed = ", ".join(map(_strike, scope.oi.top_strikes))
    gross = ", ".join(map(_strike, scope.oi.top_strikes_gross))
    added = f" With calls and puts added: {gross}." if gross else ""
    return f"Here: {listed}; {scope.oi.concentration_strikes} strikes hold 90 %, by open interest.{added}"


def _strike(row: TopStrike) -> str:
    strike, net, share = row
    return f"{price(strike)} {money(net)} ({share:.0%})"


def sides(snapshot: GexSnapshot, scope: ScopeFigures | None) -> str:
    """What calls and puts add to the net, and how many there are of them."""
    if scope is None or scope.oi.call_gex_usd_per_1pct is None or scope.oi.put_gex_usd_per_1pct is None:
        return absent(snapshot, scope, "oi", level=False)
    calls, puts = money(scope.oi.call_gex_usd_per_1pct), money(scope.oi.put_gex_usd_per_1pct)
    ratios = f"{_ratio(scope.put_call_oi)} by open interest and {_ratio(scope.put_call_vol)} by volume"
    words = f"Here calls make {calls} and puts {puts} US dollars per 1 % move; puts for each call: {ratios}."
    return f"{words}{_by_strike(scope)}"


def _by_strike(scope: ScopeFigures) -> str:
    """Calls and puts of the strikes with the most gamma, as far as they are near spot."""
    rows = {strike: (calls, puts) for strike, _, _, calls, puts in scope.sides}
    near = [strike for strike, _, _ in scope.oi.top_strikes_gross if strike in rows][:_MOST_SIDES]
    listed = (f"{price(strike)} {' and '.join(map(money, rows[strike]))}" for strike in near)
    return f" Most by open interest: {', '.join(listed)}." if near else ""


def _ratio(value: float | None) -> str:
    return "unknown" if value is None else f"{value:.2f}"


def max_pain(snapshot: GexSnapshot, scope: ScopeFigures | None) -> str:
    """The strike of least payout, and that it is folklore."""
    if scope is None or scope.max_pain is None:
        return absent(snapshot, scope, "oi", level=True)
    return f"Here it is {price(scope.max_pain)}."


def expected_move(snapshot: GexSnapshot, scope: ScopeFigures | None) -> str:
    """The straddle with its strike and expiry."""
    found = snapshot.expected_move
    if found is None:
        if scope is None:
            return absent(snapshot, scope, "oi", level=False)
        return "Here it is unknown: at no strike are call and put both quoted on both sides."
    sigma = "" if found.sigma_points is None else f"; one standard deviation is ±{price(found.sigma_points)}"
    return (
        f"Here it is ±{price(found.straddle_points)} points ({found.straddle_pct:.2f} %) until {found.expiry} "
        f"({found.root}), by the straddle at {price(found.strike)}{sigma}."
    )
