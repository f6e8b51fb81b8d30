def encode(text, terraces, start=0):
    pass


def decode(signal, terraces, start=0):
    pass


def find_keys(text, signal):
    pass
