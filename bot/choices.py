"""How one channel's live message looks and behaves, as an admin or the settings choose it."""

from collections.abc import Iterable
from typing import Annotated, Any, Final, Literal

import msgspec

from streaming.model import ScopeName, WeightName

Style = Literal["ansi", "card", "plain"]
MessageWeight = Literal["mixed", "oi", "vol"]
"""Mixed: levels by open interest, net GEX by volume."""
PictureName = Literal["none", "strikes", "ladder", "profile", "history", "heatmap", "expiries", "map", "flow"]
LONGEST_REFRESH_MIN: Final = 60


class Choices(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The choices for one channel; None leaves one to the settings."""

    scope: ScopeName | None = None
    weight: MessageWeight | None = None
    style: Style | None = None
    picture: PictureName | None = None
    """Drawn for each new message and attached to it."""
    silent: bool | None = None
    """Whether new messages and alerts come without a sound."""
    buttons: bool | None = None
    """Whether buttons for everybody stand under the message."""
    refresh_minutes: Annotated[int, msgspec.Meta(ge=0, le=LONGEST_REFRESH_MIN)] | None = None
    """Between two marks at which the message is replaced; 0 for none."""

    @property
    def one_weight(self) -> WeightName | None:
        """The weight of everything that can be by either; None for each figure's own."""
        return None if self.weight == "mixed" else self.weight


_WORDS: Final = {"refresh" if name == "refresh_minutes" else name: name for name in Choices.__struct_fields__}
"""What a choice is called in the settings, and its field."""


def read_choices(words: Iterable[str]) -> Choices:
    """Of `weight=vol`, `refresh=0` and the like; ValueError for what is no choice, or one of another value."""
    said: dict[str, Any] = {}
    for word in words:
        name, _, value = word.partition("=")
        if name.strip() not in _WORDS:
            raise ValueError(f"{', '.join(_WORDS)}")
        said[_WORDS[name.strip()]] = value.strip()
    try:
        return msgspec.convert(said, Choices, strict=False)
    except msgspec.ValidationError as error:
        raise ValueError(f"{error}") from None


def choices_text(choices: Choices) -> str:
    """The same written down again, each after a colon."""
    given = {word: getattr(choices, field) for word, field in _WORDS.items()}
    return "".join(f":{word}={str(value).lower()}" for word, value in given.items() if value is not None)
