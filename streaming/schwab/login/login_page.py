"""The page on which a person's browser ends after the login: one sentence, readable on a phone, kept by nobody."""

from html import escape
from typing import Final

from aiohttp import web

_PAGE: Final = """<!doctype html><html lang="en"><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="color-scheme" content="light dark">
{title}
<body style="font: 1.2rem/1.5 system-ui; margin: 3rem auto; max-width: 34rem; padding: 0 1.2rem">
<p>{sentence}</p></body></html>"""
_TITLE: Final = "<title>Schwab login</title>"
SIGN: Final = _TITLE.encode()
"""By which a page is known for one of ours, of another version too."""
_HEADERS: Final = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
FOREIGN: Final = "This redirect belongs to another login. Open the newest link."


def login_page(sentence: str, *, status: int = 200) -> web.Response:
    """One sentence as a page; the address, which holds the code, goes nowhere from it."""
    text = _PAGE.format(title=_TITLE, sentence=escape(sentence))
    return web.Response(text=text, content_type="text/html", charset="utf-8", status=status, headers=_HEADERS)
