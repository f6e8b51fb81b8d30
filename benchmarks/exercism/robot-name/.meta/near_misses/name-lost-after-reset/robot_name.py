# A reset marks the name as missing, but the name that is then generated on reading is not stored.
import random
import string

used_names = set()


def generate_name():
    while True:
        letters = "".join(random.choice(string.ascii_uppercase) for _ in range(2))
        digits = "".join(random.choice(string.digits) for _ in range(3))
        name = letters + digits
        if name not in used_names:
            used_names.add(name)
            return name


class Robot:
    def __init__(self):
        self._name = generate_name()

    @property
    def name(self):
        return self._name or generate_name()

    def reset(self):
        self._name = None
