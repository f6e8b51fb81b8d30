"""Price lists from YAML files: the packaged one, and the user's over it."""

from __future__ import annotations

import hashlib
from importlib import resources
from pathlib import Path

import yaml

from pytest_hybrideval.core.errors import ConfigurationError
from pytest_hybrideval.core.pricing import PriceList, price_list


def load_prices(user_file: Path | None = None) -> PriceList:
    """The packaged prices, with those of `user_file` over them model by model.

    Raises `ConfigurationError` naming the file, and the field where one is wrong.
    """
    packaged = resources.files("pytest_hybrideval.data").joinpath("pricing.yaml").read_text(encoding="utf-8")
    prices = _parse(packaged, "pricing.yaml")
    if user_file is None:
        return prices
    try:
        text = user_file.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise ConfigurationError(f"--hybrid-pricing {user_file}: not UTF-8: {error}") from None
    except OSError as error:
        raise ConfigurationError(f"--hybrid-pricing {user_file}: {error.strerror}") from None
    own = _parse(text, str(user_file))
    return PriceList({**prices.prices, **own.prices}, f"{own.source} over {prices.source}")


def _parse(text: str, name: str) -> PriceList:
    try:
        document = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ConfigurationError(f"{name}: not readable as YAML: {' '.join(str(error).split())}") from None
    as_of = document.get("as_of") if isinstance(document, dict) else None
    digest = hashlib.sha256(text.encode()).hexdigest()[:12]
    return price_list(document, f"{name} as of {as_of or 'an unknown date'} (sha256 {digest})")
