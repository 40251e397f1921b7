"""`gexcord init`: asks for what a bot needs, tests each answer as `--check` would, and writes `.env.new`.

`.env` is read for what is known already and never written. Nothing is written before the last answer.
"""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from pydantic import SecretStr

from bot.check.check import check_redis
from bot.check.discord import application_id, check_discord
from bot.check.source_checks import check_sources
from bot.choices import choices_text
from bot.settings import BotSettings
from bot.setup.env_text import NEW_ENV_FILE, with_values
from bot.wire.channel_access import NEEDED
from streaming.clock import Clock
from streaming.errors import ConfigurationError, GexcordError, RequestError
from streaming.process.findings import Finding, failed, ok, warn
from streaming.process.private_files import fresh_file, put_in_place
from streaming.schwab.login.oauth import parse_callback
from streaming.setting_values import read_text
from streaming.settings import ENV_FILE, explained_settings, load_settings, load_what_is_right

_USUAL_KEYS: Final = {"app key": (32, 48), "secret": (16, 64)}
"""Lengths that Schwab has given out so far."""
_WELCOME: Final = f"""Gexcord asks for what it needs and tests each answer. Enter accepts the value in brackets.
{NEW_ENV_FILE} is written at the very end; Ctrl+C before that leaves nothing behind."""
_CHANNELS: Final = """Which channels get a live message? TICKER:channel id, separated by commas: SPX:123,NDX:124
(Discord's settings, Advanced, Developer Mode; then right-click a channel, Copy Channel ID.)"""
_SOURCES: Final = """Where do the figures come from? schwab (live; needs an app and a weekly login),
cboe (15 minutes delayed; needs nothing), gexbot (needs a key) or redis (another program of yours)."""
Answers = dict[str, str]
"""Setting in small letters to what was answered."""
Test = Callable[[Answers], Coroutine[Any, Any, Sequence[Finding]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Who answers."""

    ask: Callable[[str], str]
    ask_unseen: Callable[[str], str]
    """For secrets: what is typed is not shown."""
    say: Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingQuestion:
    """One setting."""

    name: str
    words: str
    secret: bool = False


@dataclass(slots=True)
class SetupDialogue:
    """The questions in their order; `answers` grow as they are given."""

    person: Person
    known: BotSettings
    clock: Clock
    answers: Answers = field(default_factory=dict)

    def run(self) -> Answers:
        """Every answer, tested. EOFError and KeyboardInterrupt where the person ends it."""
        self.person.say(_WELCOME)
        self._section("Discord")
        self._settle([SettingQuestion(name="discord_bot_token", words="Bot token", secret=True)], self._login)
        if (number := asyncio.run(application_id(self._trial(self.answers)))) is not None:
            self.person.say(f"Not on your server yet? This link invites the bot:\n  {invite_link(number)}")
        self.person.say(_CHANNELS)
        self._settle([SettingQuestion(name="gex_feed_channel_map", words="Channels")], self._channels)
        self.answers["discord_gex_feed_channel_ids"] = ""  # the map says it all
        self._section("Figures")
        self.person.say(_SOURCES)
        self._settle([SettingQuestion(name="gex_source", words="Source")], self._source)
        self._settle(*self._of_source(self.answers["gex_source"]))
        self._section("Redis")
        self._settle(
            [SettingQuestion(name="redis_url", words="Redis URL (empty: start a server of our own)")], self._redis
        )
        return self.answers

    def _section(self, title: str) -> None:
        self.person.say(f"\n{title}")

    def _settle(self, questions: Sequence[SettingQuestion], test: Test) -> None:
        """Ask and test until nothing fails, or the person keeps it all the same.

        What was typed before is offered again, since it may be the server that has changed.
        """
        given: Answers = {}
        while questions:
            given = {question.name: self._asked(question, given.get(question.name, "")) for question in questions}
            findings = self._tested(self.answers | given, test)
            for finding in findings:
                self.person.say(finding.line)
            if all(finding.verdict != "FAIL" for finding in findings) or self._keeps():
                self.answers |= given
                return

    def _keeps(self) -> bool:
        return self.person.ask("Enter asks again; `keep` accepts it anyway: ").strip().lower() == "keep"

    def _asked(self, question: SettingQuestion, tried: str) -> str:
        known = getattr(self.known, question.name)
        before = _boards_text(self.known) if question.name == "gex_feed_channel_map" else _shown(known)
        if tried and not isinstance(known, SecretStr) and not question.secret:
            before = tried
        bracket = "as it is" if isinstance(known, SecretStr) else before
        words = f"{question.words}{' (not shown)' * question.secret}{f' [{bracket}]' if before else ''}: "
        return (self.person.ask_unseen if question.secret else self.person.ask)(words).strip() or before

    def _tested(self, answers: Answers, test: Test) -> Sequence[Finding]:
        try:
            return asyncio.run(test(answers))
        except GexcordError as error:
            return [failed("answer", error)]

    def _trial(self, answers: Answers) -> BotSettings:
        """What the answers amount to; ConfigurationError for what a setting refuses."""
        servers = {name: _shown(getattr(self.known, name)) for name in ("discord_api_url", "discord_gateway_url")}
        values = {name: value for name, value in (servers | answers).items() if value}
        return load_settings(BotSettings, _env_file=None, **values)

    async def _login(self, answers: Answers) -> Sequence[Finding]:
        return (await check_discord(self._trial(answers), self.clock.now()))[:1]

    async def _channels(self, answers: Answers) -> Sequence[Finding]:
        settings = self._trial(answers)
        if not settings.boards:
            return [warn("feed", "no channel, so no live message is kept; commands work anyway.")]
        return (await check_discord(settings, self.clock.now()))[1:]

    async def _source(self, answers: Answers) -> Sequence[Finding]:
        return [ok("source", self._trial(answers).gex_source)]

    def _of_source(self, source: str) -> tuple[Sequence[SettingQuestion], Test]:
        """What a source needs besides its name."""
        if source == "schwab":
            self.person.say("Key, secret and callback URL of your app at developer.schwab.com, exactly as there.")
            return [
                SettingQuestion(name="schwab_client_id", words="App key", secret=True),
                SettingQuestion(name="schwab_client_secret", words="Secret", secret=True),
                SettingQuestion(name="schwab_callback_url", words="Callback URL"),
            ], self._schwab
        if source == "gexbot":
            return [SettingQuestion(name="gexbot_api_key", words="GEXBot API key", secret=True)], self._figures
        return [], self._figures

    async def _schwab(self, answers: Answers) -> Sequence[Finding]:
        settings = self._trial(answers)
        parse_callback(settings.schwab_callback_url)
        return schwab_form(answers["schwab_client_id"], answers["schwab_client_secret"])

    async def _figures(self, answers: Answers) -> Sequence[Finding]:
        return await check_sources(self._trial(answers), self.clock)

    async def _redis(self, answers: Answers) -> Sequence[Finding]:
        return [await check_redis(self._trial(answers))]


def schwab_form(key: str, secret: str) -> Sequence[Finding]:
    """Whether an app key and a secret can be ones; only a login shows whether Schwab takes them."""
    found: list[Finding] = []
    for name, value in (("app key", key), ("secret", secret)):
        if not value or not value.isalnum() or not value.isascii():
            trouble = ConfigurationError(f"the {name} is letters and digits only.", remedy="Copy it without quotes.")
            found.append(failed("schwab", trouble))
        elif len(value) not in _USUAL_KEYS[name]:
            usual = " or ".join(map(str, _USUAL_KEYS[name]))
            found.append(warn("schwab", f"the {name} has {len(value)} characters; {usual} are usual."))
    return found or [ok("schwab", "key and secret have the right form; `token login` shows whether Schwab takes them.")]


def invite_link(application: int) -> str:
    """Adds the bot to a server with what it needs and nothing more."""
    scope = "scope=bot+applications.commands"
    return f"https://discord.com/oauth2/authorize?client_id={application}&{scope}&permissions={NEEDED.value}"


def _shown(value: object) -> str:
    """A setting as it would be written."""
    if value is None:
        return ""
    if isinstance(value, SecretStr):
        return value.get_secret_value()
    return str(value)


def _boards_text(settings: BotSettings) -> str:
    """All live messages as a map names them; what is chosen for a channel stands with its first ticker."""
    chosen, pairs = settings.choices, []
    for channel, tickers in settings.boards.items():
        words = choices_text(chosen.pop(channel)) if channel in chosen else ""
        pairs += [f"{ticker.name}:{channel}{'' if place else words}" for place, ticker in enumerate(tickers)]
    return ",".join(pairs)


def initialise(folder: Path, person: Person, clock: Clock) -> None:
    """Ask, and write `.env.new` into the folder; RequestError where one is there already, or the answers end."""
    target = folder / NEW_ENV_FILE
    if target.exists():
        raise RequestError(f"{target} exists already.", remedy=f"Rename it to {ENV_FILE}, or delete it.")
    known, problems = load_what_is_right(BotSettings)
    for problem in problems:
        person.say(problem)
    try:
        answers = SetupDialogue(person, known, clock).run()
    except EOFError:
        raise RequestError("The answers ended before the last question; nothing was written.") from None
    except KeyboardInterrupt:
        person.say("\nNothing was written.")
        raise
    text = with_values(_basis(folder / ENV_FILE), {name.upper(): value for name, value in answers.items()})
    with fresh_file(target) as fresh:
        fresh.write_text(text, encoding="utf-8")
        put_in_place(fresh, target)
    for line in _next_steps(answers, replaces=(folder / ENV_FILE).exists()):
        person.say(line)


def _basis(env_file: Path) -> str:
    """What is changed by the answers: your own `.env`, else the file that explains every setting."""
    try:
        return read_text(env_file)
    except FileNotFoundError:
        return explained_settings() + "\n"


def _next_steps(answers: Answers, *, replaces: bool) -> Sequence[str]:
    look = f"diff {ENV_FILE} {NEW_ENV_FILE}; " if replaces else ""
    steps = [f"{look}mv {NEW_ENV_FILE} {ENV_FILE}", "python run_bot.py --check"]
    if answers["gex_source"] == "schwab":
        steps.insert(1, "python -m streaming token login")
    return [
        f"\n{NEW_ENV_FILE} is written, readable by you alone. {ENV_FILE} was not touched. To use it:",
        *[f"  {step}" for step in [*steps, "python run_bot.py"]],
    ]
