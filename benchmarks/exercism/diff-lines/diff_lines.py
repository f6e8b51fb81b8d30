class PatchError(Exception):
    pass


def diff(old, new, context=2):
    pass


def patch(old, difference):
    pass


def invert(difference):
    pass
