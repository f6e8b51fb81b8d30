"""What is wrong with an answer, in words; empty where the agent may see it."""

from __future__ import annotations

import re
from collections.abc import Mapping

from pytest_hybrideval.core.domain import Reply
from pytest_hybrideval.core.signals import EditFormat, Phase, RequestSignals
from pytest_hybrideval.strategies.answers import RefusedEdit, diff, udiff, whole
from pytest_hybrideval.strategies.answers.python_syntax import python_fault
from pytest_hybrideval.strategies.answers.repetition import looping

_EDITING = (Phase.EDIT, Phase.CODE, Phase.REFLECTION)
_CUT_OFF = {"length": "it was cut off at its longest length", "content_filter": "it was cut off by a content filter"}
_CALLS = ("tool_calls", "function_call")
_LONGEST_FAULT = 160
# Models put a sentence such as "Here is the file:" where the name should be, and aider makes a file of that name.
_PLAUSIBLE = re.compile(r"[\w.@+-]+(?:/[\w.@+-]+)*")


def complaint(signals: RequestSignals, reply: Reply) -> str:
    """Why an answer is not fit to be seen.

    It is incomplete, empty or repetitive, or it is to hold edits and the agent could not apply them, or a Python file
    that parsed before, or is new, would not parse afterwards.
    """
    if reply.fault:
        fault = " ".join(reply.fault.split())
        return f"it failed: {fault if len(fault) <= _LONGEST_FAULT else fault[:_LONGEST_FAULT] + '…'}"
    if reply.finish_reason in _CUT_OFF:
        return _CUT_OFF[reply.finish_reason]
    if reply.finish_reason in _CALLS:  # what it calls is not in its text
        return ""
    if not reply.text.strip():
        return "it is empty"
    if loop := looping(reply.text, (*signals.files.values(), *signals.references.values())):
        return f"it repeats {loop}"
    return _unusable(signals, reply.text) if signals.phase in _EDITING else ""


def _unusable(signals: RequestSignals, text: str) -> str:
    """What keeps the agent from applying the answer's edits."""
    try:
        after = _texts_after(signals, text)
    except RefusedEdit as refused:
        return f"no usable edit: {refused}"
    if after and not any(name in signals.files or _PLAUSIBLE.fullmatch(name) for name in after):
        return f"no usable edit: it names {next(iter(after))[:40]!r}, which is no file"
    for name, content in after.items():
        if name.endswith((".py", ".pyi")) and not python_fault(signals.files.get(name, "")):
            fault = python_fault(content)
            if fault:
                return f"{name} does not parse afterwards: {fault}"
    return ""


def _texts_after(signals: RequestSignals, text: str) -> Mapping[str, str]:
    """The files that the answer changes, as far as their contents are known. Raises `RefusedEdit`."""
    if signals.edit_format is EditFormat.WHOLE:
        return whole.texts_after(text, signals.files, signals.fence)
    if signals.edit_format is EditFormat.DIFF:
        return diff.texts_after(text, {**signals.references, **signals.files}, signals.fence)
    if signals.edit_format is EditFormat.UDIFF:
        return udiff.texts_after(text, {**signals.references, **signals.files})
    return {}
