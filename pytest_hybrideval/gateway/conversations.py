"""What requests to a served router have in common: those that a client marks as one conversation share a strategy."""

from __future__ import annotations

import random
from collections import OrderedDict, deque
from collections.abc import Callable

from pytest_hybrideval.core.protocols import Strategy
from pytest_hybrideval.core.records import CallRecord, Ledger
from pytest_hybrideval.gateway.sessions import Origin

_MOST = 1000
_MOST_CALLS = 200
_SEEDS = 2**31
_ALONE = "served"


class Conversation:
    """One strategy, the seed that it draws by, and the finished calls of the requests so far."""

    def __init__(self, name: str, strategy: Strategy, threshold: float | None) -> None:
        """`name` is the client's."""
        self.strategy = strategy
        self._name = name
        self._threshold = threshold
        self._seed = random.randrange(_SEEDS)
        self._calls: deque[CallRecord] = deque(maxlen=_MOST_CALLS)

    @property
    def origin(self) -> Origin:
        """What the strategy may know at the next request."""
        return Origin(self._name, self._threshold, self._seed, earlier=tuple(self._calls))

    def keep(self, ledger: Ledger) -> None:
        """A request is over: the next one knows of its calls."""
        self._calls.extend(ledger.agent_calls)


class Conversations:
    """The conversations that were spoken in last. A request without a name is one of its own and is not kept."""

    def __init__(self, make_strategy: Callable[[], Strategy], threshold: float | None) -> None:
        """`make_strategy` is called once for each conversation."""
        self._make_strategy = make_strategy
        self._threshold = threshold
        self._kept: OrderedDict[str, Conversation] = OrderedDict()

    def of(self, name: str) -> Conversation:
        """The conversation of a name; a new one where it is empty or has not been heard of for long."""
        found = self._kept.get(name) or Conversation(name or _ALONE, self._make_strategy(), self._threshold)
        if name:
            self._kept[name] = found
            self._kept.move_to_end(name)
            while len(self._kept) > _MOST:
                self._kept.popitem(last=False)
        return found
