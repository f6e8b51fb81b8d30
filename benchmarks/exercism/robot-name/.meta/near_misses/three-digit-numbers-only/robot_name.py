# Draws the number from 100 to 999, so the names with a leading zero are never given.
import random
import string


class Robot:
    _assigned = set()

    def __init__(self):
        self._name = None

    @property
    def name(self):
        if self._name is None:
            self._name = self._draw()
        return self._name

    def reset(self):
        self._name = self._draw()

    def _draw(self):
        while True:
            letters = "".join(random.choices(string.ascii_uppercase, k=2))
            name = f"{letters}{random.randint(100, 999)}"
            if name not in self._assigned:
                self._assigned.add(name)
                return name
