"""Stores for JSON values under string keys: one in memory, one in a file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Protocol


class Store(Protocol):
    def get(self, key: str, default: Any = None) -> Any: ...

    def put(self, key: str, value: Any) -> None: ...

    def delete(self, key: str) -> None: ...

    def keys(self, prefix: str) -> list[str]: ...


class MemoryStore:
    def __init__(self) -> None:
        self._values: dict[str, str] = {}

    def get(self, key: str, default: Any = None) -> Any:
        return json.loads(self._values[key]) if key in self._values else default

    def put(self, key: str, value: Any) -> None:
        self._values[key] = json.dumps(value)

    def delete(self, key: str) -> None:
        del self._values[key]

    def keys(self, prefix: str) -> list[str]:
        return [key for key in self._values if key.startswith(prefix)]


class FileStore:
    """Reads the file at each access and writes it at each change; there need be no file yet."""

    def __init__(self, path: str | Path) -> None:
        self._path = Path(path)

    def get(self, key: str, default: Any = None) -> Any:
        return self._read().get(key, default)

    def put(self, key: str, value: Any) -> None:
        self._write({**self._read(), key: value})

    def delete(self, key: str) -> None:
        values = self._read()
        del values[key]
        self._write(values)

    def keys(self, prefix: str) -> list[str]:
        return [key for key in self._read() if key.startswith(prefix)]

    def _read(self) -> dict[str, Any]:
        return json.loads(self._path.read_text(encoding="utf-8")) if self._path.exists() else {}

    def _write(self, values: dict[str, Any]) -> None:
        self._path.write_text(json.dumps(values, indent=1), encoding="utf-8")
