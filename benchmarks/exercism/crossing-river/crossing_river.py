def plan(travellers, load, quarrels):
    pass
