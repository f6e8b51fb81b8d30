def show(hour, minute, twelve=False):
    pass


def read(text):
    pass
