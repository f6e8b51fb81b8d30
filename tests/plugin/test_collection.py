"""Task folders become trials with readable ids, and pytest's own ways to choose among tests work on them."""

from __future__ import annotations

import json

import pytest
from bench import Bench

pytest_plugins = ["pytester"]

ADD = "small/add::add[heuristic-t25-s42]"
GREET = "small/greet::greet[heuristic-t25-s42]"
LEAP = "exercism/leap::leap[heuristic-t25-s42]"
FAILING = """ScriptedAgent(touches={"calc.py": "no_python"})"""


@pytest.fixture
def suites(bench: Bench) -> Bench:
    """Three tasks in two suites."""
    bench.native("add")
    bench.native("greet", task_class="D5", topic="manners")
    bench.exercism("leap")
    return bench


@pytest.fixture
def ordinary_test(bench: Bench) -> str:
    """A test that has nothing to do with us; its node id."""
    (bench.path / "test_ordinary.py").write_text("def test_it():\n    pass\n")
    return "test_ordinary.py::test_it"


def test_a_task_folder_is_a_trial_without_any_test_file(suites: Bench) -> None:
    assert suites.collected() == [LEAP, ADD, GREET]


def test_any_folder_of_tasks_can_be_named(suites: Bench) -> None:
    assert suites.collected("small") == [ADD, GREET]
    assert suites.collected(str(suites.path / "exercism" / "leap")) == [LEAP]


def test_the_axes_multiply(suites: Bench) -> None:
    found = suites.collected(
        "small/add", "--strategy", "always-local,cascade", "--seeds", "42,7", "--thresholds", "5,1.5"
    )
    assert [node_id.partition("::")[2] for node_id in found] == [
        "add[always-local-s42]",  # takes no threshold, so thresholds do not multiply it
        "add[always-local-s7]",
        "add[cascade-t5-s42]",
        "add[cascade-t5-s7]",
        "add[cascade-t1.5-s42]",
        "add[cascade-t1.5-s7]",
    ]


def test_models_stand_in_the_id_where_there_are_several(suites: Bench) -> None:
    models = ("--local-model", "simulated/gemma4:31b,simulated/qwen3-coder:30b", "--cloud-model", "simulated/gpt-5.5")
    found = suites.collected("small/add", "--strategy", "always-local", *models)
    assert [node_id.partition("::")[2] for node_id in found] == [
        "add[always-local-gemma4:31b-s42]",
        "add[always-local-qwen3-coder:30b-s42]",
    ]


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("small", [ADD, GREET]),
        ("exercism", [LEAP]),
        ("D5", [GREET]),
        ("puzzle", [LEAP]),
        ("add", [ADD]),
        ("manners", [GREET]),
        ("easy and not greet", [ADD]),
        ("s42 and heuristic and leap", [LEAP]),
    ],
    ids=["suite", "exercism-suite", "class", "exercism-class", "slug", "topic", "difficulty", "variant"],
)
def test_choose_by_keyword(suites: Bench, expression: str, expected: list[str]) -> None:
    assert suites.collected("-k", expression) == expected


def test_choose_by_marker(suites: Bench, ordinary_test: str) -> None:
    assert suites.collected("-m", "hybrideval", "--strict-markers") == [LEAP, ADD, GREET]
    assert suites.collected("-m", "not hybrideval") == [ordinary_test]


def test_collecting_alone_writes_nothing(suites: Bench) -> None:
    result = suites.pytest("--collect-only", "--strategy", "always-cloud")
    result.stdout.fnmatch_lines(
        ["*<TaskDirectory add>", "*<TrialItem add[[]always-cloud-s42[]]>", "*3 tests collected*"]
    )
    assert not (suites.path / "results").exists()


