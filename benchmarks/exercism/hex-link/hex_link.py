def stones_needed(board, player):
    pass


def good_moves(board, player):
    pass
