# Joins hunks only if their contexts overlap.
from __future__ import annotations

import re


class PatchError(Exception):
    pass


def diff(old: list[str], new: list[str], context: int = 2) -> list[str]:
    script = _edit_script(old, new)
    changes = [number for number, step in enumerate(script) if step[0] != " "]
    shown = {near for number in changes for near in range(number - context, number + context + 1)}
    difference = []
    old_number = new_number = 1
    for number, step in enumerate(script):
        if number in shown:
            if (
                number == 0
                or number - 1 not in shown
                or {number - context - 1, number + context} <= set(changes)
                and context
                and not set(changes) & set(range(number - context, number + context))
            ):
                difference.append(f"@ {old_number} {new_number}")
            difference.append(step)
        old_number += step[0] != "+"
        new_number += step[0] != "-"
    return difference


def patch(old: list[str], difference: list[str]) -> list[str]:
    new: list[str] = []
    position = 0
    in_hunk = False
    for line in difference:
        sign, text = line[:1], line[1:]
        if sign == "@":
            old_number, new_number = _header(line)
            if not position < old_number <= len(old) + 1:
                raise PatchError("a hunk begins in the wrong place")
            new += old[position : old_number - 1]
            position = old_number - 1
            if len(new) != new_number - 1:
                raise PatchError("the second number of a hunk is wrong")
            in_hunk = True
        elif sign not in ("-", "+", " ") or not in_hunk:
            raise PatchError(f"unexpected line {line!r}")
        elif sign == "+":
            new.append(text)
        else:
            if old[position : position + 1] != [text]:
                raise PatchError(f"line {position + 1} is not {text!r}")
            position += 1
            if sign == " ":
                new.append(text)
    return new + old[position:]


def invert(difference: list[str]) -> list[str]:
    exchanged = {"-": "+", "+": "-", " ": " "}
    result = []
    for line in difference:
        if line.startswith("@"):
            old_number, new_number = _header(line)
            result.append(f"@ {new_number} {old_number}")
        else:
            result.append(exchanged[line[0]] + line[1:])
    return result


def _header(line: str) -> tuple[int, int]:
    match = re.fullmatch("@ ([0-9]+) ([0-9]+)", line)
    if not match:
        raise PatchError(f"malformed line {line!r}")
    return int(match[1]), int(match[2])


def _edit_script(old: list[str], new: list[str]) -> list[str]:
    # left[i][j] is the number of changes that turn old[i:] into new[j:].
    left = [list(range(len(new), -1, -1))]
    for line in reversed(old):
        below = left[-1]
        row = [below[-1] + 1]
        for j in range(len(new) - 1, -1, -1):
            row.append(below[j + 1] if line == new[j] else 1 + min(below[j], row[-1]))
        left.append(row[::-1])
    left.reverse()

    script = []
    i = j = 0
    while i < len(old) or j < len(new):
        if i < len(old) and left[i][j] == left[i + 1][j] + 1:
            script.append("-" + old[i])
            i += 1
        elif i < len(old) and j < len(new) and old[i] == new[j]:
            script.append(" " + old[i])
            i += 1
            j += 1
        else:
            script.append("+" + new[j])
            j += 1
    return script
