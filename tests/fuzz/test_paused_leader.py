from tests.fuzz.paused_leader import play


async def test_a_leader_that_comes_back_from_a_pause_leaves_one_live_message_in_each_channel(tmp_path):
    assert await play(rounds=2, seed=7, folder=tmp_path, hurried=True) == []
