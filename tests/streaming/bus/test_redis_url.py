"""streaming/bus/redis_url.py"""

import pytest

from streaming.bus.redis_url import parse_group


@pytest.mark.parametrize("url", ["redis://host:1/0", "rediss://u:p@host", "unix:///run/redis.sock?password=x"])
def test_one_server_is_no_group(url):
    assert parse_group(url) is None


def test_sentinels_name_a_service_and_the_database_of_its_servers():
    group = parse_group("redis+sentinel://user:p%40ss@one:1,[::1]:2,three/mine/4")
    assert group.hosts == (("one", 1), ("::1", 2), ("three", 26379))
    assert (group.kind, group.service, group.database) == ("sentinel", "mine", 4)
    assert group.server("10.0.0.1", 6379) == "redis://user:p%40ss@10.0.0.1:6379/4"
    assert group.watcher("::1", 2) == "redis://[::1]:2"


def test_the_sentinels_own_login_is_no_matter_of_the_servers():
    group = parse_group(
        "rediss+sentinel://:data@one/mine?sentinel_username=u&sentinel_password=p%26q&ssl_cert_reqs=none"
    )
    assert group.watcher("one", 1) == "rediss://u:p%26q@one:1?ssl_cert_reqs=none"
    assert group.server("two", 2) == "rediss://:data@two:2/0?ssl_cert_reqs=none"


def test_a_cluster_is_some_of_its_members():
    group = parse_group("redis+cluster://u:p@one:7000,two")
    assert (group.kind, group.hosts, group.database) == ("cluster", (("one", 7000), ("two", 6379)), 0)
    assert group.server("three", 3) == "redis://u:p@three:3/0"


@pytest.mark.parametrize(
    "url",
    [
        "redis+sentinel://one:1",  # no service
        "redis+sentinel://one:1/mine/x",
        "redis+sentinel://one:1/mine/0/1",
        "redis+sentinel://one:port/mine",
        "redis+cluster://one:1/2",  # a Cluster has one database
        "redis+cluster://",
        "redis+cluster://one:1,,two:2",
        "redis+other://one:1",
        "https+cluster://one:1",
    ],
)
def test_what_no_group_can_be_is_refused(url):
    with pytest.raises(ValueError):  # noqa: PT011  # its words are not shown
        parse_group(url)
