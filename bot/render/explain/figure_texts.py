"""What each level is in a snapshot, in points, and how spot stands to it; strikes, sides and expected move. Pure."""

from typing import Final

from bot.render.explain.data import absent, money, producer
from bot.render.message_form import listed_roots, stamp
from bot.render.numbers import age, known, price, signed, strike
from streaming.clock import instant_of
from streaming.figures import read_levels
from streaming.gex.results.standing import standing
from streaming.model import GexSnapshot, ScopeFigures, Standing, TopStrike

_PER_1PCT: Final = "US dollars per 1 % move"
_TURNS: Final = {1: "from − to +", -1: "from + to −"}
_MOST_ROOTS: Final = 4
_MOST_SIDES: Final = 3
_NEVER_TURNS: Final = "Here there is none: the running sum never falls below 0, or is lowest at the last strike."


def spot(snapshot: GexSnapshot, scope: ScopeFigures | None) -> str:
    """Spot in the ticker's points; of a futures ticker also the index and the basis it is made of."""
    if not known(snapshot.spot):
        return absent(snapshot, scope, "oi", level=True)
    if snapshot.basis is None:
        return f"Here it is {price(snapshot.spot)}."
    index = snapshot.spot - snapshot.basis
    return f"Here it is {price(snapshot.spot)}: index {price(index)} and basis {signed(snapshot.basis)}."


def zero_gamma(snapshot: GexSnapshot, scope: ScopeFigures | None) -> str:
    """The re-priced root nearest spot with its direction and the other roots, or why there is none."""
    if scope is None:
        return _classic_zero_gamma(snapshot)
    figures = scope.oi
    if not known(figures.zero_gamma):
        return _no_root(snapshot, scope)
    words = [f"Here it is {price(figures.zero_gamma)}{_from_spot(snapshot, figures.zero_gamma)}"]
    roots = list(zip(figures.zero_gamma_roots, figures.zero_gamma_directions, strict=False))
    direction = dict(roots).get(figures.zero_gamma)
    if direction in _TURNS:
        words.append(f"going up through it the total turns {_TURNS[direction]}")
    if len(roots) > 1:
        words.append(f"all roots: {listed_roots(roots, _MOST_ROOTS)}")
    return "; ".join([*words, f"by volume it is {price(scope.vol.zero_gamma)}"]) + "."


def _no_root(snapshot: GexSnapshot, scope: ScopeFigures) -> str:
    note = scope.oi.zero_gamma_note
    if note is None or note == "no exposure":
        return absent(snapshot, scope, "oi", level=True)
    return f"Here there is none: the total is {note} within 20 % of spot, and no level is made up."


def _classic_zero_gamma(snapshot: GexSnapshot) -> str:
    shown = read_levels(snapshot, None, "oi").zero_gamma
    if shown is None:
        return absent(snapshot, None, "vol", level=True)
    return (
        f"Here the board shows {price(shown)}, the one that {producer(snapshot)} publishes: by the "
        "classic meaning the ladder split by volume, not a root priced again."
    )


def ladder_split(snapshot: GexSnapshot, scope: ScopeFigures | None) -> str:
    """The split by both weights; without one, whether the ladder never turns or was not traded."""
    by_volume = snapshot.ladder_split if scope is None else scope.vol.ladder_split
    if by_volume is None and (scope is None or scope.oi.ladder_split is None):
        traded = scope is not None and scope.vol.gross_gex_usd_per_1pct and snapshot.spot is not None
        return _NEVER_TURNS if traded else absent(snapshot, scope, "vol", level=True)
    by_interest = "" if scope is None else f", by open interest {price(scope.oi.ladder_split)}"
    return f"Here it is {price(by_volume)} by volume{by_interest}."


def wall(snapshot: GexSnapshot, scope: ScopeFigures | None, *, calls: bool) -> str:
    """The net wall of one side by open interest with its value, or why no strike qualifies."""
    levels = read_levels(snapshot, None, "oi")
    at = levels.call_wall if calls else levels.put_wall
    if at is None:
        if scope is not None and scope.oi.gross_gex_usd_per_1pct and snapshot.spot is not None:
            return f"Here there is none: at no strike do {'calls outweigh puts' if calls else 'puts outweigh calls'}."
        return absent(snapshot, scope, "oi", level=True)
    value = None if scope is None else scope.oi.call_wall_usd_per_1pct if calls else scope.oi.put_wall_usd_per_1pct
    size = "" if value is None else f", with {money(value)} {_PER_1PCT} net"
    return f"Here it is {strike(at)}{_from_spot(snapshot, at)}{size}."


def gross_walls(snapshot: GexSnapshot, scope: ScopeFigures | None) -> str:
    """The walls of calls alone and of puts alone."""
    return _pairs(snapshot, scope, "call_wall_gross", "put_wall_gross")


