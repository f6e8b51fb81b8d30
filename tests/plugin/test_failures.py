"""How trials end that do not pass: the agent's fault is a failure, the infrastructure's an error, each in one line."""

from __future__ import annotations

import pytest
from bench import Bench, one_line, outcomes

from pytest_hybrideval.testing import FakeOpenAI, Fault, refused_url

pytest_plugins = ["pytester"]

BOTH = pytest.mark.parametrize("workers", [(), ("-n2",)], ids=["plain", "n2"])
ADD = "small/add[always-cloud-s42]"


def local(url: str) -> tuple[str, ...]:
    """Options for a local model at this address and nothing in the cloud."""
    models = ("--local-model", "openai/x", "--cloud-model", "simulated/gpt-5.5")
    return (*models, "--local-base-url", url, "--strategy", "always-local")


class TestBackends:
    """A model that does not answer says nothing about the agent."""

    @BOTH
    def test_a_closed_port(self, bench: Bench, workers: tuple[str, ...]) -> None:
        for name in ("one", "two", "three"):
            bench.native(name)
        bench.agent()
        with refused_url() as url:
            result = bench.run(*local(f"{url}/v1"), *workers, new_process=bool(workers))
        assert result.ret == pytest.ExitCode.USAGE_ERROR
        assert bench.records() == [], "asked before the first trial"
        said = [line for line in (*result.outlines, *result.errlines) if "refused the connection" in line]
        assert said
        assert all("the local model openai/x would not answer" in line and url in line for line in said)
        assert result.duration < 30

    def test_a_model_that_fails_in_mid_trial(self, bench: Bench) -> None:
        bench.native()
        bench.agent()
        with FakeOpenAI(default=Fault.server_error()) as server:
            result = bench.run(*local(server.base_url), "--hybrid-retries", "0")
        result.assert_outcomes(errors=1)
        assert outcomes(bench.records()) == {"small/add[always-local-s42]": "error backend"}
        assert [(call["status"], call["fault"]) for call in bench.calls()] == [(500, "backend")]

    def test_a_wrong_key(self, bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
        bench.native()
        bench.agent()
        monkeypatch.setenv("HYBRIDEVAL_LOCAL_API_KEY", "sk-wrong-and-secret")
        with FakeOpenAI(api_key="sk-right") as server:
            result = bench.run(*local(server.base_url))
        assert "refused the API key in HYBRIDEVAL_LOCAL_API_KEY" in one_line(result)
        assert bench.records() == []
        assert "sk-wrong-and-secret" not in result.stdout.str() + result.stderr.str()

    def test_a_missing_key_is_refused_at_once(self, bench: Bench) -> None:
        bench.native()
        bench.agent()
        models = ("--local-model", "simulated/gemma4:31b", "--cloud-model", "openai/gpt-5.5")
        result = bench.run(*models)
        assert result.ret == pytest.ExitCode.USAGE_ERROR
        assert "OPENAI_API_KEY" in one_line(result)
        assert bench.records() == []

    def test_a_key_that_no_strategy_needs_may_be_missing(self, bench: Bench) -> None:
        bench.native()
        bench.agent("ScriptedAgent(requests=0)")
        models = ("--local-model", "simulated/gemma4:31b", "--cloud-model", "openai/gpt-5.5")
        bench.run(*models, "--strategy", "always-local").assert_outcomes(errors=1)
        assert outcomes(bench.records()) == {"small/add[always-local-s42]": "error agent"}

    def test_a_context_that_is_too_small_is_the_agents_failure(self, bench: Bench) -> None:
        bench.native()
        bench.agent()
        with FakeOpenAI(default=Fault.context_overflow()) as server:
            bench.run(*local(server.base_url)).assert_outcomes(failed=1)
        assert outcomes(bench.records()) == {"small/add[always-local-s42]": "failed context_overflow"}


NULL = ("failed syntax_error", "calc.py")


class TestAgents:
    """What an agent does wrong is told apart."""

    @pytest.mark.parametrize(
        ("script", "outcome", "detail"),
        [
            ("ScriptedAgent()", "passed", ""),
            ("ScriptedAgent(stream=False)", "passed", ""),
            ("ScriptedAgent(requests=3)", "passed", ""),
            ("ScriptedAgent(exit_code=1)", "passed", ""),
            ("""ScriptedAgent(touches={"calc.py": ""})""", "failed tests_failed", "calc.py"),
            ("""ScriptedAgent(touches={"calc.py": "x"}, exit_code=-11)""", "failed agent_crash", "exit code -11"),
            ("""ScriptedAgent(touches={"calc.py": BEFORE})""", "failed no_edit", "changed none of the files"),
            (
                """ScriptedAgent(touches={"calc.py": BEFORE, "calculator.py": "x = 1", ".aider.tags": ""})""",
                "failed wrong_file",
                "only files that do not count were changed: calculator.py",
            ),
            (
                """ScriptedAgent(touches={"calc.py": BEFORE, "test_visible.py": "x = 1"})""",
                "failed wrong_file",
                "test_visible.py",
            ),
            ("""ScriptedAgent(touches={"calc.py": "def add(a, b:"})""", "failed syntax_error", "calc.py, line 1: "),
            ("""ScriptedAgent(touches={"calc.py": "x = '\\0'".encode().decode("unicode_escape")})""", *NULL),
            ("ScriptedAgent(requests=0)", "error agent", "without sending a request"),
            ("ScriptedAgent(requests=0, exit_code=2)", "error agent", "exit code 2"),
            ("""ScriptedAgent(raises=OSError("no room"))""", "error internal", "OSError: no room"),
        ],
    )
    def test_how_it_ends(self, bench: Bench, script: str, outcome: str, detail: str) -> None:
        bench.native()
        bench.agent(script)
        bench.conftest("""BEFORE = "def add(a, b):\\n    return 0\\n" """)
        bench.run()
        assert outcomes(bench.records()) == {ADD: outcome}
        assert detail in bench.record()["detail"]
        assert "\n" not in bench.record()["detail"]

    @BOTH
    def test_a_hanging_one_is_stopped_at_its_limit(self, bench: Bench, workers: tuple[str, ...]) -> None:
        bench.native()
        bench.agent("ScriptedAgent(hangs=True)")
        result = bench.run("--hybrid-timeout", "0.5", *workers, new_process=bool(workers))
        result.assert_outcomes(failed=1)
        assert outcomes(bench.records()) == {ADD: "failed agent_timeout"}

    def test_the_tasks_own_limit_holds(self, bench: Bench) -> None:
        manifest = bench.native() / "task.yaml"
        manifest.write_text(manifest.read_text() + "limits: {agent_seconds: 0.5}\n")
        bench.agent("ScriptedAgent(hangs=True)")
        bench.run()
        assert outcomes(bench.records()) == {ADD: "failed agent_timeout"}

    def test_an_exception_is_shown_with_its_place(self, bench: Bench) -> None:
        bench.native()
        bench.conftest("""
            class Broken(ScriptedAgent):
                def run(self, job):
                    return self.nonsense

            @pytest.fixture
            def agent():
                return Broken()
        """)
        result = bench.run()
        result.assert_outcomes(errors=1)
        result.stdout.fnmatch_lines(["*return self.nonsense*", "*AttributeError*nonsense*"])

    def test_what_is_not_allowed_does_not_count(self, bench: Bench) -> None:
        cheats = {
            "calc.py": "def add(a, b):\n    return 1\n",
            "conftest.py": "def pytest_collection_modifyitems(items):\n    items.clear()\n",
            "test_calc.py": "def test_add():\n    pass\n",
            "hidden/test_calc.py": "def test_add():\n    pass\n",
            "../escaped.py": "",
        }
        bench.native()
        bench.agent(f"ScriptedAgent(touches={cheats!r})")
        bench.run().assert_outcomes(failed=1)
        assert outcomes(bench.records()) == {ADD: "failed tests_failed"}
        changes = (bench.directory() / "trials" / "small" / "add" / "always-cloud-s42" / "changes.diff").read_text()
        assert "conftest.py" not in changes


def test_a_scorer_that_cannot_score_is_an_error(bench: Bench) -> None:
    bench.native()
    bench.agent()
    bench.conftest("""
        from pytest_hybrideval.core.errors import SandboxError

        class Closed:
            label = "closed"

            def score(self, task, produced, report=None):
                raise SandboxError("the sandbox is closed; open it")

        @pytest.fixture
        def scorer():
            return Closed()
    """)
    result = bench.run()
    result.assert_outcomes(errors=1)
    assert outcomes(bench.records()) == {ADD: "error sandbox"}
    result.stdout.fnmatch_lines(["sandbox: the sandbox is closed; open it"])


def test_a_task_whose_own_solution_fails_is_an_error(bench: Bench) -> None:
    folder = bench.native()
    (folder / "hidden" / "test_calc.py").write_text("def test_add():\n    assert False\n")
    bench.agent()
    bench.run().assert_outcomes(errors=1)
    record = bench.record()
    assert record["outcome"] == "error"
    assert "its own solution does not pass" in record["detail"]


def test_ordinary_tests_beside_trials_are_left_as_they_are(bench: Bench) -> None:
    bench.native()
    bench.agent("ScriptedAgent(requests=0)")
    bench.pytester.makepyfile("def test_it():\n    assert False, 'an ordinary failure'\n")
    result = bench.run()
    result.assert_outcomes(failed=1, errors=1)
    assert len(bench.records()) == 1
