"""Write all recipes into one text, for the printed cookbook."""

from __future__ import annotations

from render import as_text
from store import RecipeStore


def cookbook(store: RecipeStore) -> str:
    recipes = [store.get(name) for name in store.names()]
    return "\n".join(as_text(recipe) for recipe in recipes if recipe is not None)
