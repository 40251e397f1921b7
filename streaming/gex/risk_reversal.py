"""The 25-delta risk reversal of one expiry (`specs/gex-method.md` §12)."""

from typing import Final

import numpy as np

from streaming.gex.pricing import Floats

_QUARTER: Final = 0.25


def risk_reversal(call_delta: Floats, call_iv: Floats, put_delta: Floats, put_iv: Floats) -> float | None:
    """Volatility of the 25-delta call minus that of the 25-delta put, as a fraction; None when not bracketed.

    Each side holds the out-of-the-money lines of one expiry, from spot outwards; put deltas are negative.
    """
    call = iv_at_quarter(call_delta, call_iv)
    put = iv_at_quarter(-put_delta, put_iv)
    return None if call is None or put is None else call - put


def iv_at_quarter(delta: Floats, iv: Floats) -> float | None:
    """Volatility where |delta| is 0.25, linear in delta between the first two lines that bracket it."""
    across = np.flatnonzero((delta[:-1] >= _QUARTER) & (delta[1:] <= _QUARTER))
    if across.size == 0:
        return None
    i = int(across[0])
    width = float(delta[i] - delta[i + 1])
    share = float(delta[i] - _QUARTER) / width if width > 0.0 else 0.0
    return float(iv[i]) + share * float(iv[i + 1] - iv[i])
