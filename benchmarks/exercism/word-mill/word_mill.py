def grind(text):
    pass


def longest(text):
    pass
