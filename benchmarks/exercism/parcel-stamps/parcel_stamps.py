def stamps(price, drawer):
    pass
