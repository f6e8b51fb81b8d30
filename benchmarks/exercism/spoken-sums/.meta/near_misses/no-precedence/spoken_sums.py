# Does all operations between numbers from left to right, products like sums.
from __future__ import annotations

import operator
import re
from collections.abc import Callable
from fractions import Fraction

SMALL = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
    "eighteen nineteen"
).split()
TENS = "twenty thirty forty fifty sixty seventy eighty ninety".split()

NUMBERS = {word: number for number, word in enumerate(SMALL)}
for tens, word in enumerate(TENS, start=2):
    NUMBERS[word] = 10 * tens
    for ones in range(1, 10):
        NUMBERS[f"{word}-{SMALL[ones]}"] = 10 * tens + ones

# A parsed expression is a function that computes its value, so that errors of grammar come before those of arithmetic.
Term = Callable[[], Fraction]
Operation = Callable[[Fraction, Fraction], Fraction]


def answer(question: str) -> int | Fraction:
    match = re.fullmatch(r"how +much +is +(.*[^ ])\?", question.lower())
    if not match:
        raise ValueError("not a question")
    parser = Parser(re.split(" +", match[1]))
    expression = parser.sum()
    if parser.words:
        raise ValueError(f"unexpected {parser.words[-1]!r}")
    value = expression()
    return value.numerator if value.denominator == 1 else value


class Parser:
    def __init__(self, words: list[str]) -> None:
        self.words = words[::-1]

    def accept(self, *phrase: str) -> bool:
        if tuple(self.words[: -len(phrase) - 1 : -1]) != phrase:
            return False
        del self.words[-len(phrase) :]
        return True

    def expect(self, word: str) -> None:
        if not self.accept(word):
            raise ValueError(f"missing {word!r}")

    def sum(self) -> Term:
        return self.chain(
            self.multiple,
            {
                ("plus",): operator.add,
                ("minus",): operator.sub,
                ("times",): operator.mul,
                ("divided", "by"): operator.truediv,
            },
        )

    def chain(self, operand: Callable[[], Term], operations: dict[tuple[str, ...], Operation]) -> Term:
        """Read operands with these operations between them, which are done from left to right."""
        first = operand()
        others: list[tuple[Operation, Term]] = []
        while phrase := next((phrase for phrase in operations if self.accept(*phrase)), None):
            others.append((operations[phrase], operand()))

        def value() -> Fraction:
            result = first()
            for operation, other in others:
                result = operation(result, other())
            return result

        return value

    def multiple(self) -> Term:
        factor = Fraction(1)
        while True:
            if self.accept("half", "of"):
                factor /= 2
            elif self.accept("double"):
                factor *= 2
            else:
                value = self.power()
                return lambda: factor * value()

    def power(self) -> Term:
        if self.accept("the", "sum", "of"):
            return self.pair(operator.add)
        if self.accept("the", "product", "of"):
            return self.pair(operator.mul)
        base = self.single()
        exponent = 1
        while True:
            if self.accept("squared"):
                exponent *= 2
            elif self.accept("cubed"):
                exponent *= 3
            else:
                return lambda: base() ** exponent

    def pair(self, operation: Operation) -> Term:
        first = self.sum()
        self.expect("and")
        second = self.sum()
        return lambda: operation(first(), second())

    def single(self) -> Term:
        if self.accept("open"):
            value = self.sum()
            self.expect("close")
            return value
        sign = -1 if self.accept("negative") else 1
        number = Fraction(sign * self.number())
        return lambda: number

    def number(self) -> int:
        if not self.words:
            raise ValueError("missing number")
        word = self.words.pop()
        if word in NUMBERS:
            return NUMBERS[word]
        if re.fullmatch("[0-9]+", word):
            return int(word)
        raise ValueError(f"{word!r} is not a number")
