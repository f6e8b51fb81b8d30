"""A simulated model answers the same for the same seed, task and model, as often right as its profile says, and never
other than in the format it is asked for."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from appliers import apply
from builders import CLOUD, LOCAL, backend_call, code_request, edit_request, make_task, make_trial, plan_request, user

from pytest_hybrideval.backends import edits
from pytest_hybrideval.backends.simulated import CHUNK_CHARACTERS, SimulatedBackend, profiles, simulated_backend
from pytest_hybrideval.core.domain import ChatRequest, Completion, ModelRef, StreamEvent, Task, TaskClass, Tier, Trial
from pytest_hybrideval.core.errors import ConfigurationError
from pytest_hybrideval.core.signals import EditFormat, read_request

SHOWN = {"slug.py": "def slug(text):\n    return text\n"}
SOLUTION = {"slug.py": "def slug(text):\n    return text.lower().replace(' ', '-')\n"}
NEAR_MISSES = {
    "lower-only": {"slug.py": "def slug(text):\n    return text.lower()\n"},
    "blanks-only": {"slug.py": "def slug(text):\n    return text.replace(' ', '-')\n"},
}
FORMATS = (EditFormat.WHOLE, EditFormat.DIFF, EditFormat.UDIFF)
SEEDS = range(400)


@pytest.fixture
def task(tmp_path: Path) -> Task:
    return make_task(tmp_path, SHOWN, SOLUTION, NEAR_MISSES)


def model(ref: ModelRef = LOCAL, **profile: Any) -> SimulatedBackend:
    """A published model, its profile changed where that is asked for."""
    return SimulatedBackend(ref, replace(profiles()[ref.name], **profile))


def able(chance: float, **profile: Any) -> SimulatedBackend:
    """A model that solves every task with the same chance and never spoils an edit."""
    solve = dict.fromkeys([task_class.value for task_class in TaskClass], chance)
    return model(**{"solve": solve, "spread": 1e9, "follows": 1.0, "malformed": 0.0, **profile})


def completion(backend: SimulatedBackend, request: ChatRequest, trial: Trial, cap: int | None = None) -> Completion:
    return asyncio.run(backend.complete(backend_call(request, trial, cap)))


def texts(backend: SimulatedBackend, request: ChatRequest, task: Task, seeds: range) -> list[str]:
    """The answer for every seed, asked in one event loop: starting one takes longer than many answers."""

    async def collect() -> list[str]:
        calls = [backend_call(request, make_trial(task, seed)) for seed in seeds]
        return [(await backend.complete(call)).text for call in calls]

    return asyncio.run(collect())


def streamed(
    backend: SimulatedBackend, request: ChatRequest, trial: Trial, cap: int | None = None
) -> list[StreamEvent]:
    async def collect() -> list[StreamEvent]:
        return [event async for event in backend.stream(backend_call(request, trial, cap))]

    return asyncio.run(collect())


def variant_of(task: Task, answer: str, edit_format: EditFormat) -> str | None:
    """The name of the variant that an answer turns the shown file into."""
    result = apply(edit_format, answer, SHOWN)
    return next((name for name, files in edits.variants(task).items() if {**SHOWN, **files} == result), None)


@pytest.mark.parametrize("edit_format", FORMATS)
def test_code_is_a_variant_in_the_format_that_is_asked_for(task: Task, edit_format: EditFormat) -> None:
    request = code_request("Make slugs.", SHOWN, edit_format)
    found = Counter(variant_of(task, text, edit_format) for text in texts(able(0.5), request, task, range(60)))
    assert set(found) == {"solution", "lower-only", "blanks-only"}


def test_the_same_seed_task_and_model_answer_the_same(task: Task) -> None:
    request = code_request("Make slugs.", SHOWN)
    for seed in range(20):
        answers = {completion(model(), request, make_trial(task, seed)).text for _ in range(3)}
        assert len(answers) == 1


@pytest.mark.parametrize("which", ["seed", "task", "model"])
def test_another_seed_task_or_model_draws_anew(task: Task, tmp_path: Path, which: str) -> None:
    request = plan_request("Make slugs.", SHOWN)
    other_task = make_task(tmp_path / "other", SHOWN, SOLUTION, NEAR_MISSES, name="other")
    same_profile = replace(profiles()[LOCAL.name], solve=dict.fromkeys([c.value for c in TaskClass], 0.5), spread=1e9)
    other_model = SimulatedBackend(ModelRef("simulated", "other"), same_profile)
    one = [completion(able(0.5), request, make_trial(task, seed)).text for seed in range(40)]
    other = [
        completion(
            other_model if which == "model" else able(0.5),
            request,
            make_trial(other_task if which == "task" else task, seed + 1000 * (which == "seed")),
        ).text
        for seed in range(40)
    ]
    assert one != other


def test_strategy_and_threshold_do_not_touch_the_draw(task: Task) -> None:
    request = code_request("Make slugs.", SHOWN)
    for seed in range(20):
        trials = [make_trial(task, seed), make_trial(task, seed, "cascade", 15.0)]
        assert len({completion(model(), request, trial).text for trial in trials}) == 1


@pytest.mark.parametrize("name", ["solution", "lower-only", "blanks-only"])
@pytest.mark.parametrize("edit_format", FORMATS)
def test_a_plan_is_carried_out_whatever_the_editor_itself_could_do(
    task: Task, name: str, edit_format: EditFormat
) -> None:
    plan = edits.plan(task, edits.variants(task)[name])
    request = code_request(plan, SHOWN, edit_format)
    for chance in (0.0, 1.0):
        answer = completion(able(chance), request, make_trial(task)).text
        assert variant_of(task, answer, edit_format) == name


def test_the_planner_and_the_editor_together_solve_what_the_planner_solves(task: Task) -> None:
    for seed in range(30):
        trial = make_trial(task, seed)
        plan = completion(able(0.5), plan_request("Make slugs.", SHOWN), trial).text
        answer = completion(able(0.0), edit_request(plan, SHOWN), trial).text
        planned = variant_of(task, answer, EditFormat.WHOLE)
        assert planned is not None
        assert plan == edits.plan(task, edits.variants(task)[planned])


def test_a_plan_is_carried_out_after_a_refused_edit_as_well(task: Task) -> None:
    plan = edits.plan(task, edits.variants(task)["lower-only"])
    refused = "No filename provided before ``` in file listing"
    history = (user(plan), {"role": "assistant", "content": "spoilt"})
    answer = completion(able(1.0), edit_request(refused, SHOWN, history=history), make_trial(task)).text
    assert variant_of(task, answer, EditFormat.WHOLE) == "lower-only"


def test_a_plan_that_begins_like_another_is_not_taken_for_it(tmp_path: Path) -> None:
    misses = {"and-more": {"slug.py": SOLUTION["slug.py"] + "print(slug('x'))\n"}}
    task = make_task(tmp_path, SHOWN, SOLUTION, misses)
    for name in ("solution", "and-more"):
        plan = edits.plan(task, edits.variants(task)[name])
        answer = completion(able(1.0), edit_request(plan, SHOWN), make_trial(task)).text
        assert variant_of(task, answer, EditFormat.WHOLE) == name


def test_an_editor_strays_as_often_as_its_profile_says(task: Task) -> None:
    request = edit_request(edits.plan(task, edits.variants(task)["solution"]), SHOWN)
    backend = able(1.0, follows=0.8)
    found = Counter(variant_of(task, text, EditFormat.WHOLE) for text in texts(backend, request, task, SEEDS))
    assert found["solution"] / len(SEEDS) == pytest.approx(0.8, abs=0.05)
    assert set(found) == {"solution", "lower-only", "blanks-only"}


def test_a_task_without_near_misses_is_answered_wrong_by_no_edit(tmp_path: Path) -> None:
    task = make_task(tmp_path, SHOWN, SOLUTION)
    answer = completion(able(0.0), code_request("Make slugs.", SHOWN), make_trial(task)).text
    assert answer == "No file needs a change."


@pytest.mark.parametrize("chance", [0.0, 0.3, 0.88, 1.0])
def test_in_the_long_run_a_task_is_solved_as_often_as_its_chance_says(task: Task, chance: float) -> None:
    backend, request = able(chance), plan_request("Make slugs.", SHOWN)
    solution = edits.plan(task, edits.variants(task)["solution"])
    solved = [text == solution for text in texts(backend, request, task, SEEDS)]
    assert sum(solved) / len(solved) == pytest.approx(chance, abs=0.06 if 0 < chance < 1 else 0)


def test_the_chance_of_a_published_model_is_kept_in_the_long_run_too(task: Task) -> None:
    backend, request = model(), plan_request("Make slugs.", SHOWN)
    solution = edits.plan(task, edits.variants(task)["solution"])
    solved = [text == solution for text in texts(backend, request, task, SEEDS)]
    assert sum(solved) / len(solved) == pytest.approx(backend.chance(task), abs=0.06)


@pytest.mark.parametrize("ref", [LOCAL, CLOUD, ModelRef("simulated", "qwen3-coder:30b")])
@pytest.mark.parametrize("task_class", list(TaskClass))
def test_averaged_over_many_tasks_the_chance_is_the_published_figure(
    task: Task, ref: ModelRef, task_class: TaskClass
) -> None:
    backend = model(ref)
    chances = [backend.chance(replace(task, name=f"task-{number}", task_class=task_class)) for number in range(2000)]
    assert sum(chances) / len(chances) == pytest.approx(profiles()[ref.name].solve[task_class.value], abs=0.02)
    assert all(0 <= chance <= 1 for chance in chances)


@pytest.mark.parametrize(("name", "thirteen"), [("gpt-5.5", 0.98), ("gemma4:31b", 0.62), ("qwen3-coder:30b", 0.23)])
def test_the_profiles_agree_with_the_figures_they_are_taken_from(name: str, thirteen: float) -> None:
    solve = profiles()[name].solve
    assert (4 * solve["D1"] + 4 * solve["D5"] + 5 * solve["puzzle"]) / 13 == pytest.approx(thirteen, abs=0.01)


@pytest.mark.parametrize("name", sorted(profiles()))
def test_every_profile_covers_every_class_with_chances(name: str) -> None:
    profile = profiles()[name]
    assert set(profile.solve) == {task_class.value for task_class in TaskClass}
    for chance in (*profile.solve.values(), profile.follows, profile.malformed, profile.classifies):
        assert 0 <= chance <= 1


@pytest.mark.parametrize("edit_format", FORMATS)
def test_edits_are_spoilt_as_often_as_the_profile_says(task: Task, edit_format: EditFormat) -> None:
    request = code_request("Make slugs.", SHOWN, edit_format)
    signals = read_request(request)
    clean = edits.write(edits.variants(task)["solution"], signals)
    backend = able(1.0, malformed=0.3)
    answers = Counter(texts(backend, request, task, SEEDS))
    assert set(answers) == {clean, edits.malformed(clean, signals)}
    assert answers[clean] / len(SEEDS) == pytest.approx(0.7, abs=0.06)


def test_a_spoilt_edit_is_drawn_anew_when_the_agent_asks_again(task: Task) -> None:
    backend = able(1.0, malformed=0.5)
    first = code_request("Make slugs.", SHOWN)
    history = (user("Make slugs."), {"role": "assistant", "content": "spoilt"})
    again = code_request("No filename provided before ``` in file listing", SHOWN, history=history)
    trials = [make_trial(task, seed) for seed in range(60)]
    outcomes = {tuple(completion(backend, asked, trial).text for asked in (first, again)) for trial in trials}
    assert len(outcomes) == 4


def test_a_request_that_wants_no_edit_gets_prose(task: Task) -> None:
    answer = completion(able(1.0), ChatRequest({"messages": [user("Say hello.")]}), make_trial(task)).text
    assert "```" not in answer
    assert answer


@pytest.mark.parametrize("request_", [plan_request("Make slugs.", SHOWN), code_request("Make slugs.", SHOWN)])
def test_usage_counts_the_request_and_the_answer(task: Task, request_: ChatRequest) -> None:
    answer = completion(model(), request_, make_trial(task))
    size = sum(len(message["content"].encode()) for message in request_.messages)
    assert answer.usage.prompt is not None
    assert size / 4 <= answer.usage.prompt <= size / 4 + len(request_.messages)
    assert answer.usage.completion == -(-len(answer.text.encode()) // 4)
    assert (answer.usage.cached, answer.usage.reasoning) == (0, 0)
    said = json.loads(answer.body)["usage"]
    assert said["prompt_tokens"] == answer.usage.prompt
    assert said["completion_tokens"] == answer.usage.completion
    assert said["total_tokens"] == answer.usage.prompt + answer.usage.completion


def test_a_whole_answer_has_the_shape_of_the_api(task: Task) -> None:
    answer = completion(model(), plan_request("Make slugs.", SHOWN), make_trial(task))
    body = json.loads(answer.body)
    assert body["object"] == "chat.completion"
    assert body["choices"][0]["message"] == {"role": "assistant", "content": answer.text}
    assert body["choices"][0]["finish_reason"] == answer.finish_reason == "stop"


@pytest.mark.parametrize("cap", [1, 5, 12])
def test_a_token_limit_cuts_the_answer_and_says_so(task: Task, cap: int) -> None:
    request = code_request("Make slugs.", SHOWN)
    whole = completion(able(1.0), request, make_trial(task))
    cut = completion(able(1.0), request, make_trial(task), cap)
    assert cut.finish_reason == "length"
    assert cut.usage.completion == cap
    assert whole.text.startswith(cut.text)
    assert whole.text != cut.text
    events = streamed(able(1.0), request, make_trial(task), cap)
    assert [event.finish_reason for event in events if event.finish_reason] == ["length"]
    assert "".join(event.text for event in events) == cut.text


def test_the_agents_own_limit_counts_as_well(task: Task) -> None:
    cut = completion(able(1.0), code_request("Make slugs.", SHOWN, max_tokens=5), make_trial(task), 12)
    assert (cut.finish_reason, cut.usage.completion) == ("length", 5)


def test_a_limit_that_is_not_reached_changes_nothing(task: Task) -> None:
    request = code_request("Make slugs.", SHOWN)
    whole = completion(able(1.0), request, make_trial(task))
    assert whole.usage.completion is not None
    again = completion(able(1.0), request, make_trial(task), whole.usage.completion)
    assert (again.text, again.finish_reason) == (whole.text, "stop")


def test_a_limit_never_cuts_a_character_in_two(tmp_path: Path) -> None:
    task = make_task(tmp_path, SHOWN, {"slug.py": "GREETING = '" + "ä€𝄞" * 20 + "'\n"})
    request = code_request("Make slugs.", SHOWN)
    whole = completion(able(1.0), request, make_trial(task))
    for cap in range(1, 40):
        cut = completion(able(1.0), request, make_trial(task), cap)
        assert whole.text.startswith(cut.text)
        assert cut.usage.completion is not None
        assert cut.usage.completion <= cap


@pytest.mark.parametrize("edit_format", FORMATS)
def test_the_chunks_of_a_stream_make_up_the_whole_answer(task: Task, edit_format: EditFormat) -> None:
    request = code_request("Make slugs.", SHOWN, edit_format)
    whole = completion(model(), request, make_trial(task))
    events = streamed(model(), request, make_trial(task))
    chunks = [json.loads(event.data) for event in events if event.data]
    deltas = [choice["delta"].get("content", "") for chunk in chunks for choice in chunk["choices"]]
    assert "".join(deltas) == whole.text
    assert "".join(event.text for event in events) == whole.text
    assert sum(bool(event.text) for event in events) == -(-len(whole.text) // CHUNK_CHARACTERS)
    assert len({chunk["id"] for chunk in chunks}) == 1
    assert {chunk["object"] for chunk in chunks} == {"chat.completion.chunk"}
    assert [event.finish_reason for event in events if event.finish_reason] == ["stop"]
    assert events[-1].usage == whole.usage


@pytest.mark.parametrize(
    ("options", "wanted"),
    [(None, False), ({}, False), ({"include_usage": False}, False), ({"include_usage": True}, True)],
)
def test_usage_is_streamed_to_the_agent_only_where_it_asked(task: Task, options: Any, wanted: bool) -> None:
    request = plan_request("Make slugs.", SHOWN, stream_options=options)
    events = streamed(model(), request, make_trial(task))
    shown = [event for event in events if event.data and json.loads(event.data).get("usage")]
    assert bool(shown) is wanted
    assert events[-1].usage is not None


def test_the_classifier_is_right_as_often_as_its_profile_says(task: Task) -> None:
    async def said(backend: SimulatedBackend) -> list[str]:
        calls = [backend_call(plan_request("Make slugs."), make_trial(task, seed)) for seed in SEEDS]
        answers = [await backend.ask("Would you?", call) for call in calls]
        assert all(answer.usage.known for answer in answers)
        return [answer.text for answer in answers]

    for chance, truth in ((1.0, "local"), (0.0, "cloud")):
        words = asyncio.run(said(able(chance, classifies=0.7)))
        assert set(words) == {"local", "cloud"}
        assert words.count(truth) / len(words) == pytest.approx(0.7, abs=0.06)


def test_the_classifier_repeats_itself(task: Task) -> None:
    call = backend_call(plan_request("Make slugs."), make_trial(task))
    assert len({asyncio.run(model().ask("Would you?", call)).text for _ in range(5)}) == 1


def test_a_model_says_that_it_is_simulated_and_by_which_profile() -> None:
    one, other = asyncio.run(model().describe()), asyncio.run(model(malformed=0.5).describe())
    assert one.simulated
    assert model().simulated
    assert one.model == "simulated/gemma4:31b"
    assert one.digest != other.digest


def test_the_temperature_that_is_recorded_is_the_one_of_the_request(task: Task) -> None:
    call = backend_call(plan_request("Make slugs."), make_trial(task))
    assert model().effective_temperature(call) == 0.0


def test_a_name_without_a_profile_is_refused_with_the_names_there_are() -> None:
    with pytest.raises(ConfigurationError, match=r"no simulated model 'gpt-6'; there are .*gemma4:31b.*gpt-5\.5"):
        simulated_backend(ModelRef("simulated", "gpt-6"), Tier.CLOUD, {}, None)


def test_a_base_url_is_refused_since_nothing_would_be_asked_there() -> None:
    with pytest.raises(ConfigurationError, match="takes no --local-base-url"):
        simulated_backend(LOCAL, Tier.LOCAL, {}, "http://127.0.0.1:1")


def test_the_factory_needs_no_environment(task: Task) -> None:
    backend = simulated_backend(CLOUD, Tier.CLOUD, {}, None)
    assert completion(backend, plan_request("Make slugs.", SHOWN), make_trial(task)).text
    asyncio.run(backend.aclose())
    asyncio.run(backend.aclose())
