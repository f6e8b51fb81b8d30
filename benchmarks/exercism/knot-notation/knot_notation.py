def expand(notation):
    pass


def length(notation):
    pass


def knot_at(notation, index):
    pass
