"""Whether the harbour entrance is open: it closes at swell from outside and at strong wind."""

CLOSED_FROM_BEAUFORT = 9
CLOSED_FROM_SWELL_CM = 250


def entrance_open(beaufort: int, swell_cm: int) -> bool:
    return beaufort < CLOSED_FROM_BEAUFORT and swell_cm < CLOSED_FROM_SWELL_CM
