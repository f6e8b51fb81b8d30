"""The packaged prices, and a user's own over them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from pytest_hybrideval.core.domain import ModelRef, Tier
from pytest_hybrideval.core.errors import ConfigurationError
from pytest_hybrideval.core.pricing import Price
from pytest_hybrideval.reporting.prices import load_prices


def written(folder: Path, text: str) -> Path:
    path = folder / "my prices.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_the_default_cloud_model_has_a_price() -> None:
    price = load_prices().price(ModelRef("simulated", "gpt-5.5"), Tier.CLOUD)
    assert 0 < price.cached < price.prompt < price.completion


def test_packaged_prices_say_of_which_day_they_are_and_what_was_read() -> None:
    assert re.fullmatch(r"pricing\.yaml as of \d{4}-\d\d-\d\d \(sha256 [0-9a-f]{12}\)", load_prices().source)


def test_own_prices_go_over_the_packaged_ones_model_by_model(tmp_path: Path) -> None:
    own = written(tmp_path, "as_of: 2026-11-20\nmodels:\n  mine: {prompt: 1, completion: 2}\n")
    prices = load_prices(own)
    assert prices.prices == {**load_prices().prices, "mine": Price(1, 2, 1)}
    dearer = written(tmp_path, "models:\n  gpt-5.5: {prompt: 50, completion: 300}\n")
    assert load_prices(dearer).prices["gpt-5.5"] == Price(50, 300, 50)


def test_the_source_names_both_files(tmp_path: Path) -> None:
    own = written(tmp_path, "as_of: 2026-11-20\nmodels:\n  mine: {prompt: 1, completion: 2}\n")
    source = load_prices(own).source
    assert source.startswith(f"{own} as of 2026-11-20 (sha256 ")
    assert source.endswith(f" over {load_prices().source}")


def test_a_changed_price_changes_the_source(tmp_path: Path) -> None:
    texts = [f"models:\n  mine: {{prompt: {price}, completion: 2}}\n" for price in (1, 2)]
    sources = [load_prices(written(tmp_path, text)).source for text in texts]
    assert sources[0] != sources[1]


def test_prices_without_a_day_say_so(tmp_path: Path) -> None:
    own = written(tmp_path, "models: {}\n")
    assert "as of an unknown date" in load_prices(own).source


def test_a_file_that_is_missing_or_a_folder_is_named(tmp_path: Path) -> None:
    for path in (tmp_path / "none.yaml", tmp_path):
        with pytest.raises(ConfigurationError, match=f"^--hybrid-pricing {path}: "):
            load_prices(path)


@pytest.mark.parametrize("text", ["models: {", "a: b: c", "\t- x"])
def test_a_file_that_is_no_yaml_is_named(tmp_path: Path, text: str) -> None:
    own = written(tmp_path, text)
    with pytest.raises(ConfigurationError, match=f"^{own}: not readable as YAML: ") as caught:
        load_prices(own)
    assert "\n" not in str(caught.value)


def test_a_file_in_another_encoding_is_named(tmp_path: Path) -> None:
    own = tmp_path / "latin.yaml"
    own.write_bytes("models:\n  größe: {prompt: 1, completion: 2}\n".encode("latin-1"))
    with pytest.raises(ConfigurationError, match=f"{own}"):
        load_prices(own)


@pytest.mark.parametrize(("text", "field"), [("", "models"), ("models: {x: {prompt: 1}}", "models.x")])
def test_a_field_that_is_wrong_is_named_with_its_file(tmp_path: Path, text: str, field: str) -> None:
    own = written(tmp_path, text)
    with pytest.raises(ConfigurationError) as caught:
        load_prices(own)
    assert str(caught.value).startswith(str(own))
    assert field in str(caught.value)
