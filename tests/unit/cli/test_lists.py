"""How a list meets its readers, set from the command line."""

from __future__ import annotations

import json

import pytest

from tests.unit.cli.conftest import Cli


@pytest.fixture(autouse=True)
def publication(cli: Cli) -> None:
    assert cli("publication", "add", "hebdo", "--name", "L’Hebdo", "--from", "a@hebdo.example").success


def listed(cli: Cli) -> dict[str, object]:
    (only,) = json.loads(cli("list", "ls", "--json").success)
    return dict(only)


def test_a_list_is_private_and_of_double_opt_in_unless_told_else(cli: Cli) -> None:
    assert "private" in cli("list", "add", "vendredi").success
    assert (listed(cli)["is_public"], listed(cli)["opt_in"]) == (False, "double")


def test_a_public_list_tells_where_readers_join_it(cli: Cli) -> None:
    said = cli(
        "list", "add", "vendredi", "--public", "--opt-in", "single", "--description", "Chaque vendredi."
    ).success
    assert "http://127.0.0.1:8025/subscribe/vendredi and are on it at once" in said
    assert (listed(cli)["is_public"], listed(cli)["opt_in"]) == (True, "single")


def test_editing_changes_what_is_named_and_nothing_else(cli: Cli) -> None:
    assert cli("list", "add", "vendredi", "--name", "Lettre", "--public").success
    assert "confirm by mail" in cli("list", "edit", "vendredi", "--description", "Nouveau").success
    assert cli("list", "edit", "vendredi", "--welcome", cli.write("welcome.md", "Bonjour")).success
    assert (listed(cli)["name"], listed(cli)["is_public"]) == ("Lettre", True)
    assert cli("list", "edit", "vendredi", "--private", "--name", "Autre").success
    assert (listed(cli)["name"], listed(cli)["is_public"]) == ("Autre", False)


def test_what_cannot_be_is_refused_and_nothing_changes(cli: Cli) -> None:
    assert cli("list", "add", "vendredi").success
    assert "there is no list “samedi”; there are vendredi" in cli.refused("list", "edit", "samedi", "--public")
    assert "absent.md" in cli.refused("list", "edit", "vendredi", "--public", "--welcome", "absent.md")
    cli.write("latin.md", b"caf\xe9")
    assert "latin.md:1: not UTF-8" in cli.refused("list", "edit", "vendredi", "--welcome", "latin.md")
    assert "blank" in cli.refused("list", "edit", "vendredi", "--name", " ")
    assert "opt-in" in cli.refused("list", "edit", "vendredi", "--opt-in", "triple")
