"""The tokens of one row of hybrid-coding-eval's `raw.jsonl`.

`tokens.prompt` and `tokens.completion` are the sums of their `local_` and `cloud_` parts; `cached` is part of the
prompt and `reasoning` of the completion, without saying of which tier. That tool wrote 0 where a server did not say its
usage or its log was lost, so a call without a prompt is one whose usage is unknown.
"""

from __future__ import annotations

from pytest_hybrideval.core.domain import Tier
from pytest_hybrideval.core.records import TierTokens
from pytest_hybrideval.reporting.ancestor_row import Row

_ONLY = {"always-cloud": Tier.CLOUD, "always-local": Tier.LOCAL}
_Parts = dict[Tier, int | None]


def tokens(row: Row, strategy: str, *, judged: bool) -> dict[Tier, TierTokens]:
    """The tokens by tier. What the row does not say is in `unknown_calls`, at least one call where a tier was asked.

    A row that has a verdict (`judged`) but neither calls nor tokens has lost them: an agent asks at least once.
    `cached` and `reasoning` are counted to the cloud as far as they fit there. Raises `RecordError` for numbers that do
    not add up.
    """
    only = _ONLY.get(strategy)
    calls = _parts(row, "routing.total_calls", "routing.local_calls", "routing.cloud_calls", only)
    asked = [tier for tier in Tier if calls[tier] != 0]
    only = asked[0] if len(asked) == 1 else only
    prompt, completion = (
        _parts(row, f"tokens.{kind}", f"tokens.local_{kind}", f"tokens.cloud_{kind}", only, exact=True)
        for kind in ("prompt", "completion")
    )
    lost = judged and not any((*calls.values(), *prompt.values(), *completion.values()))
    cached, reasoning = row.count("tokens.cached") or 0, row.count("tokens.reasoning") or 0
    found: dict[Tier, TierTokens] = {}
    for tier in (Tier.CLOUD, Tier.LOCAL):
        count = None if lost and only in (None, tier) else calls[tier]
        one = _tier(count, prompt[tier], completion[tier])
        if one.calls:
            here = min(cached, one.prompt), min(reasoning, one.completion)
            cached, reasoning = cached - here[0], reasoning - here[1]
            found[tier] = TierTokens(one.calls, one.prompt, one.completion, *here, one.unknown_calls)
    return found


def _tier(calls: int | None, prompt: int | None, completion: int | None) -> TierTokens:
    """One tier's totals. `calls` is None where the number is not known; tokens without a call are one call's."""
    if prompt and completion is not None:
        return TierTokens(calls or 1, prompt, completion)
    asked = 1 if calls is None or (completion and not calls) else calls
    return TierTokens(asked, prompt or 0, completion or 0, unknown_calls=asked)


def _parts(
    row: Row, total_key: str, local_key: str, cloud_key: str, only: Tier | None, *, exact: bool = False
) -> _Parts:
    """A total's two parts; one that is missing is the rest, and all is of `only` where neither part is known.

    `exact`: parts that do not add up are an error; but two zeros are parts that were never set.
    """
    total, local, cloud = (row.count(key, note=False) for key in (total_key, local_key, cloud_key))
    if exact and total and not local and not cloud:
        local = cloud = None
    if local is None and cloud is None and only is not None:
        local, cloud = (total, 0) if only is Tier.LOCAL else (0, total)
    elif total is not None and local is not None:
        cloud = total - local if cloud is None else cloud
    elif total is not None and cloud is not None:
        local = total - cloud
    for key, value in ((local_key, local), (cloud_key, cloud)):
        if value is None:
            row.missing.add(key)
    wrong = local is not None and cloud is not None and exact and total not in (None, local + cloud)
    if wrong or (local or 0) < 0 or (cloud or 0) < 0:
        raise row.error(total_key, f"is not the sum of its parts, local {local} and cloud {cloud}")
    return {Tier.LOCAL: local, Tier.CLOUD: cloud}
