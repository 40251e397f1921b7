import pytest

from bot.sandbox.rest.posts import Posts, numbered
from bot.sandbox.rest.uploads import Upload
from bot.sandbox.world.api_errors import ApiError
from bot.sandbox.world.records import Channel, MessageFlag, MessageOrigin
from bot.sandbox.world.world import World
from tests.support.clock import ManualClock


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def world(clock: ManualClock) -> World:
    return World(["gex-spx"], clock)


@pytest.fixture
def posts(world: World) -> Posts:
    return Posts(world, "http://here")


@pytest.fixture
def channel(world: World) -> Channel:
    return next(iter(world.channels.values()))


def test_an_edit_changes_only_what_it_names(posts: Posts, channel: Channel) -> None:
    button = {"type": 1, "components": [{"type": 2, "style": 1, "label": "x", "custom_id": "x"}]}
    sent = posts.create(channel, {"content": "a", "components": [button]}, [Upload(0, "f.txt", b"1")])
    posts.edit(sent, {"content": "b"}, [])
    assert (sent.content, len(sent.components), len(sent.attachments)) == ("b", 1, 1)
    assert sent.edited_at is not None
    posts.edit(sent, {"attachments": [], "components": []}, [])
    assert (sent.content, sent.components, sent.attachments) == ("b", [], [])


def test_a_refused_edit_changes_nothing(posts: Posts, channel: Channel) -> None:
    sent = posts.create(channel, {"content": "a"}, [])
    for body in ({"content": ""}, {"content": "x" * 2_001}):
        with pytest.raises(ApiError):
            posts.edit(sent, body, [])
    assert (sent.content, sent.edited_at) == ("a", None)


def test_a_placeholder_is_filled_without_an_edited_mark(posts: Posts, channel: Channel, world: World) -> None:
    user = world.personas["owner"].member.user
    waiting = posts.create_loading(channel, MessageOrigin(1, 2, user, "gex"), user.id)
    assert waiting.flags == MessageFlag.LOADING | MessageFlag.EPHEMERAL
    posts.edit(waiting, {"content": "done"}, [])
    assert (waiting.flags, waiting.edited_at) == (MessageFlag.EPHEMERAL, None)


def test_components_without_an_id_get_one(posts: Posts) -> None:
    rows = numbered([{"type": 1, "components": [{"type": 2, "id": 9}, {"type": 2}]}])
    assert [rows[0]["id"], *(item["id"] for item in rows[0]["components"])] == [1, 9, 2]


def test_an_enforced_nonce_gives_the_message_that_was_posted_already(
    posts: Posts, channel: Channel, clock: ManualClock
) -> None:
    body = {"content": "once", "nonce": "n1", "enforce_nonce": True}
    first = posts.create(channel, body, [])
    assert posts.create(channel, body, []) is first
    assert posts.create(channel, body | {"nonce": "n2"}, []) is not first
    assert posts.create(channel, {"content": "once", "nonce": "n1"}, []) is not first
    clock.advance(400)
    assert posts.create(channel, body, []) is not first


def test_components_of_the_second_kind_are_for_good_and_leave_no_content_beside_them(
    posts: Posts, channel: Channel
) -> None:
    card = [{"type": 17, "components": [{"type": 10, "content": "x"}]}]
    flags = int(MessageFlag.COMPONENTS_V2)
    sent = posts.create(channel, {"content": "a"}, [])
    with pytest.raises(ApiError):
        posts.edit(sent, {"components": card, "flags": flags}, [])
    posts.edit(sent, {"content": None, "components": card, "flags": flags}, [])
    for body in ({"content": "b"}, {"content": "b", "components": [], "flags": 0}, {"flags": 0}):
        with pytest.raises(ApiError):
            posts.edit(sent, body, [])
    assert (sent.content, sent.flags & flags) == ("", flags)
    posts.edit(sent, {"components": card}, [])


def test_a_card_shows_a_picture_only_when_the_message_has_that_file(posts: Posts, channel: Channel) -> None:
    gallery = {"type": 12, "items": [{"media": {"url": "attachment://gex.png"}}]}
    card = {"flags": MessageFlag.COMPONENTS_V2, "components": [{"type": 10, "content": "figures"}, gallery]}
    with pytest.raises(ApiError):
        posts.create(channel, card, [])
    sent = posts.create(channel, card, [Upload(0, "gex.png", b"1")])
    posts.edit(sent, card, [])
    with pytest.raises(ApiError):
        posts.edit(sent, {**card, "attachments": []}, [])
    assert [file.filename for file in sent.attachments] == ["gex.png"]
