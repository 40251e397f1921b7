"""The records that travel from wire to screen. All are frozen; None means unknown, never zero.

Units: prices and levels in points of the instrument, sizes in shares or contracts, instants in
milliseconds since 1970 UTC (`*_ms`) or aware datetimes (`*_at`, `timestamp`), implied volatility as a
fraction (0.16 = 16 %), exposures in the unit their name ends with. The classic fields of `GexSnapshot`
(`sum_gex_*`, `strikes`, `max_priors`) are in millions of US dollars per 1 % move, as GEXBot writes them.
"""

from datetime import datetime
from enum import StrEnum
from typing import Final, Literal, get_args

import msgspec

SIMULATED: Final = "simulated"
"""The `source` of figures and events that a local stand-in made up."""
FILE_SOURCE: Final = "file:"
"""How the `source` begins of a market that a local stand-in made from a file; the ISO date of its quotes follows."""


def is_made_up(source: str) -> bool:
    """Whether figures of this source are of a market that a local stand-in made up."""
    return source == SIMULATED or source.startswith(FILE_SOURCE)


class DepthKind(StrEnum):
    """What the levels of a `Level2Event` are."""

    VENUE_MONTAGE = "venue_montage"
    """Every venue's own best quote, grouped by price; not an order book in depth."""
    TOP_OF_BOOK = "top_of_book"
    """One level a side, from level one: Schwab offers no futures depth."""


