"""A sample of the storms over a shared login; a thousand are `python -m tests.fuzz.login_storm 1 1000`."""

import pytest

from tests.fuzz.login_storm import login_storm


@pytest.mark.parametrize("seed", [1, 39, 116])
def test_two_machines_never_log_each_other_out_and_never_lose_a_login(seed: int) -> None:
    """In 39 a machine is paused in its turn, after which it may ask nothing.

    In 116 Redis lost its data, and the machine that had not heard of the newest login was first to put one back.
    """
    assert login_storm(seed).reasons == ()
