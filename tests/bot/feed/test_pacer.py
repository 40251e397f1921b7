import heapq
import itertools
import math
import random
from collections import Counter, defaultdict
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.feed.pacer import EDITS_TURN, RATE_PER_S, ChannelPaces, Pacer, Rank, Wish

GLOBAL = 50
"""Discord's calls of one bot in any second."""


class Bot:
    """Boards and others that call a Discord far away, in virtual time: events in a heap, nobody sleeps."""

    def __init__(self, seed: int, *, leg_s: float = 0.02) -> None:
        self.pacer = Pacer()
        self.now_s = 0.0
        self.arrivals: list[float] = []
        self.made: list[tuple[float, Wish]] = []
        self._rng = random.Random(seed)
        self._leg_s = leg_s
        self._events: list[tuple[float, int, Callable[[], object]]] = []
        self._orders = itertools.count()
        self._windows: dict[tuple[str, int], tuple[float, int]] = {}
        self._on_answer: dict[int | None, Callable[[Wish], None]] = {}
        self.refused = 0

    def later(self, delay_s: float, deed: Callable[[], object]) -> None:
        heapq.heappush(self._events, (self.now_s + delay_s, next(self._orders), deed))

    def board(
        self, channel_id: int, *, beat_s: float = 1.0, mark_s: float = math.inf, within_s: float = math.inf
    ) -> None:
        """A board that always has news: it asks again a beat after it was granted, or at once when it is late."""
        state = {"due_s": self.now_s, "mark_s": mark_s}

        def ask() -> None:
            self.pacer.ask(Wish(Rank.EDIT, channel_id, "PATCH", self.now_s >= state["mark_s"], within_s))

        def answered(wish: Wish) -> None:
            if wish.as_replacement:
                state["mark_s"] = math.inf
                self.ask(Rank.REPOST, channel_id, "DELETE")
            state["due_s"] = max(state["due_s"] + beat_s, self.now_s - beat_s)
            self.later(max(state["due_s"] - self.now_s, 0.0), ask)

        self._on_answer[channel_id] = answered
        self.later(0.0, ask)

    def ask(self, rank: Rank, channel_id: int | None = None, method: str = "POST") -> None:
        self.pacer.ask(Wish(rank, channel_id, method))

    def run(self, until_s: float) -> None:
        while self.now_s < until_s:
            found = self.pacer.grant(self.now_s)
            if isinstance(found, Wish):
                self._call(found)
                continue
            at_s = min(self.now_s + found, self._events[0][0] if self._events else math.inf, until_s)
            self.now_s = at_s
            while self._events and self._events[0][0] <= self.now_s:
                heapq.heappop(self._events)[2]()

    def _call(self, wish: Wish) -> None:
        assert wish.flight is not None
        method = "POST" if wish.as_replacement else wish.method
        self.pacer.depart(wish.flight, method, wish.channel_id, self.now_s)
        self.made.append((self.now_s, wish))
        there_s, back_s = (self._leg() for _ in range(2))
        heapq.heappush(self.arrivals, self.now_s + there_s)
        self.later(there_s, lambda: self._arrive(wish, method, back_s))

    def _leg(self) -> float:
        """One way; now and then the network holds it up."""
        return self._rng.uniform(self._leg_s, 2 * self._leg_s) + (0.3 if self._rng.random() < 0.02 else 0.0)

    def _arrive(self, wish: Wish, method: str, back_s: float) -> None:
        headers = {}
        if wish.channel_id is not None:
            began_s, used = self._windows.get((method, wish.channel_id), (-math.inf, 0))
            if self.now_s >= began_s + 5:
                began_s, used = self.now_s, 0
            self._windows[method, wish.channel_id] = began_s, used + 1
            self.refused += used >= 5
            headers = {
                "X-RateLimit-Remaining": str(max(4 - used, 0)),
                "X-RateLimit-Reset-After": f"{began_s + 5 - self.now_s:.3f}",
                "X-RateLimit-Bucket": method,
            }
        self.later(back_s, lambda: self._answer(wish, method, headers))

    def _answer(self, wish: Wish, method: str, headers: dict[str, str]) -> None:
        assert wish.flight is not None
        self.pacer.budget.ended(wish.flight, self.now_s)
        self.pacer.answered(method, wish.channel_id, 200, headers, self.now_s)
        if wish.rank is Rank.EDIT and wish.channel_id in self._on_answer:
            self._on_answer[wish.channel_id](wish)


