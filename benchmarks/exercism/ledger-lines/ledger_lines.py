def ledger(entries):
    pass
