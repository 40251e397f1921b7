"""Every figure: what it is called and means, its weight and units, and how it is read off a snapshot. Pure.

Boards, commands, pictures, tables and alerts read them here, and call a figure by its title under either weight. A
figure of dollars under both weights needs no more than its entry in `FIGURES` to be explained, offered and printed.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple

from streaming.model import GexSnapshot, ScopeFigures, ScopeName, WeightFigures, WeightName
from streaming.past import PastLevels, PastScope

_USD_PER_MILLION: Final = 1e6


class ClassicLevels(NamedTuple):
    """What a classic block has too of one scope's `WeightFigures`; None is unknown or of nobody's giving."""

    zero_gamma: float | None
    call_wall: float | None
    put_wall: float | None
    net_gex_usd_per_1pct: float | None


_NO_LEVELS: Final = ClassicLevels(None, None, None, None)


def figures_of_scope(snapshot: GexSnapshot, scope: ScopeName | None) -> ScopeFigures | None:
    """The full figures of a scope, None for the one that the live message sums over; None where nobody gives them."""
    name = scope or snapshot.scope
    return None if name is None else snapshot.scopes.get(name)


def read_levels(snapshot: GexSnapshot | PastLevels, scope: ScopeName | None, weight: WeightName) -> ClassicLevels:
    """What the snapshot says of a scope; None means the one that its classic block sums over.

    The scope's own figures come first. The classic block speaks for its own scope where those are not given; its one
    zero gamma then stands for both weights, but never for a scope of which it is known that there is no root.
    """
    name = scope or snapshot.scope
    own = None if name is None else snapshot.scopes.get(name)
    classic = _classic(snapshot, weight) if scope in {None, snapshot.scope} else _NO_LEVELS
    return classic if own is None else _own(own, weight, classic)


def stated_scope(snapshot: GexSnapshot | PastLevels, scope: ScopeName) -> ScopeName | None:
    """The scope to read: the one asked for, or None where the producer does not say what it sums over."""
    return scope if snapshot.scopes or snapshot.scope else None


def _own(scope: ScopeFigures | PastScope, weight: WeightName, classic: ClassicLevels) -> ClassicLevels:
    figures = scope.by(weight)
    net = figures.net_gex_usd_per_1pct
    walled = figures.call_wall is not None or figures.put_wall is not None
    return ClassicLevels(
        zero_gamma=figures.zero_gamma,
        call_wall=figures.call_wall if walled else classic.call_wall,
        put_wall=figures.put_wall if walled else classic.put_wall,
        net_gex_usd_per_1pct=classic.net_gex_usd_per_1pct if net is None else net,
    )


def _classic(snapshot: GexSnapshot | PastLevels, weight: WeightName) -> ClassicLevels:
    by_interest = weight == "oi"
    millions = snapshot.sum_gex_oi if by_interest else snapshot.sum_gex_vol
    return ClassicLevels(
        zero_gamma=snapshot.ladder_split,
        call_wall=snapshot.major_pos_oi if by_interest else snapshot.major_pos_vol,
        put_wall=snapshot.major_neg_oi if by_interest else snapshot.major_neg_vol,
        net_gex_usd_per_1pct=None if millions is None else millions * _USD_PER_MILLION,
    )


def max_change(snapshot: GexSnapshot) -> tuple[float | None, float | None]:
    """Where net gamma changed most since the previous snapshot, and by how many billions of US dollars per 1 %."""
    strike, millions = snapshot.max_priors[0] if snapshot.max_priors else (None, None)
    return strike, None if millions is None else millions / 1000.0


def _net_bn(snapshot: GexSnapshot, weight: WeightName) -> float | None:
    net = read_levels(snapshot, None, weight).net_gex_usd_per_1pct
    return None if net is None else net / 1e9


class Unit(NamedTuple):
    """What a figure is counted in."""

    short: str
    """For tables: `Bn/1%`."""
    scale: float
    """How much of the record's own unit it is."""
    words: str
    """For sentences, after "US dollars"."""


