"""What is sealed opens with its passphrase alone, as a whole or not at all."""

import io

import pytest

from bot.setup.sealed_file import CHUNK_BYTES, MAGIC, Cost, seal, unseal
from streaming.errors import RequestError

QUICK = Cost(log2_n=4)
PASS = "correct horse"
HEADER_BYTES = 28 + 16
LONG = bytes(range(256)) * (CHUNK_BYTES // 128 + 1)
"""Two chunks and a bit."""


def sealed(content: bytes = LONG, passphrase: str = PASS) -> bytes:
    target = io.BytesIO()
    seal(target, [content[:100], content[100:]], passphrase, cost=QUICK)
    return target.getvalue()


def opened(raw: bytes, passphrase: str = PASS) -> bytes:
    return b"".join(unseal(io.BytesIO(raw), passphrase, name="bot.backup"))


def refusal(raw: bytes, passphrase: str = PASS) -> str:
    with pytest.raises(RequestError) as caught:
        opened(raw, passphrase)
    return caught.value.sentence


@pytest.mark.parametrize("size", [0, 1, CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 1, 2 * CHUNK_BYTES, len(LONG)])
def test_what_was_sealed_comes_back(size):
    assert opened(sealed(LONG[:size])) == LONG[:size]


def test_nothing_of_it_can_be_read_and_no_two_files_are_alike():
    first, second = sealed(), sealed()
    assert LONG[:32] not in first
    assert first[12:] != second[12:]


def test_another_passphrase_is_one_sentence():
    assert refusal(sealed(), "correct horses") == "The passphrase does not open bot.backup."


@pytest.mark.parametrize("left", [HEADER_BYTES, HEADER_BYTES + 5, HEADER_BYTES + CHUNK_BYTES + 16, -1])
def test_a_file_that_was_cut_is_one_sentence_also_between_two_chunks(left):
    assert refusal(sealed()[:left]) == "bot.backup is damaged or cut off."


def test_a_changed_a_swapped_and_an_added_chunk_are_noticed():
    raw, step = sealed(), CHUNK_BYTES + 16
    first, second = (raw[HEADER_BYTES + step * n : HEADER_BYTES + step * (n + 1)] for n in (0, 1))
    swapped = raw[:HEADER_BYTES] + second + first + raw[HEADER_BYTES + 2 * step :]
    flipped = raw[:100] + bytes([raw[100] ^ 1]) + raw[101:]
    for broken in (swapped, flipped, raw + b"more", raw[: HEADER_BYTES + step] + raw[HEADER_BYTES:]):
        assert refusal(broken) == "bot.backup is damaged or cut off."


def test_another_kind_of_file_and_a_newer_version_are_named():
    assert refusal(b"PK\3\4" + bytes(100)) == refusal(b"") == "bot.backupis not a Gexcord backup."
    newer = sealed()
    newer = newer[:8] + b"\2" + newer[9:]
    assert "written by a newer Gexcord (form 2, this one reads 1)" in refusal(newer)


def test_a_header_cannot_ask_for_much_memory():
    assert refusal(MAGIC + bytes([1, 40, 8, 1]) + bytes(100)) == "bot.backup is damaged or cut off."
