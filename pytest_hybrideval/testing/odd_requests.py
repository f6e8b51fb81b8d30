"""Requests and answers as agents and models send them now and then, however odd: a strategy must bear them all."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pytest_hybrideval.core.domain import CallFault, ChatRequest, Reply, Tier, Usage
from pytest_hybrideval.core.records import CallRecord

_PLAN = "Act as an expert architect engineer and provide direction to your editor engineer.\n"
_EDIT = "Act as an expert software developer and make changes to source code.\n"
_CODE = "Act as an expert software developer.\nTake requests for changes to the supplied code.\n"
_SUMMARY = "*Briefly* summarize this partial conversation about programming.\n"
_COMMIT = "You are an expert software engineer that generates concise, one-line Git commit messages.\n"
_WHOLE = "To suggest changes to a file you MUST return the entire content of the updated file.\n"
_DIFF = "# *SEARCH/REPLACE block* Rules:\nEvery block names its file.\n"
_UDIFF = "# File editing rules:\nReturn edits similar to unified diffs.\n"
_FILES = "I have *added these files to the chat* so you can go ahead and edit them.\n\n"
_READ_ONLY = "Here are some READ ONLY files, provided for your reference.\n\n"

_SHOWN = {"calc.py": "def add(a, b):\n    return 0\n", "notes/list.md": "- one\n- two\n"}
_TASK = "Make `add(a, b)` return the sum of its arguments."


def _request(*messages: Mapping[str, Any], **body: Any) -> ChatRequest:
    return ChatRequest({"model": "hybrid", "messages": list(messages), **body})


def _said(role: str, content: Any, **more: Any) -> dict[str, Any]:
    return {"role": role, "content": content, **more}


def _listed(files: Mapping[str, str], fence: str = "```") -> str:
    return "\n".join(f"{name}\n{fence}\n{content}{fence}\n" for name, content in files.items())


def _aider(system: str, rules: str, text: str, files: Mapping[str, str] = _SHOWN) -> ChatRequest:
    """A request as aider builds it."""
    return _request(
        _said("system", system + "\n" + rules),
        _said("user", _READ_ONLY + _listed({"README.md": "Read me.\n"})),
        _said("assistant", "Ok, I will use these files as references."),
        _said("user", _FILES + _listed(files)),
        _said("assistant", "Ok, any changes I propose will be to those files."),
        _said("user", f"{text}\n\n{rules}" if rules else text),
        temperature=0,
        stream=True,
    )


_TOOL_CALL = {"id": "call_1", "type": "function", "function": {"name": "read", "arguments": '{"path": "calc.py"}'}}

ODD_REQUESTS: Mapping[str, ChatRequest] = {
    "a plan": _aider(_PLAN, "", _TASK),
    "an edit": _aider(_EDIT, _WHOLE, "Change `calc.py`: return `a + b` in `add`."),
    "code, whole files": _aider(_CODE, _WHOLE, _TASK),
    "code, search and replace": _aider(_CODE, _DIFF, _TASK),
    "code, unified diffs": _aider(_CODE, _UDIFF, _TASK),
    "a refused edit": _aider(_EDIT, _DIFF, "# 1 SEARCH/REPLACE block failed to match!\n\nIt is not in calc.py."),
    "a lint error": _aider(_CODE, _WHOLE, "# Fix any errors below, if possible.\n\ncalc.py:2: undefined name 'c'"),
    "a summary": _request(_said("system", _SUMMARY), _said("user", "# USER\nMake it faster.\n# ASSISTANT\nOk.\n")),
    "a commit message": _request(_said("system", _COMMIT), _said("user", "diff --git a/calc.py b/calc.py\n")),
    "200 files": _aider(_CODE, _WHOLE, _TASK, {f"package/module_{n}.py": f"N = {n}\n" for n in range(200)}),
    "a hard task": _aider(_PLAN, "", "Two threads race for a lock; find the deadlock in the streaming parser. " * 40),
    "empty content": _request(_said("user", "")),
    "blank content": _request(_said("system", " "), _said("user", " \n\t ")),
    "content None": _request(_said("system", None), _said("user", None)),
    "no content": _request({"role": "system"}, {"role": "user"}),
    "content in parts": _request(
        _said("user", [{"type": "text", "text": _TASK}, {"type": "image_url", "image_url": {"url": "data:,"}}, {}])
    ),
    "an empty list": _request(_said("user", [])),
    "content of another type": _request(_said("user", 7), _said("user", {"text": "hello"})),
    "an unknown role": _request(_said("developer", "Be brief."), _said("critic", "No."), _said("user", _TASK)),
    "no user message": _request(_said("system", "You are helpful."), _said("assistant", "What can I do?")),
    "tools": _request(
        _said("user", _TASK),
        _said("assistant", None, tool_calls=[_TOOL_CALL]),
        _said("tool", "def add(a, b):\n    return 0\n", tool_call_id="call_1"),
        tools=[{"type": "function", "function": {"name": "read", "parameters": {"type": "object"}}}],
    ),
    "unicode": _request(
        _said("system", "Ты помощник 🤖"),
        _said("user", "重构 naïve e\u0301 \u202eabc\u202c \x00 \u2028 \U0001f469\u200d\U0001f467 \U0001d518"),
    ),
    "a long text": _request(_said("user", "Explain why this loop never ends. " * 4_000)),
    "one long line": _request(_said("user", "x" * 100_000)),
    "1,000 messages": _request(
        *(_said("user" if n % 2 == 0 else "assistant", f"message {n} of the conversation") for n in range(999)),
        _said("user", _TASK),
    ),
}

_USAGE = Usage(prompt=100, completion=20)


def _call(index: int, tier: Tier, phase: str, fault: CallFault | None = None) -> CallRecord:
    return CallRecord(
        trial="samples/greeting[sample-s42]",
        index=index,
        purpose="agent",
        tier=tier,
        model=f"ollama/{tier.value}-model",
        phase=phase,
        reason="a sample",
        score=None,
        started=float(index),
        seconds=0.5,
        first_byte=None if fault else 0.1,
        stream=True,
        status=502 if fault else 200,
        attempts=1,
        usage=Usage() if fault else _USAGE,
        seed=42,
        temperature=0.0,
        max_tokens=None,
        num_ctx=None,
        finish_reason=None if fault else "stop",
        fault=fault,
        error="refused the connection" if fault else "",
    )


EARLIER = (
    _call(0, Tier.CLOUD, "plan"),
    _call(1, Tier.LOCAL, "edit", CallFault.BACKEND),
    _call(2, Tier.LOCAL, "edit"),
)
"""A trial's finished calls, one of which has failed."""

