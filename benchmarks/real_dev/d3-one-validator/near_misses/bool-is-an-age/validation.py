"""The one place where the data of a member are checked."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

_ADDRESS = re.compile(r"[^@\s]+@[^@\s.]+(\.[^@\s.]+)+")
_PHONE = re.compile(r"\+?[0-9]{6,15}")

_MISSING = "is missing"


@dataclass(frozen=True)
class Rules:
    """How strict to be. The defaults suit texts that people typed."""

    required: frozenset[str]
    longest_name: int
    minimum_age: int
    partial: bool = False  # required fields may be absent, but not emptied
    typed: bool = False  # values are of the right type already and None stands for nothing; otherwise all is text
    nothing: frozenset[str] = frozenset({""})  # texts, in lower case, that stand for nothing unless values are typed
    signed_age: bool = False
    keep_local_part: bool = False  # of an address, whose domain goes into lower case anyway
    separators: str = " /-"  # between the digits of a phone number
    unknown_allowed: bool = False


@dataclass
class Result:
    """Values and errors by field, both in the order of the checks; the value None stands for nothing."""

    values: dict[str, Any] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)


class _Wrong(Exception):
    """The text is the error."""


def validate(record: Mapping[str, Any], rules: Rules) -> Result:
    result = Result()
    for name, check in _CHECKS.items():
        if name not in record and (rules.partial or name not in rules.required):
            continue
        try:
            value = _prepared(record.get(name), rules)
            if value is None and name in rules.required:
                raise _Wrong(_MISSING)
            result.values[name] = None if value is None else check(value, rules)
        except _Wrong as wrong:
            result.errors[name] = str(wrong)
    if not rules.unknown_allowed:
        result.errors.update((name, "is not known") for name in record if name not in _CHECKS)
    return result


def _prepared(value: Any, rules: Rules) -> Any:
    if rules.typed:
        return value
    text = (value or "").strip()
    return None if text.lower() in rules.nothing else text


def _name(value: Any, rules: Rules) -> str:
    text = _text(value)
    if not text.strip():
        raise _Wrong(_MISSING)
    if len(text) > rules.longest_name:
        raise _Wrong("is too long")
    return text


def _email(value: Any, rules: Rules) -> str:
    text = _text(value)
    if not _ADDRESS.fullmatch(text):
        raise _Wrong("is not an address")
    local, _, domain = text.rpartition("@")
    return f"{local if rules.keep_local_part else local.lower()}@{domain.lower()}"


def _age(value: Any, rules: Rules) -> int:
    age = _typed_age(value) if rules.typed else _written_age(value, rules.signed_age)
    if age is None:
        raise _Wrong("is not a whole number")
    if age < rules.minimum_age:
        raise _Wrong("is too low")
    return age


def _typed_age(value: Any) -> int | None:
    return value if isinstance(value, int) else None


def _written_age(text: str, signed: bool) -> int | None:
    if not signed and not (text.isascii() and text.isdigit()):
        return None
    try:
        return int(text)
    except ValueError:
        return None


def _phone(value: Any, rules: Rules) -> str:
    phone = "".join(character for character in _text(value) if character not in rules.separators)
    if not _PHONE.fullmatch(phone):
        raise _Wrong("is not a phone number")
    return phone


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise _Wrong("is not a text")
    return value


_CHECKS: dict[str, Callable[[Any, Rules], Any]] = {"name": _name, "email": _email, "age": _age, "phone": _phone}
