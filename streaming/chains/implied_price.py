"""The price of the underlying where nobody sends one: what the living quotes imply (`specs/gex-method.md` §6)."""

from dataclasses import replace

import msgspec

from streaming.chains.judgement import only_rows
from streaming.gex.pricing.forward import implied_spot
from streaming.gex.pricing.lines import sort_lines
from streaming.option_chain import OptionChain


def with_spot(chain: OptionChain) -> OptionChain:
    """The chain with its own price, else with the implied one and a mark that says so; NaN where quotes do not say."""
    if chain.spot > 0.0:
        return chain
    living = only_rows(chain, chain.settle_s > chain.asof.timestamp())
    spot = implied_spot(sort_lines(living))
    return replace(chain, spot=spot, quality=msgspec.structs.replace(chain.quality, spot_implied=spot > 0.0))
