"""What users replace and add: fixtures in a conftest, strategies, backends and suites by hooks or by import path."""

from __future__ import annotations

import pytest
from bench import Bench, one_line, outcomes

pytest_plugins = ["pytester"]

BOTH = pytest.mark.parametrize("workers", [(), ("-n2",)], ids=["plain", "n2"])
COIN = """
    from pytest_hybrideval.core.domain import Decision, Tier

    class Coin:
        name = "coin"
        default_threshold = 0.5

        async def decide(self, request, context):
            tier = Tier.LOCAL if context.threshold > 0.5 else Tier.CLOUD
            return Decision(tier, f"threshold {context.threshold:g}, seed {context.seed}")
"""
BROKEN = """
    class Broken:
        name = "broken"

        async def decide(self, request, context):
            raise LookupError("no such entry")

    def pytest_hybrideval_strategies():
        return {"broken": Broken}
"""


@BOTH
class TestStrategies:
    """Offered by a hook, or named by import path."""

    def test_by_hook_in_a_conftest(self, bench: Bench, workers: tuple[str, ...]) -> None:
        bench.native()
        bench.agent()
        bench.conftest(COIN)
        bench.conftest("""
            def pytest_hybrideval_strategies():
                return {"coin": Coin}
        """)
        bench.run("--strategy", "coin", "--thresholds", "0.1,0.9", *workers, new_process=bool(workers))
        reasons = {call["trial"]: (call["tier"], call["reason"]) for call in bench.calls()}
        assert reasons == {
            "small/add[coin-t0.1-s42]": ("cloud", "threshold 0.1, seed 42"),
            "small/add[coin-t0.9-s42]": ("local", "threshold 0.9, seed 42"),
        }
        assert {record["strategy"] for record in bench.records()} == {"coin"}

    def test_by_import_path(self, bench: Bench, workers: tuple[str, ...]) -> None:
        bench.native()
        bench.agent()
        bench.pytester.syspathinsert()
        bench.pytester.makepyfile(routing=COIN)
        bench.run("--strategy", "routing:Coin", *workers, new_process=bool(workers))
        record = bench.record()
        assert (record["strategy"], record["threshold"]) == ("routing:Coin", 0.5)
        assert record["node_id"] == "small/add::add[routing.Coin-t0.5-s42]"
        assert [call["reason"] for call in bench.calls()] == ["threshold 0.5, seed 42"]

    def test_one_that_raises_is_an_error_and_no_verdict(self, bench: Bench, workers: tuple[str, ...]) -> None:
        bench.native()
        bench.agent()
        bench.conftest(BROKEN)
        result = bench.run("--strategy", "broken", *workers, new_process=bool(workers))
        result.assert_outcomes(errors=1)
        assert outcomes(bench.records()) == {"small/add[broken-s42]": "error strategy"}
        assert "'broken'" in bench.record()["detail"]
        assert "LookupError: no such entry" in bench.record()["detail"]
        assert bench.record()["tokens"] == {}, "the request went nowhere"


def test_a_strategy_that_answers_nonsense_is_an_error(bench: Bench) -> None:
    bench.native()
    bench.agent()
    bench.conftest("""
        class Nonsense:
            name = "nonsense"

            async def decide(self, request, context):
                return "local"

        def pytest_hybrideval_strategies():
            return {"nonsense": Nonsense}
    """)
    bench.run("--strategy", "nonsense").assert_outcomes(errors=1)
    assert outcomes(bench.records()) == {"small/add[nonsense-s42]": "error strategy"}
    assert "'local'" in bench.record()["detail"]


def test_a_strategy_that_cannot_be_made_is_an_error(bench: Bench) -> None:
    bench.native()
    bench.agent()
    bench.conftest("""
        class Choosy:
            def __init__(self):
                raise ValueError("weights are missing")

            async def decide(self, request, context):
                raise AssertionError

        def pytest_hybrideval_strategies():
            return {"choosy": Choosy}
    """)
    result = bench.run("--strategy", "choosy")
    result.assert_outcomes(errors=1)
    assert outcomes(bench.records()) == {"small/add[choosy-s42]": "error strategy"}
    assert "weights are missing" in bench.record()["detail"]


def test_one_strategy_name_from_two_plugins_is_refused(bench: Bench) -> None:
    bench.native()
    bench.pytester.syspathinsert()
    offer = COIN + "\n    def pytest_hybrideval_strategies():\n        return {'coin': Coin}\n"
    bench.pytester.makepyfile(plugin_a=offer, plugin_b=offer)
    result = bench.pytest("-p", "plugin_a", "-p", "plugin_b", "--strategy", "coin")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert "two plugins offer a strategy named 'coin'" in one_line(result)


