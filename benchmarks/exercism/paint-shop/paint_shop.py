def mix(strongest, customers):
    pass