def most_in_a_second(instants: list[float]) -> int:
    instants = sorted(instants)
    most, first = 0, 0
    for last, instant in enumerate(instants):
        while instants[first] <= instant - 1.0:
            first += 1
        most = max(most, last - first + 1)
    return most


def paces(bot: Bot, since_s: float) -> list[float]:
    edits = Counter(wish.channel_id for at_s, wish in bot.made if wish.rank is Rank.EDIT and at_s >= since_s)
    return sorted(count / (bot.now_s - since_s) for count in edits.values())


@settings(max_examples=15, deadline=None)
@given(
    seed=st.integers(0, 1000),
    boards=st.integers(1, 90),
    leg_s=st.floats(0.001, 0.1),
    floods=st.lists(st.tuples(st.floats(0, 8), st.sampled_from(list(Rank)), st.integers(1, 80)), max_size=4),
)
def test_no_second_ever_holds_more_calls_than_discord_allows_whatever_the_network_and_the_wishes(
    seed, boards, leg_s, floods
):
    bot = Bot(seed, leg_s=leg_s)
    for number in range(boards):
        bot.board(number, mark_s=3.0)
    for at_s, rank, count in floods:
        bot.later(at_s, lambda rank=rank, count=count: [bot.ask(rank) for _ in range(count)])
    bot.run(10.0)
    assert most_in_a_second(bot.arrivals) <= GLOBAL
    assert bot.refused == 0


def test_processes_that_share_the_calls_have_no_more_of_them_together_than_one_alone():
    for sharing in range(1, 8):
        pacers = [Pacer(RATE_PER_S / sharing) for _ in range(sharing)]
        unanswered, now_s = 0, 0.0
        for step in range(1000):
            now_s = step / 1000
            for pacer in pacers:
                if pacer.budget.wait_s(now_s) <= 0:
                    pacer.budget.take(now_s).sent_s = now_s
                    unanswered += 1
        assert sharing <= unanswered < GLOBAL


def test_forty_boards_keep_their_pace_over_a_mark_which_is_done_within_a_quarter_of_a_minute():
    bot = Bot(1)
    for number in range(40):
        bot.board(number, mark_s=10.0)
    bot.run(70.0)
    assert paces(bot, 10.0)[0] >= 0.95
    reposts = [at_s for at_s, wish in bot.made if wish.as_replacement]
    assert len(reposts) == 40
    assert 10.0 <= reposts[0] <= 11.0
    assert reposts[-1] <= 25.0


def test_five_hundred_messages_are_replaced_within_a_minute_of_the_mark():
    bot = Bot(2)
    for number in range(500):
        bot.board(number, mark_s=20.0)
    bot.run(82.0)
    reposts = [at_s for at_s, wish in bot.made if wish.as_replacement]
    assert len(reposts) == 500
    assert reposts[0] <= 21.0
    assert reposts[-1] <= 80.0


@pytest.mark.parametrize(("boards", "within_s"), [(700, 60.0), (2000, 300.0)])
def test_so_many_messages_that_ten_a_second_are_too_few_are_replaced_within_their_interval(boards, within_s):
    bot = Bot(2)
    for number in range(boards):
        bot.board(number, mark_s=20.0, within_s=within_s)
    bot.run(min(20.0 + within_s, 240.0))
    reposts = {wish.channel_id: at_s for at_s, wish in bot.made if wish.as_replacement}
    assert len(reposts) == boards
    assert min(reposts.values()) <= 21.0


