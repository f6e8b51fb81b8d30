class CycleError(ValueError):
    pass


class Garden:
    def __init__(self):
        pass

    def set(self, name, value):
        pass

    def plant(self, name, sources, function):
        pass

    def get(self, name):
        pass

    def watch(self, name, callback):
        pass

    def batch(self):
        pass
