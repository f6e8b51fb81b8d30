"""Ask the local model, for every request, whether it would do or the cloud is needed."""

from __future__ import annotations

import re
from typing import ClassVar

from pytest_hybrideval.core.domain import ChatRequest, Decision, Tier
from pytest_hybrideval.core.protocols import RoutingContext
from pytest_hybrideval.core.signals import RequestSignals, read_request

_QUESTION = """\
A programming assistant is about to send the task below to a language model. Which one should get it: "local", a small \
model that costs nothing, or "cloud", a large one that costs money? Choose "cloud" only where the small one would fail.

Kind of task: {phase}. Files: {files}, {characters} characters in all.

--- task ---
{instruction}
--- end of task ---

Reply with one word, local or cloud.
"""
_KINDS = {
    "plan": "plan a change",
    "edit": "carry out a plan that is ready",
    "code": "plan and make a change",
    "reflection": "mend an edit that was refused",
    "summary": "summarise a conversation",
    "commit": "word a commit message",
    "other": "not known",
}
_EXCERPT = 3000
_QUOTED = 60
_THOUGHTS = re.compile(r"<think(?:ing)?>.*?(?:</think(?:ing)?>|\Z)", re.S)
_DENIED = re.compile(r"(?:\b(?:not|no|never|without|than|instead of)|n't)\s+(?:the\s+|a\s+)?(?:local|cloud)\b")
_NAMED = re.compile(r"\b(local|cloud)\b")
_ALONE = r"(local|cloud)\b(?!\s*(?:/|\||,?\s*(?:or|and)\b))"  # not "local or cloud"
_BEGINS = re.compile(rf"\W*{_ALONE}")
_ANNOUNCED = re.compile(rf"\b(?:answer|choice|decision|verdict)(?:\s+is)?\W+{_ALONE}")


class LlmClassifier:
    """The local model's answer decides. Where it names neither tier, or both, the request goes to the cloud.

    The tokens of question and answer are overhead of the strategy.
    """

    name: ClassVar[str] = "llm-classifier"

    async def decide(self, request: ChatRequest, context: RoutingContext) -> Decision:
        """Ask, and go where the answer says."""
        answer = await context.classify(question(read_request(request)))
        tier = named_tier(answer.text)
        said = " ".join(answer.text.split())
        quoted = repr(said if len(said) <= _QUOTED else said[:_QUOTED] + "…")
        if tier is None:
            return Decision(Tier.CLOUD, f"the classifier said {quoted}, which names no tier: to the cloud")
        return Decision(tier, f"the classifier said {quoted}")


def question(signals: RequestSignals) -> str:
    """What the local model is asked about a request: its kind, its size, the beginning of its instruction."""
    names = sorted(signals.files)  # the agent lists them in any order
    files = ", ".join(names[:10]) + (f" and {len(names) - 10} more" if len(names) > 10 else "")
    return _QUESTION.format(
        phase=_KINDS[signals.phase.value],
        files=files or "none",
        characters=signals.characters,
        instruction=signals.instruction[:_EXCERPT],
    )


def named_tier(answer: str) -> Tier | None:
    """The tier that an answer chooses; None where it names neither, or both without saying which is meant.

    Said is what follows "answer:" and the like, else what the answer begins with. A model's thoughts in `<think>` tags
    do not count, nor does a tier that is denied ("not local").
    """
    text = _DENIED.sub(" ", _THOUGHTS.sub(" ", answer).lower())
    begins = _BEGINS.match(text)
    said = _ANNOUNCED.findall(text)[-1:] or ([begins[1]] if begins else sorted(set(_NAMED.findall(text))))
    return Tier(said[0]) if len(said) == 1 else None
