# Ends the game after six rounds, with or without bonus throws.
PINS = 9
ROUNDS = 6
THROWS = 3
BONUS = {1: 3, 2: 1, 3: 0}


class GameError(ValueError):
    """A throw that cannot have happened."""


class Game:
    def __init__(self) -> None:
        self._throws: list[int] = []
        # For each round that has ended, the index of its first throw and of the first one after it.
        self._ended: list[tuple[int, int]] = []
        self._round_start = 0
        self._standing = PINS

    def throw(self, pins: int) -> None:
        if self.is_over():
            raise GameError("the game is over")
        if not 0 <= pins <= self._standing:
            raise GameError(f"{self._standing} pins are standing")
        self._throws.append(pins)
        self._standing -= pins
        if len(self._ended) == ROUNDS:
            self._standing = self._standing or PINS
        elif self._standing == 0 or len(self._throws) - self._round_start == THROWS:
            self._ended.append((self._round_start, len(self._throws)))
            self._round_start = len(self._throws)
            self._standing = PINS

    def standing(self) -> int:
        return 0 if self.is_over() else self._standing

    def rounds(self) -> list[int]:
        worths = []
        for start, end in self._ended:
            last = end + self._bonus(start, end)
            if last > len(self._throws):
                break
            worths.append(sum(self._throws[start:last]))
        return worths

    def score(self) -> int:
        return sum(self.rounds())

    def is_over(self) -> bool:
        return len(self._ended) == ROUNDS

    def _bonus(self, start: int, end: int) -> int:
        """How many of the following throws are added to this round."""
        return BONUS[end - start] if sum(self._throws[start:end]) == PINS else 0
