"""Faults. Expected outcomes of a trial (a wrong solution, a time-out) are data and live in `domain`."""

from __future__ import annotations


class HybridEvalError(Exception):
    """Base of every error this package raises on purpose. Its text says what, where and how to mend it."""


class ConfigurationError(HybridEvalError):
    """What was asked for cannot be done as asked. The plugin shows it as `pytest.UsageError`."""


class TaskError(HybridEvalError):
    """A task folder is broken; the text names the file and the field."""


class RecordError(HybridEvalError):
    """A line of `raw.jsonl` or `calls.jsonl` cannot be read; the text names file and line."""


class StrategyError(HybridEvalError):
    """A strategy could not be made. The router's own fault: its trial has no verdict."""


class AgentUnavailable(HybridEvalError):
    """The agent could not be run at all. An infrastructure fault, never the agent's own."""


class SandboxError(HybridEvalError):
    """The sandbox could not run the hidden tests. An infrastructure fault, never the agent's."""


class BackendError(HybridEvalError):
    """A model could not answer.

    Attributes:
        status: HTTP status of the backend, or None where there was no HTTP answer.
        retryable: whether the same request may succeed later (429, 5xx, connection).
        retry_after: seconds the backend asked us to wait, if it said so.
        replayed: whether the fault comes from a cassette.
    """

    replayed = False

    def __init__(
        self, message: str, *, status: int | None = None, retryable: bool = False, retry_after: float | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.retryable = retryable
        self.retry_after = retry_after


class BackendUnavailable(BackendError):
    """Nothing answers at the backend's address, or it refuses to serve the model at all."""


class StreamBroken(BackendError):
    """An answer ended without its end marker, or with an error in mid-stream: it is incomplete."""


class ContextOverflow(BackendError):
    """The request does not fit the model's context. Counted as the agent's failure, not as infrastructure."""


class NotRecorded(BackendError):
    """A call is to be replayed, and no cassette has it; the text says where it differs. Never retryable."""


class CassetteError(BackendError):
    """A cassette cannot be read or written; the text names the file, and the line where one is damaged."""


class BudgetExceeded(HybridEvalError):
    """A call was not sent because it could have cost more than is left. Infrastructure: says nothing of the agent."""


class RequestRefused(HybridEvalError):
    """The agent's request is not one the gateway can pass on; the text names the field."""
