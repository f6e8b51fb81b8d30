"""An agent that needs no aider: it asks the gateway as aider's whole-file format does, and does what it is told."""

from __future__ import annotations

import json
import re
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from http.client import HTTPException
from pathlib import Path
from typing import Any

from pytest_hybrideval.core.domain import AgentResult
from pytest_hybrideval.core.protocols import AgentJob

# The marks by which `core.signals` knows a code request of aider 0.86.2.
_SYSTEM = "Act as an expert software developer.\nTake requests for changes to the supplied code.\n"
_FILES = (
    "I have *added these files to the chat* so you can go ahead and edit them.\n\n"
    "*Trust this message as the true contents of these files!*\n\n"
)
_FILES_ANSWER = "Ok, any changes I propose will be to those files."
_REFERENCES = "Here are some READ ONLY files, provided for your reference.\nDo not edit these files!\n\n"
_REFERENCES_ANSWER = "Ok, I will use these files as references."
_RULES = (
    "To suggest changes to a file you MUST return the entire content of the updated file.\n"
    "You MUST use this *file listing* format:\n\npath/to/file\n{fence}\n// entire file content\n{fence}\n"
)
_DATA = b"data: "


@dataclass(frozen=True)
class ScriptedAgent:
    """An `Agent` for tests: it runs in the test's own process, in milliseconds, and ends as the script says.

    `requests` is how many code requests it sends; 0 sends none. Each shows the files as they are by then, and the file
    listings of each answer are written into the workspace, whatever they name in it. A refused request ends the asking,
    not the run: like aider it goes on to its end. `stream` False asks for whole answers.

    After the last answer it writes `touches` (workspace-relative path -> text), whether the task allows them or not.
    Then it raises `raises`, or hangs until the job's time limit if `hangs`, or ends with `exit_code`.
    """

    requests: int = 1
    stream: bool = True
    touches: Mapping[str, str] = field(default_factory=dict)
    raises: BaseException | None = None
    hangs: bool = False
    exit_code: int = 0

    @property
    def label(self) -> str:
        """`scripted`."""
        return "scripted"

    def run(self, job: AgentJob) -> AgentResult:
        """Follow the script within `job.timeout` seconds; the transcript gets every answer. See `AgentResult`.

        Raises `raises`.
        """
        started = time.monotonic()
        deadline = started + job.timeout
        try:
            malformed = self._ask(job, deadline)
            for name, text in self.touches.items():
                _write(job.workspace / name, text)
            if self.raises is not None:
                raise self.raises
            if self.hangs:
                threading.Event().wait(max(0.0, deadline - time.monotonic()))
                raise _TimeLimitError
        except _TimeLimitError:
            _say(job, f"stopped at the time limit of {job.timeout:g} s")
            return AgentResult(None, time.monotonic() - started, timed_out=True)
        return AgentResult(self.exit_code, time.monotonic() - started, malformed=malformed)

    def _ask(self, job: AgentJob, deadline: float) -> int:
        """Send the requests and apply the answers; how many answers held a listing that could not be applied."""
        malformed = 0
        _say(job, f"scripted agent, {self.requests} requests")
        for _ in range(self.requests):
            fence = _fence(job)
            try:
                answer = _send(job, _body(job, fence, self.stream), deadline)
            except urllib.error.HTTPError as refusal:
                _say(job, f"refused with status {refusal.code}: {refusal.read().decode(errors='replace')}")
                break
            except (OSError, HTTPException) as fault:
                _say(job, f"no whole answer: {fault}")
                break
            _say(job, answer)
            malformed += not _apply(job.workspace, answer, fence) and fence in answer
        return malformed


class _TimeLimitError(Exception):
    """The job's time limit is reached."""


def _body(job: AgentJob, fence: str, stream: bool) -> dict[str, Any]:
    messages = [{"role": "system", "content": f"{_SYSTEM}\n{_RULES.format(fence=fence)}"}]
    shown = ((_REFERENCES, job.files_read_only, _REFERENCES_ANSWER), (_FILES, job.files_edit, _FILES_ANSWER))
    for opening, names, answer in shown:
        if names:
            listing = "\n".join(f"{name}\n{fence}\n{_content(job, name)}{fence}\n" for name in names)
            messages += [{"role": "user", "content": opening + listing}, {"role": "assistant", "content": answer}]
    messages.append({"role": "user", "content": f"Task: {job.instruction}\n\n{_RULES.format(fence=fence)}"})
    body: dict[str, Any] = {"model": "hybrid", "messages": messages, "temperature": 0}
    return {**body, "stream": True} if stream else body


def _content(job: AgentJob, name: str) -> str:
    """A file's text with a line end at its end; empty where it is still to be created."""
    path = job.workspace / name
    text = path.read_text(encoding="utf-8", errors="replace") if path.is_file() else ""
    return text if not text or text.endswith("\n") else text + "\n"


def _fence(job: AgentJob) -> str:
    """Three backticks, or four where a file that is shown has a line that begins with three."""
    names = (*job.files_read_only, *job.files_edit)
    return "````" if any(re.search(r"^```", _content(job, name), re.M) for name in names) else "```"


def _send(job: AgentJob, body: Mapping[str, Any], deadline: float) -> str:
    """The answer's text. Raises `OSError` or `HTTPException` where there is none, `_TimeLimitError` at the deadline."""
    request = urllib.request.Request(
        f"{job.base_url}/chat/completions",
        data=json.dumps(body).encode(),
        headers={"Authorization": f"Bearer {job.api_key}", "Content-Type": "application/json"},
    )
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # the gateway is on this machine
    try:
        with opener.open(request, timeout=max(0.001, deadline - time.monotonic())) as response:
            if body.get("stream"):
                return _streamed(response, deadline)
            return _text(json.load(response)["choices"][0]["message"])
    except OSError as fault:
        if isinstance(fault, TimeoutError) or isinstance(getattr(fault, "reason", None), TimeoutError):
            raise _TimeLimitError from None
        raise


def _streamed(lines: Iterable[bytes], deadline: float) -> str:
    parts: list[str] = []
    for line in lines:
        if time.monotonic() > deadline:
            raise _TimeLimitError
        if line.startswith(_DATA) and line[len(_DATA) :].strip() != b"[DONE]":
            event = json.loads(line[len(_DATA) :])
            if "error" in event:
                raise HTTPException(f"the stream broke: {event['error'].get('message')}")
            parts += [_text(choice["delta"]) for choice in event["choices"]]
    return "".join(parts)


def _text(message: Mapping[str, Any]) -> str:
    return str(message.get("content") or "")


def _apply(workspace: Path, answer: str, fence: str) -> bool:
    """Write every file listing of an answer that stays in the workspace; whether there was any."""
    listing = re.compile(rf"^(?P<name>[^\n`]+)\n{fence}[^`\n]*\n(?P<content>.*?)^{fence}[ \t]*$", re.M | re.S)
    applied = False
    for found in listing.finditer(answer):
        target = (workspace / found["name"].strip()).resolve()
        if target.is_relative_to(workspace.resolve()):
            _write(target, found["content"])
            applied = True
    return applied


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def _say(job: AgentJob, text: str) -> None:
    with job.transcript.open("a", encoding="utf-8") as transcript:
        transcript.write(text + "\n")
