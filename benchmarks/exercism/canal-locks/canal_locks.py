def simulate(turns, length, boats):
    pass
