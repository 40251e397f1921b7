"""Numbers out of text, many at once: as `float` reads them, whatever stands in a cell."""

import math
import random

import numpy as np
import pytest

from streaming.chains.files.cells import numbers


def read(cells: list[str], *, before: str = "12345678,") -> list[float]:
    lengths = np.array([len(cell) for cell in cells], np.int64)
    end = len(before) + np.cumsum(lengths + 1) - 1
    text = before + ",".join(cells)
    return numbers(np.frombuffer(text.encode(), np.uint8), end - lengths, end).tolist()


def as_float(cell: str) -> float:
    try:
        return float(cell)
    except ValueError:
        return math.nan


def random_cell(rng: random.Random) -> str:
    if rng.random() < 0.5:
        return "".join(rng.choices("0123456789..-e/ :", k=rng.randint(0, 11)))
    number = rng.choice((-1, 1, 1)) * 10.0 ** rng.uniform(-4, 8)
    return rng.choice(("%.1f", "%.2f", "%.4f", "%d", "%g")) % number


def test_every_cell_is_what_float_says_and_none_where_that_is_nothing():
    rng = random.Random(1)
    cells = [random_cell(rng) for _ in range(5000)]
    found, expected = read(cells), [as_float(cell) for cell in cells]
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("before", ["", "1", "1234567"])
def test_the_first_cells_of_a_text_are_read_too(before: str):
    assert read(["4", "12.5"], before=before) == [4.0, 12.5]


def test_two_dots_and_a_lone_one_are_no_number():
    assert all(map(math.isnan, read([".", "..", "1..2", "1.2.3", "1/2", "./", ""])))
