"""The commands as a user meets them: exit code, the one line of an error, and what is on disk afterwards."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest
from click.testing import Result
from saved_runs import failed, lines, save, trial
from typer.testing import CliRunner

from pytest_hybrideval.cli import app

ROW = {
    "task_id": "real-dev/x",
    "category": "novel",
    "route": "aider",
    "router_strategy": "heuristic",
    "seed": 42,
    "mystery": 1,
}
MODELS = ["--local-model", "ollama/gemma4:31b", "--cloud-model", "openai/gpt-5.5"]
COMMANDS = ["import", "merge", "runs"]


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def hybrideval(*args: str) -> Result:
    return CliRunner().invoke(app, args, prog_name="hybrideval")


def refusal(result: Result, code: int) -> str:
    """The one line on stderr, and nothing on stdout."""
    assert (result.exit_code, result.stdout) == (code, ""), result.output
    assert result.exception is None or isinstance(result.exception, SystemExit)
    (line,) = result.stderr.splitlines()
    return str(line)


# --- all commands -----------------------------------------------------------------------------------------------------


def test_the_help_names_every_command() -> None:
    result = hybrideval("--help")
    assert result.exit_code == 0
    for command in COMMANDS:
        assert f"\n  {command} " in result.stdout
    assert "\x1b" not in result.stdout


@pytest.mark.parametrize("command", COMMANDS)
def test_the_help_of_a_command_shows_an_example(command: str) -> None:
    result = hybrideval(command, "--help")
    assert result.exit_code == 0
    assert f"\n  Example:\n    hybrideval {command} " in result.stdout
    assert result.stderr == ""


@pytest.mark.parametrize(
    ("args", "said"),
    [
        ([], "hybrideval: Missing command; see 'hybrideval --help'"),
        (["mrge"], "hybrideval: No such command 'mrge'. Did you mean 'merge'; see 'hybrideval --help'"),
        (["--what"], "hybrideval: No such option: --what; see 'hybrideval --help'"),
        (["merge", "one"], "hybrideval merge: Missing option '--output' / '-o'; see 'hybrideval merge --help'"),
        (["merge", "-o", "x"], "hybrideval merge: Missing argument 'RUN...'; see 'hybrideval merge --help'"),
        (["runs", "--what"], "hybrideval runs: No such option: --what; see 'hybrideval runs --help'"),
    ],
)
def test_a_wrong_command_line_is_one_line(args: list[str], said: str) -> None:
    assert refusal(hybrideval(*args), 2) == said


def test_the_version_is_the_installed_one() -> None:
    result = hybrideval("--version")
    assert (result.exit_code, result.stdout) == (0, f"hybrideval {version('pytest-hybrideval')}\n")


# --- runs -------------------------------------------------------------------------------------------------------------


def test_runs_lists_the_newest_last(here: Path) -> None:
    save(here / "results" / "new", [trial(9, "cascade"), failed(trial(10))])
    save(here / "results" / "old", [trial(2, simulated=True)])
    with (here / "results" / "old" / "raw.jsonl").open("a", encoding="utf-8") as file:
        file.write('{"tri')
    result = hybrideval("runs")
    assert (result.exit_code, result.stderr) == (0, "")
    header, old, new = result.stdout.splitlines()
    assert header.split() == ["run", "started", "trials", "passed", "failed", "errors", "strategies", "models"]
    pair = ["ollama/gemma4:31b", "+", "openai/gpt-5.5"]
    assert old.split() == [
        *("old", "2026-11-03", "10:00", "1", "1", "0", "0", "heuristic", *pair),
        *("simulated,", "1", "unreadable", "line"),
    ]
    assert new.split() == ["new", "2026-11-10", "10:00", "2", "1", "1", "0", "cascade,", "heuristic", *pair]
    assert hybrideval("runs", "--results-dir", str(here / "results")).stdout == result.stdout


def test_runs_says_no_where_there_are_none(here: Path) -> None:
    (here / "results").mkdir()
    assert refusal(hybrideval("runs"), 1).startswith("hybrideval runs: results holds no run yet; ")


def test_runs_needs_a_directory() -> None:
    said = refusal(hybrideval("runs", "--results-dir", "gone"), 2)
    assert said == "hybrideval runs: no results directory gone; --results-dir DIR names another"


# --- merge ------------------------------------------------------------------------------------------------------------


def test_merge_writes_one_run(here: Path) -> None:
    save(here / "results" / "a", [trial(1), trial(2)])
    save(here / "elsewhere", [trial(2), trial(3)])
    result = hybrideval("merge", "a", "elsewhere", "-o", "results/all")
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout == "results/all: 3 trials (1 identical one left out) and 3 calls from 2 runs\n"
    assert [row["seed"] for row in lines(here / "results" / "all" / "raw.jsonl")] == [1, 2, 3]
    assert "all" in hybrideval("runs").stdout


def test_merge_says_no_to_runs_that_do_not_belong_together(here: Path) -> None:
    save(here / "a", [trial(1)])
    save(here / "b", [trial(2)], prices="other prices")
    said = refusal(hybrideval("merge", "a", "b", "-o", "all"), 1)
    assert said.startswith("hybrideval merge: prices is 'pricing.yaml as of ")
    assert "in a and 'other prices' in b; " in said
    assert not (here / "all").exists()


def test_merge_says_no_to_two_records_of_a_trial(here: Path) -> None:
    save(here / "a", [trial(1)])
    save(here / "b", [failed(trial(1))])
    said = refusal(hybrideval("merge", "a", "b", "-o", "all"), 1)
    assert "samples/slug[heuristic-s1] in a and b" in said


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["gone", "-o", "all"], "hybrideval merge: no run 'gone': there is no gone/raw.jsonl and no results/gone/"),
        (["a", "-o", "a"], "hybrideval merge: {here}/a exists already: name a new directory"),
        (["a", "-o", "a/raw.jsonl/x"], "hybrideval merge: {here}/a/raw.jsonl: "),
        (["killed", "-o", "all"], "hybrideval merge: killed/raw.jsonl:2: not JSON: "),
        (["bare", "-o", "all"], "hybrideval merge: bare/manifest.json is missing"),
    ],
)
def test_merge_refuses_what_it_cannot_read_or_write(here: Path, args: list[str], said: str) -> None:
    for name in ("a", "killed", "bare"):
        save(here / name, [trial(1)])
    (here / "bare" / "manifest.json").unlink()
    with (here / "killed" / "raw.jsonl").open("a", encoding="utf-8") as file:
        file.write('{"tri')
    assert refusal(hybrideval("merge", *args), 2).startswith(said.format(here=here))
    assert not (here / "all").exists()


# --- import -----------------------------------------------------------------------------------------------------------


def test_import_says_what_it_made_and_what_was_missing(here: Path) -> None:
    (here / "raw.jsonl").write_text(json.dumps(ROW) + "\n", encoding="utf-8")
    result = hybrideval("import", "raw.jsonl", "-o", "results/old", *MODELS)
    assert (result.exit_code, result.stderr) == (0, "")
    first, *notes = result.stdout.splitlines()
    assert first == "results/old: 1 trials from 1 rows of raw.jsonl: 0 passed, 0 failed, 1 errors"
    assert notes[0].startswith("missing keys: latency.wall_ms (1), quality.functional_pass (1), ")
    assert notes[1:] == [
        "unknown keys, kept in imported.jsonl: mystery",
        "unknown categories, taken for puzzles: novel (1)",
        "rows whose tokens are unknown: 1",
    ]
    assert "old" in hybrideval("runs").stdout


@pytest.mark.parametrize(
    ("file", "options", "said"),
    [
        ("gone.jsonl", MODELS, "hybrideval import: gone.jsonl: No such file or directory"),
        (".", MODELS, "hybrideval import: .: Is a directory"),
        (
            "raw.jsonl",
            [],
            "hybrideval import: raw.jsonl:1: local_model_id is missing: say which model it was by --local-",
        ),
        ("raw.jsonl", ["--local-model", "gemma4"], "hybrideval import: model 'gemma4' is not PROVIDER/NAME"),
        ("bad.jsonl", MODELS, "hybrideval import: bad.jsonl:1: task_id 7 is not a text"),
    ],
)
def test_import_refuses_in_one_line(here: Path, file: str, options: list[str], said: str) -> None:
    (here / "raw.jsonl").write_text(json.dumps(ROW) + "\n", encoding="utf-8")
    (here / "bad.jsonl").write_text('{"task_id": 7}\n', encoding="utf-8")
    assert refusal(hybrideval("import", file, "-o", "old", *options), 2).startswith(said)
    assert not (here / "old").exists()


# --- the installed script ---------------------------------------------------------------------------------------------


def script() -> str:
    found = shutil.which("hybrideval", path=str(Path(sys.executable).parent))
    assert found, "the package is not installed with its script"
    return found


def test_the_script_works_in_a_pipe(here: Path) -> None:
    save(here / "results" / "one", [trial(1)])
    done = subprocess.run([script(), "runs"], capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")
    assert "one" in done.stdout
    refused = subprocess.run(
        [script(), "merge", "two", "-o", "x"], capture_output=True, text=True, check=False, timeout=60
    )
    assert (refused.returncode, refused.stdout) == (2, "")
    assert refused.stderr.startswith("hybrideval merge: no run 'two'")
    assert refused.stderr.count("\n") == 1


def test_a_reader_that_goes_away_is_no_error(here: Path) -> None:
    for number in range(300):
        save(here / "results" / f"run-{number}", [trial(1)])
    with subprocess.Popen([script(), "runs"], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as child:
        assert child.stdout is not None
        assert child.stderr is not None
        child.stdout.close()
        assert child.stderr.read() == b""


def test_help_needs_nothing_heavy() -> None:
    code = (
        "import sys\nfrom pytest_hybrideval.cli import main\nsys.argv = ['hybrideval', '--help']\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        "print([name for name in ('pytest', 'pydantic', 'numpy', 'scipy', 'duckdb', 'rich') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.splitlines()[-1] == "[]"
