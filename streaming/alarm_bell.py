"""Alarms that a person gets once for each cause."""

from collections.abc import Callable


class AlarmBell:
    """Tells a person of each matter once; again only after it was over."""

    def __init__(self, tell: Callable[[str], None]) -> None:
        self._tell = tell
        self._told: set[str] = set()

    def ring(self, about: str, sentence: str) -> None:
        """Tell, unless this matter was told."""
        if about not in self._told:
            self._told.add(about)
            self._tell(sentence)

    def over(self, about: str) -> None:
        """The matter is settled; the next time counts as new."""
        self._told.discard(about)
