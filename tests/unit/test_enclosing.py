"""Which Python runs an installed command, and under which sandbox levels agents are enclosed."""

from __future__ import annotations

from pathlib import Path

import pytest

from pytest_hybrideval.agents.enclosing import python_of, refusal, sandbox_for
from pytest_hybrideval.core.errors import ConfigurationError
from pytest_hybrideval.sandbox.choice import tried


@pytest.mark.parametrize(
    ("head", "python"),
    [
        ("#!/opt/aider/bin/python\n", "/opt/aider/bin/python"),
        ("#!/opt/aider/bin/python3.12 -I\n", "/opt/aider/bin/python3.12"),
        ("#!/bin/sh\n'''exec' /a/long/path/bin/python \"$0\" \"$@\"\n' '''\n", "/a/long/path/bin/python"),
        ("#!/bin/sh\n'''exec' \"/with blank/bin/python\" \"$0\" \"$@\"\n' '''\n", "/with blank/bin/python"),
        (
            "#!/bin/sh\n'''exec' \"$(dirname -- \"$(realpath -- \"$0\")\")\"/'python' \"$0\" \"$@\"\n' '''\n",
            "{folder}/python",
        ),
    ],
    ids=["pip", "with-a-flag", "a-long-path", "a-blank", "uv-relocatable"],
)
def test_the_first_lines_tell_the_interpreter(tmp_path: Path, head: str, python: str) -> None:
    folder = tmp_path.resolve() / "its bin"
    folder.mkdir()
    command = folder / "aider"
    command.write_text(head + "import sys\n")
    assert python_of(command) == python.format(folder=folder)


@pytest.mark.parametrize("head", ["", "\x7fELF", "#!/bin/sh\necho aider\n", "#!/usr/bin/env bash\n"])
def test_what_does_not_tell_is_refused(tmp_path: Path, head: str) -> None:
    command = tmp_path / "aider"
    command.write_text(head)
    with pytest.raises(ConfigurationError, match="cannot tell which Python"):
        python_of(command)


def test_agents_take_namespaces_where_they_may_choose() -> None:
    works = [name for name in ("namespaces", "bubblewrap") if tried(name)[0] is not None]
    for level in ("auto", "docker"):
        found = sandbox_for(level)
        assert (found and found.name) == (works[0] if works else None)
    assert sandbox_for("none") is None


def test_an_unknown_level_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="did you mean 'bubblewrap'"):
        sandbox_for("bubblewarp")


def test_only_the_end_of_the_output_tells_that_nothing_was_enclosed() -> None:
    assert refusal("first try\nenclosure: unshare: Operation not permitted\n") is not None
    assert refusal("enclosure: was mentioned\nand more\n") is None
    assert refusal("") is None
