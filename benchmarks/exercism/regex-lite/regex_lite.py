def matches(pattern, text):
    pass
