# Relies on chance alone: nothing prevents two robots from having the same name.
import random
import string


class Robot:
    def __init__(self):
        self.name = self._random_name()

    def reset(self):
        previous = self.name
        while self.name == previous:
            self.name = self._random_name()

    @staticmethod
    def _random_name():
        letters = random.choices(string.ascii_uppercase, k=2)
        digits = random.choices(string.digits, k=3)
        return "".join(letters + digits)
