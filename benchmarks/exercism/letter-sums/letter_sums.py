def solve(puzzle, base=10):
    pass
