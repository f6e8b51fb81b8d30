# The name that a reset gives is not recorded as taken, so a later robot can get it, too.
import random
import string


class Robot:
    taken = set()

    def __init__(self):
        self.name = self.unused_name()
        Robot.taken.add(self.name)

    def reset(self):
        self.name = self.unused_name()

    @classmethod
    def unused_name(cls):
        while True:
            name = "".join(random.choices(string.ascii_uppercase, k=2) + random.choices(string.digits, k=3))
            if name not in cls.taken:
                return name
