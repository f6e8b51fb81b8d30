"""What is asked for is done or refused in one line; nothing is silently replaced."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from bench import Bench, one_line

from pytest_hybrideval.plugin.option_table import OPTIONS

pytest_plugins = ["pytester"]

PAGE = Path(__file__).parents[2] / "docs" / "options.md"
LOCAL = ("--local-model", "simulated/gemma4:31b")
CLOUD = ("--cloud-model", "simulated/gpt-5.5")

REFUSED = {
    "unknown-strategy": (("--strategy", "heuristc"), ("unknown strategy 'heuristc'", "did you mean 'heuristic'?")),
    "strategy-far-off": (("--strategy", "xyz"), ("unknown strategy 'xyz'", "always-cloud", "cascade")),
    "strategy-module": (("--strategy", "nowhere:Router"), ("nowhere:Router", "module:Class")),
    "strategy-class": (("--strategy", "json:Router"), ("json:Router", "Router")),
    "strategy-no-strategy": (("--strategy", "json:JSONDecoder"), ("json:JSONDecoder", "decide")),
    "strategy-twice": (("--strategy", "cascade,cascade"), ("--strategy", "'cascade'", "twice")),
    "strategy-empty": (("--strategy", "cascade,,heuristic"), ("--strategy", "''")),
    "seeds-word": (("--seeds", "42,x"), ("--seeds", "'x'", "for example: --seeds 42,7,13")),
    "seeds-negative": (("--seeds=-1",), ("--seeds", "'-1'")),
    "seeds-fraction": (("--seeds", "1.5"), ("--seeds", "'1.5'")),
    "seeds-gap": (("--seeds", "1,,2"), ("--seeds", "''")),
    "seeds-twice": (("--seeds", "1,2,1"), ("--seeds", "'1'", "twice")),
    "thresholds-unwanted": (("--strategy", "always-cloud", "--thresholds", "5"), ("always-cloud", "cascade")),
    "thresholds-nan": (("--thresholds", "nan"), ("--thresholds", "'nan'")),
    "provider": (("--local-model", "olama/x", *CLOUD), ("unknown provider 'olama'", "did you mean 'ollama'?")),
    "simulated-local": (("--local-model", "simulated/gpt-6", *CLOUD), ("simulated", "'gpt-6'", "gemma4:31b")),
    "simulated-cloud": ((*LOCAL, "--cloud-model", "simulated/gpt-6"), ("simulated", "'gpt-6'")),
    "no-provider": ((*LOCAL, "--cloud-model", "gpt-5.5"), ("'gpt-5.5'", "PROVIDER/NAME")),
    "no-model-name": ((*LOCAL, "--cloud-model", "openai/"), ("'openai/'", "PROVIDER/NAME")),
    "only-local": (LOCAL, ("--local-model", "without --cloud-model")),
    "only-cloud": (CLOUD, ("--cloud-model", "without --local-model")),
    "model-twice": ((*CLOUD, "--local-model", "simulated/gemma4:31b,simulated/gemma4:31b"), ("--local-model", "twice")),
    "price": (
        (*LOCAL, "--cloud-model", "openai/unheard-of", "--cloud-base-url", "http://127.0.0.1:9/v1"),
        ("no price", "'unheard-of'", "--hybrid-pricing"),
    ),
    "pricing-file": (("--hybrid-pricing", "none.yaml"), ("--hybrid-pricing", "none.yaml", "No such file")),
    "sandbox": (("--hybrid-sandbox", "bublewrap"), ("sandbox 'bublewrap'", "bubblewrap")),
    "aider-format": (("--hybrid-aider-format", "whle"), ("format 'whle'", "whole")),
    "aider-command": (("--hybrid-aider", "/nowhere/aider"), ("--hybrid-aider", "/nowhere/aider")),
    "temperature-word": (("--hybrid-local-temperature", "hot"), ("--hybrid-local-temperature", "'hot'")),
    "temperature-negative": (("--hybrid-cloud-temperature=-1",), ("--hybrid-cloud-temperature", "'-1'")),
    "max-tokens": (("--hybrid-cloud-max-tokens", "0"), ("--hybrid-cloud-max-tokens", "'0'")),
    "num-ctx": (("--hybrid-num-ctx", "16k"), ("--hybrid-num-ctx", "'16k'")),
    "think": (("--hybrid-think", "maybe"), ("--hybrid-think", "'maybe'")),
    "retries": (("--hybrid-retries", "many"), ("--hybrid-retries", "'many'")),
    "timeout": (("--hybrid-timeout", "0"), ("--hybrid-timeout", "'0'")),
    "base-url": (("--local-model", "openai/x", "--local-base-url", "localhost", *CLOUD), ("localhost", "http")),
    "base-url-simulated": (("--local-base-url", "http://127.0.0.1:9/v1"), ("simulated", "--local-base-url")),
    "margin-word": (("--hybrid-margin", "five"), ("--hybrid-margin", "'five'", "for example: --hybrid-margin 0.05")),
    "margin-nothing": (("--hybrid-margin", "0"), ("--hybrid-margin", "'0'")),
    "margin-all": (("--hybrid-margin", "1"), ("--hybrid-margin", "'1'")),
    "margin-per-cent": (("--hybrid-margin", "5"), ("--hybrid-margin", "'5'")),
    "gate": (("--hybrid-gate", "pas_rate>=1"), ("--hybrid-gate", "'pas_rate>=1'", "did you mean 'pass_rate'?")),
    "gate-second": (("--hybrid-gate", "errors<=0", "--hybrid-gate", "lift"), ("'lift'", "quote")),
    "gate-empty": (("--hybrid-gate", ""), ("--hybrid-gate", "''", "for example")),
    "gate-inconclusive": (("--hybrid-gate-inconclusive", "ok"), ("--hybrid-gate-inconclusive", "'ok'", "pass")),
    "compare": (("--hybrid-compare", "gone"), ("--hybrid-compare", "no run 'gone'", "results/gone/raw.jsonl")),
    "compare-latest": (("--hybrid-compare", "latest"), ("--hybrid-compare", "no run 'latest'")),
    "run-id-latest": (("--hybrid-run-id", "latest"), ("--hybrid-run-id", "'latest'")),
    "run-id-path": (("--hybrid-run-id", "../x"), ("--hybrid-run-id", "'../x'")),
    "run-id-dot": (("--hybrid-run-id", "."), ("--hybrid-run-id", "'.'")),
}


@pytest.mark.parametrize(("args", "expected"), REFUSED.values(), ids=REFUSED)
def test_refused(bench: Bench, args: tuple[str, ...], expected: tuple[str, ...]) -> None:
    bench.native()
    result = (
        bench.pytest(*args, "--strategy", "always-local,always-cloud,heuristic")
        if models(args)
        else bench.pytest(*args)
    )
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    message = one_line(result)
    for part in expected:
        assert part in message
    assert not (bench.path / "results").exists()


def models(args: tuple[str, ...]) -> bool:
    """Whether models are named, so that strategies that need both tiers have to refuse them."""
    return any(arg.endswith(("-model", "-base-url")) for arg in args)


def test_refused_before_workers_start(bench: Bench) -> None:
    bench.native()
    result = bench.pytest("--strategy", "heuristc", "-n2", new_process=True)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert "did you mean 'heuristic'?" in one_line(result)


@pytest.mark.parametrize("workers", [(), ("-n2",)], ids=["plain", "n2"])
def test_a_run_id_that_is_taken(bench: Bench, workers: tuple[str, ...]) -> None:
    bench.native()
    bench.agent("ScriptedAgent(requests=0)")
    bench.run(run_id="mine")
    before = bench.records("mine")
    result = bench.run(*workers, run_id="mine", new_process=bool(workers))
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    lines = [line for line in (*result.outlines, *result.errlines) if "--hybrid-run-id" in line]
    assert len(lines) == 1
    assert str(bench.directory("mine")) in lines[0]
    assert "Traceback" not in result.stdout.str() + result.stderr.str()
    assert bench.records("mine") == before


def test_a_model_that_no_strategy_uses_needs_no_price(bench: Bench) -> None:
    bench.native()
    models = (*LOCAL, "--cloud-model", "openai/unheard-of")
    assert bench.pytest("--collect-only", "--strategy", "always-local", *models).ret == pytest.ExitCode.OK


def test_own_prices(bench: Bench) -> None:
    bench.native()
    (bench.path / "prices.yaml").write_text("as_of: 2026-01-01\nmodels: {mine: {prompt: 1, completion: 2}}\n")
    models = (*LOCAL, "--cloud-model", "openai/mine", "--cloud-base-url", "http://127.0.0.1:9/v1")
    result = bench.pytest("--collect-only", *models, "--hybrid-pricing", "prices.yaml")
    assert result.ret == pytest.ExitCode.OK


class TestIniTwins:
    """A project sets an option once; the command line goes over it."""

    def test_every_option_has_one(self, bench: Bench) -> None:
        twins = "\n".join(f"{option.ini} =" for option in OPTIONS)
        bench.pytester.makeini(f"[pytest]\naddopts = --strict-config\n{twins}\n")
        bench.native()
        assert bench.collected() == ["small/add::add[heuristic-t25-s42]"], "empty ones are as if not set"

    def test_they_are_read(self, bench: Bench) -> None:
        bench.pytester.makeini("[pytest]\nhybrideval_strategy = always-cloud\nhybrideval_seeds = 7,8\n")
        bench.native()
        assert bench.collected() == ["small/add::add[always-cloud-s7]", "small/add::add[always-cloud-s8]"]

    def test_the_command_line_goes_over_them(self, bench: Bench) -> None:
        bench.pytester.makeini("[pytest]\nhybrideval_strategy = always-cloud\nhybrideval_seeds = 7,8\n")
        bench.native()
        assert bench.collected("--seeds", "9") == ["small/add::add[always-cloud-s9]"]

    def test_a_bad_one_is_refused(self, bench: Bench) -> None:
        bench.pytester.makeini("[pytest]\nhybrideval_seeds = x\n")
        bench.native()
        result = bench.pytest()
        assert result.ret == pytest.ExitCode.USAGE_ERROR
        assert "hybrideval_seeds (ini): 'x' is not valid; for example: hybrideval_seeds = 42,7,13" in one_line(
            result
        ), "it names what the user wrote"

    @pytest.mark.parametrize(
        ("line", "expected"),
        [
            ("hybrideval_gate = pas_rate>=1", "hybrideval_gate (ini): gate 'pas_rate>=1' is not understood"),
            ("hybrideval_compare = gone", "hybrideval_compare (ini): no run 'gone'"),
            ("hybrideval_annotations = yes", "hybrideval_annotations (ini): 'yes' is not valid"),
            ("hybrideval_margin = 5", "hybrideval_margin (ini): '5' is not valid"),
        ],
    )
    def test_bad_ones_that_are_read_in_their_own_way(self, bench: Bench, line: str, expected: str) -> None:
        bench.pytester.makeini(f"[pytest]\n{line}\n")
        bench.native()
        assert expected in one_line(bench.pytest())

    def test_the_results_go_where_it_says(self, bench: Bench) -> None:
        bench.pytester.makeini("[pytest]\nhybrideval_results_dir = elsewhere\n")
        bench.native()
        bench.agent("ScriptedAgent(requests=0)")
        bench.run()
        assert (bench.path / "elsewhere" / "r" / "raw.jsonl").is_file()
        assert not (bench.path / "results").exists()


def test_help_shows_the_group(bench: Bench) -> None:
    result = bench.pytest("--help")
    text = result.stdout.str()
    assert "hybrid routing benchmarks (pytest-hybrideval):" in text
    for option in OPTIONS:
        assert option.ini in text
        metavar = option.metavar if option.const is None else f"[{option.metavar}]"
        written = option.flag if option.switch else f"{option.flag}={metavar}"
        assert re.search(rf"^  {re.escape(written)}( |$)", text, re.MULTILINE), written


def test_the_page_lists_every_option() -> None:
    rows = [line for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith("| `-")]
    table = [[cell.strip().replace("\\|", "|") for cell in re.split(r"(?<!\\)\|", row)[1:-1]] for row in rows]
    assert table == [
        [f"`{f'{option.flag} {option.metavar}'.strip()}`", f"`{option.ini}`", option.default or "", option.help]
        for option in OPTIONS
    ]


def test_the_marker_is_registered(bench: Bench) -> None:
    bench.pytest("--markers").stdout.fnmatch_lines(["@pytest.mark.hybrideval: *"])
