"""`hybrideval doctor` says what works here because it has tried it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from pytest_hybrideval.cli import app
from pytest_hybrideval.core.errors import ConfigurationError
from pytest_hybrideval.sandbox import choice
from pytest_hybrideval.sandbox.choice import LEVELS, choose
from pytest_hybrideval.sandbox.probes import Blocks, blocks


def doctor(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["doctor", *arguments], prog_name="hybrideval")


@pytest.fixture
def nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine on which no level but the plain process works."""

    def tried(name: str) -> tuple[choice.Sandbox | None, str]:
        return (choice.PlainProcess(), "") if name == "none" else (None, "not on this machine; buy another")

    monkeypatch.setattr(choice, "tried", tried)


@pytest.mark.parametrize("name", LEVELS)
def test_a_level_blocks_what_it_promises(name: str) -> None:
    try:
        sandbox = choose(name)
    except ConfigurationError as problem:
        pytest.skip(str(problem))
    encloses = name != "none"
    assert blocks(sandbox) == Blocks(encloses, encloses, encloses, encloses)


def test_the_table_names_every_level_and_what_it_blocks() -> None:
    result = doctor()
    rows = {line.split()[0]: line for line in result.stdout.splitlines() if line.split()[:1]}
    assert set(LEVELS) <= set(rows)
    assert rows["none"].count("NOT blocked") == 4
    assert "aider-chat: 0." in result.stdout
    works = [name for name in LEVELS if rows[name].split()[1] == "yes"]
    taken = "namespaces" if "namespaces" in works else works[0]
    assert f"'auto' takes {taken} here" in result.stdout
    assert result.exit_code == (0 if works != ["none"] else 1)


def test_what_does_not_work_says_why() -> None:
    found = {level["name"]: level for level in json.loads(doctor("--json").stdout)["levels"]}
    for name, level in found.items():
        assert level["works"] is (level["blocks"] is not None) is (level["why_not"] is None)
        if not level["works"]:
            assert f"{name} does not work here: {level['why_not'][:20]}" in doctor().stdout


def test_a_machine_without_enclosure_is_told_how_to_get_one(nothing_else: None) -> None:
    result = doctor()
    assert result.exit_code == 1
    assert "bubblewrap does not work here: not on this machine; buy another" in result.stdout
    assert "'auto' takes none here; the better one is bubblewrap" in result.stdout
    assert "no sandbox level encloses" in result.stderr
    said = json.loads(doctor("--json").stdout)
    assert (said["auto"], said["encloses"]) == ("none", False)


def test_levels_are_ordered_from_the_best(tmp_path: Path) -> None:
    assert LEVELS == ("bubblewrap", "namespaces", "docker", "none")