def test_a_packaged_name_cannot_be_taken(bench: Bench) -> None:
    bench.native()
    bench.conftest("""
        def pytest_hybrideval_strategies():
            return {"heuristic": object}
    """)
    result = bench.pytest()
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert "two plugins offer a strategy named 'heuristic'" in one_line(result)


def test_a_hook_in_a_conftest_further_down_is_not_ignored(bench: Bench) -> None:
    bench.native()
    (bench.path / "small" / "conftest.py").write_text(
        "def pytest_hybrideval_strategies():\n    return {'coin': object}\n"
    )
    result = bench.pytest("--collect-only", "-q", "small", "--strategy", "coin")
    assert "small/add::add[coin-s42]" in result.outlines


def test_own_provider(bench: Bench) -> None:
    bench.native()
    bench.agent()
    bench.conftest("""
        from pytest_hybrideval.backends.simulated import SimulatedBackend, profiles

        def mine(ref, tier, environ, base_url):
            return SimulatedBackend(ref, profiles()["gpt-5.5"])

        def pytest_hybrideval_backends():
            return {"mine": mine}
    """)
    models = ("--local-model", "simulated/gemma4:31b", "--cloud-model", "mine/gpt-5.5")
    bench.run(*models).assert_outcomes(passed=1)
    assert bench.record()["cloud_model"] == "mine/gpt-5.5"
    assert bench.record()["simulated"] is True, "a backend that says it is simulated is believed"


def test_own_folder_format(bench: Bench) -> None:
    folder = bench.native("plain")
    (folder / "task.yaml").rename(folder / "task.yml")
    (folder / "mine.txt").write_text("mine")
    bench.agent()
    bench.conftest("""
        import shutil
        from pytest_hybrideval.suites.native import NativeSuite

        class Mine(NativeSuite):
            def claims(self, folder):
                return (folder / "mine.txt").is_file()

            def load(self, folder):
                shutil.copy(folder / "task.yml", folder / "task.yaml")
                return super().load(folder)

        def pytest_hybrideval_suites():
            return {"mine": Mine()}
    """)
    bench.run().assert_outcomes(passed=1)


class TestFixtures:
    """Each can be overridden, for one suite alone where the conftest lies in its folder."""

    def test_scorer(self, bench: Bench) -> None:
        bench.native()
        bench.agent()
        bench.conftest("""
            from pytest_hybrideval.core.domain import Score

            class Lenient:
                label = "lenient"

                def score(self, task, produced, report=None):
                    return Score(False, 1, {"style": "failed"}, 1, 0.0)

            @pytest.fixture(scope="session")
            def scorer():
                return Lenient()
        """)
        bench.run().assert_outcomes(failed=1)
        assert bench.record()["failed_tests"] == ["style"]
        assert bench.json("manifest.json")["sandbox"] == "lenient"

    def test_agent_of_one_suite(self, bench: Bench) -> None:
        bench.native(suite="small")
        bench.native(suite="other")
        bench.agent()
        (bench.path / "other" / "conftest.py").write_text(
            "import pytest\nfrom pytest_hybrideval.testing.scripted_agent import ScriptedAgent\n\n\n"
            "@pytest.fixture\ndef agent():\n    return ScriptedAgent(requests=0)\n"
        )
        bench.run()
        assert outcomes(bench.records()) == {
            "other/add[always-cloud-s42]": "error agent",
            "small/add[always-cloud-s42]": "passed",
        }

    def test_router(self, bench: Bench) -> None:
        bench.native()
        bench.agent()
        bench.conftest("""
            @pytest.fixture
            def router(router):
                yield router
                with open("calls.txt", "w") as file:
                    file.write(str(len(router.ledger.agent_calls)))
        """)
        bench.run().assert_outcomes(passed=1)
        assert (bench.path / "calls.txt").read_text() == "1"

    def test_one_that_breaks_is_an_error_of_its_trials(self, bench: Bench) -> None:
        bench.native()
        bench.conftest("""
            @pytest.fixture
            def agent():
                raise RuntimeError("no license")
        """)
        bench.run().assert_outcomes(errors=1)
        assert outcomes(bench.records()) == {"small/add[always-cloud-s42]": "error internal"}
        assert bench.record()["detail"] == "RuntimeError: no license"

    def test_autouse_fixtures_of_the_user_apply(self, bench: Bench) -> None:
        bench.native()
        bench.agent()
        bench.conftest("""
            @pytest.fixture(autouse=True)
            def noted(request):
                with open("noted.txt", "w") as file:
                    file.write(request.node.nodeid)
        """)
        bench.run().assert_outcomes(passed=1)
        assert (bench.path / "noted.txt").read_text() == "small/add::add[always-cloud-s42]"
