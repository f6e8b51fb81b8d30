"""What visitors and fixers of the repair café can do."""

from __future__ import annotations

from repository import Ticket, TicketRepository


class Conflict(Exception):
    """The ticket is not in the state that the request needs."""


def open_ticket(tickets: TicketRepository, owner: str, item: str, notes: str = "") -> int:
    if not owner.strip() or not item.strip():
        raise ValueError("owner and item must not be blank")
    return tickets.add(owner, item, notes)


def show_ticket(tickets: TicketRepository, ticket_id: int) -> dict | None:
    ticket = tickets.get(ticket_id)
    return _as_dict(ticket) if ticket else None


def take_ticket(tickets: TicketRepository, ticket_id: int, fixer: str) -> None:
    if not tickets.assign(ticket_id, fixer):
        raise Conflict(f"ticket {ticket_id} cannot be taken")


def close_ticket(tickets: TicketRepository, ticket_id: int, fixer: str) -> None:
    if not tickets.close(ticket_id, fixer):
        raise Conflict(f"ticket {ticket_id} cannot be closed by {fixer}")


def search(tickets: TicketRepository, text: str, sort: str = "newest") -> list[dict]:
    """The tickets with the text in item or notes."""
    return [_as_dict(ticket) for ticket in tickets.search(text, sort)]


def rename_owner(tickets: TicketRepository, old: str, new: str) -> int:
    """Give all tickets of one owner another owner, and return how many there were."""
    if not new.strip():
        raise ValueError("owner must not be blank")
    return tickets.rename_owner(old, new)


def history(tickets: TicketRepository, ticket_id: int) -> list[str]:
    return tickets.history(ticket_id)


def _as_dict(ticket: Ticket) -> dict:
    return {
        "id": ticket.id,
        "owner": ticket.owner,
        "item": ticket.item,
        "notes": ticket.notes,
        "fixer": ticket.fixer,
        "state": "closed" if ticket.closed else "taken" if ticket.fixer else "open",
    }
