import asyncio
import json

import pytest

from bot.sandbox.rest.faults import KINDS, MESSAGES, Fault, RestFaults, Trouble, refused
from tests.support.clock import ManualClock


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def faults(clock: ManualClock) -> RestFaults:
    return RestFaults(clock)


def test_a_fault_meets_only_its_route_and_only_so_often(faults: RestFaults) -> None:
    faults.waiting.append(Fault(Trouble(503), 2, "PATCH", "/a"))
    asked = [("GET", "/a"), ("PATCH", "/b"), ("PATCH", "/a"), ("PATCH", "/a"), ("PATCH", "/a")]
    met = [faults.take(method, path) is not None for method, path in asked]
    assert met == [False, False, True, True, False]
    assert faults.waiting == []


def test_a_fault_without_a_route_meets_anything(faults: RestFaults) -> None:
    faults.waiting.append(Fault(Trouble(500), 1))
    assert faults.take("DELETE", "/x") is not None


def test_a_fault_meets_only_its_channel_and_only_until_its_time_is_over(faults: RestFaults, clock: ManualClock) -> None:
    until_s = clock.monotonic() + 3
    faults.waiting.append(Fault(Trouble(), method="POST", path=MESSAGES, channel_id=7, until_s=until_s))
    assert faults.take("POST", MESSAGES, "8") is None
    assert all(faults.take("POST", MESSAGES, "7") for _ in range(50))
    clock.advance(3)
    assert faults.take("POST", MESSAGES, "7") is None
    assert faults.waiting == []


@pytest.mark.parametrize(
    ("kind", "method", "path"),
    [
        ("callback", "POST", "/interactions/{interaction_id}/{interaction_token}/callback"),
        ("webhook", "PATCH", "/webhooks/{webhook_id}/{webhook_token}/messages/@original"),
        ("commands", "PUT", "/applications/{application_id}/commands"),
        ("commands", "PUT", "/applications/{application_id}/guilds/{guild_id}/commands"),
        ("delete", "DELETE", "/channels/{channel_id}/messages/{message_id}"),
        ("gateway", "GET", "/gateway/bot"),
    ],
)
def test_a_kind_of_request_is_found_by_the_template_of_its_path(kind: str, method: str, path: str) -> None:
    wanted, pattern = KINDS[kind]
    assert Fault(Trouble(), method=wanted, path=pattern).meets(method, path, None)
    assert not Fault(Trouble(), method=wanted, path=pattern).meets(method, "/users/{user_id}", None)


def test_a_429_says_how_long_and_whether_discord_itself_sent_it() -> None:
    trouble = Trouble(429, retry_after_s=2.5)
    assert json.loads(trouble.content)["retry_after"] == 2.5
    assert trouble.headers == {"Via": "1.1 google", "Retry-After": "2.5"}
    assert "Via" not in Trouble(429, via=False).headers


def test_a_ration_comes_as_a_429_with_its_code_with_or_without_a_wait() -> None:
    silent, spoken = refused(30046), refused(30046, retry_after_s=1200.0)
    assert (silent.status, json.loads(silent.content)["code"]) == (429, 30046)
    assert "retry_after" not in json.loads(silent.content)
    assert "Retry-After" not in silent.headers
    assert json.loads(spoken.content)["retry_after"] == 1200.0


@pytest.mark.parametrize("status", [200, 401, 403, 404, 429, 520])
def test_a_proxys_page_is_html_and_long_whatever_its_status(status: int) -> None:
    page = Trouble(status, shape="page")
    assert page.content_type.startswith("text/html")
    assert page.content.startswith(b"<!DOCTYPE html>")
    assert len(page.content) > 1_000


def test_json_may_lack_its_code_or_its_end_and_a_body_may_lack_everything() -> None:
    assert json.loads(Trouble(403, 50013, shape="codeless").content) == {"message": "Missing Permissions"}
    assert Trouble(403, shape="empty").content == b""
    broken = Trouble(403, 50013, shape="broken")
    assert broken.content_type == "application/json"
    with pytest.raises(ValueError, match="delimiter"):
        json.loads(broken.content)


async def test_what_hangs_is_let_go_by_time_and_by_clearing(faults: RestFaults) -> None:
    await faults.hang(0.01)
    hanging = asyncio.create_task(faults.hang(float("inf")))
    await asyncio.sleep(0)
    faults.waiting.append(Fault(Trouble()))
    faults.clear()
    await asyncio.wait_for(hanging, 1)
    assert faults.take("GET", "/x") is None
