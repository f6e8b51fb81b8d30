"""What recipes look like on the wire."""

from __future__ import annotations

import json

from store import Recipe


def as_json(recipe: Recipe) -> dict:
    return {"name": recipe.name, "serves": recipe.serves, "steps": list(recipe.steps)}


def as_text(recipe: Recipe) -> str:
    steps = [f"{number}. {step}" for number, step in enumerate(recipe.steps, start=1)]
    return "\n".join([f"{recipe.name} (serves {recipe.serves})", *steps, ""])


def encode_json(payload: dict) -> bytes:
    return json.dumps(payload, ensure_ascii=False).encode("utf-8")
