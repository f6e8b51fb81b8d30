"""Local first; which answers are sent on to the cloud, and above all which are not: a false alarm costs money."""

from __future__ import annotations

import asyncio
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from builders import (
    CODE_SYSTEM,
    EDIT_DIFF_SYSTEM,
    backend_call,
    chat,
    code_request,
    edit_request,
    make_task,
    make_trial,
    plan_request,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_hybrideval.backends import edits
from pytest_hybrideval.backends.simulated import SimulatedBackend, profiles
from pytest_hybrideval.core.domain import ChatRequest, Decision, ModelRef, Reply, Tier, Usage
from pytest_hybrideval.core.signals import EditFormat, read_request
from pytest_hybrideval.strategies.answers.repetition import BLOCK_TIMES, LINE_TIMES, WORD_TIMES
from pytest_hybrideval.strategies.escalate import Escalate
from pytest_hybrideval.testing import make_context

FILES = {
    "calc.py": "import math\n\n\ndef add(a, b):\n    return 0\n\n\ndef sub(a, b):\n    return a - b\n",
    "notes.md": "Hi.\n",
}
ONE = {"calc.py": FILES["calc.py"]}
GOOD = FILES["calc.py"].replace("return 0", "return a + b")
WHOLE, DIFF, UDIFF = (code_request("Add.", FILES, edit_format) for edit_format in list(EditFormat)[:3])
PLAN = plan_request("Add.", FILES)


def review(request: ChatRequest, text: str, finish: str | None = "stop", fault: str = "") -> str:
    """Why an answer is sent on to the cloud; empty where it is not."""
    context = make_context()
    decision = asyncio.run(Escalate().review(request, Reply(text, finish, Usage(), fault), context))
    if decision is None:
        return ""
    assert decision.tier is Tier.CLOUD
    reason = decision.reason
    assert reason.startswith("the local answer is of no use: ")
    assert "\n" not in reason
    return reason.removeprefix("the local answer is of no use: ")


def listing(name: str, content: str, fence: str = "```") -> str:
    return f"{name}\n{fence}\n{content}{fence}\n"


def block(old: str, new: str, name: str = "calc.py", fence: str = "```") -> str:
    return f"{name}\n{fence}python\n<<<<<<< SEARCH\n{old}=======\n{new}>>>>>>> REPLACE\n{fence}\n"


def hunk(lines: str, name: str = "calc.py") -> str:
    return f"```diff\n--- {name}\n+++ {name}\n@@ ... @@\n{lines}```\n"


@pytest.mark.parametrize(
    "request_", [PLAN, WHOLE, edit_request("Change it."), ChatRequest({"messages": [{"role": "x"}]})]
)
def test_every_request_goes_to_the_local_model_first(request_: ChatRequest) -> None:
    assert asyncio.run(Escalate().decide(request_, make_context())) == Decision(Tier.LOCAL, "local first")


@pytest.mark.parametrize("request_", [PLAN, WHOLE, DIFF, UDIFF, chat("Answer questions.", EditFormat.NONE, "Why?")])
@pytest.mark.parametrize(
    ("text", "finish", "fault", "told"),
    [
        ("Half an ans", "length", "", "it was cut off at its longest length"),
        ("Half an ans", "content_filter", "", "it was cut off by a content filter"),
        ("", None, "Ollama refused\nthe connection", "it failed: Ollama refused the connection"),
        ("Half an ans", None, "x" * 500, f"it failed: {'x' * 160}…"),
        ("", "stop", "", "it is empty"),
        (" \n\t\n", "stop", "", "it is empty"),
        ("Once again.\n" * LINE_TIMES, "stop", "", f"it repeats the line 'Once again.' {LINE_TIMES} times over"),
        ("word " * WORD_TIMES, "stop", "", f"it repeats the word 'word' at least {WORD_TIMES} times over"),
    ],
)
def test_what_is_of_no_use_in_any_phase(
    request_: ChatRequest, text: str, finish: str | None, fault: str, told: str
) -> None:
    assert review(request_, text, finish, fault) == told


@pytest.mark.parametrize("finish", ["stop", None, "weird", "tool_calls"])
def test_a_plan_is_not_looked_at_for_edits(finish: str | None) -> None:
    assert review(PLAN, "Change `add` to return the sum.", finish) == ""
    assert review(PLAN, "```python\ndef add(a, b:\n```", finish) == ""


@pytest.mark.parametrize(
    "system", ["*Briefly* summarize this.", "You are an expert software engineer that generates concise"]
)
def test_nor_are_summaries_and_commit_messages(system: str) -> None:
    assert review(chat(system, EditFormat.NONE, "All."), "It was made faster.") == ""


@pytest.mark.parametrize("finish", ["tool_calls", "function_call"])
def test_an_answer_that_calls_tools_has_no_text(finish: str) -> None:
    assert review(WHOLE, "", finish) == ""


class TestWhole:
    """Complete files."""

    @pytest.mark.parametrize(
        "text",
        [
            listing("calc.py", GOOD),
            "Here it is.\n\n" + listing("calc.py", GOOD) + "\nDone.",
            listing("**calc.py**", GOOD),
            listing("`calc.py`:", GOOD),
            listing("path/to/calc.py", GOOD),
            "I change `calc.py`.\n\n```python\n" + GOOD + "```\n",
            listing("calc.py", GOOD) + listing("notes.md", "Not Python: (\n"),
            listing("helpers/new.py", "X = 1\n") + listing("Makefile", "all:\n"),
            f"calc.py\n```\n{GOOD}",  # not closed: aider applies it as it is
            listing("calc.py", ""),
        ],
    )
    def test_what_aider_applies(self, text: str) -> None:
        assert review(WHOLE, text) == ""

    def test_with_one_file_in_the_chat_no_name_is_needed(self) -> None:
        request = code_request("Add.", ONE)
        assert review(request, f"```python\n{GOOD}```\n") == ""
        assert review(WHOLE, f"```python\n{GOOD}```\n") == "no usable edit: a file listing names no file"

    def test_longer_fences(self) -> None:
        files = {"guide.md": "```\ncode\n```\n", "calc.py": FILES["calc.py"]}
        request = code_request("Add.", files, fence="````")
        assert review(request, listing("calc.py", GOOD, "````")) == ""
        assert review(request, listing("calc.py", GOOD)) == "no usable edit: it lists no file"

    @pytest.mark.parametrize(
        ("text", "told"),
        [
            ("Change `add` so that it returns the sum.", "no usable edit: it lists no file"),
            ("No file needs a change.", "no usable edit: it lists no file"),
            (block("    return 0\n", "    return a + b\n"), "calc.py does not parse afterwards: "),
            ("```\n```", "no usable edit: a file listing names no file"),
            (listing("Here is the file:", GOOD), "no usable edit: it names 'Here is the file', which is no file"),
            (
                listing("calc.py", "def add(a, b:\n    return a + b\n"),
                "calc.py does not parse afterwards: '(' was never",
            ),
            (listing("new.py", "def add(a, b)\n"), "new.py does not parse afterwards: expected ':', line 1"),
            (listing("calc.py", "\tif x:\n  y\n"), "calc.py does not parse afterwards: unexpected indent, line 1"),
            (listing("calc.py", "x = '\0'\n"), "calc.py does not parse afterwards: "),
        ],
    )
    def test_what_is_of_no_use(self, text: str, told: str) -> None:
        assert review(WHOLE, text).startswith(told)

    def test_python_that_did_not_parse_before_need_not_parse_afterwards(self) -> None:
        request = code_request("Mend it.", {"old.py": "print 'hello'\n", "calc.py": FILES["calc.py"]})
        assert review(request, listing("old.py", "print 'good morning'\n")) == ""

    @pytest.mark.parametrize(
        "source",
        [
            r"import re; PATTERN = re.compile('\d+\.\w \{x\}')",
            r"TEXT = '\N{EM DASH} \x41 \u00e9 \\ \' \q'",
            r"TEXT = f'\d {1} \N{EM DASH} \{2}'",
            "TEXT = '''\\\nline'''",
            r"RAW = r'\d' + rb'\x'.decode() + r'\\'",
            "VALUE = 1 is 1",
            "assert (1, 'always true')",
            "# -*- coding: latin-1 -*-\nX = 'é'",
            "match x:\n    case 1:\n        pass",
            "async def f():\n    async with x as y:\n        return [z async for z in y]",
        ],
    )
    def test_python_that_parses_raises_no_alarm_and_no_warning(self, source: str) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            assert review(WHOLE, listing("calc.py", source + "\n")) == ""

    def test_depth_that_the_parser_cannot_take_raises_no_alarm(self) -> None:
        assert review(WHOLE, listing("calc.py", "x = " + "-" * 50_000 + "1\n")) == ""


class TestDiff:
    """SEARCH/REPLACE blocks."""

    ADD = block("    return 0\n", "    return a + b\n")

    @pytest.mark.parametrize(
        "text",
        [
            ADD,
            "First this.\n\n" + ADD + "\nThen that.\n" + block("    return a - b\n", "    return b - a\n"),
            block("return 0\n", "return a + b\n"),  # outdented
            block("\n\ndef add(a, b):\n    return 0\n", "\n\ndef add(a, b):\n    return a + b\n"),
            block(
                "\nimport math\n\n\ndef add(a, b):\n", "import math\n\n\ndef add(a, c):\n"
            ),  # a blank line too many in front
            block("def add(a, b):\n...\ndef sub(a, b):\n", "def add(a, b):\n...\ndef minus(a, b):\n"),
            block("", "X = 1\n", "new.py"),
            block("", "X = 1\n"),  # appended
            "```python\ncalc.py\n<<<<<<< SEARCH\n    return 0\n=======\n    return a + b\n>>>>>>> REPLACE\n```\n",
            ADD.replace("calc.py", "**calc.py**:"),
            ADD.replace("calc.py", "src/calc.py"),
            ADD.replace("calc.py", "notes.md"),  # not there, but in calc.py
            ADD + block("    return a + b\n", "    return b + a\n"),  # of what the first block has made
            "```bash\n<<<<<<< oops\n```\n" + ADD,
            block("Hi.\n", "Hello (\n", "notes.md"),
            ADD.replace("<<<<<<< SEARCH", "<<<<< SEARCH").replace("=======", "=========").replace(">>>>>>>", ">>>>>"),
        ],
    )
    def test_what_aider_applies(self, text: str) -> None:
        assert review(DIFF, text) == ""

    @pytest.mark.parametrize(
        ("text", "told"),
        [
            ("Change `add` so that it returns the sum.", "no usable edit: it holds no SEARCH/REPLACE block"),
            (listing("calc.py", GOOD), "no usable edit: it holds no SEARCH/REPLACE block"),
            (
                block("    return 1\n", "    return a + b\n"),
                "no usable edit: a SEARCH block matches nothing in calc.py",
            ),
            (ADD + block("    gone\n", ""), "no usable edit: a SEARCH block matches nothing in calc.py"),
            (block("x = 1\n", "x = 2\n", "other.py"), "no usable edit: a SEARCH block matches nothing in other.py"),
            (ADD.replace("=======\n", ""), "no usable edit: a SEARCH block for calc.py is not closed"),
            (ADD[: ADD.index(">>>>>>>")], "no usable edit: a SEARCH block for calc.py is not closed"),
            (ADD.replace("calc.py\n```python\n", ""), "no usable edit: a SEARCH block names no file"),
            (block("", "", "new.py"), "no usable edit: a SEARCH block matches nothing in new.py"),
            (block("", "x\n", "Here is the file:"), "no usable edit: it names 'Here is the file', which is no file"),
            (block("    return 0\n", "    return (a + b\n"), "calc.py does not parse afterwards: '(' was never closed"),
            (block("    return 0\n", "return a + b\n)\n"), "calc.py does not parse afterwards: "),
        ],
    )
    def test_what_is_of_no_use(self, text: str, told: str) -> None:
        assert review(DIFF, text).startswith(told)

    def test_a_block_need_not_parse_by_itself(self) -> None:
        assert (
            review(
                DIFF,
                block("    return 0\n\n\ndef sub(a, b):\n", "    return a + b\n\n\ndef sub(a, b,\n        c=0):\n"),
            )
            == ""
        )

    def test_files_that_are_only_shown_count_too(self) -> None:
        request = chat(CODE_SYSTEM, EditFormat.DIFF, "Add.", ONE, {"ref.py": "X = 1\n"})
        assert review(request, block("X = 1\n", "X = 2\n", "ref.py")) == ""

    def test_of_an_architects_editor(self) -> None:
        request = chat(EDIT_DIFF_SYSTEM, EditFormat.DIFF, "Change it.", FILES)
        assert review(request, self.ADD) == ""
        assert "matches nothing" in review(request, block("    gone\n", "    x\n"))

    def test_of_a_reflection(self) -> None:
        request = chat(CODE_SYSTEM, EditFormat.DIFF, "# 1 SEARCH/REPLACE block failed to match!", FILES)
        assert review(request, self.ADD) == ""
        assert review(request, "I cannot see why.") == "no usable edit: it holds no SEARCH/REPLACE block"


class TestUdiff:
    """Unified diffs."""

    @pytest.mark.parametrize(
        "text",
        [
            hunk("-    return 0\n+    return a + b\n"),
            hunk(" def add(a, b):\n-    return 0\n+    return a + b\n \n"),
            hunk("-return 0\n+return a + b\n"),
            hunk(" def add(a, b):  # not there\n-    return 0\n+    return a + b\n"),
            hunk(
                "@@ -4,2 +4,2 @@\n-    return 0\n+    return a + b\n@@ ... @@\n-    return a - b\n+    return b - a\n"
            ),
            "```diff\n--- a/calc.py\n+++ b/calc.py\n@@ ... @@\n-    return 0\n+    return a + b\n```\n",
            "```diff\n--- /dev/null\n+++ new.py\n@@ ... @@\n+X = 1\n```\n",
            hunk("-    return 0\n+    return a + b\n")
            + "```diff\n@@ ... @@\n-    return a - b\n+    return b - a\n```\n",
            hunk("-\n \n def sub(a, b):\n"),
        ],
    )
    def test_what_aider_may_apply(self, text: str) -> None:
        assert review(UDIFF, text) == ""

    @pytest.mark.parametrize(
        ("text", "told"),
        [
            ("Change `add`.", "no usable edit: it holds no hunk that changes anything"),
            (listing("calc.py", GOOD), "no usable edit: it holds no hunk that changes anything"),
            (hunk(" def add(a, b):\n     return 0\n"), "no usable edit: it holds no hunk that changes anything"),
            (hunk("-    return 0\n+    return 0\n"), "no usable edit: it holds no hunk that changes anything"),
            (hunk("-    return 1\n+    return 2\n"), "no usable edit: a hunk matches nothing in calc.py"),
            (hunk(" class Calc:\n+    x = 1\n"), "no usable edit: a hunk matches nothing in calc.py"),
            (hunk("-x = 1\n+x = 2\n", "other.py"), "no usable edit: a hunk matches nothing in other.py"),
            ("```diff\n@@ ... @@\n-    return 0\n+    return 1\n```\n", "no usable edit: a hunk names no file"),
            (hunk("-    return 0\n+    return (a + b\n"), "calc.py does not parse afterwards: '(' was never closed"),
        ],
    )
    def test_what_is_of_no_use(self, text: str, told: str) -> None:
        assert review(UDIFF, text).startswith(told)

    def test_where_the_result_is_not_known_it_is_not_parsed(self) -> None:
        assert review(UDIFF, hunk(" def add(a, b):  # not there\n-    return 0\n+    return (\n")) == ""


class TestLoops:
    """What goes round in circles, and what only looks like it."""

    @pytest.mark.parametrize(
        ("text", "told"),
        [
            (
                "Start.\n" + "def f(x):\n    return x + 1\n\n" * BLOCK_TIMES,
                "a block of 3 lines from 'def f(x):' 10 times over",
            ),
            ("the " * 400, "the word 'the' at least 100 times over"),
            ("    x = compute(x)\n" * 40 + "end", "the line 'x = compute(x)' 40 times over"),
            (listing("calc.py", GOOD) + "And again.\n" * 200, "the line 'And again.' 200 times over"),
        ],
    )
    def test_loops(self, text: str, told: str) -> None:
        assert review(WHOLE, text) == f"it repeats {told}"

    @pytest.mark.parametrize(
        "content",
        [
            "GRID = [\n" + "    [0, 0, 0, 0],\n" * 200 + "]\n",
            "ROW = [None, " + "None, " * 60 + "]\n",
            "# " + "=" * 300 + "\n",
            "x = 1\n" + "\n" * 100,
            "".join(f"def f{n}():\n    return 1\n\n\n" for n in range(100)),
            "".join(f"    case {n}:\n        return x\n" for n in range(60)).join(["match y:\n", ""]) or "",
            "DATA = '" + "A" * 2000 + "'\n",
            "TABLE = [\n" + "    None,\n" * 29 + "]\n",
        ],
    )
    def test_plain_code_does_not_loop(self, content: str) -> None:
        assert "repeats" not in review(WHOLE, listing("calc.py", content))

    def test_what_repeats_in_a_file_may_repeat_in_the_answer(self) -> None:
        content = "LINES = '''\n" + "all work and no play\n" * 100 + "'''\n"
        request = code_request("Add.", {"calc.py": content, "b.py": ""})
        assert review(request, listing("calc.py", content + "X = 1\n")) == ""
        assert "it repeats" in review(WHOLE, listing("calc.py", content))


@pytest.mark.parametrize("edit_format", [EditFormat.WHOLE, EditFormat.DIFF, EditFormat.UDIFF])
@pytest.mark.parametrize("files", [ONE, FILES])
class TestSimulatedModels:
    """What the embedded models write, right or wrong or spoilt."""

    def task(self, folder: Path, files: Mapping[str, str]) -> Any:
        return make_task(folder, files, {"calc.py": GOOD, "new.py": "X = 1\n"}, {"odd": {"calc.py": GOOD + "Y = 2\n"}})

    def answer(self, folder: Path, request: ChatRequest, files: Mapping[str, str], malformed: float) -> str:
        from dataclasses import replace

        profile = replace(profiles()["gemma4:31b"], malformed=malformed)
        backend = SimulatedBackend(ModelRef("simulated", "gemma4:31b"), profile)
        call = backend_call(request, make_trial(self.task(folder, files)))
        return asyncio.run(backend.complete(call)).text

    def test_good_answers_pass(self, tmp_path: Path, edit_format: EditFormat, files: Mapping[str, str]) -> None:
        request = code_request("Add.", files, edit_format)
        assert review(request, self.answer(tmp_path, request, files, 0.0)) == ""

    def test_spoilt_answers_do_not(self, tmp_path: Path, edit_format: EditFormat, files: Mapping[str, str]) -> None:
        request = code_request("Add.", files, edit_format)
        assert review(request, self.answer(tmp_path, request, files, 1.0)).startswith("no usable edit: ")

    @settings(deadline=None, max_examples=30)
    @given(st.lists(st.sampled_from(["a", "b", "", "    c", "    d = 1", "# e"]), min_size=1, max_size=12), st.data())
    def test_any_change_that_is_well_written_passes(
        self, edit_format: EditFormat, files: Mapping[str, str], before: list[str], data: st.DataObject
    ) -> None:
        after = data.draw(st.lists(st.sampled_from([*before, "new"]), min_size=1, max_size=12))
        shown = {**files, "notes.md": "\n".join(before) + "\n"}
        changed = {"notes.md": "\n".join(after) + "\n"}
        request = code_request("Change it.", shown, edit_format)
        text = edits.write(changed, read_request(request))
        if shown["notes.md"] != changed["notes.md"] and "".join(after).strip():
            assert review(request, text) == ""


@settings(deadline=None, max_examples=150)
@given(st.text(max_size=400), st.sampled_from([PLAN, WHOLE, DIFF, UDIFF]))
def test_any_text_is_judged_and_always_the_same(text: str, request: ChatRequest) -> None:
    assert review(request, text) == review(request, text)


FRAGMENTS = ["```", "```diff", "calc.py", "<<<<<<< SEARCH", "=======", ">>>>>>> REPLACE", "--- calc.py", "+++ calc.py",
             "@@ ... @@", "-    return 0", "+    return 1", "    return 0", "", "...", "x"]  # fmt: skip


@settings(deadline=None, max_examples=300)
@given(st.lists(st.sampled_from(FRAGMENTS), max_size=20), st.sampled_from([WHOLE, DIFF, UDIFF]), st.booleans())
def test_any_pieces_of_edits_are_judged(lines: list[str], request: ChatRequest, ended: bool) -> None:
    review(request, "\n".join(lines) + ("\n" if ended else ""))
