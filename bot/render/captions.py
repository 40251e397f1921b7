"""Sentences beside figures: a picture in words, and when the feed shows live figures. Pure."""

from bot.feed.schedule import FeedDecision
from bot.render.numbers import bn, price
from streaming.model import GexSnapshot, WeightName, headline

WEIGHT_WORDS: dict[WeightName, str] = {"oi": "open interest", "vol": "today's volume"}


def chart_alt_text(snapshot: GexSnapshot, weight: WeightName) -> str:
    """What the chart shows, for whoever cannot see it."""
    figures = headline(snapshot)
    net = figures.scaled_gamma_bn if weight == "oi" else figures.net_gex_bn
    return (
        f"Gamma exposure of {snapshot.ticker} by strike, weighted by {WEIGHT_WORDS[weight]}: net {bn(net)}, "
        f"spot {price(figures.spot)}, zero gamma {price(figures.zero_gamma)}, "
        f"call wall {price(figures.call_wall)}, put wall {price(figures.put_wall)}."
    )


def window_sentence(decision: FeedDecision) -> str:
    """Whether boards are live now and until when, in New York time."""
    state = decision.reason if decision.is_open else f"closed: {decision.reason}"
    if decision.until is None:
        return state
    return f"{state} until {decision.until:%a %H:%M} New York"
