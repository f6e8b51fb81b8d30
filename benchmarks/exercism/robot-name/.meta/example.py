import random
import string


class Robot:
    _taken = set()

    def __init__(self):
        self.name = self._new_name()

    def reset(self):
        old_name = self.name
        self.name = self._new_name()
        self._taken.discard(old_name)

    @classmethod
    def _new_name(cls):
        while True:
            letters = "".join(random.choices(string.ascii_uppercase, k=2))
            name = f"{letters}{random.randrange(1000):03}"
            if name not in cls._taken:
                cls._taken.add(name)
                return name