class TickEvent(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A symbol's full level-one state after a change; a conflated snapshot, not a single trade."""

    symbol: str
    timestamp: datetime
    last: float | None = None
    bid: float | None = None
    ask: float | None = None
    volume: int | None = None
    bid_size: int | None = None
    ask_size: int | None = None
    last_size: int | None = None
    event_ms: int
    recv_ms: int
    source: str
    delayed: bool | None = None
    contract: str | None = None
    """Of a future: the contract behind the symbol, such as `/MNQZ26` behind `/MNQ`."""
    seq: int
    v: int = 1


class VenueQuote(msgspec.Struct, frozen=True, gc=False):
    """One venue's best quote inside a level."""

    venue: str
    size: int
    quote_ms: int | None = None


class BookLevel(msgspec.Struct, frozen=True, gc=False):
    """One price of one side."""

    price: float
    size: int
    venues: tuple[VenueQuote, ...] = ()


class Level2Event(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The whole known book of a symbol, best price first on both sides."""

    symbol: str
    timestamp: datetime
    bids: tuple[BookLevel, ...]
    asks: tuple[BookLevel, ...]
    depth_kind: DepthKind
    event_ms: int
    recv_ms: int
    source: str
    contract: str | None = None
    """Of a future: the contract behind the symbol."""
    seq: int
    v: int = 1


class Candle(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One finished minute of a symbol.

    A minute may come again, corrected or repeated: keep the newest by (`symbol`, `event_ms`). Minutes
    without a trade are left out.
    """

    symbol: str
    timestamp: datetime
    """When the minute began."""
    open: float
    high: float
    low: float
    close: float
    volume: int | None = None
    interval_s: int = 60
    event_ms: int
    """When the minute began."""
    recv_ms: int
    source: str
    contract: str | None = None
    """Of a future: the contract behind the symbol."""
    source_seq: int | None = None
    """The source's own number of the bar."""
    seq: int
    v: int = 1


MarketEvent = TickEvent | Level2Event | Candle
"""What travels on the bus; how, `streaming.bus.events` says of each."""


class OptionQuote(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The merged live state of one option contract, for the engine."""

    symbol: str
    """21-character OSI form, root padded to six with spaces."""
    iv: float | None = None
    bid: float | None = None
    ask: float | None = None
    last: float | None = None
    volume: int | None = None
    open_interest: int | None = None
    underlying_price: float | None = None
    event_ms: int
    recv_ms: int
    fresh: bool = False
    """Whether it begins anew, after a subscription or a gap: what came before was not seen."""


class ChainQuality(msgspec.Struct, frozen=True, kw_only=True):
    """What reading a chain met: rows that are not in it, what was not sent, what had to be supplied.

    Contracts that settled or have no volatility are counted elsewhere (`specs/gex-method.md` §7).
    """

    unreadable: int = 0
    """Rows that name no option, or break off."""
    foreign: int = 0
    """Adjusted contracts, minis, other multipliers, other underlyings."""
    doubled: int = 0
    """Rows whose contract was listed again; the last row of each counts."""
    cut_off: bool = False
    """Whether the file ends within a row."""
    calls_without_interest: float = 0.0
    """Share 0..1 of the calls whose open interest was not sent; 1 where no call has any."""
    puts_without_interest: float = 0.0
    iv_in_percent: bool = False
    """Whether volatilities came as percentages where fractions are usual, and were divided by 100."""
    spot_implied: bool = False
    """Whether no price of the underlying was sent and spot is what the quotes imply by parity."""


class OptionTrades(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Contracts of one streamed option within one minute, by who seems to have begun the trades."""

    symbol: str
    """As in `OptionQuote`."""
    minute_ms: int
    """When the minute began."""
    bought: int
    sold: int
    unsure: int


VolatilityRule = Literal["quotes", "otm", "line"]
VOLATILITY_RULES: Final[dict[VolatilityRule, str]] = {
    "quotes": "one volatility per strike, from the price of its out-of-the-money side",
    "otm": "one volatility per strike, the feed's of its out-of-the-money side",
    "line": "each contract's own volatility from the feed",
}
ScopeName = Literal["zero", "one", "full", "all"]
WeightName = Literal["oi", "vol"]
SCOPES: Final[tuple[ScopeName, ...]] = get_args(ScopeName)
WEIGHTS: Final[tuple[WeightName, ...]] = get_args(WeightName)
SCOPE_WORDS: Final[dict[ScopeName, str]] = {
    "zero": "the nearest expiry",
    "one": "the second expiry",
    "full": "expiries up to 90 days",
    "all": "every listed expiry",
}
WEIGHT_WORDS: Final[dict[WeightName, str]] = {"oi": "open interest", "vol": "today's volume"}
WEIGHT_NAMES: Final[dict[WeightName, str]] = {"oi": "open interest", "vol": "volume"}
"""In fewer letters, for buttons and heads of columns, and where the volume need not be today's."""


Regime = Literal["dampened", "amplified", "undecided"]
"""Whether dealers' hedging works against moves of the underlying, with them, or cannot be told."""
TopStrike = tuple[float, float, float]
"""(strike, its gex in $ per 1 %, its share 0..1 of the sum without signs over all strikes); gex is net or gross."""


class WeightFigures(msgspec.Struct, frozen=True, kw_only=True):
    """The figures of one scope under one weight (open interest, or contracts traded today)."""

    net_gex_usd_per_1pct: float | None = None
    net_gex_usd_per_point: float | None = None
    gross_gex_usd_per_1pct: float | None = None
    zero_gamma: float | None = None
    """Root of the re-priced total nearest spot."""
    zero_gamma_roots: tuple[float, ...] = ()
    zero_gamma_directions: tuple[int, ...] = ()
    """+1 where the total goes from - to + with rising spot, -1 the other way; parallel to the roots."""
    zero_gamma_note: str | None = None
    """Why there is no root: "positive everywhere", "negative everywhere" or "no exposure"."""
    ladder_split: float | None = msgspec.field(name="zero_gamma_ladder", default=None)
    """Another method (`specs/gex-method.md` §9), which the wire also calls a zero gamma."""
    call_wall: float | None = msgspec.field(name="major_pos", default=None)
    """GEXBot's major positive: of calls and puts together, unlike the gross walls."""
    call_wall_usd_per_1pct: float | None = msgspec.field(name="major_pos_usd_per_1pct", default=None)
    put_wall: float | None = msgspec.field(name="major_neg", default=None)
    put_wall_usd_per_1pct: float | None = msgspec.field(name="major_neg_usd_per_1pct", default=None)
    call_wall_gross: float | None = None
    call_wall_gross_usd_per_1pct: float | None = None
    put_wall_gross: float | None = None
    put_wall_gross_usd_per_1pct: float | None = None
    call_wall_above: float | None = None
    """The gross call wall among strikes at or above spot."""
    call_wall_above_usd_per_1pct: float | None = None
    put_wall_below: float | None = None
    """The gross put wall among strikes at or below spot."""
    put_wall_below_usd_per_1pct: float | None = None
    zero_gamma_slope: float | None = None
    """Change of the total at the published root, $ per 1 % move per point; flat means a soft level."""
    confidence: float | None = None
    """|net| / gross at spot, 0..1; near 0 the sign is undecided."""
    vex_usd_per_vol_point: float | None = None
    chex_usd_per_day: float | None = None
    """None where a line settles within a day."""
    chex_usd_to_close: float | None = None
    """Dealer-signed delta gained by time alone until the next close; finite."""
    dex_usd: float | None = None
    """Sum of delta: puts negative by their own delta."""
    dex_dealer_usd: float | None = None
    """Dealer-signed delta: both sides positive."""
    hedge_usd_per_1pct: float | None = None
    """Half the change of dealer delta from -1 % to +1 %, finite at the close; only for scope `zero`.

    See `specs/gex-method.md` §15.
    """
    call_gex_usd_per_1pct: float | None = None
    """The calls' part of net GEX, above 0; with the puts' part it makes the net."""
    put_gex_usd_per_1pct: float | None = None
    top_strikes: tuple[TopStrike, ...] = ()
    """The five strongest by |net|, strongest first; left out of `gex:history`."""
    top_strikes_gross: tuple[TopStrike, ...] = ()
    """The five strongest by gross gex, calls and puts added without signs; left out of `gex:history`."""
    concentration_strikes: int | None = None
    """How many strikes hold 90 % of the sum of |net|."""


LadderRow = tuple[float, float, float]
"""(strike, net gex by volume, by open interest), $ per 1 % move."""
SideRow = tuple[float, float, float, float, float]
"""(strike, calls by volume, puts by volume, calls by open interest, puts by open interest), $ per 1 % move.

Calls +, puts −: the two of a weight make the strike's net."""
ProfilePoint = tuple[float, float, float]
"""(level of the underlying, total re-priced there by volume, by open interest), $ per 1 % move."""


class IvFault(msgspec.Struct, frozen=True, kw_only=True):
    """Contracts of a scope whose own volatility cannot be used: what is wrong with it, and what became of them."""

    fault: Literal["missing", "zero", "too low", "too high"]
    """missing: not sent, NaN or negative (-999); too low: above 0, up to 0.02; too high: from 10 up."""
    outcome: Literal["mirrored", "no other side", "other side unusable", "not mirrored"]
    """Only "mirrored" ones are priced; "not mirrored" when bad volatilities are to be dropped."""
    contracts: int
    weight_oi: float | None = None
    """Their share 0..1 of the scope's open interest; None when there is none."""
    weight_vol: float | None = None


class ScopeFigures(msgspec.Struct, frozen=True, kw_only=True):
    """One scope: which expiries it holds, how good its data is, and its figures under both weights."""

    expiries: tuple[str, ...] = ()
    """ISO dates, nearest first."""
    contracts: int = 0
    contracts_quoted: int = 0
    """Priced from the quotes of their strike."""
    contracts_mirrored: int = 0
    """Priced with the other side's volatility."""
    contracts_unpriced: int = 0
    """Listed, but without a usable price or volatility on either side."""
    weight_unpriced_oi: float = 0.0
    """Share 0..1 of the open interest that could not be priced."""
    weight_unpriced_vol: float = 0.0
    weight_mirrored_oi: float | None = None
    """Share 0..1 of the open interest priced with the other side's volatility; None when there is none."""
    weight_mirrored_vol: float | None = None
    weight_priced_oi: float | None = None
    """Share 0..1 of the open interest priced from quotes or with the feed's volatility of the side that counts.

    With the other two it makes 1."""
    weight_priced_vol: float | None = None
    weight_quoted_oi: float | None = None
    """Of that, the share 0..1 of the open interest priced from quotes."""
    weight_quoted_vol: float | None = None
    weight_apart_oi: float | None = None
    """Share 0..1 of the open interest at strikes where the feed's volatilities of call and put differ by more than a
    point."""
    weight_apart_vol: float | None = None
    iv_faults: tuple[IvFault, ...] = ()
    """Why contracts were mirrored or not priced; commonest fault first."""
    series: int = 0
    """Pairs of root and expiry."""
    series_without_parity: int = 0
    """Of those, how many had no two-sided quotes and use spot as their forward."""
    series_by_neighbours: int = 0
    """Of those, how many had quotes whose forward left the neighbouring expiries' carry and use one between these."""
    pairs_too_wide: int = 0
    """Strikes quoted on all sides, but with spreads so wide that they are no evidence of a forward."""
    rr25: float | None = None
    """25-delta risk reversal as a fraction, of the expiry `rr25_expiry` (nearest to 30 days)."""
    rr25_expiry: str | None = None
    put_call_oi: float | None = None
    """Puts for each call by open interest, of all living contracts; None without a call."""
    put_call_vol: float | None = None
    max_pain: float | None = None
    """The strike at which expiring would pay least intrinsic value by open interest: folklore, not a forecast."""
    by_expiry: tuple[tuple[str, float, float], ...] = ()
    """(ISO date, net gex by volume, by open interest) in $ per 1 %; only filled for scope `all`."""
    ladder: tuple[LadderRow, ...] = ()
    """Listed strikes within 10 % of spot, ascending; left out of `gex:history`."""
    sides: tuple[SideRow, ...] = ()
    """Calls and puts apart, of the listed strikes within 3.5 % of spot, ascending; left out of `gex:history`."""
    profile: tuple[ProfilePoint, ...] = ()
    """The levels of the zero-gamma sweep, ascending; left out of `gex:history`."""
    oi: WeightFigures = WeightFigures()
    vol: WeightFigures = WeightFigures()

    def by(self, weight: WeightName) -> WeightFigures:
        """The figures under one weight."""
        return self.oi if weight == "oi" else self.vol


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """Where spot stands under one weight, and what the total means for its moves (`specs/gex-method.md` §22)."""

    regime: Regime | None = None
    net_share: float | None = None
    """Net over gross GEX, -1..1."""
    zero_gamma_distance_pct: float | None = None
    """How far spot is above zero gamma, in percent of spot; negative below it."""
    between_walls_pct: float | None = None
    """0 at the put wall, 100 at the call wall; None where they are crossed or unknown."""
    zero_share: float | None = None
    """Gross GEX of what expires today over that of scope `full`, 0..1."""
    rolls_off_usd_per_1pct: float | None = None
    """Net GEX that is gone after today's close."""


class ExpectedMove(msgspec.Struct, frozen=True, kw_only=True):
    """What the market pays for movement until the nearest expiry that is quoted on both sides."""

    expiry: str
    """ISO date."""
    root: str
    strike: float
    """Nearest to the forward, quoted on both sides."""
    straddle_points: float
    """Call mid plus put mid."""
    straddle_pct: float
    """The same in percent of spot."""
    sigma_points: float | None = None
    """Spot times the strike's total volatility: one standard deviation until that expiry."""


ViewName = Literal["native", "index", "etf", "future"]
VIEWS: tuple[ViewName, ...] = ("native", "index", "etf", "future")


class PointView(msgspec.Struct, frozen=True, kw_only=True):
    """How a level of a snapshot reads in another instrument's points: level x ratio + points.

    See `specs/gex-method.md` §14.
    """

    symbol: str
    """Whose points: `SPY`, `$SPX`, `/ES`."""
    ratio: float = 1.0
    ratio_ms: int | None = None
    """When the newest pair of quotes behind the ratio was seen; None where it is 1 by definition."""
    points: float = 0.0
    points_ms: int | None = None
    """The same of the basis behind the points; None where they are 0 by definition."""


class ReplayMark(msgspec.Struct, frozen=True, kw_only=True):
    """Says that a snapshot is played from a recording, and how its time runs."""

    of: str
    """Who produced it when it was recorded."""
    speed: float
    """Recorded seconds per second; 0 while paused."""
    sent_ms: int
    """When it was played, by the wall clock."""
    by: str | None = None
    """Who plays it, as the holder of the replay lease is called. A reader that cannot confirm that makes it "": such a
    mark names the figures, but its hours open and close nothing."""

    @property
    def rules(self) -> bool:
        """Whether the hours of the replayed market stand in for the real ones."""
        return self.by != ""


class OnDemandMark(msgspec.Struct, frozen=True, kw_only=True):
    """Says that nobody follows the ticker: its source was asked once, because somebody wanted to know."""

    asked_ms: int
    expiries: int | None = None
    """How many of the nearest were asked for; None for all that are listed."""


StrikeRow = tuple[float, float | None, float | None, tuple[float | None, ...]]
"""(strike, gex by volume, gex by open interest, values 1/5/10/15/30 min ago), $ millions per 1 %."""
MaxChange = tuple[float | None, float | None]
"""(strike, signed change by volume in $ millions per 1 %); (None, None) when the prior is missing."""


FlowSpan = Literal["current", "1", "5", "10", "15", "30", "open"]
FLOW_SPANS: tuple[FlowSpan, ...] = ("current", "1", "5", "10", "15", "30", "open")
"""Since the previous snapshot, over so many minutes, and since the open."""


class Flow(msgspec.Struct, frozen=True, kw_only=True):
    """What was traded over a span at the gamma of now: calls +, puts −, without any re-pricing.

    See `specs/gex-method.md` §11. All but the span is None where it is not known what was traded.
    """

    span: FlowSpan
    usd_per_1pct: float | None = None
    """The total, $ per 1 % move."""
    contracts: int | None = None
    strike: float | None = None
    """Where the largest part of it is, whatever its sign; None also where nothing was traded."""
    strike_usd_per_1pct: float | None = None


FlowRow = tuple[float, tuple[float | None, ...]]
"""(strike, flow over each of `FLOW_SPANS`), $ per 1 % move."""


FlowMinute = tuple[int, float, float]
"""(when the minute began, in ms; dealers' delta, $; dealers' gamma, $ per 1 % move)."""


class FlowSum(msgspec.Struct, frozen=True, kw_only=True):
    """What dealers took on, the other side of customers' trades, over some time (`specs/gex-method.md` §24)."""

    delta_usd: float
    gamma_usd_per_1pct: float
    contracts: int
    unsure: float | None = None
    """Share 0..1 of the contracts of which nobody can tell who began; they are in no sum. None without contracts."""


class SignedFlow(msgspec.Struct, frozen=True, kw_only=True):
    """Flow of the streamed strikes only; the windows are of whole minutes and None while they were not seen whole."""

    since_ms: int
    """Since when trades of this session were seen."""
    seen: float | None = None
    """Share 0..1 of the day's volume of all priced contracts that was seen; None without any volume."""
    minute: FlowSum | None = None
    five: FlowSum | None = None
    thirty: FlowSum | None = None
    day: FlowSum
    """Since `since_ms`, the running minute included."""
    minutes: tuple[FlowMinute, ...] = ()
    """The last whole ones, so that samples of a history hold every minute."""


class GexSnapshot(msgspec.Struct, frozen=True, kw_only=True):
    """Everything known about one ticker at one instant, in the shape that travels over Redis.

    The first block carries GEXBot's classic names and units, so existing readers keep working; the
    second is ours. `scope` says which expiries the classic block sums over; None when its producer does not say.
    """

    ticker: str
    timestamp: int
    """Quote time in Unix seconds."""
    spot: float | None = None
    min_dte: int | None = None
    sec_min_dte: int | None = None
    ladder_split: float | None = msgspec.field(name="zero_gamma", default=None)
    """By volume; as GEXBot understands zero gamma, so that this is its name on the wire."""
    major_pos_vol: float | None = None
    major_pos_oi: float | None = None
    major_neg_vol: float | None = None
    major_neg_oi: float | None = None
    sum_gex_vol: float | None = None
    sum_gex_oi: float | None = None
    strikes: tuple[StrikeRow, ...] = ()
    """Strikes within 3.5 % of spot, ascending."""
    max_priors: tuple[MaxChange, ...] = ()
    """Six changes: against the previous snapshot, then 1, 5, 10, 15 and 30 minutes."""

    asof_ms: int
    """Newest quote that went into the figures."""
    chain_ms: int | None = None
    """Quote time of the oldest chain part in use."""
    computed_ms: int
    seq: int
    source: str
    delayed: bool = False
    scope: ScopeName | None = None
    state: Literal["live", "warming", "closing", "closed"] = "live"
    forward_mode: Literal["parity", "none"] | None = None
    volatility_rule: VolatilityRule | None = None
    """None when its producer does not say, or did not know of others than `line`."""
    ex_dividend_date: str | None = None
    """ISO date to come on which the underlying first trades without a dividend; None where the source tells none."""
    dividend_ahead: float | None = None
    """Of a chain of American style: by which share of spot the forward falls to the next session's, from 0.1 %.

    So it does on the eve of an ex-dividend day, when deep calls that will be exercised are still counted. None where
    `ex_dividend_date` is known to be a later one."""
    basis: float | None = None
    """Points added to every level of a futures ticker (`specs/gex-method.md` §14)."""
    basis_ms: int | None = None
    basis_stale: bool | None = None
    """Whether no fresh pair of quotes came for 30 s, so that the basis is held; None without a basis."""
    contracts_settled: int | None = None
    """Listed contracts whose settlement instant has come; they are in no figure and no count of a scope."""
    chain_quality: ChainQuality | None = None
    """What reading the chain met; None when nothing, or when its producer does not say."""
    views: dict[str, PointView] = {}
    """`index`, `etf` and `future`, as far as known and other than the snapshot's own points."""
    scopes: dict[str, ScopeFigures] = {}
    standing: dict[str, Standing] = {}
    """Of the snapshot's own scope, by weight."""
    expected_move: ExpectedMove | None = None
    flow: tuple[Flow, ...] = ()
    """One of each span, of the classic block's scope; empty where the producer tells no volume by strike."""
    flow_strikes: tuple[FlowRow, ...] = ()
    """Strikes within 3.5 % of spot where anything was traded, ascending; left out of `gex:history`."""
    signed_flow: SignedFlow | None = None
    """None where no options are streamed."""
    replay: ReplayMark | None = None
    """Only of a recording that is played; `source` then is "replay"."""
    on_demand: OnDemandMark | None = None
    """Only of a ticker that nobody follows; such a snapshot is on no board and in no history."""
    v: int = 1
