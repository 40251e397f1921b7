from datetime import date, timedelta

import numpy as np
import pytest

from streaming.calendar import new_york
from streaming.chains.files.chain_files import load_chain
from streaming.sim.options.contract_lines import generate_lines, lines_from_chain
from streaming.sim.options.option_boards import relist_made_up, relist_real
from streaming.sim.prices.instruments import underlying_of
from tests.data_builders.chains import made


@pytest.fixture
def chain(tmp_path):
    return load_chain(made("spx_intraday.csv").write(tmp_path / "chain.csv"))


def days_of(groups) -> list[date]:
    return sorted({group.expiry.day for group in groups})


def relisted(chain, *, days: int):
    lines, groups = lines_from_chain(chain)
    at = chain.asof + timedelta(days=days)
    item = underlying_of(chain.ticker, chain.spot)
    listed_on = new_york(chain.asof).date()
    new = relist_real(lines, groups, item, listed_on=listed_on, at=at, spot=chain.spot, rng=np.random.default_rng(1))
    return (lines, groups), new


def test_a_real_chain_keeps_its_lines_until_they_settle(chain):
    (old, _), (new, _) = relisted(chain, days=4)
    known = dict(zip(old.symbol, zip(old.sigma, old.open_interest, old.settle_s, strict=True), strict=True))
    settled = chain.asof.timestamp() + 4 * 86400
    assert {symbol for symbol, (_, _, end_s) in known.items() if end_s > settled} <= set(new.symbol)
    kept = [(row, known[symbol]) for row, symbol in enumerate(new.symbol) if symbol in known]
    assert all(new.sigma[row] == sigma and new.open_interest[row] == held for row, (sigma, held, _) in kept)
    assert new.settle_s.min() > settled


def test_a_real_chain_lists_what_the_exchange_adds_at_its_own_volatility(chain):
    (old, old_groups), (new, groups) = relisted(chain, days=40)
    added = [group for group in groups if group.expiry.day not in days_of(old_groups)]
    assert added
    assert [group.start for group in groups] == [0, *(group.stop for group in groups[:-1])]
    near = [abs(new.strike[group.rows] / chain.spot - 1) < 0.02 for group in added]
    level = np.median(np.concatenate([new.sigma[group.rows][at] for group, at in zip(added, near, strict=True)]))
    own = np.median(old.sigma[abs(old.strike / chain.spot - 1) < 0.02])
    assert 0.6 < level / own < 1.6


def test_nothing_is_added_on_the_day_of_the_chain_itself(chain):
    (old, _), (new, _) = relisted(chain, days=0)
    assert new.symbol == old.symbol


def test_a_made_up_listing_keeps_open_interest_and_drops_what_settled(spx):
    item, at = underlying_of("SPX", 6880.0), spx.now
    lines, groups = generate_lines(item, at=at, spot=6880.0, rng=np.random.default_rng(2))
    new, new_groups = relist_made_up(lines, item, at=at + timedelta(days=1), spot=6900.0, rng=np.random.default_rng(3))
    assert days_of(new_groups)[0] == days_of(groups)[1]
    held = dict(zip(lines.symbol, lines.open_interest.tolist(), strict=True))
    both = [(held[symbol], new.open_interest[row]) for row, symbol in enumerate(new.symbol) if symbol in held]
    assert len(both) > 1000
    assert all(before == after for before, after in both)
