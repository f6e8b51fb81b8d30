def seat(plan, size, wheelchairs=0):
    pass


def seat_all(plan, groups):
    pass
