class GameError(ValueError):
    pass


class Game:
    def __init__(self):
        pass

    def throw(self, pins):
        pass

    def standing(self):
        pass

    def rounds(self):
        pass

    def score(self):
        pass

    def is_over(self):
        pass
