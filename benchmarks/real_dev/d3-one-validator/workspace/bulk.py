"""Member lists of other clubs, read by csv.DictReader. Their secretaries write what they like."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

NOTHING = ("", "-", "n/a")


class BadRow(Exception):
    def __init__(self, messages: list[str]) -> None:
        super().__init__("; ".join(messages))
        self.messages = messages


def read_row(row: Mapping[str, str | None]) -> dict[str, Any]:
    """The values of a row. Raises BadRow with a message per wrong field, in the order name, email, age, phone."""
    cells = {field: (cell or "").strip() for field, cell in row.items()}
    cells = {field: cell for field, cell in cells.items() if cell.lower() not in NOTHING}
    values: dict[str, Any] = {}
    messages = []

    if "name" not in cells:
        messages.append("name is missing")
    elif len(cells["name"]) > 60:
        messages.append("name is too long")
    else:
        values["name"] = cells["name"]

    if "email" in cells:
        local, at, domain = cells["email"].rpartition("@")
        email = local + at + domain.lower()
        if re.fullmatch(r"[^@\s]+@[^@\s.]+(\.[^@\s.]+)+", email):
            values["email"] = email
        else:
            messages.append("email is not an address")

    if "age" in cells:
        try:
            age = int(cells["age"])
        except ValueError:
            messages.append("age is not a whole number")
        else:
            if age < 0:
                messages.append("age is too low")
            else:
                values["age"] = age

    if "phone" in cells:
        phone = re.sub(r"[ /.()-]", "", cells["phone"])
        if re.fullmatch(r"\+?[0-9]{6,15}", phone):
            values["phone"] = phone
        else:
            messages.append("phone is not a phone number")

    if messages:
        raise BadRow(messages)
    return values
