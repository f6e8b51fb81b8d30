def spell(number):
    pass


def read(words):
    pass
