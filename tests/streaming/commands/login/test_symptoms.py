"""streaming/commands/login/symptoms.py: what this program says of login and stream, and Schwab of a request.

What schwab-wire's tables quote is tests/specs/test_schwab_wire.py's.
"""

import ast
import re
from pathlib import Path

import pytest

import streaming
from streaming.commands.login.symptoms import explain
from streaming.schwab.login import served_callback

ROOT = Path(streaming.__file__).parents[1]
ROOMS = ("streaming/schwab", "streaming/bus/lease.py", "streaming/bus/publish", "streaming/bus/shared_secret.py")
SAYS = re.compile(r"(?:Transient|Operator|Configuration|Unavailable|LoginRequired|Request|Contract|Lost|Refused)Error$")
TELLS = {"tell": 1, "note": 0}
"""Where in a call its sentence stands."""
FILLED = {
    "status": "503",
    "self.key": "gexcord:lease:stream",
    "frame.code": "4000",
    "event.code": "21",
    "where": "tokens.json",
    "oauth: what": "HTTP 503",
    "stream_connection: what": "sent nothing for 30 s",
}
"""What stands for a part that is put in; anything else is a word that says nothing."""


def written(node, room):
    """The words of a text with its parts filled in; nothing for what is put together elsewhere."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(
            written(part, room) if isinstance(part, ast.Constant) else filled(ast.unparse(part.value), room)
            for part in node.values
        )
    return ""


def filled(part, room):
    return FILLED.get(f"{room}: {part}", FILLED.get(part, "X"))


def sentences():
    for room in ROOMS:
        place = ROOT / room
        for path in sorted(place.rglob("*.py")) if place.is_dir() else [place]:
            for node in ast.walk(ast.parse(path.read_text())):
                yield from said_by(node, path)


def said_by(node, path):
    if not isinstance(node, ast.Call):
        return
    name = getattr(node.func, "attr", None) or getattr(node.func, "id", "")
    place = 0 if SAYS.search(name) else TELLS.get(name)
    if place is not None and len(node.args) > place:
        words = written(node.args[place], path.stem)
        remedy = next((ast.unparse(key.value) for key in node.keywords if key.arg == "remedy"), "")
        if words.count(" ") > 1:
            yield f"{path.stem}: {words} {'Log in with' if remedy == 'LOG_IN' else ''}"


WIRE = (ROOT / "specs" / "schwab-wire.md").read_text()
PAGES = [words for name, words in vars(served_callback).items() if name.isupper() and str(words).endswith(".")]


def test_every_sentence_that_the_login_or_the_stream_can_say_is_explained():
    said = list(sentences())
    assert len(said) > 70
    assert [sentence for sentence in said if not explain(sentence)] == []
    assert len(PAGES) > 4
    assert [page for page in PAGES if page != served_callback._DONE and not explain(page)] == []


def test_every_shape_of_a_refusal_on_the_wire_page_is_explained():
    refusals = WIRE.partition("### 1.4 Refusals")[2].partition("\n### ")[0]
    shapes = re.findall(r"```json\n(.*?)```", refusals, re.DOTALL)[0].splitlines()
    assert [shape for shape in shapes if not explain(shape)] == []
    assert [found.name for found in explain('{"message": "Bad", "errors": ["x"]}')] == ["request refused"]


@pytest.mark.parametrize(
    ("words", "name"),
    [
        ("tokens.json holds no refresh token.", "no login"),
        ("tokens.json is not JSON. Log in with `/token login`", "no login"),
        ("Redis has not stored the newest Schwab login for a minute", "login not stored"),
        ("1721 s behind Schwab's", "clock"),
        ("Schwab has sent nothing for XX, YY since it was subscribed: is there", "no data for a symbol"),
        ("HTTP 403", "forbidden"),
        ("Client error '403 Forbidden' for url", "forbidden"),
        ("429 Client Error: Too Many Requests for url", "too many requests"),
        ('{"status": 429}', "too many requests"),
        ("HTTP/1.1 502", "trouble at schwab"),
        ("Schwab answered 400 to the chain of SPX.", "request refused"),
        ("received 1011 (internal error) keepalive ping timeout; then sent 1011", "stream closed"),
        ("websocket closed: 1006", "stream closed"),
        ("code = 1001 (going away)", "stream closed"),
        ("The streamer closed the connection with code 4000.", "stream closed"),
        ("Redis at localhost:6379 does not answer.", "redis"),
    ],
)
def test_a_sentence_is_explained_by_its_nearest_cause(words, name):
    assert [symptom.name for symptom in explain(words)] == [name]


@pytest.mark.parametrize(
    "words", ["SPX 1000 strikes", "received 1000 rows", "1006", "429 contracts", "error 40", "503"]
)
def test_a_number_alone_is_no_status_and_no_close_code(words):
    assert explain(words) == ()
