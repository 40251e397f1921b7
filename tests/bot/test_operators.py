from types import SimpleNamespace

import discord
import pytest

from bot.operators import OperatorMail, Operators, application_operators
from tests.support.clock import ManualClock


def application(owner=1, *members):
    team = SimpleNamespace(owner_id=owner, members=members) if members else None
    return SimpleNamespace(owner=SimpleNamespace(id=owner), team=team)


def member(user_id, role=discord.TeamMemberRole.developer, state=discord.TeamMembershipState.accepted):
    return SimpleNamespace(id=user_id, role=role, membership_state=state)


def test_configured_ids_are_the_operators_and_nobody_else():
    operators = Operators((5, 6), lambda: application(1))
    assert 5 in operators
    assert 1 not in operators


def test_without_configured_ids_the_owner_of_the_application_is():
    assert Operators((), lambda: application(1)).ids() == {1}


def test_of_a_team_its_owner_admins_and_developers_are_once_they_have_accepted():
    crew = [
        member(2),
        member(3, discord.TeamMemberRole.admin),
        member(4, discord.TeamMemberRole.read_only),
        member(5, state=discord.TeamMembershipState.invited),
    ]
    assert application_operators(application(1, *crew)) == {1, 2, 3}


def test_before_the_login_nobody_is():
    assert Operators((), lambda: None).ids() == frozenset()
    assert 1 not in Operators((), lambda: None)


class Post:
    """Notes what was sent to whom; refuses the users in `closed`."""

    def __init__(self, closed=()):
        self.sent = []
        self.closed = set(closed)

    async def __call__(self, user_id, sentence):
        if user_id in self.closed:
            raise discord.Forbidden(SimpleNamespace(status=403, reason="x"), {"code": 50007, "message": "closed"})
        self.sent.append((user_id, sentence))


@pytest.fixture
def clock():
    return ManualClock()


@pytest.fixture
def post():
    return Post()


@pytest.fixture
async def mail(clock, post):
    mail = OperatorMail(Operators((1, 2), lambda: None), post, clock, repeat_after_s=100, at_most=3, within_s=100)
    await mail.open()
    return mail


async def test_every_operator_gets_the_sentence(mail, post):
    await mail.tell("The login is over.")
    assert post.sent == [(1, "The login is over."), (2, "The login is over.")]


async def test_the_same_sentence_is_not_repeated_too_soon(mail, post, clock):
    await mail.tell("a")
    await mail.tell("a")
    assert len(post.sent) == 2
    clock.advance(101)
    await mail.tell("a")
    assert len(post.sent) == 4


async def test_there_are_never_many_in_a_while(mail, post, clock):
    for number in range(10):
        await mail.tell(f"sentence {number}")
    assert [text for _, text in post.sent[::2]] == ["sentence 0", "sentence 1", "sentence 2"]
    clock.advance(101)
    await mail.tell("later")
    assert post.sent[-1] == (2, "later")


async def test_an_operator_who_takes_no_messages_does_not_keep_the_others_from_them(clock, caplog):
    post = Post(closed={1})
    mail = OperatorMail(Operators((1, 2), lambda: None), post, clock)
    await mail.open()
    await mail.tell("a")
    assert post.sent == [(2, "a")]
    assert "operator 1 could not be told" in caplog.text


async def test_what_happens_before_the_login_is_delivered_after_it_once_and_bounded(clock, post):
    mail = OperatorMail(Operators((1,), lambda: None), post, clock, waiting=2)
    for sentence in ("one", "two", "two", "three"):
        await mail.tell(sentence)
    assert post.sent == []
    await mail.open()
    assert [text for _, text in post.sent] == ["two", "three"]


async def test_a_long_sentence_still_fits_a_message(mail, post):
    await mail.tell("x" * 3000)
    assert len(post.sent[0][1]) == 2000
