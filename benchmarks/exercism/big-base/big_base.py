def convert(numeral, source, target):
    pass
