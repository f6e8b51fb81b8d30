"""Recipes in memory."""

from __future__ import annotations

import threading
from dataclasses import dataclass


@dataclass(frozen=True)
class Recipe:
    name: str
    serves: int
    steps: tuple[str, ...]


class RecipeStore:
    def __init__(self) -> None:
        self._recipes: dict[str, Recipe] = {}
        self._lock = threading.Lock()

    def put(self, recipe: Recipe) -> None:
        with self._lock:
            self._recipes[recipe.name] = recipe

    def get(self, name: str) -> Recipe | None:
        with self._lock:
            return self._recipes.get(name)

    def names(self) -> list[str]:
        with self._lock:
            return sorted(self._recipes)
