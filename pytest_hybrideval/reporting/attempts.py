"""Trials that ran more than once, because a resumed run tried again what had ended in an error."""

from __future__ import annotations

from collections.abc import Iterable

from pytest_hybrideval.core.records import TrialRecord


def trial_key(record: TrialRecord) -> tuple[str, str, str]:
    """What makes two records attempts of one trial: its id and models."""
    return record.trial, record.local_model, record.cloud_model


def split_attempts(records: Iterable[TrialRecord]) -> tuple[list[TrialRecord], list[TrialRecord]]:
    """Of each trial the attempt with the highest number, and all earlier ones; both in their order.

    Only errors are tried again, which say nothing of the agent: to leave them out once there is a verdict favours
    nobody. Records of one number (a run that was put together by hand) all stay.
    """
    records = list(records)
    last: dict[tuple[str, str, str], int] = {}
    for record in records:
        last[trial_key(record)] = max(record.attempt, last.get(trial_key(record), 0))
    latest = [record for record in records if record.attempt == last[trial_key(record)]]
    return latest, [record for record in records if record.attempt < last[trial_key(record)]]
