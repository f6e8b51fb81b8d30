def ring(tiles):
    pass


def missing(tiles):
    pass
