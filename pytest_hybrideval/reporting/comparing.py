"""A run beside an earlier one, in words: how they differ, what has become of each strategy, what is left out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pytest_hybrideval.analysis.against import Against
from pytest_hybrideval.analysis.cells import ALL_SUITES, CellKey
from pytest_hybrideval.analysis.comparison import Comparison
from pytest_hybrideval.reporting.merged_manifest import deciding
from pytest_hybrideval.reporting.numbers import names_of
from pytest_hybrideval.reporting.sentences import SIMULATED, saves, solves

_NAMED = 5
_SHOWN = 40


def differences(new: Mapping[str, Any], old: Mapping[str, Any]) -> Iterator[str]:
    """What two manifests differ in, of what a verdict depends on: tasks, models, agent, prices, versions, options."""
    here, there = dict(deciding(new)), dict(deciding(old))
    changed = [key for key in here if key in there and here[key] != there[key]]
    for key in changed[:_NAMED]:
        ours, theirs = str(here[key]), str(there[key])
        shorter = _short(ours), _short(theirs)
        ours, theirs = shorter if shorter[0] != shorter[1] else (ours, theirs)
        yield f"{key}: {ours} here, {theirs} there"
    if len(changed) > _NAMED:
        yield f"and {len(changed) - _NAMED} more: {', '.join(changed[_NAMED:])}"[: 4 * _SHOWN]
    models = [", ".join(sorted(manifest.get("models", {}))) or "none" for manifest in (new, old)]
    if models[0] != models[1]:
        yield f"models: {models[0]} here, {models[1]} there"


def lines(against: Against, old_id: str, differing: tuple[str, ...], simulated: bool) -> Iterator[str]:
    """The comparison with an earlier run as text lines, over everything that ran.

    `simulated` says whether either run was, on embedded models.
    """
    yield from (f"differs: {difference}" for difference in differing)
    compared, unmatched = overall(against), [key for key in against.unmatched if _is_whole(key, against)]
    names = names_of([*(each.key for each in compared), *unmatched])
    for each in compared:
        said = [solves(each, f"that of run {old_id}", names[each.key]), saves(each), *_like(each), *_left_out(each)]
        yield " ".join([*said, *([SIMULATED] if simulated else [])])
    for key in unmatched:
        yield f"{names[key]} cannot be compared: run {old_id} has no counterpart with a task and seed in common."


def overall(against: Against) -> list[Comparison]:
    """The comparisons over everything: all suites together, or the only suite."""
    return [each for each in against.comparisons if _is_whole(each.key, against)]


def _is_whole(key: CellKey, against: Against) -> bool:
    """Whether a line is about all suites together, where several ran."""
    every = [*(each.key for each in against.comparisons), *against.unmatched]
    return key.scope == ALL_SUITES or not any(other.scope == ALL_SUITES for other in every)


def _like(each: Comparison) -> Iterator[str]:
    """Name what the other side is called where it is not called the same."""
    fields = ("threshold", "local_model", "cloud_model", "agent")
    pairs = [(name, getattr(each.key, name), getattr(each.baseline, name)) for name in fields]
    named = [f"{name.replace('_', ' ')} {here} here, {there} there" for name, here, there in pairs if here != there]
    if named:
        yield f"Not the same: {'; '.join(named)}."


def _left_out(each: Comparison) -> Iterator[str]:
    if not (each.left_out or each.baseline_left_out):
        return
    more = f" and {len(each.changed_tasks) - _NAMED} more" if len(each.changed_tasks) > _NAMED else ""
    changed = f", all of the tasks that changed since among them: {', '.join(each.changed_tasks[:_NAMED])}{more}"
    trials = f"{each.left_out} trials here and {each.baseline_left_out} there are not in common"
    yield f"Left out: {trials}{changed if each.changed_tasks else ''}."


def _short(value: object) -> str:
    text = str(value)
    return text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"
