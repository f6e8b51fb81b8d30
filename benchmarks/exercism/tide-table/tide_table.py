def depth_at(table, time):
    pass


def next_passage(table, time, draught):
    pass
