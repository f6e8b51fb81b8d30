class ForgeError(Exception):
    pass


class Forge:
    def __init__(self):
        pass

    def run(self, text):
        pass
