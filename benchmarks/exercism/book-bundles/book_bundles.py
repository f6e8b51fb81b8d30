def lowest_price(prices, bundles, order):
    pass
