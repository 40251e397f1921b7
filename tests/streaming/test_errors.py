"""streaming/errors.py"""

import pytest

from streaming import errors
from streaming.errors import ContractError, GexcordError, OperatorError, TransientError, leading_error

KINDS = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, GexcordError)]


def test_a_sentence_ends_with_its_remedy():
    assert OperatorError("The key is wrong.", remedy="Correct it.").sentence == "The key is wrong. Correct it."
    assert OperatorError("The key is wrong.").sentence == "The key is wrong."


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_is_drawn_in_the_tree_at_the_top(kind):
    assert kind.__name__ in errors.__doc__


def test_the_other_sides_wish_is_kept():
    assert TransientError("Slow down.", retry_after_s=3.5).retry_after_s == 3.5


def test_of_a_group_the_member_that_needs_a_person_most_leads():
    operator, transient, bug = OperatorError("o"), TransientError("t"), KeyError("b")
    nested = ExceptionGroup("outer", [transient, ExceptionGroup("inner", [operator])])
    assert leading_error(nested) is operator
    assert leading_error(ExceptionGroup("all", [nested, bug])) is bug
    assert leading_error(transient) is transient


def test_a_broken_protocol_leads_before_the_weather():
    broken = ContractError("c")
    assert leading_error(ExceptionGroup("all", [TransientError("t"), broken])) is broken
