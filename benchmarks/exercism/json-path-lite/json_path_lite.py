def select(data, query):
    pass
