def owner(board, row, column):
    pass


def score(board):
    pass


def cleaned(board):
    pass
