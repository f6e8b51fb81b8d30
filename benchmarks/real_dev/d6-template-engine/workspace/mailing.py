"""The mails of the allotment club: one template each, and pieces that they share."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from templates import Environment

FOLDER = Path(__file__).parent / "mails"


def load(folder: Path = FOLDER) -> dict[str, str]:
    return {path.name: path.read_text(encoding="utf-8") for path in folder.glob("*.html")}


def euros(cents: int) -> str:
    return f"{cents // 100}.{cents % 100:02}"


def mail(name: str, values: Mapping[str, Any]) -> str:
    return Environment(load(), filters={"euros": euros}).render(name, values)