BN: Final = Unit("Bn", 1e9, "")
M: Final = Unit("M", 1e6, "")
BN_PER_1PCT: Final = Unit("Bn/1%", 1e9, "per 1 % move")
M_PER_POINT: Final = Unit("M/point", 1e6, "per point")
M_PER_VOL_POINT: Final = Unit("M/vol point", 1e6, "per volatility point")
M_PER_DAY: Final = Unit("M/day", 1e6, "per day")


_WIRE: Final = dict(zip(WeightFigures.__struct_fields__, WeightFigures.__struct_encode_fields__, strict=True))


class Row(NamedTuple):
    """A field of `WeightFigures` as a table has it; without a unit it is in points."""

    field: str
    unit: Unit | None = None
    label: str = ""
    """Where the figure has more than this row: which of them it is."""

    @property
    def wire(self) -> str:
        """What the field is called in JSON."""
        return _WIRE[self.field]


class Line(NamedTuple):
    """A line of the live message: the one sentence it is explained in, and how it is read."""

    words: str
    """`{by}` stands for its weight."""
    read: Callable[[GexSnapshot, WeightName], float | None]
    is_price: bool = True
    """In points; else in billions of US dollars per 1 % move."""
    weighable: bool = False
    """Whether it is known under both weights; else `read` has its own, whatever it is given."""


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure that people ask for."""

    title: str
    text: str
    """What it means with its sign, weight and unit, in one or two sentences."""
    weight: WeightName = "oi"
    """By which it is published."""
    rows: tuple[Row, ...] = ()
    in_levels: bool = False
    """Whether `/gex levels` has its rows."""
    line: Line | None = None
    column: str = ""
    """Its head in `/gex history`, in as few letters as its column has, for what both spot and `ClassicLevels` have."""

    also: tuple[str, ...] = ()
    """Other names that people know it, or something like it, by."""

    @property
    def name(self) -> str:
        """The title inside a sentence."""
        return self.title[0].lower() + self.title[1:]


FIGURES: Final[Mapping[str, Figure]] = {
    "spot": Figure(
        "Spot",
        "The price of the underlying at which every other figure is computed, in points; a futures ticker shows the "
        "index plus the basis.",
        line=Line(
            "the price everything is computed at; Δ is its change over the stated time", lambda seen, _: seen.spot
        ),
        column="spot",
    ),
    "zero_gamma": Figure(
        "Zero gamma",
        "The price at which dealers' modelled hedging turns from amplifying moves (total below 0) to dampening them "
        "(above 0), or back. All contracts are priced again at other prices, by open interest, calls + and puts −, "
        "and the level nearest spot where the total is 0 is taken, in points. Levels called HVL or volatility trigger "
        "are near relatives by methods that their vendors do not publish.",
        rows=(Row("zero_gamma"),),
        in_levels=True,
        column="zero γ",
        also=("gamma flip", "HVL", "volatility trigger", "vol trigger"),
        line=Line(
            "where the total gamma by {by}, priced again at other prices, changes sign",
            lambda seen, weight: read_levels(seen, None, weight).zero_gamma,
            weighable=True,
        ),
    ),
    "ladder_split": Figure(
        "Ladder split",
        "Another method that also goes by the name of zero gamma: walking up the strikes within 3.5 % of spot, the "
        "point where the running sum of net gamma turns up from its lowest. It reads the ladder at today's spot and "
        "prices nothing again, so it is meant to differ from zero gamma; in points.",
        weight="vol",
        rows=(Row("ladder_split"),),
        in_levels=True,
    ),
    "call_wall": Figure(
        "Call wall",
        "The strike, in points, where calls (+) outweigh puts (−) most, by open interest and over all expiries of the "
        "scope; it need not be above spot. Dealers' hedging is thought to resist moves most there.",
        rows=(Row("call_wall"),),
        in_levels=True,
        column="call",
        line=Line(
            "the strike where calls outweigh puts most, by {by}",
            lambda seen, weight: read_levels(seen, None, weight).call_wall,
            weighable=True,
        ),
    ),
    "put_wall": Figure(
        "Put wall",
        "The strike, in points, where puts (−) outweigh calls (+) most, by open interest and over all expiries of the "
        "scope; it need not be below spot. Its net is negative: dealers' hedging is thought to add to moves there.",
        rows=(Row("put_wall"),),
        in_levels=True,
        column="put",
        line=Line(
            "the strike where puts outweigh calls most, by {by}",
            lambda seen, weight: read_levels(seen, None, weight).put_wall,
            weighable=True,
        ),
    ),
    "gross_walls": Figure(
        "Gross walls",
        "The strikes with the most gamma of calls alone and of puts alone, not set off against each other as in the "
        "call wall and put wall; in points. The stronger of the two is what others call a magnet or the absolute gamma "
        "strike.",
        rows=(Row("call_wall_gross", label="call wall, gross"), Row("put_wall_gross", label="put wall, gross")),
        in_levels=True,
        also=("magnet", "absolute gamma strike", "key gamma strike"),
    ),
    "side_walls": Figure(
        "Walls above and below",
        "The gross walls with a side: the strongest call strike at or above spot and the strongest put strike at or "
        "below it. They read as resistance and support, but jump when spot crosses a strike; in points.",
        rows=(Row("call_wall_above", label="call wall above"), Row("put_wall_below", label="put wall below")),
    ),
    "net_gex": Figure(
        "Net GEX",
        "How many US dollars of the underlying dealers would trade to stay hedged when spot moves 1 %, by today's "
        "volume: calls count +, puts −. Above 0 they trade against the move and dampen it, below 0 with it.",
        weight="vol",
        rows=(Row("net_gex_usd_per_1pct", BN_PER_1PCT), Row("net_gex_usd_per_point", M_PER_POINT)),
        in_levels=True,
        column="net",
        line=Line(
            "dollars dealers would trade per 1 % move, by {by}; + dampens, − amplifies",
            _net_bn,
            is_price=False,
            weighable=True,
        ),
    ),
    "scaled_gamma": Figure(
        "Scaled gamma",
        "The same sum as net GEX, weighted by open interest instead of today's volume: US dollars per 1 % move, calls "
        "+, puts −. Open interest is counted overnight, so during the day only spot, volatility and time move it.",
        line=Line("the same by open interest", lambda seen, _: _net_bn(seen, "oi"), is_price=False),
    ),
    "gross_gex": Figure(
        "Gross GEX",
        "The exposure of all contracts, added up without signs, in US dollars per 1 % move: how much gamma there is "
        "at all. Net next to gross shows how one-sided the book is.",
        rows=(Row("gross_gex_usd_per_1pct", BN_PER_1PCT),),
        in_levels=True,
    ),
    "max_change": Figure(
        "Max change",
        "The strike whose net gamma by volume changed most, with the signed change in US dollars per 1 % move: against "
        "the previous snapshot, and over 1, 5, 10, 15 and 30 minutes. Most of it is spot and time; flow counts "
        "trades alone. A window without a snapshot of its age has no value.",
        weight="vol",
        line=Line(
            "the largest change of one strike by volume since the previous snapshot",
            lambda seen, _: max_change(seen)[1],
            is_price=False,
        ),
    ),
    "flow": Figure(
        "Flow",
        "What was traded, each contract at its current gamma: US dollars per 1 % move, calls +, puts −, in total and "
        "at the strike with the largest part. Without a trade it is 0, whatever spot and time do. It covers the same "
        "windows as max change, and the time since the open; after a restart a window has no value until it is full.",
        weight="vol",
        also=("change by trades", "traded gamma"),
    ),
    "signed_flow": Figure(
        "Signed flow",
        "What customers' trades left dealers with, in US dollars of delta and of gamma per 1 % move; dealers hedge the "
        "opposite way. A trade at the ask or nearer to it is a purchase, at the bid or nearer to it a sale, at the "
        "middle its side is unknown. It covers the streamed strikes only, a part of all trades.",
        weight="vol",
        also=("hiro", "delta flow", "order flow", "buys and sells"),
    ),
    "vanna": Figure(
        "Vanna exposure",
        "How many US dollars of delta dealers' book gains when volatility rises by one point (0.01), calls +, puts −. "
        "The hedge they trade has the opposite sign.",
        rows=(Row("vex_usd_per_vol_point", M_PER_VOL_POINT, "vanna"),),
    ),
    "charm": Figure(
        "Charm exposure",
        "How many US dollars of delta dealers' book gains until the next close by the passing of time alone, calls +, "
        "puts −; and in one calendar day, where every contract lives longer. The hedge they trade has the opposite "
        "sign.",
        rows=(Row("chex_usd_to_close", M, "charm to close"), Row("chex_usd_per_day", M_PER_DAY, "charm")),
    ),
    "delta": Figure(
        "Delta exposure",
        "The delta of all contracts in US dollars, in both conventions: as a plain sum, where puts are negative by "
        "their own delta, and dealer-signed, where puts count − once more and both sides come out positive.",
        rows=(Row("dex_usd", BN, "delta sum"), Row("dex_dealer_usd", BN, "delta dealer")),
    ),
    "hedge": Figure(
        "Hedge per 1 %",
        "Half of what dealers' delta changes between 1 % below and 1 % above spot, in US dollars, for the nearest "
        "expiry, calls +, puts −. It stays finite in the last minutes, when GEX per 1 % grows without bound.",
        rows=(Row("hedge_usd_per_1pct", BN_PER_1PCT, "hedge"),),
    ),
    "rr25": Figure(
        "Risk reversal",
        "The implied volatility of the call with a delta of 25 % minus that of the put, both out of the money, at the "
        "scope's expiry nearest to 30 days; in volatility points. Negative means that protection against a fall costs "
        "more, which is usual for an index.",
    ),
    "confidence": Figure(
        "Confidence",
        "Net GEX over gross GEX without its sign, from 0 to 1. Near 0 calls and puts cancel and the sign of the total, "
        "with the regime it stands for, is undecided.",
    ),
    "slope": Figure(
        "Slope",
        "How fast the total passes through 0 at zero gamma: US dollars per 1 % move for each point of spot, + where it "
        "rises. A flat slope means a soft level: small changes in the data move it far.",
    ),
    "regime": Figure(
        "Regime",
        "Whether dealers' hedging dampens moves (net GEX above 0) or amplifies them (below 0); undecided where net is "
        "under 5 % of gross and its sign means nothing.",
        also=("dampened", "amplified", "gamma environment"),
    ),
    "place": Figure(
        "Place between the walls",
        "Where spot is on the way from the put wall (0 %) to the call wall (100 %); beyond a wall it is below 0 or "
        "above 100.",
        also=("range position",),
    ),
    "zero_share": Figure(
        "0DTE share",
        "How much of the gross gamma of the next 90 days expires today, and how much net GEX rolls off with it at the "
        "close.",
        also=("zero days to expiry", "roll off"),
    ),
    "top_strikes": Figure(
        "Top strikes",
        "The five strikes with the largest net gamma, whatever its sign, each with its share of the sum over all "
        "strikes, and how few strikes hold 90 % of it; then the five with the most gamma of calls and puts together.",
        also=("concentration", "key levels"),
    ),
    "sides": Figure(
        "Calls and puts",
        "The calls' (+) and the puts' (−) part of net GEX, in total and at each strike, in US dollars per 1 % move; "
        "and the put/call ratio: how many puts there are for each call, by open interest and by volume.",
        rows=(
            Row("call_gex_usd_per_1pct", BN_PER_1PCT, "calls' part"),
            Row("put_gex_usd_per_1pct", BN_PER_1PCT, "puts' part"),
        ),
        in_levels=True,
        also=("put/call ratio", "pcr", "call put split"),
    ),
    "max_pain": Figure(
        "Max pain",
        "The strike at which expiring would pay the holders of all contracts least, by open interest. Folklore: it is "
        "shown because people ask, and forecasts nothing.",
    ),
    "expected_move": Figure(
        "Expected move",
        "What the market pays for movement, in points either way: call plus put at the money, at the middle of their "
        "quotes, of the nearest expiry that is quoted on both sides.",
        also=("straddle", "implied move", "1 sigma"),
    ),
    "one_book": Figure(
        "One book",
        "An index with its ETF and its mini as one: their US dollars per 1 % move add up, at strikes in index points, "
        "those of the others mapped by the live ratio. Confluence is where zero gamma or walls of at least two of them "
        "lie within one strike step of the index.",
        also=("confluence", "spx and spy", "ndx and qqq"),
    ),
    "session_map": Figure(
        "Map of the session",
        "What net GEX would be if price and time were there, for the prices within reach and the time to the close, in "
        "US dollars per 1 % move; beside it what dealers buy (+) or sell (−) until then because time passes, in US "
        "dollars. All contracts are priced again in each cell, with the volatility that is left then.",
        also=("rest of the day", "gamma map", "charm flow"),
    ),
    "quality": Figure(
        "Quality",
        "How much of the weight could be priced, and with what: the price of its strike's out-of-the-money side, the "
        "feed's volatility of that side (usable between 2 % and 1000 %), or the other side's, which counts as "
        "mirrored. What has none is left out.",
    ),
    "basis": Figure(
        "Basis",
        "Future minus index, in points: the median over 30 seconds of quotes that were fresh on both sides. It is "
        "added to every level of a futures ticker; dollar figures stay those of the index options.",
    ),
}
LEVELS: Final = tuple(name for name in FIGURES if name in ClassicLevels._fields)
"""Those in points that a classic block has too: drawn across pictures, watched by alerts."""
BOARD: Final[Mapping[str, Line]] = {name: figure.line for name, figure in FIGURES.items() if figure.line is not None}
"""The lines of the live message in its order; the first is its title."""
Headline = Mapping[str, float | None]
"""The figures of `BOARD`."""


def read_row(snapshot: GexSnapshot, scope: ScopeName | None, weight: WeightName, row: Row) -> float | None:
    """A row as the snapshot has it for a scope, whether from the scope's own figures or from the classic block."""
    own = None if scope is None else snapshot.scopes.get(scope)
    held = read_levels(snapshot, scope, weight) if row.field in ClassicLevels._fields else own and own.by(weight)
    value: float | None = getattr(held, row.field, None)
    return value


def figures_called(typed: str) -> list[str]:
    """The figures whose title or other name contains what was typed: those that begin with it first."""
    wanted = typed.strip().casefold()
    names = {key: [figure.title.casefold(), key, *map(str.casefold, figure.also)] for key, figure in FIGURES.items()}
    starting = [key for key, known in names.items() if any(name.startswith(wanted) for name in known)]
    return starting + [key for key, known in names.items() if key not in starting and any(wanted in n for n in known)]


def line_weight(name: str, chosen: WeightName | None = None) -> WeightName:
    """By what a line of the live message is: as chosen where it can be, else as it is published."""
    return chosen if chosen is not None and BOARD[name].weighable else FIGURES[name].weight


def headline(snapshot: GexSnapshot, weight: WeightName | None = None) -> Headline:
    """What a board and `/gex status` show: points, or billions of US dollars per 1 % move.

    With a `weight`, whatever is known under both is by that one.
    """
    return {name: line.read(snapshot, line_weight(name, weight)) for name, line in BOARD.items()}
