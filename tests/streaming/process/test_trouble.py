from streaming.process.trouble import Matters


def test_each_matter_is_told_once_until_it_was_over():
    told = []
    matters = Matters(told.append)
    matters.tell("a", "A is wrong.")
    matters.tell("a", "A is still wrong.")
    matters.tell("b", "B is wrong.")
    matters.over("a")
    matters.tell("a", "A is wrong again.")
    assert told == ["A is wrong.", "B is wrong.", "A is wrong again."]


def test_thousands_of_a_kind_are_told_in_a_sentence_and_each_once_until_it_was_over():
    told = []
    matters = Matters(told.append)
    names = [f"S{number}" for number in range(3_000)]
    for _ in range(2):
        matters.tell_of(names, "silent", "{} is silent.".format)
    matters.tell_of([*names, "NEW"], "silent", "{} is silent.".format)
    matters.over("silent S7")
    matters.tell_of(names, "silent", "{} is silent.".format)
    first, *others = told
    assert first == f"{', '.join(names[:12])} and 2,988 more is silent."
    assert others == ["NEW is silent.", "S7 is silent."]
