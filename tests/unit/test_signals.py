"""What is read from requests shaped like aider's, and that nothing odd in one can break the reading."""

from __future__ import annotations

from typing import Any

import pytest
from builders import (
    CODE_SYSTEM,
    EDIT_DIFF_SYSTEM,
    EDIT_SYSTEM,
    PLAN_SYSTEM,
    RULES,
    assistant,
    chat,
    code_request,
    edit_request,
    plan_request,
    user,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_hybrideval.core.domain import ChatRequest
from pytest_hybrideval.core.signals import EditFormat, Phase, read_request

FILES = {"slug.py": "def slug(text):\n    return text\n", "pkg/tables.py": "TABLE = {}\n"}
REFERENCES = {"CONVENTIONS.md": "Tabs are forbidden.\n"}
TASK = "Task: Make slugs.\n\nUse `slug.py` only."
FORMATS = (EditFormat.WHOLE, EditFormat.DIFF, EditFormat.UDIFF)

relaxed = settings(deadline=None, max_examples=100)


@pytest.mark.parametrize(
    ("system", "edit_format", "phase"),
    [
        (PLAN_SYSTEM, EditFormat.NONE, Phase.PLAN),
        (EDIT_SYSTEM, EditFormat.WHOLE, Phase.EDIT),
        (EDIT_DIFF_SYSTEM, EditFormat.DIFF, Phase.EDIT),
        (CODE_SYSTEM, EditFormat.WHOLE, Phase.CODE),
        (CODE_SYSTEM, EditFormat.DIFF, Phase.CODE),
        (CODE_SYSTEM, EditFormat.UDIFF, Phase.CODE),
        ("*Briefly* summarize this partial conversation.", EditFormat.NONE, Phase.SUMMARY),
        ("You are an expert software engineer that generates concise, one-line", EditFormat.NONE, Phase.COMMIT),
        ("Act as an expert code analyst.\nAnswer questions about the supplied code.", EditFormat.NONE, Phase.OTHER),
    ],
)
def test_phase_and_format_are_told_by_aiders_own_words(system: str, edit_format: EditFormat, phase: Phase) -> None:
    signals = read_request(chat(system, edit_format, TASK, FILES))
    assert (signals.phase, signals.edit_format) == (phase, edit_format)
    assert signals.instruction == TASK
    assert signals.cause == ""


@pytest.mark.parametrize("edit_format", FORMATS)
def test_the_rules_after_the_task_are_not_part_of_the_instruction(edit_format: EditFormat) -> None:
    signals = read_request(code_request(TASK, FILES, edit_format))
    assert signals.instruction == TASK
    assert signals.edit_format is edit_format


def test_rules_in_a_system_message_at_the_end_leave_the_instruction_alone() -> None:
    asked = code_request(TASK, FILES, EditFormat.DIFF)
    messages = [*asked.messages[:-1], user(TASK), {"role": "system", "content": RULES[EditFormat.DIFF]}]
    signals = read_request(ChatRequest({"messages": messages}))
    assert (signals.instruction, signals.edit_format) == (TASK, EditFormat.DIFF)


def test_a_task_that_quotes_the_rules_keeps_its_words() -> None:
    text = f"Explain this line of a prompt:\n\n{RULES[EditFormat.UDIFF]}\nand rename `a` to `b`."
    assert read_request(code_request(text, FILES, EditFormat.UDIFF)).instruction == text.strip()


def test_files_and_references_are_told_apart() -> None:
    signals = read_request(code_request(TASK, FILES, references=REFERENCES))
    assert signals.files == FILES
    assert signals.references == REFERENCES
    assert signals.characters == sum(map(len, (*FILES.values(), *REFERENCES.values())))


def test_the_examples_in_aiders_prompt_are_no_files() -> None:
    signals = read_request(code_request(TASK))
    assert not signals.files
    assert not signals.references


def test_files_that_hold_a_fence_are_shown_in_a_longer_one() -> None:
    text = "# Notes\n\n```python\nprint('hello')\n```\n\nend\n"
    signals = read_request(code_request(TASK, {"NOTES.md": text, **FILES}, fence="````"))
    assert signals.fence == "````"
    assert signals.files == {"NOTES.md": text, **FILES}


def test_an_indented_fence_does_not_end_a_file() -> None:
    files = {"NOTES.md": "1. Run\n\n   ```\n   make\n   ```\n\ndone\n", **FILES}
    assert read_request(code_request(TASK, files)).files == files


def test_an_empty_file_is_a_file() -> None:
    files = {"new.py": "", **FILES}
    assert read_request(code_request(TASK, files)).files == files


def test_a_file_without_a_final_newline_is_read_as_it_is() -> None:
    files = {"slug.py": "def slug(text):\n    return text"}
    assert read_request(code_request(TASK, files)).files == files


def test_a_file_without_a_final_newline_does_not_swallow_the_next() -> None:
    files = {"slug.py": "def slug(text):\n    return text", **REFERENCES}
    assert read_request(code_request(TASK, files)).files == files
    assert read_request(code_request(TASK, references=files)).references == files


def test_without_files_the_fence_is_the_usual_one() -> None:
    assert read_request(plan_request(TASK)).fence == "```"


def test_the_conversation_is_all_that_the_user_side_said() -> None:
    history = (user("Plan for: slugs."), assistant("I refuse."))
    signals = read_request(edit_request("Go on.", FILES, history=history))
    assert "Plan for: slugs." in signals.conversation
    assert "Go on." in signals.conversation
    assert "I refuse." not in signals.conversation


PARSE_FAILURE = "slug.py\n```python\n<<<<<<< SEARCH\nold\nnew\n>>>>>>> REPLACE\n```\n\n^^^ Expected `=======`"
COMPLAINTS = [
    ("# 1 SEARCH/REPLACE block failed to match!\n\n## SearchReplaceNoExactMatch: ...", "edit"),
    ("# 2 SEARCH/REPLACE blocks failed to match!\n", "edit"),
    ("UnifiedDiffNoMatch: hunk failed to apply!\n\nslug.py does not contain lines that match", "edit"),
    ("UnifiedDiffNotUnique: hunk failed to apply!\n", "edit"),
    ("No filename provided before ``` in file listing", "edit"),
    ("# Fix any errors below, if possible.\n\nslug.py:1:1: F821 undefined name", "lint"),
    ("I ran this command:\n\npytest\n\nAnd got this output:\n\n1 failed", "test"),
    ("I added these files to the chat: tables.py\nLet me know if there are others", "files"),
]


@pytest.mark.parametrize(("text", "cause"), COMPLAINTS)
@pytest.mark.parametrize("system", [CODE_SYSTEM, EDIT_SYSTEM])
def test_a_complaint_makes_a_reflection(text: str, cause: str, system: str) -> None:
    history = (user(TASK), assistant("my answer"))
    signals = read_request(chat(system, EditFormat.DIFF, text, FILES, history=history))
    assert (signals.phase, signals.cause) == (Phase.REFLECTION, cause)
    assert signals.edit_format is EditFormat.DIFF
    assert signals.instruction == text.strip()


def test_a_block_that_could_not_be_parsed_is_quoted_before_the_complaint() -> None:
    history = (user(TASK), assistant("my answer"))
    signals = read_request(code_request(PARSE_FAILURE, FILES, EditFormat.DIFF, history=history))
    assert (signals.phase, signals.cause) == (Phase.REFLECTION, "edit")


def test_carets_in_a_traceback_of_the_task_are_no_complaint() -> None:
    text = "Task: mend this.\n\n  File 'a.py', line 1\n    1 +\n    ^^^\nSyntaxError: invalid syntax"
    assert read_request(code_request(text, FILES)).phase is Phase.CODE


@pytest.mark.parametrize(("text", "_cause"), COMPLAINTS[:1])
def test_an_architect_is_never_in_reflection(text: str, _cause: str) -> None:
    assert read_request(plan_request(text, FILES)).phase is Phase.PLAN


def test_content_in_parts_is_read_like_content_in_one() -> None:
    whole = code_request(TASK, FILES)
    parts = [{**m, "content": [{"type": "text", "text": m["content"]}]} for m in whole.messages]
    assert read_request(ChatRequest({"messages": parts})) == read_request(whole)


def test_a_picture_beside_the_text_says_nothing() -> None:
    content = [{"type": "text", "text": TASK}, {"type": "image_url", "image_url": {"url": "data:,"}}]
    asked = ChatRequest({"messages": [{"role": "system", "content": PLAN_SYSTEM}, user(content)]})
    assert read_request(asked).instruction == TASK


@pytest.mark.parametrize("content", [None, "", [], 7, {"text": "x"}, [None, "x", {"type": "text"}]])
def test_content_without_text_is_an_empty_instruction(content: Any) -> None:
    signals = read_request(ChatRequest({"messages": [user(content)]}))
    assert signals.instruction == ""
    assert (signals.phase, signals.edit_format, signals.files) == (Phase.OTHER, EditFormat.NONE, {})


def test_a_part_whose_text_is_null_says_nothing() -> None:
    asked = ChatRequest({"messages": [user([{"type": "text", "text": None}])]})
    assert read_request(asked).instruction == ""


def test_without_a_system_message_nothing_is_recognised() -> None:
    signals = read_request(ChatRequest({"messages": [user("Say hello.")]}))
    assert (signals.phase, signals.instruction) == (Phase.OTHER, "Say hello.")


def test_no_message_at_all_is_read_as_nothing() -> None:
    signals = read_request(ChatRequest({"messages": []}))
    assert (signals.phase, signals.instruction, signals.conversation) == (Phase.OTHER, "", "")


snippets = st.sampled_from(
    [
        "```",
        "````\n",
        "a.py\n",
        "I have *added these files to the chat*",
        "Here are some READ ONLY files",
        "^^^ ",
        *RULES.values(),
    ]
)
texts = st.lists(st.text(max_size=20) | snippets, max_size=8).map("".join)
json_values = st.none() | st.booleans() | st.integers() | texts
contents = json_values | st.lists(
    json_values | st.dictionaries(st.sampled_from(["type", "text"]), json_values), max_size=3
)
messages = st.fixed_dictionaries(
    {"role": st.sampled_from(["system", "user", "assistant", "tool"])}, optional={"content": contents}
)


@relaxed
@given(st.lists(messages, max_size=6))
def test_no_conversation_breaks_the_reading(conversation: list[dict[str, Any]]) -> None:
    signals = read_request(ChatRequest({"messages": conversation}))
    assert signals.characters >= 0
    assert read_request(ChatRequest({"messages": conversation})) == signals


plain = st.text(st.characters(exclude_categories=["Cs"]), max_size=80).filter(
    lambda text: not any(mark in text for mark in ("#", "To suggest", "^^^"))
)


@relaxed
@given(plain, st.sampled_from(FORMATS))
def test_any_task_comes_back_word_for_word(text: str, edit_format: EditFormat) -> None:
    assert read_request(code_request(text, FILES, edit_format)).instruction == text.strip()


lines = st.lists(
    st.sampled_from(["x = 1", "", "    return '`'", "```", "```python", "name.py", "# ``` inside"]), max_size=8
)
contents_of_files = lines.map(lambda chosen: "".join(f"{line}\n" for line in chosen))


@relaxed
@given(st.dictionaries(st.sampled_from(["a.py", "pkg/b.py", "my notes.md", "c"]), contents_of_files, max_size=4))
def test_any_files_come_back_as_they_were(files: dict[str, str]) -> None:
    fenced = any(line.startswith("```") for text in files.values() for line in text.splitlines())
    signals = read_request(code_request(TASK, files, references=files, fence="````" if fenced else "```"))
    assert signals.files == files
    assert signals.references == files
