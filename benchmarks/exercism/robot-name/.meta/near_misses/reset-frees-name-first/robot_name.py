# reset() releases the old name before it picks a new one, so it can pick the same name again.
import random
import string


class Robot:
    names_in_use = set()

    def __init__(self):
        self.name = self.pick_name()

    def reset(self):
        Robot.names_in_use.remove(self.name)
        self.name = self.pick_name()

    def pick_name(self):
        while True:
            letters = random.choice(string.ascii_uppercase) + random.choice(string.ascii_uppercase)
            name = f"{letters}{random.randint(0, 999):03d}"
            if name not in Robot.names_in_use:
                Robot.names_in_use.add(name)
                return name
