"""What an agent's request shows: its phase, edit format, instruction and files. Pure reading of the messages.

The marks were taken from requests of aider 0.86.2 (architect, whole, diff, udiff; with reflections). The strategies
route by them, the simulated models answer by them, and the gateway names a call's phase by them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

from pytest_hybrideval.core.domain import ChatRequest

RETRY_MARK = "The hidden tests do not all pass yet."
"""How the message begins by which an agent gets another try."""


class Phase(str, Enum):
    """What the agent wants from the model with this request."""

    PLAN = "plan"
    EDIT = "edit"
    CODE = "code"
    REFLECTION = "reflection"
    SUMMARY = "summary"
    COMMIT = "commit"
    OTHER = "other"


class EditFormat(str, Enum):
    """How the request wants edits written. `NONE` where it wants none."""

    WHOLE = "whole"
    DIFF = "diff"
    UDIFF = "udiff"
    NONE = "none"


@dataclass(frozen=True)
class RequestSignals:
    """A request, read.

    `instruction` is the last user message without the agent's own format rules: the task in a plan or code request,
    the architect's plan in an edit request, the complaint in a reflection. `conversation` is all that the user side
    has said. `files` and `references` map names to
    contents as shown. `fence` is the code fence in use. `cause` says what a reflection answers: edit, lint, test or
    files; empty otherwise.
    """

    phase: Phase
    edit_format: EditFormat
    instruction: str
    conversation: str
    files: Mapping[str, str]
    references: Mapping[str, str]
    fence: str
    cause: str = ""

    @property
    def retried(self) -> bool:
        """Whether the agent is at another try, after it was shown what the hidden tests said."""
        return RETRY_MARK in self.conversation

    @property
    def characters(self) -> int:
        """Characters of all files shown."""
        return sum(map(len, (*self.files.values(), *self.references.values())))


_PHASES = (
    ("Act as an expert architect engineer", Phase.PLAN),
    ("Act as an expert software developer and make changes to source code", Phase.EDIT),
    ("Act as an expert software developer who edits source code", Phase.EDIT),
    ("Act as an expert software developer", Phase.CODE),
    ("*Briefly* summarize", Phase.SUMMARY),
    ("You are an expert software engineer that generates concise", Phase.COMMIT),
)
# The first words of the message with which aider sends the model back to work.
_CAUSES = (
    (re.compile(r"# \d+ SEARCH/REPLACE block"), "edit"),
    (re.compile(r"UnifiedDiff"), "edit"),
    # A block that cannot be parsed is quoted first, the complaint comes below it.
    (re.compile(r"(?s:.*)^\^\^\^ (?:Expected `|Bad/missing filename)", re.M), "edit"),
    (re.compile(r"No filename provided"), "edit"),
    (re.compile(r"# Fix any errors"), "lint"),
    (re.compile(r"I ran this command:"), "test"),
    (re.compile(r"I added these files"), "files"),
)
# Where aider's own rules begin at the end of the last user message, and the format that they ask for.
_RULES = (
    ("# *SEARCH/REPLACE block* Rules:", EditFormat.DIFF),
    ("# File editing rules:", EditFormat.UDIFF),
    ("To suggest changes to a file you MUST return the entire content", EditFormat.WHOLE),
)
_FILES_MARK = "I have *added these files to the chat*"
_REFERENCES_MARK = "Here are some READ ONLY files"
_OPENING = re.compile(r"^(?P<name>[^\n`]+)\n(?P<fence>`{3,})\n", re.M)


def read_request(request: ChatRequest) -> RequestSignals:
    """Read a request. Never raises: what is not recognised is phase `OTHER`, format `NONE`, no files."""
    messages = request.messages
    system = _text(messages[0]) if messages and messages[0].get("role") == "system" else ""
    last = next((_text(m) for m in reversed(messages) if m.get("role") == "user"), "")
    instruction, edit_format = _without_rules(last)
    if edit_format is EditFormat.NONE:
        edit_format = _without_rules(system)[1]
    cause = next((name for mark, name in _CAUSES if mark.match(instruction)), "")
    phase = next((phase for mark, phase in _PHASES if system.startswith(mark)), Phase.OTHER)
    files, fence = _files(messages, _FILES_MARK)
    return RequestSignals(
        phase=Phase.REFLECTION if cause and phase in (Phase.EDIT, Phase.CODE) else phase,
        edit_format=edit_format,
        instruction=instruction,
        conversation="\n".join(_text(m) for m in messages if m.get("role") == "user"),
        files=files,
        references=_files(messages, _REFERENCES_MARK)[0],
        fence=fence,
        cause=cause,
    )


def _text(message: Mapping[str, Any]) -> str:
    content = message.get("content")
    if isinstance(content, str):
        return content
    if isinstance(content, list):
        return "\n".join(
            part["text"] for part in content if isinstance(part, dict) and isinstance(part.get("text"), str)
        )
    return ""


def _without_rules(text: str) -> tuple[str, EditFormat]:
    for mark, edit_format in _RULES:
        at = text.rfind(mark)
        if at >= 0:
            return text[:at].strip(), edit_format
    return text.strip(), EditFormat.NONE


def _files(messages: Sequence[Mapping[str, Any]], mark: str) -> tuple[dict[str, str], str]:
    found: dict[str, str] = {}
    fence = "```"
    for message in messages:
        text = _text(message) if message.get("role") == "user" else ""
        if text.startswith(mark):
            opening = _OPENING.search(text)
            if opening:
                fence = opening["fence"]
                found.update(_tiles(text[opening.start() :], fence) or ())
    return found, fence


def _tiles(text: str, fence: str) -> list[tuple[str, str]] | None:
    """The files of a listing that is nothing but files; None where the text cannot be cut that way.

    aider puts the closing fence right after the content, so a file without a final newline ends in mid-line. No line
    of a content begins with the fence: aider chooses it so.
    """
    opening = _OPENING.match(text)
    if opening is None or opening["fence"] != fence:
        return None
    start = opening.end()
    at = text.find(fence, start)
    while at >= 0:
        rest = text[at + len(fence) :]
        if rest in ("", "\n"):
            return [(opening["name"].strip(), text[start:at])]
        following = _tiles(rest[2:], fence) if rest.startswith("\n\n") else None
        if following is not None:
            return [(opening["name"].strip(), text[start:at]), *following]
        if text[at - 1] == "\n":
            return None
        at = text.find(fence, at + 1)
    return None
