"""The form on the website, by which people join the rowing club themselves."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

FIELDS = ("name", "email", "age", "phone")


def read_form(form: Mapping[str, str]) -> tuple[dict[str, Any], dict[str, str]]:
    """The values of a form and its errors by field; fields with an error have no value."""
    values: dict[str, Any] = {}
    errors: dict[str, str] = {}

    name = form.get("name", "").strip()
    if not name:
        errors["name"] = "is missing"
    elif len(name) > 40:
        errors["name"] = "is too long"
    else:
        values["name"] = name

    email = form.get("email", "").strip().lower()
    if not email:
        errors["email"] = "is missing"
    elif not re.fullmatch(r"[^@\s]+@[^@\s.]+(\.[^@\s.]+)+", email):
        errors["email"] = "is not an address"
    else:
        values["email"] = email

    age = form.get("age", "").strip()
    if not age:
        errors["age"] = "is missing"
    elif not (age.isascii() and age.isdigit()):
        errors["age"] = "is not a whole number"
    elif int(age) < 16:
        errors["age"] = "is too low"
    else:
        values["age"] = int(age)

    phone = form.get("phone", "").strip()
    if phone:
        digits = re.sub(r"[ /-]", "", phone)
        if re.fullmatch(r"\+?[0-9]{6,15}", digits):
            values["phone"] = digits
        else:
            errors["phone"] = "is not a phone number"

    for field in form:
        if field not in FIELDS:
            errors[field] = "is not known"
    return values, errors
