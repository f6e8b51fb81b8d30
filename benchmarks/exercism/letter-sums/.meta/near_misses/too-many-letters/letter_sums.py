# Does not see that there are more letters than digits and reuses digits.
import re
from collections import defaultdict


def solve(puzzle: str, base: int = 10) -> list[dict[str, int]]:
    columns, leading = _read(puzzle)
    letters = sorted(set().union(*columns))
    # The letters in the order in which the columns need them, from the right; None where a column is complete.
    steps: list[tuple[str, int] | None] = []
    seen: set[str] = set()
    for column in columns:
        for letter in sorted(set(column) - seen):
            steps.append((letter, column[letter]))
        steps.append(None)
        seen |= set(column)

    digits: dict[str, int] = {}
    free = set(range(max(base, len(letters))))
    solutions: list[dict[str, int]] = []

    def search(step: int, column: int, carry: int) -> None:
        if column == len(columns):
            if carry == 0:
                solutions.append({letter: digits[letter] for letter in letters})
            return
        current = steps[step]
        if current is None:
            total = carry + sum(weight * digits[letter] for letter, weight in columns[column].items())
            if total % base == 0:
                search(step + 1, column + 1, total // base)
            return
        letter, weight = current
        candidates = sorted(free)
        if steps[step + 1] is None:
            rest = carry + sum(w * digits[other] for other, w in columns[column].items() if other != letter)
            candidates = [digit for digit in candidates if (rest + weight * digit) % base == 0]
        for digit in candidates:
            if digit == 0 and letter in leading:
                continue
            digits[letter] = digit
            free.remove(digit)
            search(step + 1, column, carry)
            free.add(digit)
            del digits[letter]

    search(0, 0, 0)
    return sorted(solutions, key=lambda solution: list(solution.values()))


def _read(puzzle: str) -> tuple[list[dict[str, int]], set[str]]:
    """How often each letter counts in each column, rightmost first, all words on one side; and the first letters."""
    columns: list[dict[str, int]] = []
    leading: set[str] = set()
    side, sign = 1, 1
    for token in re.findall(r"[A-Z]+|[-+=]", puzzle):
        if token == "=":
            side, sign = -1, 1
        elif token in "+-":
            sign = 1 if token == "+" else -1
        else:
            if len(token) > 1:
                leading.add(token[0])
            columns += [defaultdict(int) for _ in range(len(token) - len(columns))]
            for column, letter in zip(columns, reversed(token)):
                column[letter] += side * sign
    return columns, leading
