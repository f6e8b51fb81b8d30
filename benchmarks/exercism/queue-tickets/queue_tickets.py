class QueueError(Exception):
    pass


class UnknownCounter(QueueError):
    pass


class UnknownTicket(QueueError):
    pass


class WrongState(QueueError):
    pass


class TicketQueue:
    def __init__(self, counters):
        pass

    def take(self, urgent=False):
        pass

    def state(self, number):
        pass

    def call(self, counter):
        pass

    def arrive(self, counter):
        pass

    def miss(self, counter):
        pass

    def finish(self, counter):
        pass

    def cancel(self, number):
        pass
