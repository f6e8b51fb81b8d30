# Does not pad the number with zeros, so some names are too short.
import random
from string import ascii_uppercase


class Robot:
    _names = set()

    def __init__(self):
        self.reset()

    def reset(self):
        name = self._candidate()
        while name in Robot._names:
            name = self._candidate()
        Robot._names.add(name)
        self.name = name

    def _candidate(self):
        first, second = random.choice(ascii_uppercase), random.choice(ascii_uppercase)
        return f"{first}{second}{random.randint(0, 999)}"
