def reroot(tree, name):
    pass


def route(tree, start, goal):
    pass


def centre(tree):
    pass
