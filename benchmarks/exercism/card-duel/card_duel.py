def winners(hands):
    pass