ODD_REPLIES: Mapping[str, Reply] = {
    "prose": Reply("The function should return the sum.", "stop", _USAGE),
    "a file": Reply("calc.py\n```\ndef add(a, b):\n    return a + b\n```\n", "stop", _USAGE),
    "a block": Reply(
        "calc.py\n```python\n<<<<<<< SEARCH\n    return 0\n=======\n    return a + b\n>>>>>>> REPLACE\n```\n",
        "stop",
        _USAGE,
    ),
    "half a block": Reply("calc.py\n```python\n<<<<<<< SEARCH\n    return 0\n=======\n", "stop", _USAGE),
    "a diff": Reply(
        "```diff\n--- calc.py\n+++ calc.py\n@@ ... @@\n-    return 0\n+    return a + b\n```\n", "stop", _USAGE
    ),
    "half a diff": Reply("```diff\n--- calc.py\n", "stop", _USAGE),
    "fences alone": Reply("```\n```\n```", "stop", _USAGE),
    "code that does not parse": Reply("calc.py\n```\ndef add(a, b:\n    return a +\n```\n", "stop", _USAGE),
    "nothing": Reply("", "stop", _USAGE),
    "blanks": Reply(" \n\n\t", "stop", _USAGE),
    "cut off": Reply("calc.py\n```\ndef add(a, b", "length", _USAGE),
    "a fault": Reply("", None, Usage(), "the server at http://127.0.0.1:1 refused the connection"),
    "a fault of several lines": Reply("calc", None, Usage(), "the answer broke off\nafter four characters"),
    "a tool call": Reply("", "tool_calls", _USAGE),
    "no finish reason": Reply("Ok.", None, Usage()),
    "a strange finish reason": Reply("Ok.", "weird", _USAGE),
    "a loop": Reply("the same line again\n" * 2_000, "stop", _USAGE),
    "a long text": Reply("Another sentence, not quite like the last. " * 3_000, "stop", _USAGE),
    "one long line": Reply("y" * 100_000, "stop", _USAGE),
    "unicode": Reply("готово 🤖 \x00 \u2028 e\u0301", "stop", _USAGE),
}
