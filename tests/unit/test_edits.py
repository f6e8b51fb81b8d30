"""What a simulated model writes can be applied and what it spoils cannot, by strict appliers and by aider's own."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from appliers import RefusedEditError, apply
from builders import make_task
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from pytest_hybrideval.backends import edits
from pytest_hybrideval.core.domain import Task
from pytest_hybrideval.core.signals import EditFormat, Phase, RequestSignals

FORMATS = (EditFormat.WHOLE, EditFormat.DIFF, EditFormat.UDIFF)
BEFORE = "".join(f"line {number}\n" for number in range(40))
AFTER = BEFORE.replace("line 5\n", "changed five\n").replace("line 30\n", "line 30\nand a half\n")
FENCED = "# Notes\n\n```python\nprint(1)\n```\n"

relaxed = settings(deadline=None, max_examples=120)


def shown(edit_format: EditFormat, files: Mapping[str, str], fence: str = "```") -> RequestSignals:
    """A request that shows these files and asks for this format."""
    return RequestSignals(Phase.CODE, edit_format, "", "", files, {}, fence)


def rewritten(
    edit_format: EditFormat, before: Mapping[str, str], after: Mapping[str, str], fence: str = "```"
) -> Mapping[str, str]:
    """The files after an answer that is to turn `before` into `after`."""
    answer = edits.write(after, shown(edit_format, before, fence))
    return apply(edit_format, answer, before, fence)


@pytest.fixture
def task(tmp_path: Path) -> Task:
    solution = {"notes.py": AFTER, "new.py": "NEW = 1\n"}
    misses = {
        "half": {"notes.py": BEFORE.replace("line 5\n", "changed five\n")},
        "idle": {"notes.py": BEFORE, "new.py": "NEW = 2\n"},
    }
    return make_task(tmp_path, {"notes.py": BEFORE, "README.md": "Read me.\n"}, solution, misses)


def test_variants_hold_the_solution_and_every_near_miss_by_name(task: Task) -> None:
    assert dict(edits.variants(task)) == {
        "solution": {"notes.py": AFTER, "new.py": "NEW = 1\n"},
        "half": {"notes.py": BEFORE.replace("line 5\n", "changed five\n")},
        "idle": {"new.py": "NEW = 2\n"},
    }


def test_a_task_without_near_misses_has_one_wrong_variant_that_changes_nothing(tmp_path: Path) -> None:
    variants = edits.variants(make_task(tmp_path, {"a.py": "1\n"}, {"a.py": "2\n"}))
    assert sorted(map(len, variants.values())) == [0, 1]
    assert variants["solution"] == {"a.py": "2\n"}


def test_a_plan_names_every_file_and_shows_what_changes(task: Task) -> None:
    text = edits.plan(task, edits.variants(task)["solution"])
    assert "Change `notes.py`" in text
    assert "Create `new.py`" in text
    assert "| changed five" in text
    assert "| NEW = 1" in text


def test_a_plan_shows_no_whole_file_and_nothing_that_an_agent_takes_for_an_edit(task: Task) -> None:
    text = edits.plan(task, edits.variants(task)["solution"])
    assert "line 18" not in text
    for mark in ("```", "<<<<<<<", "@@", "+++"):
        assert mark not in text


def test_different_variants_have_different_plans(task: Task) -> None:
    plans = [edits.plan(task, files) for files in edits.variants(task).values()]
    assert len(set(plans)) == len(plans)


def test_a_plan_without_changes_says_so(task: Task) -> None:
    assert "Nothing needs to change" in edits.plan(task, {})


@pytest.mark.parametrize("edit_format", FORMATS)
@pytest.mark.parametrize("name", ["solution", "half", "idle"])
def test_a_written_variant_is_that_variant_when_applied(task: Task, edit_format: EditFormat, name: str) -> None:
    before = {"notes.py": BEFORE, "new.py": ""}
    variant = edits.variants(task)[name]
    assert rewritten(edit_format, before, variant) == {**before, **variant}


@pytest.mark.parametrize("edit_format", FORMATS)
def test_a_file_that_is_not_shown_is_created(edit_format: EditFormat) -> None:
    assert rewritten(edit_format, {}, {"pkg/new.py": "A = 1\nB = 2\n"}) == {"pkg/new.py": "A = 1\nB = 2\n"}


@pytest.mark.parametrize("edit_format", FORMATS)
def test_a_half_done_file_is_edited_from_where_it_stands(edit_format: EditFormat) -> None:
    half = BEFORE.replace("line 5\n", "changed five\n")
    assert rewritten(edit_format, {"notes.py": half}, {"notes.py": AFTER}) == {"notes.py": AFTER}


@pytest.mark.parametrize("edit_format", FORMATS)
def test_files_that_are_already_right_need_no_change(edit_format: EditFormat) -> None:
    answer = edits.write({"notes.py": AFTER}, shown(edit_format, {"notes.py": AFTER}))
    assert answer == "No file needs a change."


@pytest.mark.parametrize("edit_format", FORMATS)
def test_files_that_hold_a_fence_are_written_in_the_longer_one(edit_format: EditFormat) -> None:
    before = {"NOTES.md": FENCED}
    after = {"NOTES.md": FENCED + "\nDone.\n"}
    assert rewritten(edit_format, before, after, "````") == after


@pytest.mark.parametrize("edit_format", FORMATS)
@pytest.mark.parametrize(("before", "after"), [("a\nb", "a\nc\n"), ("a\nb\n", "a\nc"), ("a\nb", "a\nc")])
def test_written_files_end_in_a_newline(edit_format: EditFormat, before: str, after: str) -> None:
    assert rewritten(edit_format, {"a.txt": before}, {"a.txt": after}) == {"a.txt": "a\nc\n"}


@pytest.mark.parametrize("edit_format", [EditFormat.DIFF, EditFormat.UDIFF])
def test_distant_changes_leave_out_what_lies_between(edit_format: EditFormat) -> None:
    answer = edits.write({"notes.py": AFTER}, shown(edit_format, {"notes.py": BEFORE}))
    assert "line 18" not in answer


lines = st.lists(st.sampled_from(["a\n", "b\n", "    c\n", "\n"]), max_size=14).map("".join)


@relaxed
@given(lines, lines.filter(bool), st.sampled_from(FORMATS))
def test_any_file_can_be_turned_into_any_other(before: str, after: str, edit_format: EditFormat) -> None:
    assume(before.strip() or not before)  # blank lines alone cannot be searched for
    assert rewritten(edit_format, {"a.py": before}, {"a.py": after}) == {"a.py": after}


@pytest.mark.parametrize("edit_format", [EditFormat.DIFF, EditFormat.UDIFF])
def test_a_change_amid_equal_lines_lands_in_its_place(edit_format: EditFormat) -> None:
    before, after = "a\n" * 8, "a\n" * 4 + "b\n" + "a\n" * 4
    assert rewritten(edit_format, {"a.py": before}, {"a.py": after}) == {"a.py": after}


@pytest.mark.parametrize("edit_format", [EditFormat.DIFF, EditFormat.UDIFF])
def test_a_passage_that_an_earlier_edit_repeats_is_still_told_apart(edit_format: EditFormat) -> None:
    tail = "x\ny\nz\nold\n"
    before = "top\n" + BEFORE + tail
    after = "top\n" + tail + BEFORE + "x\ny\nz\nnew\n"
    assert rewritten(edit_format, {"a.py": before}, {"a.py": after}) == {"a.py": after}


SPOILT: list[tuple[str, dict[str, str], dict[str, str]]] = [
    ("one file", {"notes.py": BEFORE}, {"notes.py": AFTER}),
    ("one short file", {"a.py": "a = 1\n"}, {"a.py": "a = 2\n"}),
    ("one new file", {"new.py": ""}, {"new.py": "NEW = 1\n"}),
    ("two files", {"notes.py": BEFORE, "a.py": "a = 1\n"}, {"notes.py": AFTER, "a.py": "a = 2\n"}),
    ("one of two", {"notes.py": BEFORE, "a.py": "a = 1\n"}, {"a.py": "a = 2\n"}),
    ("old and new", {"notes.py": BEFORE, "new.py": ""}, {"notes.py": AFTER, "new.py": "NEW = 1\n"}),
]
spoilt = pytest.mark.parametrize(("before", "after"), [case[1:] for case in SPOILT], ids=[case[0] for case in SPOILT])


@spoilt
@pytest.mark.parametrize("edit_format", FORMATS)
def test_a_malformed_answer_changes_nothing(
    edit_format: EditFormat, before: dict[str, str], after: dict[str, str]
) -> None:
    signals = shown(edit_format, before)
    answer = edits.malformed(edits.write(after, signals), signals)
    try:
        result = apply(edit_format, answer, before)
    except RefusedEditError:
        return
    assert {name: result[name] for name in before} == before


Applier = Callable[[EditFormat, str, Mapping[str, str], str], dict[str, str]]


@pytest.fixture
def aider(tmp_path: Path) -> Applier:
    """aider's own reading and applying of an answer; what it refuses leaves the files as they were."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of its dependencies
        from aider.coders import editblock_coder, udiff_coder, wholefile_coder

    def written(name: str) -> Path:
        return tmp_path / "chat" / name

    def whole(answer: str, files: Mapping[str, str], fence: str) -> list[tuple[str, str]]:
        coder = SimpleNamespace(
            fence=(fence, fence),
            abs_root_path=written,
            get_inchat_relative_files=lambda: list(files),
            get_multi_response_content_in_progress=lambda: answer,
        )
        found: Any = wholefile_coder.WholeFileCoder.get_edits
        return [(name, "".join(new)) for name, _, new in found(coder)]

    def diff(answer: str, files: Mapping[str, str], fence: str) -> list[tuple[str, str]]:
        found = editblock_coder.find_original_update_blocks(answer, (fence, fence), list(files))
        done: list[tuple[str, str]] = []
        for name, old, new in list(found):
            text = written(name).read_text()
            changed = editblock_coder.do_replace(written(name), text, old, new, (fence, fence))
            if changed:
                written(name).write_text(changed)
                done.append((name, changed))
        return done

    def udiff(answer: str, files: Mapping[str, str], fence: str) -> list[tuple[str, str]]:
        done: list[tuple[str, str]] = []
        for name, raw in udiff_coder.find_diffs(answer):
            hunk = udiff_coder.normalize_hunk(raw)
            try:
                changed = udiff_coder.do_replace(written(name), written(name).read_text(), hunk)
            except udiff_coder.SearchTextNotUnique:
                continue
            if changed:
                written(name).write_text(changed)
                done.append((name, changed))
        return done

    def applied(edit_format: EditFormat, answer: str, files: Mapping[str, str], fence: str = "```") -> dict[str, str]:
        for name, text in files.items():
            written(name).parent.mkdir(parents=True, exist_ok=True)
            written(name).write_text(text)
        readers = {EditFormat.WHOLE: whole, EditFormat.DIFF: diff, EditFormat.UDIFF: udiff}
        try:
            return {**files, **dict(readers[edit_format](answer, files, fence))}
        except ValueError:
            return dict(files)

    return applied


@spoilt
@pytest.mark.parametrize("edit_format", FORMATS)
def test_aider_applies_what_is_written(
    aider: Applier, edit_format: EditFormat, before: dict[str, str], after: dict[str, str]
) -> None:
    answer = edits.write(after, shown(edit_format, before))
    assert aider(edit_format, answer, before, "```") == {**before, **after}


@spoilt
@pytest.mark.parametrize("edit_format", FORMATS)
def test_aider_applies_nothing_of_a_malformed_answer(
    aider: Applier, edit_format: EditFormat, before: dict[str, str], after: dict[str, str]
) -> None:
    signals = shown(edit_format, before)
    result = aider(edit_format, edits.malformed(edits.write(after, signals), signals), before, "```")
    assert {name: result[name] for name in before} == before


@pytest.mark.parametrize("edit_format", FORMATS)
def test_aider_applies_what_is_written_in_the_longer_fence(aider: Applier, edit_format: EditFormat) -> None:
    before, after = {"NOTES.md": FENCED}, {"NOTES.md": FENCED + "\nDone.\n"}
    answer = edits.write(after, shown(edit_format, before, "````"))
    assert aider(edit_format, answer, before, "````") == after
