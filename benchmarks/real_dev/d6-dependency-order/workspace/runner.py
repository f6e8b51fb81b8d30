"""Runs steps in the order in which they are written down."""

from __future__ import annotations

from collections.abc import Iterable

from steps import Step


def run(steps: Iterable[Step]) -> list[str]:
    done = []
    for step in steps:
        step.action()
        done.append(step.name)
    return done
