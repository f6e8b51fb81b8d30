"""Tasks on disk, trials, records, calls and requests shaped like aider's, for the tests of this folder."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import yaml

from pytest_hybrideval.core.domain import (
    ChatRequest,
    ModelRef,
    NearMiss,
    Outcome,
    Task,
    TaskClass,
    Tier,
    Trial,
    Usage,
    Variant,
)
from pytest_hybrideval.core.protocols import BackendCall, Sampling
from pytest_hybrideval.core.records import CallRecord, TierTokens, TrialRecord
from pytest_hybrideval.core.signals import EditFormat, Phase

Texts = Mapping[str, str]

LOCAL = ModelRef("simulated", "gemma4:31b")
CLOUD = ModelRef("simulated", "gpt-5.5")

PLAN_SYSTEM = "Act as an expert architect engineer and provide direction to your editor engineer.\nStudy the request.\n"
EDIT_SYSTEM = "Act as an expert software developer and make changes to source code.\nOutput a copy of each file.\n"
EDIT_DIFF_SYSTEM = "Act as an expert software developer who edits source code.\nDescribe each change with a block.\n"
CODE_SYSTEM = "Act as an expert software developer.\nTake requests for changes to the supplied code.\n"

RULES = {
    EditFormat.WHOLE: (
        "To suggest changes to a file you MUST return the entire content of the updated file.\n"
        "You MUST use this *file listing* format:\n\npath/to/filename.js\n{fence}\n// entire content ...\n{fence}\n"
    ),
    EditFormat.DIFF: (
        "# *SEARCH/REPLACE block* Rules:\n\nEvery *SEARCH/REPLACE block* must use this format:\n"
        "1. The *FULL* file path alone on a line.\n2. The opening fence and code language, eg: {fence}python\n"
    ),
    EditFormat.UDIFF: (
        "# File editing rules:\n\nReturn edits similar to unified diffs that `diff -U0` would produce.\n"
        "Start each hunk of changes with a `@@ ... @@` line.\n"
    ),
    EditFormat.NONE: "",
}

_FILES = (
    "I have *added these files to the chat* so you can go ahead and edit them.\n\n"
    "*Trust this message as the true contents of these files!*\n"
)
_REFERENCES = "Here are some READ ONLY files, provided for your reference.\nDo not edit these files!\n"
_EXAMPLE = "Ok, I will:\n\nshow_greeting.py\n{fence}\nprint('Hey')\n{fence}\n"


def user(content: Any) -> dict[str, Any]:
    return {"role": "user", "content": content}


def assistant(content: Any) -> dict[str, Any]:
    return {"role": "assistant", "content": content}


def listing(files: Texts, fence: str = "```") -> str:
    """Files as aider shows them: the content runs straight into the closing fence, final newline or not."""
    return "".join(f"\n{name}\n{fence}\n{text}{fence}\n" for name, text in files.items())


def chat(
    system: str,
    edit_format: EditFormat,
    text: str,
    files: Texts | None = None,
    references: Texts | None = None,
    fence: str = "```",
    history: tuple[dict[str, Any], ...] = (),
    **body: Any,
) -> ChatRequest:
    """A request as aider builds it. `history` stands between the files and the last user message."""
    rules = RULES[edit_format].format(fence=fence)
    messages = [{"role": "system", "content": f"{system}\n{rules}" if rules else system}]
    if rules:
        messages += [user("Change the greeting to be more casual"), assistant(_EXAMPLE.format(fence=fence))]
        messages += [user("I switched to a new code base. Please don't consider the above files."), assistant("Ok.")]
    if references:
        messages += [user(_REFERENCES + listing(references, fence)), assistant("Ok, I will use these as references.")]
    if files:
        messages += [user(_FILES + listing(files, fence)), assistant("Ok, any changes will be to those files.")]
    messages += [*history, user(f"{text}\n\n{rules}" if rules else text)]
    return ChatRequest({"model": "hybrid", "temperature": 0, "messages": messages, **body})


def plan_request(text: str, files: Texts | None = None, **more: Any) -> ChatRequest:
    """What the architect is asked."""
    return chat(PLAN_SYSTEM, EditFormat.NONE, text, files, **more)


def edit_request(plan: str, files: Texts | None = None, **more: Any) -> ChatRequest:
    """What the architect's editor is asked."""
    return chat(EDIT_SYSTEM, EditFormat.WHOLE, plan, files, **more)


def code_request(text: str, files: Texts | None = None, edit_format: EditFormat = EditFormat.WHOLE, **more: Any) -> Any:
    """What a coder without an architect is asked."""
    return chat(CODE_SYSTEM, edit_format, text, files, **more)


def write_files(folder: Path, files: Texts) -> dict[str, Path]:
    """Write texts below a folder; the paths by their relative names."""
    written = {name: folder / name for name in files}
    for name, path in written.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(files[name].encode())
    return written


