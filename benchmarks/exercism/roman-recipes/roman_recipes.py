def convert(quantity, unit):
    pass


def total(quantities):
    pass
