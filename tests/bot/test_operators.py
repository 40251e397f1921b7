import asyncio
from types import SimpleNamespace

import discord
import pytest

from bot.operators import OperatorMail, Operators, application_operators
from tests.support.clock import ManualClock
from tests.support.discord_answers import json_answer, page_answer


def application(owner=1, *members):
    team = SimpleNamespace(owner_id=owner, members=members) if members else None
    return SimpleNamespace(owner=SimpleNamespace(id=owner), team=team)


def member(user_id, role=discord.TeamMemberRole.developer, state=discord.TeamMembershipState.accepted):
    return SimpleNamespace(id=user_id, role=role, membership_state=state)


def test_configured_ids_are_the_operators_and_nobody_else():
    operators = Operators((5, 6), lambda: application(1))
    assert operators.include(discord.Object(5))
    assert not operators.include(discord.Object(1))
    assert operators.words == "<@5>, <@6>"


def test_who_holds_a_role_in_the_server_is_one_and_without_ids_the_owner_stays_one():
    operators = Operators((), lambda: application(1), roles=(70,))
    person = object.__new__(discord.Member)
    person._user, person._roles = SimpleNamespace(id=9), discord.utils.SnowflakeList([70])
    person.guild = SimpleNamespace(id=2, get_role={70: "Crew"}.get)
    assert operators.include(person)
    person._roles = discord.utils.SnowflakeList([71])
    assert not operators.include(person)
    assert operators.include(discord.Object(1))
    assert operators.words == "<@1>, <@&70>"


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
    assert not Operators((), lambda: None).include(discord.Object(1))


class Post:
    """Notes what was sent to whom; `trouble` is what the next calls for a user meet."""

    def __init__(self, **trouble):
        self.sent = []
        self.calls = 0
        self.trouble = {int(user_id[1:]): list(errors) for user_id, errors in trouble.items()}

    async def __call__(self, user_id, sentence):
        self.calls += 1
        if self.trouble.get(user_id):
            raise self.trouble[user_id].pop(0)
        self.sent.append((user_id, sentence))

    @property
    def texts(self):
        return [text for _, text in self.sent]


@pytest.fixture
def clock():
    return ManualClock()


@pytest.fixture
def post():
    return Post()


@pytest.fixture
async def mail(clock, post):
    mail = OperatorMail(Operators((1, 2), lambda: None), post, clock, repeat_after_s=100, at_most=3, within_s=100)
    mail.open()
    return mail


async def told(mail, *sentences):
    for sentence in sentences:
        mail.tell(sentence)
    await mail.delivered()


async def test_every_operator_gets_the_sentence(mail, post):
    await told(mail, "The login is over.")
    assert post.sent == [(1, "The login is over."), (2, "The login is over.")]


async def test_their_channel_gets_it_too_and_one_that_is_gone_is_given_up_at_once(clock, post):
    channel = Post()
    mail = OperatorMail(Operators((1,), lambda: None), post, clock, channel=(50, channel))
    mail.open()
    await told(mail, "The login is over.")
    assert (post.sent, channel.sent) == ([(1, "The login is over.")], [(50, "The login is over.")])
    channel.trouble[50] = [json_answer(403, 50001)]
    await told(mail, "Again.")
    assert (channel.calls, mail.unreachable) == (2, {50})


async def test_the_same_sentence_is_not_repeated_too_soon(mail, post, clock):
    await told(mail, "a", "a")
    assert len(post.sent) == 2
    clock.advance(101)
    await told(mail, "a")
    assert len(post.sent) == 4


async def test_there_are_never_many_in_a_while(mail, post, clock):
    await told(mail, *(f"sentence {number}" for number in range(10)))
    assert post.texts[::2] == ["sentence 0", "sentence 1", "sentence 2"]
    clock.advance(101)
    await told(mail, "later")
    assert post.sent[-1] == (2, "later")


async def test_an_operator_who_takes_no_messages_does_not_keep_the_others_from_them_and_is_counted(clock, caplog):
    post = Post(u1=[json_answer(403, 50007)])
    mail = OperatorMail(Operators((1, 2), lambda: None), post, clock)
    mail.open()
    await told(mail, "a")
    assert post.sent == [(2, "a")]
    assert mail.unreachable == {1}
    assert "operator 1 could not be told" in caplog.text
    await told(mail, "b")
    assert mail.unreachable == set()


@pytest.mark.parametrize("passes", [page_answer(403), json_answer(503, 0), json_answer(403, 40333), TimeoutError()])
async def test_what_passes_is_tried_again_until_it_arrives(clock, passes):
    post = Post(u1=[passes, passes, passes])
    mail = OperatorMail(Operators((1,), lambda: None), post, clock)
    mail.open()
    await told(mail, "a")
    assert post.texts == ["a"]
    assert post.calls == 4


async def test_a_letter_is_not_tried_for_ever(clock):
    post = Post(u1=[page_answer(403)] * 100)
    mail = OperatorMail(Operators((1,), lambda: None), post, clock)
    mail.open()
    began_s = clock.monotonic()
    await told(mail, "a")
    assert post.calls < 20
    assert 1800 < clock.monotonic() - began_s < 7200
    assert mail.unreachable == {1}


async def test_whoever_tells_does_not_wait_for_discord(clock):
    async def hang(_user_id, _sentence):
        await asyncio.Event().wait()

    mail = OperatorMail(Operators((1,), lambda: None), hang, clock)
    mail.open()
    mail.tell("a")  # returns
    async with asyncio.timeout(1):
        await mail.close()


async def test_what_happens_before_the_login_is_delivered_after_it_once_and_bounded(clock, post):
    mail = OperatorMail(Operators((1,), lambda: None), post, clock, waiting=2)
    await told(mail, "one", "two", "two", "three")
    assert post.sent == []
    mail.open()
    await mail.delivered()
    assert post.texts == ["two", "three"]


async def test_a_long_sentence_still_fits_a_message(mail, post):
    await told(mail, "x" * 3000)
    assert len(post.sent[0][1]) == 2000
