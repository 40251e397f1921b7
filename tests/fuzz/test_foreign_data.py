"""The short run of the mutator; the long one is `python -m tests.fuzz.foreign_data`."""

from tests.fuzz.foreign_data import CORPUS, fuzz


def test_mutated_data_of_strangers_breaks_no_decoder_and_nothing_that_is_done_with_the_result():
    counts = fuzz(60, seed=20261130)
    assert {name for name in CORPUS if counts[f"{name}: used"] > 2} >= set(CORPUS) - {"packed"}
    assert sum(count for name, count in counts.items() if name.endswith("refused")) > 100


def test_mutated_figures_can_be_drawn_or_are_refused():
    assert fuzz(4, seed=5, pictures=True)["pictures"] > 20
