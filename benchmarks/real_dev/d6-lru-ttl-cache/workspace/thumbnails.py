"""Thumbnails for the picture archive."""

from __future__ import annotations

from collections.abc import Callable

from cache import Cache

MAX_BYTES = 64 * 1024 * 1024
KEEP_SECONDS = 3600


class Thumbnails:
    """Renders each thumbnail once and keeps it for a while."""

    def __init__(self, render: Callable[[str, int], bytes], cache: Cache | None = None) -> None:
        self._render = render
        self._cache = default_cache() if cache is None else cache

    def get(self, picture: str, pixels: int) -> bytes:
        return self._cache.get_or_load((picture, pixels), lambda: self._render(picture, pixels))

    def forget(self, picture: str, sizes: list[int]) -> None:
        """To be called when a picture has changed."""
        for pixels in sizes:
            self._cache.delete((picture, pixels))


def default_cache() -> Cache:
    return Cache(MAX_BYTES, ttl=KEEP_SECONDS, weigh=lambda key, image: len(image))
