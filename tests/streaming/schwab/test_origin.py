import httpx
import pytest

from streaming.schwab.origin import HEADER, source_of


@pytest.mark.parametrize(
    ("headers", "source"),
    [
        ({}, "schwab"),
        ({HEADER: "simulated"}, "simulated"),
        ({HEADER: "file:2022-05-20"}, "file:2022-05-20"),
        ({HEADER: "file:yesterday"}, "simulated"),
        ({HEADER: "schwab"}, "simulated"),
        ({HEADER: ""}, "simulated"),
    ],
)
def test_only_an_answer_without_the_header_is_schwabs_own(headers, source):
    assert source_of(httpx.Headers(headers)) == source