def make_task(
    folder: Path,
    workspace: Texts,
    solution: Texts,
    near_misses: Mapping[str, Texts] | None = None,
    *,
    name: str = "slug",
    task_class: TaskClass = TaskClass.D1,
    hidden: Texts | None = None,
    read_only: tuple[str, ...] = (),
) -> Task:
    """A task whose files lie below `folder`, as a suite would load it."""
    misses = [
        NearMiss(miss, f"flaw of {miss}", write_files(folder / "near_misses" / miss, files))
        for miss, files in (near_misses or {}).items()
    ]
    return Task(
        suite="samples",
        name=name,
        folder=folder,
        task_class=task_class,
        title="Make slugs",
        instruction="Make slugs of titles.",
        workspace=write_files(folder / "workspace", workspace),
        edit=tuple(file for file in solution if file in workspace),
        create=tuple(file for file in solution if file not in workspace),
        read_only=read_only,
        hidden=write_files(folder / "hidden", hidden or {"test_slug.py": "def test_slug(): ...\n"}),
        solution=write_files(folder / "solution", solution),
        near_misses=tuple(misses),
        digest="0" * 64,
    )


MANIFEST: dict[str, Any] = {
    "title": "Make slugs",
    "class": "D1",
    "difficulty": "easy",
    "topics": ["text"],
    "instruction": "Make slugs of titles.\n",
    "files": {"edit": ["slug.py"], "create": ["tables.py"], "read_only": ["NOTES.md"]},
    "near_misses": {"lower-only": "Forgets to replace blanks."},
    "limits": {"agent_seconds": 120, "scoring_seconds": 30},
}
NATIVE_FILES = {
    "workspace/slug.py": "def slug(text):\n    return text\n",
    "workspace/NOTES.md": "House rules.\n",
    "hidden/test_slug.py": "from slug import slug\n\ndef test_slug():\n    assert slug('A b') == 'a-b'\n",
    "solution/slug.py": "def slug(text):\n    return text.lower().replace(' ', '-')\n",
    "solution/tables.py": "TABLE = {}\n",
    "near_misses/lower-only/slug.py": "def slug(text):\n    return text.lower()\n",
}


def native_task(parent: Path, manifest: Mapping[str, Any] | str | None = None, **files: str | None) -> Path:
    """A `task.yaml` folder. `manifest` replaces fields (or the whole text); `files` adds files, None removes one."""
    folder = parent / "mysuite" / "slug"
    wanted = {**NATIVE_FILES, **files}
    write_files(folder, {name: text for name, text in wanted.items() if text is not None})
    text = manifest if isinstance(manifest, str) else yaml.safe_dump({**MANIFEST, **(manifest or {})})
    (folder / "task.yaml").write_text(text, encoding="utf-8")
    return folder


def make_trial(task: Task, seed: int = 42, strategy: str = "heuristic", threshold: float | None = None) -> Trial:
    return Trial(task, Variant(strategy, threshold, seed, LOCAL, CLOUD, id=f"{strategy}-s{seed}"))


def backend_call(request: ChatRequest, trial: Trial, max_tokens: int | None = None) -> BackendCall:
    return BackendCall(request, Sampling(trial.variant.seed, "agent", max_tokens, None, None, None), trial)


_RECORD = TrialRecord(
    trial="samples/slug[heuristic-t25-s42]",
    task="samples/slug",
    suite="samples",
    task_class=TaskClass.D1,
    task_digest="0" * 64,
    strategy="heuristic",
    threshold=25.0,
    seed=42,
    agent="aider 0.86.2 architect",
    local_model="ollama/gemma4:31b",
    cloud_model="openai/gpt-5.5",
    simulated=False,
    outcome=Outcome.PASSED,
    tests_passed=3,
    tests_expected=3,
    tokens={
        Tier.LOCAL: TierTokens(calls=2, prompt=3000, completion=1000),
        Tier.CLOUD: TierTokens(calls=1, prompt=5000, completion=1000, cached=1000),
    },
)


def make_record(**changes: Any) -> TrialRecord:
    """A passed trial's record. The suite follows from `task` unless it is given."""
    if "task" in changes:
        changes.setdefault("suite", changes["task"].partition("/")[0])
    return replace(_RECORD, **changes)


_CALL = CallRecord(
    trial="samples/slug[heuristic-t25-s42]",
    index=0,
    purpose="agent",
    tier=Tier.CLOUD,
    model="openai/gpt-5.5",
    phase=Phase.PLAN.value,
    reason="score 31.0 >= 25: plan +14.0",
    score=31.0,
    started=0.5,
    seconds=1.5,
    first_byte=0.7,
    stream=True,
    status=200,
    attempts=1,
    usage=Usage(prompt=1000, completion=200, cached=100, reasoning=0),
    seed=42,
    temperature=0.0,
    max_tokens=None,
    num_ctx=None,
    finish_reason="stop",
)


def make_call(**changes: Any) -> CallRecord:
    """A call that brought a complete answer."""
    return replace(_CALL, **changes)
