"""The message that a trial's report carries to the controller: an attribute of plain JSON types."""

from __future__ import annotations

from typing import Any

_ATTRIBUTE = "hybrideval"


def put_payload(report: Any, message: dict[str, Any]) -> None:
    """Put the message on a report; pytest and pytest-xdist carry attributes of plain types along."""
    setattr(report, _ATTRIBUTE, message)


def payload_of(report: Any) -> dict[str, Any] | None:
    """The message on a report, None where it is not one of ours."""
    found: dict[str, Any] | None = getattr(report, _ATTRIBUTE, None)
    return found


def outcome_of(report: Any) -> str | None:
    """`passed`, `failed` or `error` where the report is a trial's, else None."""
    message = payload_of(report)
    return None if message is None else str(message["record"]["outcome"])
