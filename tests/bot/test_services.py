from dataclasses import replace

import pytest

from streaming.errors import ConfigurationError
from tests.support.host import Host, make_settings


async def test_without_an_app_the_settings_are_named_and_the_login_is_called_not_configured():
    services = replace(Host(make_settings()).make_bot().services, login=None)
    status = services.login_status()
    assert (status.configured, status.present) == (False, False)
    with pytest.raises(ConfigurationError, match="SCHWAB_CLIENT_ID"):
        services.schwab_login()
