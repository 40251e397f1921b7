"""The Schwab app's key and secret as the settings have them now: a correction in `.env` counts without a restart."""

import logging
from pathlib import Path
from typing import Final

from streaming.errors import ConfigurationError
from streaming.schwab.login.oauth import AppKey
from streaming.settings import StreamSettings, load_settings

_LOG: Final = logging.getLogger(__name__)
_Version = tuple[int, int, int]


class AppKeyFile:
    """Reads key and secret anew whenever `.env` has changed, which it never writes.

    Values that did not come from `.env` or the environment, as in a demo, stay. A file that is away, half-written or
    without them changes nothing.
    """

    def __init__(self, app: AppKey, path: Path) -> None:
        self._app = app
        self._path = path
        self._seen = self._version()
        self._follows = self._read() == app

    def __call__(self) -> AppKey:
        """Key and secret of this moment."""
        if self._follows and (version := self._version()) != self._seen:
            self._seen = version
            if (read := self._read()) is not None and read != self._app:
                self._app = read
                _LOG.warning("The Schwab app's key or secret in %s has changed and is used from now on.", self._path)
        return self._app

    def _version(self) -> _Version | None:
        try:
            found = self._path.stat()
        except OSError:
            return None
        return found.st_ino, found.st_mtime_ns, found.st_size

    def _read(self) -> AppKey | None:
        try:
            settings = load_settings(StreamSettings, _env_file=self._path)
        except ConfigurationError:
            return None
        client_id, client_secret = settings.schwab_client_id, settings.schwab_client_secret
        return None if client_id is None or client_secret is None else AppKey(client_id, client_secret)
