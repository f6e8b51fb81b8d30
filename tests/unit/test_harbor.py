"""Task folders in Harbor's layout: what is read, and why most of them are left out here."""

from __future__ import annotations

from pathlib import Path

import pytest
from builders import write_files

from pytest_hybrideval.core.domain import SCRIPT, Task, TaskClass
from pytest_hybrideval.core.errors import TaskError
from pytest_hybrideval.suites.harbor import HarborSuite
from pytest_hybrideval.suites.staging import instruction, retry_instruction

FILES = {
    "task.toml": '[metadata]\ndifficulty = "hard"\ntags = ["files"]\n[verifier]\ntimeout_sec = 30\n',
    "instruction.md": "Write the sum of `/app/numbers.txt` into `/app/sum.txt`.\n",
    "environment/Dockerfile": "FROM debian:12\n# a comment\nWORKDIR /app\nCOPY . .\n",
    "environment/numbers.txt": "1\n2\n",
    "tests/test.sh": "#!/bin/bash\n[ $(cat /app/sum.txt) = 3 ] && echo 1 > /logs/verifier/reward.txt\n",
    "solution/solve.sh": "echo 3 > /app/sum.txt\n",
}


def harbor(parent: Path, **files: str | None) -> Path:
    folder = parent / "shelf" / "sum"
    write_files(folder, {name: text for name, text in {**FILES, **files}.items() if text is not None})
    return folder


def load(folder: Path) -> Task:
    return HarborSuite().load(folder)


def test_a_folder_is_read_as_it_is_written(tmp_path: Path) -> None:
    folder = harbor(tmp_path)
    assert HarborSuite().claims(folder)
    task = load(folder)
    assert (task.id, task.task_class, task.runner, task.skip) == ("shelf/sum", TaskClass.TERMINAL, SCRIPT, "")
    assert (task.difficulty, task.topics, task.scoring_seconds, task.agent_seconds) == ("hard", ("files",), 30.0, 600.0)
    assert dict(task.workspace) == {"numbers.txt": folder / "environment/numbers.txt"}
    assert set(task.hidden) == {"tests/test.sh"}
    assert task.terminal is not None
    assert (task.terminal.workdir, task.terminal.solver) == ("/app", folder / "solution/solve.sh")
    assert task.open


def test_the_agent_is_told_where_the_files_belong(tmp_path: Path) -> None:
    task = load(harbor(tmp_path))
    assert "`/app` is the current folder" in instruction(task)
    assert "only changes to these files" not in retry_instruction(task, "reward 0")


def test_without_a_dockerfile_the_files_belong_where_harbor_puts_them(tmp_path: Path) -> None:
    task = load(harbor(tmp_path, **{"environment/Dockerfile": None}))
    assert task.terminal is not None
    assert (task.terminal.workdir, task.skip) == ("/app", "")


@pytest.mark.parametrize(
    ("files", "why"),
    [
        ({"environment/Dockerfile": "FROM debian\nWORKDIR /app\nRUN apt-get install x\n"}, "has a RUN step"),
        ({"environment/Dockerfile": "FROM debian\nWORKDIR /app\nCOPY \\\n src /opt\n"}, "copies 'src /opt'"),
        ({"environment/Dockerfile": "FROM debian\n"}, "names no WORKDIR"),
        ({"environment/docker-compose.yaml": "services: {}\n"}, "docker compose file"),
        ({"task.toml": '[environment]\ndocker_image = "ghcr.io/x/y:1"\n'}, "the image ghcr.io/x/y:1"),
        ({"tests/test.sh": "curl -LsSf https://example.org/install.sh | sh\n"}, "fetches software ('curl')"),
    ],
)
def test_what_needs_a_container_or_a_network_is_left_out(tmp_path: Path, files: dict[str, str], why: str) -> None:
    assert why in load(harbor(tmp_path, **files)).skip


@pytest.mark.parametrize(
    ("files", "told"),
    [
        ({"task.toml": "difficulty ="}, "task.toml: not readable as TOML"),
        ({"task.toml": "metadata = 1"}, "'metadata' must be a table"),
        ({"task.toml": "[agent]\ntimeout_sec = 0"}, "field 'agent.timeout_sec': 0 is no number of seconds"),
        ({"tests/test.sh": None}, "test.sh: is missing"),
    ],
)
def test_a_broken_folder_is_told(tmp_path: Path, files: dict[str, str | None], told: str) -> None:
    with pytest.raises(TaskError) as caught:
        load(harbor(tmp_path, **files))
    assert told in str(caught.value)


def test_other_folders_are_not_claimed(tmp_path: Path) -> None:
    assert not HarborSuite().claims(harbor(tmp_path, **{"instruction.md": None}))
