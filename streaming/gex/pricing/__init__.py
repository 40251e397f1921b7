"""From option lines to a priced book: volatility, forward, time, scopes, and what could not be priced."""