def side_walls(snapshot: GexSnapshot, scope: ScopeFigures | None) -> str:
    """The walls at or above spot and at or below it."""
    return _pairs(snapshot, scope, "call_wall_above", "put_wall_below")


def _pairs(snapshot: GexSnapshot, scope: ScopeFigures | None, call: str, put: str) -> str:
    if scope is None or all(getattr(scope.oi, name) is None for name in (call, put)):
        return absent(snapshot, scope, "oi", level=True)
    words = [
        f"by {title} calls {strike(getattr(figures, call))} and puts {strike(getattr(figures, put))}"
        for title, figures in (("open interest", scope.oi), ("volume", scope.vol))
    ]
    return f"Here {'; '.join(words)}."


def slope(snapshot: GexSnapshot, scope: ScopeFigures | None) -> str:
    """How steep the total crosses 0 at the root, dollars per 1 % and point."""
    if scope is None or scope.oi.zero_gamma_slope is None:
        return absent(snapshot, scope, "oi", level=True) if scope is None else _no_root(snapshot, scope)
    at = price(scope.oi.zero_gamma)
    return f"Here it is {money(scope.oi.zero_gamma_slope)} {_PER_1PCT} per point at {at}, by open interest."


def basis(snapshot: GexSnapshot, scope: ScopeFigures | None) -> str:
    """Future minus index with the age of its newest pair of quotes, or why the ticker has none."""
    if snapshot.basis is not None:
        seen = None if snapshot.basis_ms is None else instant_of(snapshot.basis_ms)
        if seen is None or snapshot.basis_ms is None:
            return f"Here it is {signed(snapshot.basis)} points, of unknown age."
        old = age((snapshot.asof_ms - snapshot.basis_ms) / 1000)
        points, at = signed(snapshot.basis), stamp(seen)
        held = "; it is stale and held until fresh quotes come" if snapshot.basis_stale else ""
        return f"Here it is {points} points, last seen at {at}, {old} before the newest quote{held}."
    if "_" not in snapshot.ticker:
        return f"Here there is none: {snapshot.ticker} is shown in its own points."
    return absent(snapshot, scope, "oi", level=True)


def _from_spot(snapshot: GexSnapshot, level: float) -> str:
    if not known(snapshot.spot) or snapshot.spot <= 0.0:
        return ""
    gap = level - snapshot.spot
    return f", {abs(gap):.2f} {'above' if gap >= 0.0 else 'below'} spot"


def regime(snapshot: GexSnapshot, scope: ScopeFigures | None) -> str:
    """The regime under both weights, with what it is read off."""
    oi, vol = standing(snapshot, None, "oi"), standing(snapshot, None, "vol")
    if oi.regime is None:
        return absent(snapshot, scope, "oi", level=False)
    by_volume = "unknown" if vol.regime is None else vol.regime
    return f"Here it is **{oi.regime}** by open interest{_why(oi)}, {by_volume} by volume.{_steepness(scope)}"


def _steepness(scope: ScopeFigures | None) -> str:
    """How much of it a point of spot changes at zero gamma; nothing where there is none."""
    slope_usd = None if scope is None else scope.oi.zero_gamma_slope
    return (
        ""
        if slope_usd is None
        else f" At zero gamma the total changes by {money(slope_usd)} {_PER_1PCT} for each point."
    )


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
    at, net, share = row
    return f"{strike(at)} {money(net)} ({share:.0%})"


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
    rows = {at: (calls, puts) for at, _, _, calls, puts in scope.sides}
    near = [at for at, _, _ in scope.oi.top_strikes_gross if at in rows][:_MOST_SIDES]
    listed = (f"{strike(at)} {' and '.join(map(money, rows[at]))}" for at in near)
    return f" Most by open interest: {', '.join(listed)}." if near else ""


def _ratio(value: float | None) -> str:
    return "unknown" if value is None else f"{value:.2f}"


def one_book(snapshot: GexSnapshot, scope: ScopeFigures | None) -> str:
    """Where it is to be seen, for it is of several snapshots."""
    return _elsewhere(snapshot, scope, "It is of several tickers: `/gex book` shows it.")


def session_map(snapshot: GexSnapshot, scope: ScopeFigures | None) -> str:
    """Where it is to be seen, for it is a table of its own."""
    return _elsewhere(snapshot, scope, "`/gex chart` draws it as the kind *map*.")


def _elsewhere(snapshot: GexSnapshot, scope: ScopeFigures | None, place_words: str) -> str:
    if scope is None or scope.oi.gross_gex_usd_per_1pct is None:
        return absent(snapshot, scope, "oi", level=False)
    return place_words


def max_pain(snapshot: GexSnapshot, scope: ScopeFigures | None) -> str:
    """The strike of least payout, and that it is folklore."""
    if scope is None or scope.max_pain is None:
        return absent(snapshot, scope, "oi", level=True)
    return f"Here it is {strike(scope.max_pain)}."


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
        f"({found.root}), by the straddle at {strike(found.strike)}{sigma}."
    )
