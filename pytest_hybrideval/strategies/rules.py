"""Route by an ordered list of rules over phase, words and size: the first rule that applies decides."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import ClassVar

from pytest_hybrideval.core.domain import ChatRequest, Decision, Tier
from pytest_hybrideval.core.protocols import RoutingContext
from pytest_hybrideval.core.signals import Phase, RequestSignals, read_request


@dataclass(frozen=True)
class Rule:
    """Sends a request to `tier` if all its conditions hold; without any it applies to every request.

    `phases`: the request's is among them. `words`: the instruction has one of them, as whole words and whatever their
    case; a final `*` stands for any ending, a blank for any white space. `most_words`, `least_words`: how many words
    the instruction has. `least_files`: how many files may be changed. `least_characters`: of all files shown.
    """

    name: str
    tier: Tier
    phases: Collection[Phase] = ()
    words: Sequence[str] = ()
    most_words: int | None = None
    least_words: int = 0
    least_files: int = 0
    least_characters: int = 0

    def evidence(self, signals: RequestSignals) -> str | None:
        """What in the request makes the rule apply, in words; None where it does not apply."""
        if self.phases and signals.phase not in self.phases:
            return None
        length = len(signals.instruction.split())
        if self.most_words is not None and length > self.most_words:
            return None
        found = [signals.phase.value] if self.phases else []
        if self.words:
            word = _pattern(tuple(self.words)).search(signals.instruction)
            if word is None:
                return None
            found.append(repr(" ".join(word[0].split())))
        sizes = (
            (length, self.least_words, "words"),
            (len(signals.files), self.least_files, "files"),
            (signals.characters, self.least_characters, "characters"),
        )
        for size, least, unit in sizes:
            if size < least:
                return None
            if least:
                found.append(f"{size} {unit} >= {least}")
        return ", ".join(found)


@lru_cache(maxsize=64)
def _pattern(words: tuple[str, ...]) -> re.Pattern[str]:
    """Finds any of the words of a rule."""
    parts = [r"\s+".join(map(re.escape, word.split())).replace(r"\*", r"\w*") for word in words]
    return re.compile(rf"(?<!\w)(?:{'|'.join(parts)})(?!\w)", re.IGNORECASE)


RULES = (
    Rule("summaries and commit messages", Tier.LOCAL, phases=(Phase.SUMMARY, Phase.COMMIT)),
    Rule("the plan is there, it is only to be carried out", Tier.LOCAL, phases=(Phase.EDIT,)),
    Rule("an edit was refused", Tier.CLOUD, phases=(Phase.REFLECTION,)),
    Rule(
        "routine work",
        Tier.LOCAL,
        words=("rename*", "typo*", "docstring*", "comment*", "reformat*", "spelling", "log message*", "type hint*"),
        most_words=60,
    ),
    Rule(
        "concurrency", Tier.CLOUD, words=("concurren*", "thread*", "race condition*", "deadlock*", "atomic*", "lock*")
    ),
    Rule(
        "security",
        Tier.CLOUD,
        words=("security", "password*", "token*", "encrypt*", "signature*", "timing attack*", "permission*"),
    ),
    Rule("schemas and migrations", Tier.CLOUD, words=("schema*", "migrat*", "transaction*", "backward* compatib*")),
    Rule(
        "protocols and time", Tier.CLOUD, words=("retr*", "back-off", "backoff", "rate limit*", "time zone*", "expir*")
    ),
    Rule("parsers and encodings", Tier.CLOUD, words=("pars*", "grammar*", "escap*", "quot*", "encoding*", "recursi*")),
    Rule("resources", Tier.CLOUD, words=("stream*", "memory", "performance", "complexity", "cache*")),
    Rule("a long instruction", Tier.CLOUD, least_words=250),
    Rule("many files", Tier.CLOUD, least_files=4),
    Rule("much code", Tier.CLOUD, least_characters=20_000),
    Rule("anything else", Tier.LOCAL),
)


class Rules:
    """The first rule of the list that applies decides."""

    name: ClassVar[str] = "rules"

    def __init__(self, rules: Sequence[Rule] = RULES) -> None:
        """`rules` replace the documented ones. Raises `ValueError` where the last one does not apply to everything."""
        if not rules or rules[-1] != Rule(rules[-1].name, rules[-1].tier):
            raise ValueError("the last rule must be without conditions, so that one applies to every request")
        self._rules = tuple(rules)

    async def decide(self, request: ChatRequest, context: RoutingContext) -> Decision:
        """The tier of the first rule that applies; the reason names it and what made it apply."""
        signals = read_request(request)
        number, rule, evidence = next(
            (number, rule, evidence)
            for number, rule in enumerate(self._rules, 1)
            if (evidence := rule.evidence(signals)) is not None
        )
        return Decision(rule.tier, f"rule {number}, {rule.name}" + (f": {evidence}" if evidence else ""))
