def mix(strongest, rules):
    pass
