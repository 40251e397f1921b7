"""One name has one meaning: what the packages call a class, they call no other."""

import re
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_no_two_classes_for_everybody_have_one_name():
    names = Counter(
        name
        for room in ("bot", "cogs", "streaming")
        for file in (ROOT / room).rglob("*.py")
        for name in re.findall(r"^class ([A-Za-z]\w*)", file.read_text(), flags=re.MULTILINE)
    )
    assert [name for name, uses in names.items() if uses > 1] == []