class TestNodeIds:
    """Ids as pytest prints them can be given back to it."""

    @pytest.mark.parametrize("workers", [(), ("-n2",)], ids=["plain", "n2"])
    def test_one_trial(self, suites: Bench, workers: tuple[str, ...]) -> None:
        suites.agent()
        result = suites.run("small/add::add[always-cloud-s7]", "--seeds", "42,7", *workers, new_process=bool(workers))
        result.assert_outcomes(passed=1)
        assert suites.record()["node_id"] == "small/add::add[always-cloud-s7]"

    def test_every_trial_of_a_task(self, suites: Bench) -> None:
        found = suites.collected("small/add::add", "--seeds", "42,7")
        assert found == [ADD, "small/add::add[heuristic-t25-s7]"]

    def test_several_in_one_folder(self, suites: Bench) -> None:
        chosen = ["small/add::add[heuristic-t25-s7]", "small/add::add[heuristic-t25-s13]"]
        assert suites.collected(*chosen, "--seeds", "42,7,13") == chosen

    def test_beside_a_whole_folder(self, suites: Bench) -> None:
        assert suites.collected(LEAP, "small") == [LEAP, ADD, GREET]
        assert suites.collected("small/add", "small/add::add[heuristic-t25-s7]", "--seeds", "42,7") == [
            ADD,
            "small/add::add[heuristic-t25-s7]",
        ]

    def test_beside_an_ordinary_test(self, suites: Bench, ordinary_test: str) -> None:
        assert suites.collected(ordinary_test, ADD) == [ordinary_test, ADD]

    def test_an_absolute_path(self, suites: Bench) -> None:
        assert suites.collected(f"{suites.path}/{ADD}") == [ADD]

    @pytest.mark.parametrize(
        ("name", "workers"),
        [("add[heuristic-t25-s7]", ()), ("add[cascade-t5-s42]", ()), ("ad", ()), ("ad", ("-n2",))],
    )
    def test_an_unknown_one_is_refused(self, suites: Bench, name: str, workers: tuple[str, ...]) -> None:
        result = suites.pytest(f"small/add::{name}", *workers, new_process=bool(workers))
        assert result.ret == pytest.ExitCode.USAGE_ERROR
        errors = [line for line in (*result.outlines, *result.errlines) if line.startswith("ERROR: ")]
        assert len(errors) == 1
        assert f"small/add::{name}" in errors[0]
        assert "add[heuristic-t25-s42]" in errors[0], "it names what there is"

    def test_an_unknown_folder_is_refused(self, suites: Bench) -> None:
        result = suites.pytest("small/nothing::nothing[heuristic-t25-s42]")
        assert result.ret == pytest.ExitCode.USAGE_ERROR

    def test_nothing_inside_a_task_can_be_named(self, suites: Bench) -> None:
        assert suites.pytest("small/add/hidden/test_calc.py").ret == pytest.ExitCode.USAGE_ERROR
        assert suites.pytest("small/add/hidden/test_calc.py::test_add").ret == pytest.ExitCode.USAGE_ERROR


@pytest.mark.parametrize("workers", [(), ("-n2",)], ids=["plain", "n2"])
def test_last_failed_runs_what_failed(
    suites: Bench, tmp_path_factory: pytest.TempPathFactory, workers: tuple[str, ...]
) -> None:
    own_cache = f"cache_dir={tmp_path_factory.mktemp('cache')}"
    suites.agent(greet=FAILING, leap="ScriptedAgent(requests=0)")
    first = suites.run("-o", own_cache, *workers, run_id="first", new_process=bool(workers))
    first.assert_outcomes(passed=1, failed=1, errors=1)
    suites.run("-o", own_cache, "--lf", *workers, run_id="second", new_process=bool(workers))
    again = sorted(record["task"] for record in suites.records("second"))
    assert again == ["exercism/leap", "small/greet"]


def test_stop_at_the_first_failure(suites: Bench) -> None:
    suites.agent(add=FAILING)
    result = suites.run("-x")
    result.assert_outcomes(passed=1, failed=1)
    assert [record["task"] for record in suites.records()] == ["exercism/leap", "small/add"]
    assert (suites.directory() / "decision_matrix.md").exists()


class TestBrokenTasks:
    """A broken task is a collection error of its own: it says where, and keeps no other task from running."""

    @pytest.mark.parametrize("workers", [(), ("-n2",)], ids=["plain", "n2"])
    def test_a_manifest(self, suites: Bench, workers: tuple[str, ...]) -> None:
        path = suites.path / "small" / "greet" / "task.yaml"
        path.write_text(path.read_text().replace("class: D5", "class: D9"))
        suites.agent()
        result = suites.run("--continue-on-collection-errors", *workers, new_process=bool(workers))
        result.assert_outcomes(passed=2, errors=1)
        assert len(suites.records()) == 2
        assert f"{path}: field 'class'" in error_of(result)

    def test_an_exercism_configuration(self, suites: Bench) -> None:
        path = suites.path / "exercism" / "leap" / ".meta" / "config.json"
        path.write_text('{"files": {"test": ["leap_test.py"], "example": [".meta/example.py"]}}')
        assert f"{path}: field 'files.solution'" in error_of(suites.pytest("--collect-only"))

    def test_no_json_at_all(self, suites: Bench) -> None:
        path = suites.path / "exercism" / "leap" / ".meta" / "config.json"
        path.write_text("{")
        assert f"{path}: not readable as JSON" in error_of(suites.pytest("--collect-only"))

    def test_nothing_runs_unless_asked_to(self, suites: Bench) -> None:
        (suites.path / "small" / "greet" / "task.yaml").write_text("- not\n- fields\n")
        result = suites.run()
        assert result.ret == pytest.ExitCode.INTERRUPTED, "as with any broken test module"
        assert not (suites.path / "results").exists()


