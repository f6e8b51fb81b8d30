"""What the board of the shed wants to know."""

from __future__ import annotations

from datetime import datetime

import lending


def summary() -> str:
    loans = lending.loans()
    now = datetime.now(lending.SHED_TIME)
    longest = max(((now - loan.since).days for loan in loans), default=0)
    return f"{now:%Y-%m-%d %H:%M}: {len(loans)} out, {len(lending.overdue())} overdue, longest {longest} days"
