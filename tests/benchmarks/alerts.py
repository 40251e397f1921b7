"""What thousands of alerts cost: one snapshot through the watcher, against one figure read per rule; in CPU time.

Run as `python -m tests.benchmarks.alerts`. The baseline is a loop that reads the snapshot anew for every rule.
"""

import statistics
import time
from datetime import timedelta

from bot.alerts.kinds.registry import key_of, read, with_value
from bot.alerts.reading import Reading
from bot.alerts.rules import AlertKind, Rule, Target
from bot.alerts.watcher import Watcher
from tests.support.alerts import rule, shot
from tests.support.snapshots import ASOF

RULES = 2000
ROUNDS = 200
_VALUES = {AlertKind.PRICE: 6400.0, AlertKind.MAX_CHANGE: 0.5}


def some_rules() -> list[Rule]:
    kinds = list(AlertKind)
    return [
        rule(kind, number=n + 1, target=Target(user_id=n), value=_VALUES.get(kind))
        for n, kind in ((n, kinds[n % len(kinds)]) for n in range(RULES))
    ]


def watched(rules: list[Rule]) -> list[float]:
    watcher = Watcher()
    watcher.set_rules(rules)
    taken = []
    for second in range(ROUNDS):
        shown = shot(second, spot=6395.0 + second % 4)
        began = time.thread_time()
        watcher.take(shown, ASOF + timedelta(seconds=second))
        taken.append(time.thread_time() - began)
    return taken


def one_by_one(rules: list[Rule]) -> list[float]:
    taken = []
    for second in range(ROUNDS):
        shown = shot(second, spot=6395.0 + second % 4)
        began = time.thread_time()
        for asked in rules:
            reading = read(shown, key_of(asked))
            if isinstance(reading, Reading):
                with_value(reading, asked)
        taken.append(time.thread_time() - began)
    return taken


def all_at_once() -> list[float]:
    """Every rule fires on one snapshot: the longest portion is what the event loop waits for."""
    watcher = Watcher()
    watcher.set_rules([rule(number=n + 1, target=Target(user_id=n)) for n in range(RULES)])
    watcher.take(shot(0), ASOF)
    taken = []
    portions = watcher.portions(shot(1, spot=6405.0), ASOF + timedelta(seconds=1))
    began = time.thread_time()
    for _ in portions:
        taken.append(time.thread_time() - began)
        began = time.thread_time()
    return taken


def main() -> None:
    rules = some_rules()
    watched(rules)  # what is only made once, such as the calendar
    ours, naive = watched(rules), one_by_one(rules)
    median_ms = statistics.median(ours) * 1000
    naive_ms = statistics.median(naive) * 1000
    print(f"{RULES} rules, one snapshot: median {median_ms:.2f} ms, worst {max(ours) * 1000:.2f} ms")
    print(
        f"reading the figures for each rule alone, without judging: {naive_ms:.2f} ms, "
        f"{naive_ms / median_ms:.1f} times as long"
    )
    burst = all_at_once()
    print(f"all of them firing at once: {sum(burst) * 1000:.1f} ms, longest portion {max(burst) * 1000:.1f} ms")


if __name__ == "__main__":
    main()
