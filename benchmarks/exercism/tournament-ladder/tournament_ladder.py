def ladder(games):
    pass
