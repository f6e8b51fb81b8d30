def encode(text):
    pass


def decode(signal):
    pass
