from typing import Any

import pytest

from bot.sandbox.world.api_errors import ApiError
from bot.sandbox.world.commands import CommandBook
from bot.sandbox.world.records import Change, CommandsChanged
from bot.sandbox.world.world import World
from tests.support.clock import ManualClock


def command(name: str, **changes: Any) -> dict[str, Any]:
    return {"name": name, "description": "d", **changes}


@pytest.fixture
def world() -> World:
    return World(["gex-spx"], ManualClock())


@pytest.fixture
def book(world: World) -> CommandBook:
    return CommandBook(world)


def test_an_overwrite_keeps_ids_by_name_and_versions_by_content(book: CommandBook) -> None:
    first = book.overwrite(None, [command("a"), command("b")])
    second = book.overwrite(None, [command("b", description="new"), command("a"), command("c")])
    ids, versions = ({row["name"]: row[key] for row in second} for key in ("id", "version"))
    assert (ids["a"], ids["b"]) == (first[0]["id"], first[1]["id"])
    assert versions["a"] == first[0]["version"]
    assert versions["b"] != first[1]["version"]
    assert [row["name"] for row in book.all(None)] == ["b", "a", "c"]


def test_a_refused_overwrite_changes_nothing(book: CommandBook) -> None:
    book.overwrite(None, [command("a")])
    with pytest.raises(ApiError):
        book.overwrite(None, [command("b"), command("BAD")])
    assert [row["name"] for row in book.all(None)] == ["a"]


def test_single_commands_are_added_replaced_changed_and_removed(book: CommandBook, world: World) -> None:
    changes: list[Change] = []
    world.listen(changes.append)
    added, new = book.upsert(None, command("a"))
    assert new
    assert not book.upsert(None, command("a", description="again"))[1]
    command_id = int(added["id"])
    assert book.change(None, command_id, {"description": "third"})["description"] == "third"
    book.remove(None, command_id)
    assert changes == [CommandsChanged()] * 4
    with pytest.raises(ApiError) as raised:
        book.get(None, command_id)
    assert raised.value.code == 10063


@pytest.mark.parametrize(
    ("needed", "seen_by"),
    [(None, {"owner", "guest"}), ("0", {"owner"}), (str(1 << 5), {"owner"}), (str(1 << 11), {"owner", "guest"})],
)
def test_default_permissions_decide_who_is_offered_a_command(
    book: CommandBook, world: World, needed: str | None, seen_by: set[str]
) -> None:
    book.overwrite(None, [command("a", default_member_permissions=needed)])
    offered = {key for key, persona in world.personas.items() if book.offered_to(persona.member)}
    assert offered == seen_by


def test_commands_of_the_guild_carry_its_id(book: CommandBook, world: World) -> None:
    (stored,) = book.overwrite(world.guild.id, [command("here")])
    assert stored["guild_id"] == str(world.guild.id)
    assert book.all(None) == []
    assert book.find(int(stored["id"])) == stored
