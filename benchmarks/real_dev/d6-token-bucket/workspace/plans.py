"""The limits that our customers have by contract."""

from limits import Limit

SECOND = 1_000_000_000
MINUTE = 60 * SECOND

DEFAULTS = (
    Limit(capacity=1000, amount=1000, period_ns=MINUTE),  # customer
    None,  # project
    Limit(capacity=60, amount=60, period_ns=MINUTE),  # user
)

OVERRIDES = {
    "acme": Limit(capacity=50_000, amount=7, period_ns=1_000_000),
    "acme/batch": Limit(capacity=200, amount=1, period_ns=3 * SECOND),
}
