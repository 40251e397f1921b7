"""streaming/api/api.py: whether there is an API at all."""

import pytest

from streaming.errors import ConfigurationError
from tests.support.api import open_api


async def test_port_0_serves_nothing(redis):
    async with open_api(redis, api_port=0, api_token=None) as rig:
        assert (rig.api.url, rig.api.status()) == (None, None)


async def test_a_port_without_a_token_is_said_by_its_setting(redis):
    with pytest.raises(ConfigurationError, match="API_TOKEN is not"):
        async with open_api(redis, api_token=None):
            pass