def test_messages_whose_next_mark_comes_sooner_are_replaced_first():
    bot = Bot(2)
    for number in range(300):
        bot.board(number, mark_s=20.0, within_s=60.0 if number % 10 == 0 else 3600.0)
    bot.run(60.0)
    hurried = [at_s for at_s, wish in bot.made if wish.as_replacement and wish.within_s == 60.0]
    assert len(hurried) == 30
    assert hurried[-1] <= 35.0


def test_two_thousand_boards_have_one_pace_and_none_starves_beside_a_mark_and_a_flood_of_alerts():
    bot = Bot(3)
    for number in range(2000):
        bot.board(number, mark_s=60.0)
    for second in range(160):
        bot.later(float(second), lambda: [bot.ask(Rank.PEOPLE) for _ in range(10)])
    bot.run(180.0)
    turns = defaultdict(list)
    for at_s, wish in bot.made:
        if wish.rank is Rank.EDIT:
            turns[wish.channel_id].append(at_s)
    assert len(turns) == 2000
    counts = sorted(len(times) for times in turns.values())
    assert counts[-1] - counts[0] <= 3
    waits = [wait for times in turns.values() for wait in (b - a for a, b in itertools.pairwise(times))]
    assert max(waits) < 3 * 2000 / RATE_PER_S
    assert most_in_a_second(bot.arrivals) <= GLOBAL


def test_160_goodbyes_are_said_within_their_seconds_beside_edits_and_in_no_burst():
    bot = Bot(4)
    for number in range(160):
        bot.board(number)
    bot.run(10.0)
    bot._on_answer.clear()
    for number in range(160):
        bot.ask(Rank.GOODBYE, number, "PATCH")
    bot.run(14.5)
    assert sum(wish.rank is Rank.GOODBYE for _, wish in bot.made) == 160
    assert most_in_a_second(bot.arrivals) <= GLOBAL


def granted(pacer: Pacer, count: int) -> list[Wish]:
    found, now_s = [], 0.0
    while len(found) < count:
        answer = pacer.grant(now_s)
        if isinstance(answer, Wish):
            found.append(answer)
            pacer.depart(answer.flight, answer.method, answer.channel_id, now_s)
            pacer.budget.ended(answer.flight, now_s)
        else:
            now_s += answer
    return found


def test_alerts_come_first_then_reposts_then_edits():
    pacer = Pacer()
    for rank in (Rank.EDIT, Rank.REPOST, Rank.PEOPLE, Rank.GOODBYE):
        pacer.ask(Wish(rank, 1))
    assert [wish.rank for wish in granted(pacer, 4)] == [Rank.PEOPLE, Rank.GOODBYE, Rank.REPOST, Rank.EDIT]


def test_a_flood_of_higher_ranks_leaves_every_fifth_call_to_edits():
    pacer = Pacer()
    for number in range(40):
        pacer.ask(Wish(Rank.PEOPLE))
        pacer.ask(Wish(Rank.EDIT, number))
    ranks = [wish.rank for wish in granted(pacer, 40)]
    assert ranks.count(Rank.EDIT) == 40 // (EDITS_TURN + 1)


def test_the_board_that_was_served_longest_ago_is_next():
    pacer = Pacer()
    for now_s, number in enumerate((1, 2, 3)):
        pacer.ask(Wish(Rank.EDIT, number))
        assert isinstance(pacer.grant(float(now_s)), Wish)
    for number in (3, 2, 1):
        pacer.ask(Wish(Rank.EDIT, number))
    wishes = [pacer.grant(float(now_s)) for now_s in (10, 11, 12)]
    assert [wish.channel_id for wish in wishes if isinstance(wish, Wish)] == [1, 2, 3]


