"""What a regular expression costs, counted instead of timed: a backtracking matcher that counts its steps.

It knows the parts that this project's patterns are made of, and matches as Python's engine does.
"""

import re
from collections.abc import Iterator
from re import _constants as kinds
from re import _parser as parser
from typing import Any

WORD = re.compile(r"\w")
SPACE = re.compile(r"\s")
DIGIT = re.compile(r"\d")
CATEGORIES = {
    kinds.CATEGORY_WORD: lambda char: bool(WORD.match(char)),
    kinds.CATEGORY_SPACE: lambda char: bool(SPACE.match(char)),
    kinds.CATEGORY_NOT_SPACE: lambda char: not SPACE.match(char),
    kinds.CATEGORY_DIGIT: lambda char: bool(DIGIT.match(char)),
}
ONE = (kinds.LITERAL, kinds.NOT_LITERAL, kinds.IN)


class StepCounter:
    """Finds all matches of a pattern as `re.sub` does and counts every comparison made on the way."""

    def __init__(self, pattern: re.Pattern[str]) -> None:
        self._parsed = list(parser.parse(pattern.pattern, pattern.flags & ~re.UNICODE))
        self._ignore_case = bool(pattern.flags & re.IGNORECASE)
        self.steps = 0
        self._text = ""

    def spans(self, text: str) -> list[tuple[int, int]]:
        """Where the pattern matches, leftmost first, without overlap."""
        self._text, found, at = text, [], 0
        while at <= len(text):
            end = next(self._match(self._parsed, 0, at), None)
            if end is None:
                at += 1
            else:
                found.append((at, end))
                at = max(end, at + 1)
        return found

    def _is(self, item: tuple[Any, Any], at: int) -> bool:
        self.steps += 1
        if at >= len(self._text):
            return False
        char, (kind, value) = self._text[at], item
        if kind is kinds.LITERAL:
            return self._same(char, value)
        if kind is kinds.NOT_LITERAL:
            return not self._same(char, value)
        negate = value[0][0] is kinds.NEGATE
        return negate != any(self._in(char, part) for part in value[negate:])

    def _same(self, char: str, code: int) -> bool:
        return char.lower() == chr(code).lower() if self._ignore_case else char == chr(code)

    def _in(self, char: str, part: tuple[Any, Any]) -> bool:
        kind, value = part
        if kind is kinds.RANGE:
            return value[0] <= ord(char) <= value[1]
        return CATEGORIES[value](char) if kind is kinds.CATEGORY else self._same(char, value)

    def _match(self, items: list[tuple[Any, Any]], index: int, at: int) -> Iterator[int]:
        """Each end of a match of `items[index:]` that begins at `at`, in the engine's order."""
        while index < len(items) and items[index][0] in ONE:
            if not self._is(items[index], at):
                return
            index, at = index + 1, at + 1
        if index == len(items):
            yield at
            return
        for end in self._one(items[index], at):
            yield from self._match(items, index + 1, end)

    def _one(self, item: tuple[Any, Any], at: int) -> Iterator[int]:
        kind, value = item
        if kind is kinds.AT:
            self.steps += 1
            if self._stands(value, at):
                yield at
        elif kind is kinds.SUBPATTERN:
            yield from self._match(list(value[-1]), 0, at)
        elif kind is kinds.BRANCH:
            for branch in value[1]:
                yield from self._match(list(branch), 0, at)
        elif kind in (kinds.ASSERT, kinds.ASSERT_NOT):
            if self._holds(value, at) == (kind is kinds.ASSERT):
                yield at
        elif kind in (kinds.MAX_REPEAT, kinds.MIN_REPEAT, kinds.POSSESSIVE_REPEAT):
            yield from self._repeat(kind, *value, at)
        else:
            raise NotImplementedError(kind)

    def _stands(self, where: Any, at: int) -> bool:
        assert where is kinds.AT_BOUNDARY
        before = at > 0 and bool(WORD.match(self._text[at - 1]))
        return before != (at < len(self._text) and bool(WORD.match(self._text[at])))

    def _holds(self, value: tuple[int, Any], at: int) -> bool:
        direction, items = value
        if direction < 0:  # every look-behind here is one character wide
            return at > 0 and next(self._match(list(items), 0, at - 1), None) is not None
        return next(self._match(list(items), 0, at), None) is not None

    def _repeat(self, kind: Any, least: int, most: Any, items: Any, at: int) -> Iterator[int]:
        most = len(self._text) + 1 if most is kinds.MAXREPEAT else most
        ends = [at]
        if kind is kinds.MIN_REPEAT:
            while True:
                if len(ends) > least:
                    yield ends[-1]
                if len(ends) > most or (end := self._once(items, ends[-1])) is None:
                    return
                ends.append(end)
        while len(ends) <= most and (end := self._once(items, ends[-1])) is not None:
            ends.append(end)
        counts = range(len(ends) - 1, least - 1, -1)
        for count in counts[:1] if kind is kinds.POSSESSIVE_REPEAT else counts:
            yield ends[count]

    def _once(self, items: Any, at: int) -> int | None:
        return next(self._match(list(items), 0, at), None)
