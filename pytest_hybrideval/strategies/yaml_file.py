"""The YAML files that strategies are configured by, read with one kind of error."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pytest_hybrideval.core.errors import ConfigurationError


def read_text(file: Path, what: str) -> str:
    """The text of a file. Raises `ConfigurationError` that says `what` it is, names it, and why it cannot be read."""
    try:
        return file.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise ConfigurationError(f"{what} {file}: not UTF-8: {error}") from None
    except OSError as error:
        raise ConfigurationError(f"{what} {file}: {error.strerror}") from None


def parse(text: str, where: str) -> Any:
    """The YAML document in a text. Raises `ConfigurationError` that names `where` it stands."""
    import yaml  # only who uses such a strategy pays for it

    try:
        return yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ConfigurationError(f"{where}: not readable as YAML: {' '.join(str(error).split())}") from None
