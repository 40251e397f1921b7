from streaming.trouble import AlarmBell


def test_each_matter_is_told_once_until_it_was_over():
    told = []
    bell = AlarmBell(told.append)
    bell.ring("a", "A is wrong.")
    bell.ring("a", "A is still wrong.")
    bell.ring("b", "B is wrong.")
    bell.over("a")
    bell.ring("a", "A is wrong again.")
    assert told == ["A is wrong.", "B is wrong.", "A is wrong again."]