def error_of(result: pytest.RunResult) -> str:
    """What stands below the heading of the one collection error: one line, and no traceback."""
    assert "Traceback" not in result.stdout.str()
    headings = [index for index, line in enumerate(result.outlines) if "ERROR collecting" in line]
    assert len(headings) == 1
    assert result.outlines[headings[0] + 2].startswith("=")
    return result.outlines[headings[0] + 1]


def test_a_manifest_without_its_folders_is_none_of_ours(bench: Bench) -> None:
    folder = bench.path / "deploy"
    folder.mkdir()
    (folder / "task.yaml").write_text("version: 3\ntasks: {build: {cmds: [make]}}\n")
    (folder / "test_deploy.py").write_text("def test_it():\n    pass\n")
    result = bench.pytest()
    result.assert_outcomes(passed=1)
    assert not (bench.path / "results").exists()


def test_tasks_with_one_name_in_two_suites(bench: Bench) -> None:
    bench.native("add", suite="one")
    bench.native("add", suite="two")
    assert bench.collected() == ["one/add::add[heuristic-t25-s42]", "two/add::add[heuristic-t25-s42]"]


def test_two_suites_with_one_name_are_refused(bench: Bench) -> None:
    # Records, artifacts and cells are keyed by suite/task: two of them would be pooled and overwrite each other.
    bench.native("add", suite="old/small")
    bench.native("add", suite="new/small")
    result = bench.pytest("--collect-only")
    assert result.ret != pytest.ExitCode.OK
    assert "small/add" in result.stdout.str() + result.stderr.str()


def test_a_task_may_be_the_root(suites: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = suites.path / "small" / "add"
    (folder / "pytest.ini").write_text("[pytest]\n")
    monkeypatch.chdir(folder)
    (node_id,) = suites.collected("--seeds", "42")
    assert suites.collected(node_id, "--seeds", "42,7") == [node_id]


def test_a_task_that_cannot_run_here_is_skipped_with_its_reason(bench: Bench) -> None:
    folder = bench.exercism("leap")
    config = json.loads((folder / ".meta/config.json").read_text())
    for field, old in (("solution", "leap.py"), ("test", "leap_test.py"), ("example", ".meta/example.py")):
        (folder / old).rename(folder / old.replace(".py", ".rs"))
        config["files"][field] = [old.replace(".py", ".rs")]
    (folder / ".meta/near_misses/always/leap.py").unlink()
    (folder / ".meta/config.json").write_text(json.dumps(config))
    bench.native()
    bench.agent()
    result = bench.run("-rs", "--seeds", "42,7")
    result.assert_outcomes(passed=2, skipped=2)
    result.stdout.fnmatch_lines(["SKIPPED*exercism/leap: its language (.rs) is not one whose hidden tests can be run*"])
    assert {record["task"] for record in bench.records()} == {"small/add"}


def test_a_harbor_task_needs_real_models_and_an_enclosure(bench: Bench) -> None:
    folder = bench.path / "shelf" / "sum"
    (folder / "tests").mkdir(parents=True)
    (folder / "task.toml").write_text("")
    (folder / "instruction.md").write_text("Sum up.")
    (folder / "tests/test.sh").write_text("echo 1 > /logs/verifier/reward.txt\n")
    (folder / "environment").mkdir()
    (folder / "environment/numbers.txt").write_text("1")
    bench.agent()
    result = bench.run("-rs")
    result.assert_outcomes(skipped=1)
    result.stdout.fnmatch_lines(["SKIPPED*shelf/sum: embedded models know only tasks whose solution is files*"])
    assert bench.records() == []
