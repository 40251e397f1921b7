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