def test_a_channel_whose_bucket_is_dry_holds_nobody_else_up():
    pacer = Pacer()
    pacer.answered("PATCH", 1, 200, {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset-After": "4"}, 0.0)
    pacer.ask(Wish(Rank.EDIT, 1))
    pacer.ask(Wish(Rank.EDIT, 2))
    first = pacer.grant(0.0)
    assert isinstance(first, Wish)
    assert first.channel_id == 2
    assert 3.9 < pacer.grant(0.1) <= 4.0
    assert isinstance(pacer.grant(4.01), Wish)


def test_a_call_that_was_not_made_leaves_its_room_to_the_next():
    pacer = Pacer()
    for number in (1, 2, 3):
        pacer.ask(Wish(Rank.EDIT, number))
    for _ in range(3):
        wish = pacer.grant(0.0)
        assert isinstance(wish, Wish)
        pacer.budget.give_back(wish.flight, 0.0)


def test_the_rest_of_a_window_is_filled_evenly_and_a_goodbye_need_not_be_even():
    found = ChannelPaces()
    found.answered("PATCH", 7, {"X-RateLimit-Remaining": "3", "X-RateLimit-Reset-After": "4.0"}, 100.0)
    assert 101.0 <= found.ready_s("PATCH", 7, even=True) <= 101.01
    assert found.ready_s("PATCH", 7, even=False) == -math.inf
    assert found.ready_s("PATCH", 8, even=True) == -math.inf


def test_an_edit_waits_for_its_even_share_of_the_window_and_a_goodbye_in_the_same_channel_does_not():
    pacer = Pacer()
    pacer.answered("PATCH", 7, 200, {"X-RateLimit-Remaining": "3", "X-RateLimit-Reset-After": "4"}, 0.0)
    pacer.ask(Wish(Rank.EDIT, 7))
    wait_s = pacer.grant(0.0)
    assert isinstance(wait_s, float)
    assert 1.0 <= wait_s <= 1.01
    pacer.ask(Wish(Rank.GOODBYE, 7))
    assert isinstance(pacer.grant(0.0), Wish)


def test_routes_that_share_a_bucket_share_its_pace():
    found = ChannelPaces()
    for method in ("POST", "PATCH"):
        found.answered(
            method, 7, {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset-After": "4", "X-RateLimit-Bucket": "one"}, 0.0
        )
    assert found.ready_s("POST", 7, even=False) == found.ready_s("PATCH", 7, even=False) > 4.0


def test_a_429_of_the_channel_holds_the_channel_and_one_of_the_bot_holds_everybody():
    pacer = Pacer()
    pacer.answered("PATCH", 1, 429, {"Retry-After": "2", "X-RateLimit-Scope": "user"}, 0.0)
    pacer.ask(Wish(Rank.EDIT, 1))
    assert 1.9 < pacer.grant(0.0) <= 2.1
    pacer.answered("POST", 2, 429, {"Retry-After": "5", "X-RateLimit-Scope": "global"}, 0.0)
    pacer.ask(Wish(Rank.PEOPLE))
    assert pacer.grant(0.0) == 5.0


def test_a_stated_wait_does_not_open_a_window_that_is_used_up():
    pacer = Pacer()
    pacer.answered("PATCH", 1, 200, {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset-After": "4"}, 0.0)
    pacer.answered("PATCH", 1, 429, {"Retry-After": "0.3"}, 1.0)
    assert pacer.paces.ready_s("PATCH", 1, even=False) >= 4.0


def test_the_ration_of_an_old_message_holds_up_nothing_but_that_message():
    pacer = Pacer()
    pacer.answered("PATCH", 1, 429, {"Retry-After": "900", "Via": "1.1 google"}, 0.0)
    pacer.ask(Wish(Rank.EDIT, 1))
    assert isinstance(pacer.grant(0.0), Wish)


def test_headers_that_say_nothing_or_nonsense_change_nothing():
    found = ChannelPaces()
    for headers in ({}, {"X-RateLimit-Remaining": "x", "X-RateLimit-Reset-After": "1"}, {"X-RateLimit-Remaining": "0"}):
        found.answered("PATCH", 7, headers, 0.0)
    assert found.ready_s("PATCH", 7, even=True) == -math.inf
